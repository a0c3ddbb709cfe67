// The numbers of HardwareInfo as a table, so that keys, protos and validators walk one list.
#ifndef SEEDTUNE_HARDWARE_HARDWARE_FIELDS_H_
#define SEEDTUNE_HARDWARE_HARDWARE_FIELDS_H_

#include <cstdint>
#include <string_view>
#include <type_traits>
#include <variant>

#include "hardware/hardware_info.h"

namespace seedtune {

struct HardwareField {
  std::string_view name;  // the member's, and the field's in hardware_spec.proto
  std::variant<int HardwareInfo::*, int64_t HardwareInfo::*> member;
  bool identifies;  // part of DeviceKey()

  int64_t Get(const HardwareInfo& info) const {
    return std::visit([&](auto m) { return static_cast<int64_t>(info.*m); }, member);
  }
  // `value` must fit the member.
  void Set(int64_t value, HardwareInfo* info) const {
    std::visit(
        [&](auto m) {
          using T = std::remove_reference_t<decltype(info->*m)>;
          info->*m = static_cast<T>(value);
        },
        member);
  }
  bool is_int32() const { return member.index() == 0; }
};

inline constexpr HardwareField kHardwareFields[] = {
    {"compute_units", &HardwareInfo::compute_units, true},
    {"warp_size", &HardwareInfo::warp_size, true},
    {"max_threads_per_block", &HardwareInfo::max_threads_per_block, true},
    {"threads_per_unit", &HardwareInfo::threads_per_unit, true},
    {"registers_per_unit", &HardwareInfo::registers_per_unit, true},
    {"shared_memory_per_block_bytes", &HardwareInfo::shared_memory_per_block_bytes, true},
    {"shared_memory_per_unit_bytes", &HardwareInfo::shared_memory_per_unit_bytes, true},
    {"tensor_memory_per_unit_bytes", &HardwareInfo::tensor_memory_per_unit_bytes, true},
    {"num_xcds", &HardwareInfo::num_xcds, true},
    {"vector_bits", &HardwareInfo::vector_bits, true},
    {"cache_line_bytes", &HardwareInfo::cache_line_bytes, true},
    {"l1_data_bytes", &HardwareInfo::l1_data_bytes, true},
    {"l2_bytes", &HardwareInfo::l2_bytes, true},
    {"l3_bytes", &HardwareInfo::l3_bytes, true},
    {"memory_bytes", &HardwareInfo::memory_bytes, false},
    {"memory_bandwidth_bytes_per_s", &HardwareInfo::memory_bandwidth_bytes_per_s, false},
    {"clock_hz", &HardwareInfo::clock_hz, false},
};

}  // namespace seedtune

#endif  // SEEDTUNE_HARDWARE_HARDWARE_FIELDS_H_
