// The name of a processor architecture, split into what decides and what merely qualifies.
//
// ROCm reports `gfx942:sramecc+:xnack-`, NVIDIA has `sm90` and `sm90a`; a heuristic that compares
// such strings whole silently matches nothing. An Arch keeps the base name and the features apart:
//   "gfx950:sramecc+:xnack-" -> base "gfx950", features {"sramecc+", "xnack-"}
//   "sm90a"                  -> base "sm90",   features {"a"}
//   "znver4"                 -> base "znver4", no features
#ifndef SEEDTUNE_HARDWARE_ARCH_H_
#define SEEDTUNE_HARDWARE_ARCH_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace seedtune {

// A value type; thread-compatible.
struct Arch {
  std::string base;                   // lower case; "" means unknown
  std::vector<std::string> features;  // sorted, each once

  // Splits an architecture string as drivers and compilers print it.
  // kInvalidArgument: empty, an empty part, or a character that no architecture name has.
  static absl::StatusOr<Arch> Parse(std::string_view text);

  // The canonical spelling; Parse(ToString()) gives the same Arch.
  std::string ToString() const;

  friend bool operator==(const Arch&, const Arch&) = default;
};

// How closely a device meets a target, best first. Look-ups report the level that hit.
enum class ArchMatch {
  kExact,   // the same base
  kFamily,  // the target stands further back in the device's lineage, mostly in its own family
  kNone,
};
std::string_view ArchMatchName(ArchMatch match);

// The family of a base name: "sm90" -> "hopper", "gfx942" -> "cdna3", "znver4" -> "zen". "" if
// unknown.
std::string_view ArchFamily(std::string_view base);

// Whether some architecture is of that family.
bool IsKnownArchFamily(std::string_view family);

// `base` first, then what it may fall back to, nearest first, along its own lineage only. sm120 is
// no fallback for sm90 nor the reverse. An unknown name gives just itself. arch_table.h holds the
// lineages and says when there is one.
std::vector<std::string> ArchLineage(std::string_view base);

// Whether a device of architecture `device` may use what was made for `target` (both base names; ""
// matches nothing).
ArchMatch MatchArch(std::string_view device, std::string_view target);

}  // namespace seedtune

#endif  // SEEDTUNE_HARDWARE_ARCH_H_
