#include "hardware/spec_validator.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "hardware/arch.h"
#include "hardware/hardware_spec.pb.h"
#include "util/status_macros.h"
#include "util/string_view.h"

namespace seedtune {
namespace {

using ::google::protobuf::Descriptor;
using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Reflection;

// What a device of one kind says in one figure.
struct Rule {
  enum Need { kAbsent, kOptional, kRequired };
  Need need = kAbsent;
  int64_t min = 0;
  int64_t max = 0;
};

struct FigureRule {
  std::string_view name;  // of HardwareSpecProto
  Rule cpu;
  Rule gpu;
  bool power_of_two = false;
};

constexpr int64_t kKi = int64_t{1} << 10;
constexpr int64_t kMi = int64_t{1} << 20;
constexpr int64_t kGi = int64_t{1} << 30;
constexpr int64_t kTi = int64_t{1} << 40;
constexpr Rule::Need kOptional = Rule::kOptional;
constexpr Rule::Need kRequired = Rule::kRequired;

// Wide enough for what may come, narrow enough to catch a wrong unit.
constexpr FigureRule kFigureRules[] = {
    {"compute_units", {kRequired, 1, 4096}, {kRequired, 1, 4096}},
    {"warp_size", {kOptional, 1, 1}, {kRequired, 16, 128}, true},
    {"max_threads_per_block", {}, {kRequired, 64, 4096}, true},
    {"threads_per_unit", {kRequired, 1, 8}, {kRequired, 256, 8192}},
    {"registers_per_unit", {kRequired, 8, 128}, {kRequired, 4 * kKi, kMi}},
    {"shared_memory_per_block_bytes", {}, {kRequired, 16 * kKi, kMi}},
    {"shared_memory_per_unit_bytes", {}, {kRequired, 16 * kKi, kMi}},
    {"tensor_memory_per_unit_bytes", {}, {kOptional, 64 * kKi, 4 * kMi}},
    {"num_xcds", {}, {kOptional, 1, 64}},
    {"vector_bits", {kRequired, 64, 2048}, {}, true},
    {"cache_line_bytes", {kRequired, 16, 512}, {kOptional, 16, 512}, true},
    {"l1_data_bytes", {kRequired, 4 * kKi, 4 * kMi}, {kOptional, 4 * kKi, 4 * kMi}},
    {"l2_bytes", {kRequired, 64 * kKi, kGi}, {kRequired, 64 * kKi, 4 * kGi}},
    {"l3_bytes", {kOptional, 256 * kKi, 8 * kGi}, {kOptional, kMi, 8 * kGi}},
    {"memory_bytes", {kOptional, 64 * kMi, 256 * kTi}, {kRequired, 64 * kMi, 16 * kTi}},
    {"memory_bandwidth_bytes_per_s",
     {kOptional, 1'000'000'000, 100'000'000'000'000},
     {kRequired, 1'000'000'000, 100'000'000'000'000}},
    {"clock_hz",
     {kOptional, 100'000'000, 10'000'000'000},
     {kOptional, 100'000'000, 10'000'000'000}},
};

absl::Status Fault(std::string_view field, std::string_view fault) {
  return absl::InvalidArgumentError(absl::StrCat(ToAbsl(field), ToAbsl(fault)));
}

int64_t Figure(const HardwareSpecProto& spec, const FieldDescriptor* field) {
  const Reflection* reflection = spec.GetReflection();
  return field->cpp_type() == FieldDescriptor::CPPTYPE_INT32 ? reflection->GetInt32(spec, field)
                                                             : reflection->GetInt64(spec, field);
}

std::string_view KindName(HardwareSpecProto::Kind kind) {
  return ToStd(HardwareSpecProto::Kind_Name(kind));
}

absl::Status ValidateFigure(const HardwareSpecProto& spec, const FigureRule& figure) {
  const Rule& rule = spec.kind() == HardwareSpecProto::CPU ? figure.cpu : figure.gpu;
  const FieldDescriptor* field =
      HardwareSpecProto::descriptor()->FindFieldByName(std::string(figure.name));
  if (!spec.GetReflection()->HasField(spec, field)) {
    if (rule.need != Rule::kRequired) return absl::OkStatus();
    return Fault(figure.name, absl::StrCat(" is not set; a ", ToAbsl(KindName(spec.kind())),
                                           " device needs it"));
  }
  const int64_t value = Figure(spec, field);
  if (rule.need == Rule::kAbsent) {
    return Fault(figure.name, absl::StrCat(" is ", value, ", which says nothing of a ",
                                           ToAbsl(KindName(spec.kind())), " device; remove it"));
  }
  if (value < rule.min || value > rule.max) {
    return Fault(figure.name,
                 absl::StrCat(" is ", value, ", want ",
                              rule.min == rule.max ? absl::StrCat(rule.min)
                                                   : absl::StrCat(rule.min, " to ", rule.max),
                              value == 0 ? "; leave out what is unknown" : ""));
  }
  if (figure.power_of_two && (value & (value - 1)) != 0) {
    return Fault(figure.name, absl::StrCat(" is ", value, ", want a power of two"));
  }
  return absl::OkStatus();
}

// Architectures have their vendor's names, so that a spec does not fall to another kind's seeds.
absl::Status ValidateArchitecture(const HardwareSpecProto& spec) {
  if (spec.architecture().empty()) {
    return Fault("architecture", " is not set, want a name such as \"sm90\" or \"znver4\"");
  }
  const absl::StatusOr<Arch> arch = Arch::Parse(spec.architecture());
  if (!arch.ok()) return Fault("architecture: ", ToStd(arch.status().message()));
  const bool nvidia = absl::StartsWith(arch->base, "sm") && arch->base.size() > 2 &&
                      absl::ascii_isdigit(static_cast<unsigned char>(arch->base[2]));
  const bool amd = absl::StartsWith(arch->base, "gfx");
  const bool right = spec.kind() == HardwareSpecProto::CUDA   ? nvidia
                     : spec.kind() == HardwareSpecProto::ROCM ? amd
                                                              : !nvidia && !amd;
  if (right) return absl::OkStatus();
  return Fault("architecture",
               absl::StrCat(" is \"", spec.architecture(), "\", want ",
                            spec.kind() == HardwareSpecProto::CUDA   ? "sm..."
                            : spec.kind() == HardwareSpecProto::ROCM ? "gfx..."
                                                                     : "a processor's",
                            " for kind ", ToAbsl(KindName(spec.kind()))));
}

absl::Status ValidateRelations(const HardwareSpecProto& spec) {
  if (spec.shared_memory_per_block_bytes() > spec.shared_memory_per_unit_bytes()) {
    return Fault("shared_memory_per_block_bytes",
                 absl::StrCat(" is ", spec.shared_memory_per_block_bytes(),
                              ", want at most shared_memory_per_unit_bytes, ",
                              spec.shared_memory_per_unit_bytes()));
  }
  if (spec.max_threads_per_block() > spec.threads_per_unit()) {
    return Fault("max_threads_per_block",
                 absl::StrCat(" is ", spec.max_threads_per_block(),
                              ", want at most threads_per_unit, ", spec.threads_per_unit()));
  }
  if (spec.kind() != HardwareSpecProto::CPU && spec.threads_per_unit() % spec.warp_size() != 0) {
    return Fault("threads_per_unit",
                 absl::StrCat(" is ", spec.threads_per_unit(), ", want a multiple of warp_size, ",
                              spec.warp_size()));
  }
  if (spec.l1_data_bytes() > spec.l2_bytes()) {
    return Fault("l1_data_bytes", absl::StrCat(" is ", spec.l1_data_bytes(),
                                               ", want at most l2_bytes, ", spec.l2_bytes()));
  }
  if (spec.kind() != HardwareSpecProto::CPU && spec.isa_size() > 0) {
    return Fault("isa", "[0] is set, which says nothing of a device that is no CPU; remove it");
  }
  return absl::OkStatus();
}

// Whether sources must name the field: all that tells something of the device.
bool IsFigure(const FieldDescriptor* field) {
  return field->name() != "sources" && field->name() != "name" && field->name() != "other_names" &&
         field->name() != "kind";
}

bool IsSet(const HardwareSpecProto& spec, const FieldDescriptor* field) {
  return field->is_repeated() ? spec.GetReflection()->FieldSize(spec, field) > 0
                              : spec.GetReflection()->HasField(spec, field);
}

}  // namespace

absl::Status ValidateSpec(const HardwareSpecProto& spec) {
  if (spec.kind() == HardwareSpecProto::KIND_UNSPECIFIED ||
      !HardwareSpecProto::Kind_IsValid(spec.kind())) {
    return Fault("kind", " is not set, want CPU, CUDA or ROCM");
  }
  if (spec.name().empty()) {
    return Fault("name", " is not set, want the device's name as its driver gives it");
  }
  SEEDTUNE_RETURN_IF_ERROR(ValidateArchitecture(spec));
  for (const FigureRule& figure : kFigureRules) {
    SEEDTUNE_RETURN_IF_ERROR(ValidateFigure(spec, figure));
  }
  return ValidateRelations(spec);
}

absl::Status ValidateSpecWithSources(const HardwareSpecProto& spec) {
  SEEDTUNE_RETURN_IF_ERROR(ValidateSpec(spec));
  const Descriptor* descriptor = HardwareSpecProto::descriptor();
  std::set<std::string> sourced;
  for (int i = 0; i < spec.sources_size(); ++i) {
    const HardwareSpecProto::Source& source = spec.sources(i);
    const std::string where = absl::StrCat("sources[", i, "]");
    if (source.title().empty()) return Fault(where, ".title is not set");
    if (!absl::StartsWith(source.url(), "https://") &&
        !absl::StartsWith(source.url(), "hardware/testdata/")) {
      return Fault(where,
                   absl::StrCat(".url is \"", source.url(),
                                "\", want https://... or a recording in hardware/testdata/"));
    }
    if (source.fields_size() == 0) return Fault(where, ".fields is empty; say what it is for");
    for (const std::string& name : source.fields()) {
      const FieldDescriptor* field = descriptor->FindFieldByName(name);
      if (field == nullptr || !IsFigure(field)) {
        return Fault(where, absl::StrCat(".fields has \"", name, "\", which is no figure"));
      }
      if (!IsSet(spec, field)) {
        return Fault(where, absl::StrCat(".fields has \"", name, "\", which is not set"));
      }
      sourced.insert(name);
    }
  }
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const FieldDescriptor* field = descriptor->field(i);
    if (IsFigure(field) && IsSet(spec, field) && !sourced.contains(field->name())) {
      return Fault(field->name(), " has no source; name it in the fields of one");
    }
  }
  return absl::OkStatus();
}

}  // namespace seedtune
