#include "hardware/hardware_proto.h"

#include <cassert>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "hardware/arch.h"
#include "hardware/hardware_fields.h"
#include "hardware/hardware_info.h"
#include "hardware/hardware_spec.pb.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Reflection;

// The proto's field of the same name and width (hardware_proto_test compares the two lists).
const FieldDescriptor* ProtoField(const HardwareField& field) {
  const FieldDescriptor* found =
      HardwareSpecProto::descriptor()->FindFieldByName(std::string(field.name));
  assert(found != nullptr);
  return found;
}

}  // namespace

HardwareSpecProto ToProto(const HardwareInfo& info) {
  HardwareSpecProto proto;
  switch (info.kind) {
    case DeviceKind::kUnknown:
      break;
    case DeviceKind::kCpu:
      proto.set_kind(HardwareSpecProto::CPU);
      break;
    case DeviceKind::kCuda:
      proto.set_kind(HardwareSpecProto::CUDA);
      break;
    case DeviceKind::kRocm:
      proto.set_kind(HardwareSpecProto::ROCM);
      break;
  }
  proto.set_name(info.name);
  proto.set_architecture(info.arch.ToString());
  proto.set_driver_version(info.driver_version);
  proto.set_runtime_version(info.runtime_version);
  const Reflection* reflection = proto.GetReflection();
  for (const HardwareField& field : kHardwareFields) {
    const int64_t value = field.Get(info);
    if (value == 0) continue;
    if (field.is_int32()) {
      reflection->SetInt32(&proto, ProtoField(field), static_cast<int32_t>(value));
    } else {
      reflection->SetInt64(&proto, ProtoField(field), value);
    }
  }
  if (info.has_tensor_cores) proto.set_has_tensor_cores(true);
  for (const std::string& name : info.isa) proto.add_isa(name);
  return proto;
}

absl::StatusOr<HardwareInfo> FromProto(const HardwareSpecProto& proto) {
  HardwareInfo info;
  switch (proto.kind()) {
    case HardwareSpecProto::KIND_UNSPECIFIED:
      break;
    case HardwareSpecProto::CPU:
      info.kind = DeviceKind::kCpu;
      break;
    case HardwareSpecProto::CUDA:
      info.kind = DeviceKind::kCuda;
      break;
    case HardwareSpecProto::ROCM:
      info.kind = DeviceKind::kRocm;
      break;
    default:
      return absl::InvalidArgumentError(
          absl::StrCat("kind is ", static_cast<int>(proto.kind()),
                       ", want CPU, CUDA or ROCM; it may come from a newer release"));
  }
  info.name = proto.name();
  if (!proto.architecture().empty()) {
    SEEDTUNE_ASSIGN_OR_RETURN(info.arch, Arch::Parse(proto.architecture()));
  }
  info.driver_version = proto.driver_version();
  info.runtime_version = proto.runtime_version();
  const Reflection* reflection = proto.GetReflection();
  for (const HardwareField& field : kHardwareFields) {
    field.Set(field.is_int32() ? reflection->GetInt32(proto, ProtoField(field))
                               : reflection->GetInt64(proto, ProtoField(field)),
              &info);
  }
  info.has_tensor_cores = proto.has_tensor_cores();
  info.isa.assign(proto.isa().begin(), proto.isa().end());
  return info;
}

}  // namespace seedtune
