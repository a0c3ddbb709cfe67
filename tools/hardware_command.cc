#include "tools/hardware_command.h"

#include <string>
#include <utility>
#include <vector>

#include "google/protobuf/util/json_util.h"
#include "hardware/detect.h"
#include "hardware/detected_hardware.h"
#include "hardware/hardware_info.h"
#include "hardware/hardware_proto.h"
#include "hardware/specs.h"
#include "nlohmann/json.hpp"
#include "tools/device.h"
#include "tools/record_json.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

using Json = nlohmann::ordered_json;

// The protocol buffers' own JSON mapping, under the names of the .proto file.
Json DeviceJson(const HardwareInfo& info) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string text;
  if (!google::protobuf::util::MessageToJsonString(ToProto(info), &text, options).ok())
    return nullptr;
  Json json = Json::parse(text);
  json["key"] = DeviceKey(info);
  return json;
}

absl::Status ListSpecs(bool as_json, const Environment& environment) {
  Json json = Json::array();
  for (const std::string& name : SpecNames()) {
    SEEDTUNE_ASSIGN_OR_RETURN(const HardwareInfo info, FindSpec(name));
    json.push_back({{"spec", name}, {"name", info.name}});
    if (!as_json) environment.out << name << ": " << info.name << "\n";
  }
  if (as_json) {
    environment.out
        << Json{{"schema_version", kJsonSchemaVersion}, {"specs", std::move(json)}}.dump(2) << "\n";
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status RunHardware(const HardwareCommandOptions& options, const Environment& environment) {
  if (options.list_specs) return ListSpecs(options.json, environment);
  DetectedHardware detected;
  if (options.device.empty()) {
    detected = DetectAll(environment.reader);
  } else {
    SEEDTUNE_ASSIGN_OR_RETURN(HardwareInfo info, ReadSpec(options.device));
    detected.devices.push_back(std::move(info));
  }
  if (options.json) {
    Json json = {{"schema_version", kJsonSchemaVersion},
                 {"devices", Json::array()},
                 {"notes", detected.notes}};
    for (const HardwareInfo& info : detected.devices) json["devices"].push_back(DeviceJson(info));
    environment.out << json.dump(2) << "\n";
    return absl::OkStatus();
  }
  for (const HardwareInfo& info : detected.devices)
    environment.out << DescribeHardware(info) << "\n";
  for (const std::string& note : detected.notes) environment.out << note << "\n";
  return absl::OkStatus();
}

}  // namespace seedtune
