// What a processor is called in the tables of compilers, and which of its instruction sets matter.
//
// Thread-safe: no state.
#ifndef SEEDTUNE_HARDWARE_CPU_ARCH_H_
#define SEEDTUNE_HARDWARE_CPU_ARCH_H_

#include <string>
#include <string_view>
#include <vector>

#include "hardware/system_reader.h"

namespace seedtune {

// The architecture's base name: "znver5", "sapphirerapids", "neoverse-v2". An x86 processor that no
// table has is called by its level ("x86-64-v3"), another one "".
std::string CpuArchName(const CpuIdentity& identity);

// The instruction sets that matter to kernels out of `identity.features`, as /proc/cpuinfo names
// them, sorted, each once.
std::vector<std::string> KernelIsa(const CpuIdentity& identity);

// Whether `isa`, as KernelIsa() gives it, has `name`.
bool HasIsa(const std::vector<std::string>& isa, std::string_view name);

}  // namespace seedtune

#endif  // SEEDTUNE_HARDWARE_CPU_ARCH_H_
