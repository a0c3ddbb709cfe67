#include "hardware/specs.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "hardware/embedded_specs.h"
#include "hardware/hardware_info.h"
#include "hardware/hardware_proto.h"
#include "hardware/hardware_spec.pb.h"
#include "hardware/spec_validator.h"
#include "util/edit_distance.h"
#include "util/embedded_file.h"
#include "util/status_macros.h"
#include "util/string_view.h"
#include "util/textproto.h"

namespace seedtune {
namespace {

absl::StatusOr<HardwareSpecProto> ParseValidSpec(std::string_view text,
                                                 std::string_view file_name) {
  HardwareSpecProto spec;
  SEEDTUNE_RETURN_IF_ERROR(ParseTextProto(text, file_name, &spec));
  if (const absl::Status status = ValidateSpec(spec); !status.ok()) {
    return absl::Status(status.code(), absl::StrCat(ToAbsl(file_name), ": ", status.message()));
  }
  return spec;
}

// What somebody may have meant who wrote `name`: names that hold it or that it holds ("h100"), else
// the nearest by spelling.
std::vector<std::string> NearMisses(std::string_view name, const std::vector<std::string>& known) {
  const std::string wanted = absl::AsciiStrToLower(ToAbsl(name));
  std::vector<std::string> near;
  for (const std::string& candidate : known) {
    if (wanted.size() > 1 &&
        (absl::StrContains(candidate, wanted) || absl::StrContains(wanted, candidate))) {
      near.push_back(candidate);
    }
  }
  if (near.empty()) {
    if (const std::optional<std::string> nearest = NearestName(name, known)) {
      near.push_back(*nearest);
    }
  }
  return near;
}

bool IsCalled(const HardwareSpecProto& spec, const std::string& name) {
  return spec.name() == name || std::find(spec.other_names().begin(), spec.other_names().end(),
                                          name) != spec.other_names().end();
}

}  // namespace

std::vector<std::string> SpecNames() {
  std::vector<std::string> names;
  for (const EmbeddedFile& file : EmbeddedSpecs()) names.emplace_back(file.name);
  return names;
}

absl::StatusOr<HardwareInfo> FindSpec(std::string_view name) {
  for (const EmbeddedFile& file : EmbeddedSpecs()) {
    if (file.name == name) return ParseSpec(file.contents, file.path);
  }
  const std::vector<std::string> known = SpecNames();
  const std::vector<std::string> near = NearMisses(name, known);
  return absl::NotFoundError(absl::StrCat(
      "no device spec named \"", ToAbsl(name), "\"",
      near.empty() ? "" : absl::StrCat(", did you mean \"", absl::StrJoin(near, "\" or \""), "\"?"),
      "; known: ", absl::StrJoin(known, ", ")));
}

absl::StatusOr<HardwareInfo> ParseSpec(std::string_view text, std::string_view file_name) {
  SEEDTUNE_ASSIGN_OR_RETURN(const HardwareSpecProto spec, ParseValidSpec(text, file_name));
  return FromProto(spec);
}

void FillRatesFromSpec(int packages, HardwareInfo* info) {
  if (info->name.empty()) return;
  for (const EmbeddedFile& file : EmbeddedSpecs()) {
    const absl::StatusOr<HardwareSpecProto> spec = ParseValidSpec(file.contents, file.path);
    if (!spec.ok() || !IsCalled(*spec, info->name)) continue;  // specs_test keeps all of them valid
    const absl::StatusOr<HardwareInfo> known = FromProto(*spec);
    if (!known.ok() || known->kind != info->kind || known->arch.base != info->arch.base) continue;
    if (info->kind != DeviceKind::kCpu && known->compute_units != info->compute_units) continue;
    if (info->memory_bandwidth_bytes_per_s == 0) {
      info->memory_bandwidth_bytes_per_s = known->memory_bandwidth_bytes_per_s * packages;
    }
    if (info->clock_hz == 0) info->clock_hz = known->clock_hz;
    return;
  }
}

}  // namespace seedtune
