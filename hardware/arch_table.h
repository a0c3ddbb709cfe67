// Every architecture that Seedtune knows by name: one line each, and nowhere else.
#ifndef SEEDTUNE_HARDWARE_ARCH_TABLE_H_
#define SEEDTUNE_HARDWARE_ARCH_TABLE_H_

#include <string_view>

namespace seedtune {

struct ArchTableRow {
  std::string_view base;
  std::string_view family;
  // Whose seeds this architecture may start from when it has none of its own; "" where nobody's are
  // of use. An edge is drawn where both hold:
  //   * what was tuned for the predecessor is legal here: its vector or matrix instructions exist,
  //     with the same operand layout;
  //   * those instructions still serve good kernels here, so that its schedules are a start and no
  //     trap.
  // Newer is not enough: datacenter Blackwell (sm100) has no wgmma and its mma.sync is a fraction
  // of the machine, consumer Blackwell (sm120) has neither wgmma nor tcgen05 but all that sm89 has.
  // A smaller shared memory or cache breaks no edge: the space's constraints see to that.
  std::string_view predecessor;
};

// A predecessor stands before its successors, so there are no cycles.
//
// Names are the compilers' own: nvcc --list-gpu-arch and the PTX ISA's target list
// (https://docs.nvidia.com/cuda/parallel-thread-execution), LLVM's AMDGPU processors
// (https://llvm.org/docs/AMDGPUUsage.html#processors), and the -march/-mcpu names of GCC and LLVM.
inline constexpr ArchTableRow kArchTable[] = {
    // NVIDIA. mma.sync with cp.async begins with sm80 and is the way of sm80 to sm89 and sm120, and
    // a good second to wgmma on sm90.
    {"sm70", "volta", ""},
    {"sm72", "volta", "sm70"},
    {"sm75", "turing", ""},  // mma.m16n8k8 where Volta has m8n8k4, which runs slowly here
    {"sm80", "ampere", ""},  // asynchronous copies: Turing's two-stage schedules mislead
    {"sm86", "ampere", "sm80"},
    {"sm87", "ampere", "sm80"},
    {"sm88", "ampere", "sm80"},
    {"sm89", "ada", "sm86"},
    {"sm90", "hopper", "sm80"},
    {"sm100", "blackwell", ""},       // tcgen05 and tensor memory
    {"sm101", "blackwell", "sm100"},  // what CUDA 12 called sm110
    {"sm103", "blackwell", "sm100"},
    {"sm110", "blackwell", "sm100"},
    {"sm120", "blackwell_consumer", "sm89"},  // mma.sync and 99 KiB a block, as sm89
    {"sm121", "blackwell_consumer", "sm120"},

    // AMD. MFMA begins with CDNA, WMMA with RDNA 3; RDNA 4 lays out WMMA's operands anew.
    {"gfx900", "vega", ""},
    {"gfx902", "vega", "gfx900"},
    {"gfx904", "vega", "gfx900"},
    {"gfx906", "vega", "gfx900"},
    {"gfx909", "vega", "gfx900"},
    {"gfx90c", "vega", "gfx900"},
    {"gfx908", "cdna1", ""},
    {"gfx90a", "cdna2", "gfx908"},
    {"gfx940", "cdna3", "gfx90a"},  // gfx940 and gfx941 are early steppings of gfx942
    {"gfx941", "cdna3", "gfx940"},
    {"gfx942", "cdna3", "gfx940"},
    {"gfx950", "cdna4", "gfx942"},
    {"gfx1010", "rdna1", ""},
    {"gfx1011", "rdna1", "gfx1010"},
    {"gfx1012", "rdna1", "gfx1010"},
    {"gfx1013", "rdna1", "gfx1010"},
    {"gfx1030", "rdna2", "gfx1010"},
    {"gfx1031", "rdna2", "gfx1030"},
    {"gfx1032", "rdna2", "gfx1030"},
    {"gfx1033", "rdna2", "gfx1030"},
    {"gfx1034", "rdna2", "gfx1030"},
    {"gfx1035", "rdna2", "gfx1030"},
    {"gfx1036", "rdna2", "gfx1030"},
    {"gfx1100", "rdna3", ""},
    {"gfx1101", "rdna3", "gfx1100"},
    {"gfx1102", "rdna3", "gfx1100"},
    {"gfx1103", "rdna3", "gfx1100"},
    {"gfx1150", "rdna3.5", "gfx1100"},
    {"gfx1151", "rdna3.5", "gfx1150"},
    {"gfx1152", "rdna3.5", "gfx1150"},
    {"gfx1153", "rdna3.5", "gfx1150"},
    {"gfx1200", "rdna4", ""},
    {"gfx1201", "rdna4", "gfx1200"},

    // x86 levels, for processors with no line of their own: what code for them may use
    // (https://gitlab.com/x86-psABIs/x86-64-ABI).
    {"x86-64", "x86_64", ""},
    {"x86-64-v2", "x86_64", "x86-64"},
    {"x86-64-v3", "x86_64", "x86-64-v2"},
    {"x86-64-v4", "x86_64", "x86-64-v3"},

    // AMD processors: AVX2 up to znver3, AVX-512 on half as wide a datapath in znver4, on a full
    // one in znver5.
    {"znver1", "zen", ""},
    {"znver2", "zen", "znver1"},
    {"znver3", "zen", "znver2"},
    {"znver4", "zen", "znver3"},
    {"znver5", "zen", "znver4"},

    // Intel. The servers' AVX-512 line stands apart from the desktops' AVX2 line: registers, widths
    // and cache shapes differ.
    {"haswell", "intel_avx2", ""},
    {"broadwell", "intel_avx2", "haswell"},
    {"skylake", "intel_avx2", "broadwell"},
    {"alderlake", "intel_avx2", "skylake"},
    {"raptorlake", "intel_avx2", "alderlake"},
    {"meteorlake", "intel_avx2", "alderlake"},
    {"arrowlake", "intel_avx2", "meteorlake"},
    {"lunarlake", "intel_avx2", "meteorlake"},
    {"sierraforest", "intel_avx2", ""},  // small cores only
    {"skylake-avx512", "intel_avx512", ""},
    {"cascadelake", "intel_avx512", "skylake-avx512"},
    {"cooperlake", "intel_avx512", "cascadelake"},
    {"icelake-client", "intel_avx512", ""},  // one AVX-512 port and small caches
    {"tigerlake", "intel_avx512", "icelake-client"},
    {"rocketlake", "intel_avx512", "icelake-client"},
    {"icelake-server", "intel_avx512", "cascadelake"},
    {"sapphirerapids", "intel_amx", "icelake-server"},
    {"emeraldrapids", "intel_amx", "sapphirerapids"},
    {"graniterapids", "intel_amx", "emeraldrapids"},
    {"graniterapids-d", "intel_amx", "graniterapids"},

    // Arm. Edges only between equal vector lengths: neoverse-v1 is alone with 256-bit SVE.
    {"cortex-a72", "cortex_a", ""},
    {"cortex-a76", "cortex_a", "cortex-a72"},
    {"neoverse-n1", "neoverse_n", ""},
    {"neoverse-n2", "neoverse_n", "neoverse-n1"},
    {"neoverse-n3", "neoverse_n", "neoverse-n2"},
    {"neoverse-v1", "neoverse_v", ""},
    {"neoverse-v2", "neoverse_v", ""},
    {"neoverse-v3", "neoverse_v", "neoverse-v2"},
    {"ampere1", "ampereone", ""},
    {"a64fx", "a64fx", ""},
};

}  // namespace seedtune

#endif  // SEEDTUNE_HARDWARE_ARCH_TABLE_H_
