#include "hardware/hardware_info.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "hardware/hardware_fields.h"
#include "util/string_view.h"

namespace seedtune {
namespace {

// `text` with what structures a key, and what no terminal prints, as %XX.
std::string EscapeForKey(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == ';' || c == '=' || c == '%' || !absl::ascii_isprint(static_cast<unsigned char>(c))) {
      absl::StrAppendFormat(&result, "%%%02X", static_cast<unsigned char>(c));
    } else {
      result += c;
    }
  }
  return result;
}

void AppendToKey(std::string_view name, std::string_view value, std::string* key) {
  if (value.empty()) return;
  absl::StrAppend(key, key->empty() ? "" : ";", ToAbsl(name), "=", EscapeForKey(value));
}

// "80 GiB", "1.5 MiB", "48 KiB", "100 bytes": the largest unit that leaves at least 1, at most one
// decimal.
std::string Bytes(int64_t bytes) {
  const struct {
    int shift;
    const char* unit;
  } kUnits[] = {{40, "TiB"}, {30, "GiB"}, {20, "MiB"}, {10, "KiB"}};
  for (const auto& unit : kUnits) {
    const int64_t one = int64_t{1} << unit.shift;
    if (bytes < one) continue;
    if (bytes % one == 0) return absl::StrCat(bytes / one, " ", unit.unit);
    return absl::StrFormat("%.1f %s", static_cast<double>(bytes) / static_cast<double>(one),
                           unit.unit);
  }
  return absl::StrCat(bytes, " bytes");
}

// One line of several facts; those that are unknown are not added.
class Line {
 public:
  void Add(bool known, std::string text) {
    if (known) facts_.push_back(std::move(text));
  }
  void AppendTo(std::string_view label, std::string* result) const {
    if (!facts_.empty()) {
      absl::StrAppend(result, "  ", ToAbsl(label), ": ", absl::StrJoin(facts_, ", "), "\n");
    }
  }
  std::string Join() const { return absl::StrJoin(facts_, ", "); }

 private:
  std::vector<std::string> facts_;
};

std::string_view UnitName(DeviceKind kind) {
  switch (kind) {
    case DeviceKind::kCpu:
      return "core";
    case DeviceKind::kCuda:
      return "SM";
    case DeviceKind::kRocm:
      return "CU";
    case DeviceKind::kUnknown:
      return "compute unit";
  }
  return "compute unit";
}

std::string Count(int64_t count, std::string_view noun) {
  return absl::StrCat(count, " ", ToAbsl(noun), count == 1 ? "" : "s");
}

}  // namespace

std::string_view DeviceKindName(DeviceKind kind) {
  switch (kind) {
    case DeviceKind::kCpu:
      return "cpu";
    case DeviceKind::kCuda:
      return "cuda";
    case DeviceKind::kRocm:
      return "rocm";
    case DeviceKind::kUnknown:
      return "unknown";
  }
  return "unknown";
}

std::string DeviceKey(const HardwareInfo& info) {
  std::string key;
  AppendToKey("kind", DeviceKindName(info.kind), &key);
  AppendToKey("name", info.name, &key);
  AppendToKey("arch", info.arch.ToString(), &key);
  for (const HardwareField& field : kHardwareFields) {
    const int64_t value = field.Get(info);
    if (field.identifies && value != 0) AppendToKey(field.name, absl::StrCat(value), &key);
  }
  if (info.has_tensor_cores) AppendToKey("has_tensor_cores", "1", &key);
  return key;
}

std::string DescribeHardware(const HardwareInfo& info) {
  const bool cpu = info.kind == DeviceKind::kCpu;
  const std::string_view unit = UnitName(info.kind);
  const std::string per_unit = absl::StrCat(" per ", ToAbsl(unit));

  Line first;
  first.Add(info.compute_units != 0, Count(info.compute_units, unit));
  first.Add(info.num_xcds > 1, absl::StrCat("on ", Count(info.num_xcds, "die")));
  first.Add(info.threads_per_unit != 0, Count(info.threads_per_unit, "thread") + per_unit);
  first.Add(!cpu && info.warp_size != 0, absl::StrCat("warps of ", info.warp_size));
  first.Add(info.vector_bits != 0, absl::StrCat(info.vector_bits, "-bit vectors"));
  first.Add(info.has_tensor_cores, "matrix units");

  Line on_chip;
  on_chip.Add(info.shared_memory_per_block_bytes != 0,
              Bytes(info.shared_memory_per_block_bytes) + " shared memory per block");
  on_chip.Add(info.shared_memory_per_unit_bytes != 0,
              Bytes(info.shared_memory_per_unit_bytes) + per_unit);
  on_chip.Add(info.tensor_memory_per_unit_bytes != 0,
              Bytes(info.tensor_memory_per_unit_bytes) + " tensor memory" + per_unit);
  on_chip.Add(info.registers_per_unit != 0,
              Count(info.registers_per_unit, cpu ? "vector register" : "register") + per_unit);
  on_chip.Add(info.max_threads_per_block != 0,
              absl::StrCat("at most ", Count(info.max_threads_per_block, "thread"), " per block"));

  Line caches;
  caches.Add(info.l1_data_bytes != 0, "L1 data " + Bytes(info.l1_data_bytes) + per_unit);
  caches.Add(info.l2_bytes != 0, "L2 " + Bytes(info.l2_bytes) + (cpu ? per_unit : ""));
  caches.Add(info.l3_bytes != 0, "L3 " + Bytes(info.l3_bytes));
  caches.Add(info.cache_line_bytes != 0, absl::StrCat(info.cache_line_bytes, "-byte lines"));

  Line memory;
  memory.Add(info.memory_bytes != 0, Bytes(info.memory_bytes));
  memory.Add(info.memory_bandwidth_bytes_per_s != 0,
             absl::StrFormat("%.6g GB/s", info.memory_bandwidth_bytes_per_s * 1e-9));

  Line clock;
  clock.Add(info.clock_hz != 0,
            absl::StrCat("up to ", absl::StrFormat("%.6g MHz", info.clock_hz * 1e-6)));

  Line software;
  software.Add(!info.driver_version.empty(), "driver " + info.driver_version);
  software.Add(!info.runtime_version.empty(), "runtime " + info.runtime_version);

  Line isa;
  isa.Add(!info.isa.empty(), absl::StrJoin(info.isa, " "));

  std::string result = info.name.empty() ? "unnamed device" : info.name;
  absl::StrAppend(&result, " (", ToAbsl(DeviceKindName(info.kind)));
  if (!info.arch.base.empty()) absl::StrAppend(&result, ", ", info.arch.ToString());
  absl::StrAppend(&result, ")");
  if (const std::string facts = first.Join(); !facts.empty()) {
    absl::StrAppend(&result, ": ", facts);
  }
  absl::StrAppend(&result, "\n");
  on_chip.AppendTo("on chip", &result);
  caches.AppendTo("caches", &result);
  memory.AppendTo("memory", &result);
  clock.AppendTo("clock", &result);
  software.AppendTo("software", &result);
  isa.AppendTo("ISA", &result);
  return result;
}

}  // namespace seedtune
