// What a device is: a record to query, not a name to recognise.
#ifndef SEEDTUNE_HARDWARE_HARDWARE_INFO_H_
#define SEEDTUNE_HARDWARE_HARDWARE_INFO_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hardware/arch.h"

namespace seedtune {

enum class DeviceKind { kUnknown, kCpu, kCuda, kRocm };

std::string_view DeviceKindName(DeviceKind kind);  // "cpu", "cuda", "rocm", "unknown"

// One device. In every number 0 means unknown; in every string "" does. Sizes are bytes (int64_t),
// rates are per second. A value type: thread-compatible.
struct HardwareInfo {
  DeviceKind kind = DeviceKind::kUnknown;
  std::string name;  // marketing name, as the driver gives it: "NVIDIA H100 80GB HBM3"
  Arch arch;
  std::string driver_version;
  std::string runtime_version;

  // Compute units: SMs (CUDA), CUs (ROCm), physical cores (CPU).
  int compute_units = 0;
  int warp_size = 0;               // threads that run in lock step; CPU: 1
  int max_threads_per_block = 0;   // GPUs only
  int threads_per_unit = 0;        // resident threads a unit holds; CPU: hardware threads a core
  int64_t registers_per_unit = 0;  // 32-bit registers; CPU: architectural vector registers
  int64_t shared_memory_per_block_bytes = 0;  // one block's opt-in limit; ROCm: LDS of a group
  int64_t shared_memory_per_unit_bytes = 0;
  int64_t tensor_memory_per_unit_bytes = 0;  // Blackwell's TMEM; 0 where there is none
  int num_xcds = 0;                          // accelerator dies (ROCm MI300 on); 0 unknown, 1 one

  int vector_bits = 0;  // CPU: widest usable SIMD register
  int64_t cache_line_bytes = 0;
  int64_t l1_data_bytes = 0;  // CPU: of one core; GPU: of one compute unit
  int64_t l2_bytes = 0;       // CPU: of one core (of one cluster where shared); GPU: of the device
  int64_t l3_bytes = 0;       // CPU: one L3 domain; GPU: the memory-side cache, where there is one
  int64_t memory_bytes = 0;
  int64_t memory_bandwidth_bytes_per_s = 0;  // peak by specification
  int64_t clock_hz = 0;                      // boost clock by specification or driver

  bool has_tensor_cores = false;  // matrix units: tensor cores, MFMA, WMMA, AMX, SME

  // CPU: instruction sets that a process may use here, named as /proc/cpuinfo names them, sorted:
  // "avx2", "avx512_bf16", "amx_tile", "sve". Only those that matter to kernels; empty: unknown.
  std::vector<std::string> isa;

  friend bool operator==(const HardwareInfo&, const HardwareInfo&) = default;
};

// A stable identity for database keys, of printable characters: kind, name, architecture with its
// features, and the sizes that decide what fits; unknown fields left out. Leaves out versions (they
// are keys of their own), clocks and bandwidth, the memory size (the same machine reports another
// after an update of its kernel or driver) and the ISA list (it grows with the library that reads
// it; what decides shows in the architecture, the vector width and the matrix units).
std::string DeviceKey(const HardwareInfo& info);

// Several lines for people: "NVIDIA H100 80GB HBM3 (cuda, sm90): 132 SMs, ..."; unknown fields left
// out. Ends in a line break.
std::string DescribeHardware(const HardwareInfo& info);

}  // namespace seedtune

#endif  // SEEDTUNE_HARDWARE_HARDWARE_INFO_H_
