#include "hardware/cpu_arch.h"

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "hardware/system_reader.h"

namespace seedtune {
namespace {

struct X86Row {
  std::string_view vendor;
  int family;
  int first_model;
  int last_model;
  std::string_view base;
};

// From Linux: arch/x86/kernel/cpu/amd.c (early_init_amd's model ranges) and
// arch/x86/include/asm/intel-family.h. Models 0x50-0x5f and above 0x80 of family 0x1a are Zen 6,
// for which compilers have no name that this table could give yet.
constexpr X86Row kX86Rows[] = {
    {"AuthenticAMD", 0x17, 0x00, 0x2f, "znver1"},
    {"AuthenticAMD", 0x17, 0x30, 0xff, "znver2"},
    {"AuthenticAMD", 0x19, 0x00, 0x0f, "znver3"},
    {"AuthenticAMD", 0x19, 0x10, 0x1f, "znver4"},
    {"AuthenticAMD", 0x19, 0x20, 0x5f, "znver3"},
    {"AuthenticAMD", 0x19, 0x60, 0xaf, "znver4"},
    {"AuthenticAMD", 0x1a, 0x00, 0x4f, "znver5"},
    {"AuthenticAMD", 0x1a, 0x60, 0x7f, "znver5"},
    {"HygonGenuine", 0x18, 0x00, 0xff, "znver1"},
    {"GenuineIntel", 6, 0x3c, 0x3c, "haswell"},
    {"GenuineIntel", 6, 0x3d, 0x3d, "broadwell"},
    {"GenuineIntel", 6, 0x3f, 0x3f, "haswell"},
    {"GenuineIntel", 6, 0x45, 0x46, "haswell"},
    {"GenuineIntel", 6, 0x47, 0x47, "broadwell"},
    {"GenuineIntel", 6, 0x4e, 0x4e, "skylake"},
    {"GenuineIntel", 6, 0x4f, 0x4f, "broadwell"},
    {"GenuineIntel", 6, 0x55, 0x55, "skylake-avx512"},  // its successors: see CpuArchName
    {"GenuineIntel", 6, 0x56, 0x56, "broadwell"},
    {"GenuineIntel", 6, 0x5e, 0x5e, "skylake"},
    {"GenuineIntel", 6, 0x6a, 0x6a, "icelake-server"},
    {"GenuineIntel", 6, 0x6c, 0x6c, "icelake-server"},
    {"GenuineIntel", 6, 0x7d, 0x7e, "icelake-client"},
    {"GenuineIntel", 6, 0x8c, 0x8d, "tigerlake"},
    {"GenuineIntel", 6, 0x8e, 0x8e, "skylake"},
    {"GenuineIntel", 6, 0x8f, 0x8f, "sapphirerapids"},
    {"GenuineIntel", 6, 0x97, 0x97, "alderlake"},
    {"GenuineIntel", 6, 0x9a, 0x9a, "alderlake"},
    {"GenuineIntel", 6, 0x9e, 0x9e, "skylake"},
    {"GenuineIntel", 6, 0xa5, 0xa6, "skylake"},
    {"GenuineIntel", 6, 0xa7, 0xa7, "rocketlake"},
    {"GenuineIntel", 6, 0xaa, 0xaa, "meteorlake"},
    {"GenuineIntel", 6, 0xac, 0xac, "meteorlake"},
    {"GenuineIntel", 6, 0xad, 0xad, "graniterapids"},
    {"GenuineIntel", 6, 0xae, 0xae, "graniterapids-d"},
    {"GenuineIntel", 6, 0xaf, 0xaf, "sierraforest"},
    {"GenuineIntel", 6, 0xb5, 0xb5, "arrowlake"},
    {"GenuineIntel", 6, 0xb7, 0xb7, "raptorlake"},
    {"GenuineIntel", 6, 0xba, 0xba, "raptorlake"},
    {"GenuineIntel", 6, 0xbd, 0xbd, "lunarlake"},
    {"GenuineIntel", 6, 0xbf, 0xbf, "raptorlake"},
    {"GenuineIntel", 6, 0xc5, 0xc6, "arrowlake"},
    {"GenuineIntel", 6, 0xcf, 0xcf, "emeraldrapids"},
};

struct ArmRow {
  int implementer;
  int part;
  std::string_view base;
};

// From Linux: arch/arm64/include/asm/cputype.h.
constexpr ArmRow kArmRows[] = {
    {0x41, 0xd08, "cortex-a72"},  {0x41, 0xd0b, "cortex-a76"},  {0x41, 0xd0c, "neoverse-n1"},
    {0x41, 0xd40, "neoverse-v1"}, {0x41, 0xd49, "neoverse-n2"}, {0x41, 0xd4f, "neoverse-v2"},
    {0x41, 0xd83, "neoverse-v3"}, {0x41, 0xd84, "neoverse-v3"}, {0x41, 0xd8e, "neoverse-n3"},
    {0x46, 0x001, "a64fx"},       {0xc0, 0xac3, "ampere1"},
};

struct IsaRow {
  std::string_view name;   // Linux's
  std::string_view alias;  // cpu_features', where it differs
};

constexpr IsaRow kIsaRows[] = {
    // x86
    {"sse4_2", ""},
    {"avx", ""},
    {"avx2", ""},
    {"fma", "fma3"},
    {"f16c", ""},
    {"avx_vnni", ""},
    {"avx512f", ""},
    {"avx512bw", ""},
    {"avx512dq", ""},
    {"avx512vl", ""},
    {"avx512_vnni", "avx512vnni"},
    {"avx512_bf16", ""},
    {"avx512_fp16", ""},
    {"amx_tile", ""},
    {"amx_int8", ""},
    {"amx_bf16", ""},
    {"amx_fp16", ""},
    // Arm
    {"asimd", ""},
    {"asimdhp", ""},
    {"asimddp", ""},
    {"i8mm", ""},
    {"bf16", ""},
    {"sve", ""},
    {"sve2", ""},
    {"svei8mm", ""},
    {"svebf16", ""},
    {"sme", ""},
    {"sme2", ""},
};

}  // namespace

std::vector<std::string> KernelIsa(const CpuIdentity& identity) {
  std::vector<std::string> isa;
  for (const IsaRow& row : kIsaRows) {
    for (const std::string& feature : identity.features) {
      if (feature == row.name || (!row.alias.empty() && feature == row.alias)) {
        isa.emplace_back(row.name);
        break;
      }
    }
  }
  std::sort(isa.begin(), isa.end());
  return isa;
}

bool HasIsa(const std::vector<std::string>& isa, std::string_view name) {
  return std::binary_search(isa.begin(), isa.end(), name);
}

std::string CpuArchName(const CpuIdentity& identity) {
  const std::vector<std::string> isa = KernelIsa(identity);
  for (const X86Row& row : kX86Rows) {
    if (identity.vendor != row.vendor || identity.family != row.family ||
        identity.model < row.first_model || identity.model > row.last_model) {
      continue;
    }
    // Three servers share model 0x55; they differ by what each has more than the one before.
    if (row.base == "skylake-avx512" && HasIsa(isa, "avx512_bf16")) return "cooperlake";
    if (row.base == "skylake-avx512" && HasIsa(isa, "avx512_vnni")) return "cascadelake";
    return std::string(row.base);
  }
  if (identity.vendor == "arm") {
    for (const ArmRow& row : kArmRows) {
      if (identity.implementer == row.implementer && identity.part == row.part) {
        return std::string(row.base);
      }
    }
    return "";
  }
  if (identity.vendor.empty()) return "";
  // The levels of the x86-64 psABI, by those of their instruction sets that matter here.
  const auto has_all = [&](std::initializer_list<std::string_view> names) {
    return std::all_of(names.begin(), names.end(),
                       [&](std::string_view name) { return HasIsa(isa, name); });
  };
  if (has_all({"avx512f", "avx512bw", "avx512dq", "avx512vl"})) return "x86-64-v4";
  if (has_all({"avx2", "fma", "f16c"})) return "x86-64-v3";
  if (has_all({"sse4_2"})) return "x86-64-v2";
  return "x86-64";
}

}  // namespace seedtune
