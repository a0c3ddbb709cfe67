#include "hardware/arch.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "hardware/arch_table.h"
#include "util/string_view.h"

namespace seedtune {
namespace {

// How HSA names an instruction set: "amdgcn-amd-amdhsa--gfx942:sramecc+:xnack-".
constexpr std::string_view kHsaPrefix = "amdgcn-amd-amdhsa--";

const ArchTableRow* FindRow(std::string_view base) {
  for (const ArchTableRow& row : kArchTable) {
    if (row.base == base) return &row;
  }
  return nullptr;
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsBaseCharacter(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '_' || c == '.';
}

// "sm90", "sm90a", "sm_90a", "sm100f": an "sm", digits, and at most one letter.
bool IsNvidiaName(std::string_view name) {
  if (name.substr(0, 2) != "sm") return false;
  name.remove_prefix(2);
  if (!name.empty() && name.front() == '_') name.remove_prefix(1);
  if (!name.empty() && !IsDigit(name.back())) name.remove_suffix(1);
  return !name.empty() && std::all_of(name.begin(), name.end(), IsDigit);
}

absl::Status BadArch(std::string_view text, std::string_view fault) {
  return absl::InvalidArgumentError(
      absl::StrCat("architecture \"", ToAbsl(text), "\" ", ToAbsl(fault),
                   ", want a name such as \"sm90a\", \"gfx942:sramecc+:xnack-\" or \"znver4\""));
}

}  // namespace

absl::StatusOr<Arch> Arch::Parse(std::string_view text) {
  if (text.empty()) return BadArch(text, "is empty");
  const std::string lower = absl::AsciiStrToLower(ToAbsl(text));
  std::string_view rest = lower;
  if (rest.substr(0, kHsaPrefix.size()) == kHsaPrefix) rest.remove_prefix(kHsaPrefix.size());

  Arch arch;
  const std::vector<std::string> parts = absl::StrSplit(ToAbsl(rest), ':');
  for (size_t i = 0; i < parts.size(); ++i) {
    std::string_view part = parts[i];
    if (part.empty()) return BadArch(text, i == 0 ? "has no name" : "has an empty feature");
    std::string_view word = part;
    if (i > 0 && (word.back() == '+' || word.back() == '-')) word.remove_suffix(1);
    if (word.empty() || !std::all_of(word.begin(), word.end(), IsBaseCharacter)) {
      return BadArch(text, absl::StrCat("has \"", parts[i], "\" in it"));
    }
    if (i > 0) {
      arch.features.emplace_back(part);
    } else if (IsNvidiaName(part)) {
      arch.base = part;
      if (!IsDigit(arch.base.back())) {
        arch.features.emplace_back(1, arch.base.back());
        arch.base.pop_back();
      }
      if (arch.base[2] == '_') arch.base.erase(2, 1);
    } else {
      arch.base = part;
    }
  }
  std::sort(arch.features.begin(), arch.features.end());
  arch.features.erase(std::unique(arch.features.begin(), arch.features.end()), arch.features.end());
  return arch;
}

std::string Arch::ToString() const {
  std::string result = base;
  const bool nvidia = IsNvidiaName(base);
  bool has_suffix = false;
  for (const std::string& feature : features) {
    // NVIDIA writes its one-letter features straight after the digits, and only one of them.
    if (nvidia && !has_suffix && feature.size() == 1 && !IsDigit(feature[0])) {
      result.insert(base.size(), feature);
      has_suffix = true;
    } else {
      absl::StrAppend(&result, ":", feature);
    }
  }
  return result;
}

std::string_view ArchMatchName(ArchMatch match) {
  switch (match) {
    case ArchMatch::kExact:
      return "exact";
    case ArchMatch::kFamily:
      return "family";
    case ArchMatch::kNone:
      return "none";
  }
  return "none";
}

std::string_view ArchFamily(std::string_view base) {
  const ArchTableRow* row = FindRow(base);
  return row == nullptr ? std::string_view() : row->family;
}

bool IsKnownArchFamily(std::string_view family) {
  return !family.empty() &&
         std::any_of(std::begin(kArchTable), std::end(kArchTable),
                     [family](const ArchTableRow& row) { return row.family == family; });
}

std::vector<std::string> ArchLineage(std::string_view base) {
  std::vector<std::string> lineage = {std::string(base)};
  for (const ArchTableRow* row = FindRow(base); row != nullptr && !row->predecessor.empty();
       row = FindRow(row->predecessor)) {
    lineage.emplace_back(row->predecessor);
  }
  return lineage;
}

ArchMatch MatchArch(std::string_view device, std::string_view target) {
  if (device.empty() || target.empty()) return ArchMatch::kNone;
  if (device == target) return ArchMatch::kExact;
  const std::vector<std::string> lineage = ArchLineage(device);
  return std::find(lineage.begin(), lineage.end(), target) == lineage.end() ? ArchMatch::kNone
                                                                            : ArchMatch::kFamily;
}

}  // namespace seedtune
