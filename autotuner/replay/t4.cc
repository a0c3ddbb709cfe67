#include "autotuner/replay/t4.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "autotuner/outcome.h"
#include "autotuner/replay/format_support.h"
#include "autotuner/replay/recorded_space.h"
#include "config/config_space.h"
#include "config/json_text.h"
#include "config/knob.h"
#include "config/knob_json.h"
#include "config/t1.h"
#include "nlohmann/json.hpp"
#include "util/status_macros.h"

namespace seedtune {
namespace {

// What "seedtune" holds beside a result.
constexpr std::string_view kOurs = "seedtune";

absl::Status Invalid(const std::string& message) { return absl::InvalidArgumentError(message); }

// Powers of ten from the file's unit to nanoseconds.
absl::StatusOr<int> ReadTimeUnit(const JsonValue* metadata) {
  const JsonValue* unit = metadata == nullptr ? nullptr : metadata->Find("timeunit");
  if (unit == nullptr || unit->kind == JsonValue::Kind::kNull) return kMillisecondShift;
  if (!unit->is_string()) {
    return Invalid(absl::StrCat("metadata.timeunit is ", unit->Describe(), ", want a string"));
  }
  std::string text = unit->text;
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const struct {
    int shift;
    std::vector<std::string_view> spellings;
  } kUnits[] = {{9, {"seconds", "second", "s"}},
                {6, {"", "milliseconds", "miliseconds", "millisecond", "milisecond", "ms"}},
                {3, {"microseconds", "microsecond", "us"}},
                {0, {"nanoseconds", "nanosecond", "ns"}}};
  for (const auto& known : kUnits) {
    if (std::find(known.spellings.begin(), known.spellings.end(), text) != known.spellings.end()) {
      return known.shift;
    }
  }
  return Invalid(absl::StrCat("metadata.timeunit is ", unit->Describe(),
                              ", want seconds, milliseconds, microseconds or nanoseconds"));
}

std::string ReadName(const JsonValue* metadata, std::string_view member) {
  const JsonValue* name = metadata == nullptr ? nullptr : metadata->Find(member);
  return name != nullptr && name->is_string() ? name->text : "";
}

const JsonValue* FindAny(const JsonValue& object, std::string_view a, std::string_view b) {
  const JsonValue* found = object.Find(a);
  return found != nullptr ? found : object.Find(b);
}

// The measurement called `objective`, or else the first; nullptr: none.
const JsonValue* FindMeasurement(const JsonValue& result) {
  const JsonValue* measurements = result.Find("measurements");
  if (measurements == nullptr || !measurements->is_array()) return nullptr;
  for (const JsonValue& measurement : measurements->members) {
    const JsonValue* name = measurement.Find("name");
    if (name != nullptr && name->text == "time") return measurement.Find("value");
  }
  return nullptr;
}

absl::StatusOr<OutcomeKind> ReadInvalidity(const JsonValue* invalidity) {
  constexpr struct {
    std::string_view name;
    OutcomeKind kind;
  } kNames[] = {
      {"correct", OutcomeKind::kOk},          {"compile", OutcomeKind::kCompileError},
      {"runtime", OutcomeKind::kLaunchError}, {"correctness", OutcomeKind::kWrongResult},
      {"timeout", OutcomeKind::kTimeout},     {"constraints", OutcomeKind::kOutOfResources}};
  if (invalidity == nullptr) return Invalid("no invalidity, want \"correct\" or what is wrong");
  for (const auto& known : kNames) {
    if (invalidity->is_string() && invalidity->text == known.name) return known.kind;
  }
  return Invalid(
      absl::StrCat("invalidity is ", invalidity->Describe(),
                   ", want \"correct\", \"compile\", \"runtime\", \"correctness\", \"timeout\" or "
                   "\"constraints\""));
}

absl::StatusOr<RecordedConfig> ReadResult(const JsonValue& result, int shift) {
  RecordedConfig record;
  Outcome& outcome = record.outcome;
  SEEDTUNE_ASSIGN_OR_RETURN(outcome.kind, ReadInvalidity(result.Find("invalidity")));
  if (const JsonValue* times = result.Find("times"); times != nullptr) {
    record.compile_cost_ns = ReadCost(FindAny(*times, "compilation", "compilation_time"), shift);
    record.framework_cost_ns = ReadCost(times->Find("framework"), shift);
    record.search_cost_ns = ReadCost(times->Find("search_algorithm"), shift);
    record.verification_cost_ns = ReadCost(times->Find("validation"), shift);
    record.benchmark_cost_ns = ReadCost(FindAny(*times, "benchmark", "runtimes"), shift);
    if (outcome.ok()) outcome.samples_ns = ReadSamples(times->Find("runtimes"), shift);
  }
  outcome.compile_ns = record.compile_cost_ns;
  outcome.measure_ns = record.benchmark_cost_ns;
  const JsonValue* measured = FindMeasurement(result);
  if (outcome.ok() && outcome.samples_ns.empty()) {
    const double time = measured == nullptr ? 0 : ReadCost(measured, shift);
    if (time > 0) {
      outcome.samples_ns.push_back(time);
    } else {
      outcome.kind = OutcomeKind::kLaunchError;
      outcome.message = "recorded as correct, but without a time";
    }
  }
  if (!outcome.ok() && measured != nullptr && measured->is_string()) {
    outcome.message = measured->text;
  }
  const JsonValue* ours = result.Find(kOurs);
  if (outcome.ok() || ours == nullptr || !ours->is_object()) return record;
  if (const JsonValue* kind = ours->Find("outcome"); kind != nullptr && kind->is_string()) {
    SEEDTUNE_ASSIGN_OR_RETURN(outcome.kind, ParseOutcomeKind(kind->text));
    if (outcome.ok())
      return Invalid("seedtune.outcome is \"ok\", but invalidity is not \"correct\"");
  }
  if (const JsonValue* message = ours->Find("message"); message != nullptr) {
    outcome.message = message->text;
  }
  outcome.lower_bound_ns = ReadCost(ours->Find("lower_bound"), shift);
  return record;
}

std::string_view InvalidityName(OutcomeKind kind) {
  switch (kind) {
    case OutcomeKind::kOk:
      return "correct";
    case OutcomeKind::kCompileError:
      return "compile";
    case OutcomeKind::kWrongResult:
      return "correctness";
    case OutcomeKind::kTimeout:
    case OutcomeKind::kCensored:
      return "timeout";
    case OutcomeKind::kLaunchError:
    case OutcomeKind::kCrash:
    case OutcomeKind::kOutOfResources:
      break;
  }
  return "runtime";
}

// Bytes that are not UTF-8, as compilers' messages may hold, are replaced.
std::string JsonString(const std::string& text) {
  return nlohmann::json(text).dump(/*indent=*/-1, /*indent_char=*/' ', /*ensure_ascii=*/false,
                                   nlohmann::json::error_handler_t::replace);
}

void AppendTime(std::string_view name, double ns, std::string& out) {
  absl::StrAppend(&out, "\"", std::string(name), "\": ", FormatDecimal(ns, -kMillisecondShift));
}

void AppendResult(const RecordedConfig& result, const std::string& timestamp, std::string& out) {
  const Outcome& outcome = result.outcome;
  out += "    {\n      \"timestamp\": ";
  out += JsonString(timestamp);
  out += ",\n      \"configuration\": {";
  const std::span<const Knob> knobs = result.config.space().knobs();
  for (size_t i = 0; i < knobs.size(); ++i) {
    if (i != 0) out += ", ";
    AppendJsonString(knobs[i].name(), out);
    absl::StrAppend(&out, ": ", KnobValueToJson(knobs[i], result.config.choices()[i]));
  }
  out += "},\n      \"times\": {";
  AppendTime("compilation", result.compile_cost_ns, out);
  out += ", ";
  AppendTime("benchmark", result.benchmark_cost_ns, out);
  out += ", ";
  AppendTime("framework", result.framework_cost_ns, out);
  out += ", ";
  AppendTime("search_algorithm", result.search_cost_ns, out);
  out += ", ";
  AppendTime("validation", result.verification_cost_ns, out);
  out += ", \"runtimes\": [";
  for (size_t i = 0; i < outcome.samples_ns.size(); ++i) {
    absl::StrAppend(&out, i == 0 ? "" : ", ",
                    FormatDecimal(outcome.samples_ns[i], -kMillisecondShift));
  }
  absl::StrAppend(&out, "]},\n      \"invalidity\": \"", std::string(InvalidityName(outcome.kind)),
                  "\",\n      \"correctness\": ", outcome.ok() ? 1 : 0,
                  ",\n      \"measurements\": [{\"name\": \"time\", \"value\": ");
  if (outcome.ok()) {
    out += FormatDecimal(outcome.objective_ns(), -kMillisecondShift);
  } else {
    out += outcome.kind == OutcomeKind::kCompileError ? "\"CompilationFailedConfig\""
                                                      : "\"RuntimeFailedConfig\"";
  }
  out += ", \"unit\": \"ms\"}],\n      \"objectives\": [\"time\"]";
  if (!outcome.ok()) {
    absl::StrAppend(&out, ",\n      \"", std::string(kOurs), "\": {\"outcome\": ");
    AppendJsonString(OutcomeKindName(outcome.kind), out);
    out += ", \"message\": ";
    out += JsonString(outcome.message);
    out += ", ";
    AppendTime("lower_bound", outcome.lower_bound_ns, out);
    out += "}";
  }
  out += "\n    }";
}

}  // namespace

absl::StatusOr<std::shared_ptr<const RecordedSpace>> ReadT4(
    std::string_view text, std::shared_ptr<const ConfigSpace> space, const T4Names& names,
    std::vector<std::string>* notes) {
  SEEDTUNE_ASSIGN_OR_RETURN(const JsonValue json, ParseJson(text));
  const JsonValue* results = json.Find("results");
  if (results == nullptr || !results->is_array()) {
    return Invalid(absl::StrCat("results is ", results == nullptr ? "missing" : results->Describe(),
                                ", want an array; is this a T4 file"));
  }
  const JsonValue* metadata = json.Find("metadata");
  SEEDTUNE_ASSIGN_OR_RETURN(const int shift, ReadTimeUnit(metadata));
  RecordCollector collector(std::move(space));
  for (size_t i = 0; i < results->members.size(); ++i) {
    const JsonValue& result = results->members[i];
    const std::string where = absl::StrCat("results[", i, "]");
    absl::StatusOr<RecordedConfig> record = ReadResult(result, shift);
    if (!record.ok()) return Invalid(absl::StrCat(where, ": ", record.status().message()));
    const JsonValue* configuration = result.Find("configuration");
    if (configuration == nullptr) {
      return Invalid(absl::StrCat(where, ": no configuration, want an object"));
    }
    SEEDTUNE_RETURN_IF_ERROR(collector.Add(where, *configuration, *std::move(record)));
  }
  return collector.Finish(names.kernel.empty() ? ReadName(metadata, "kernel_name") : names.kernel,
                          names.device.empty() ? ReadName(metadata, "device_name") : names.device,
                          notes);
}

std::string WriteT4(std::span<const RecordedConfig> results, const T4Names& names) {
  // Spelt as all other tools spell it.
  std::string out = "{\n  \"metadata\": {\"timeunit\": \"miliseconds\", \"kernel_name\": ";
  out += JsonString(names.kernel);
  out += ", \"device_name\": ";
  out += JsonString(names.device);
  out += "},\n  \"results\": [\n";
  for (size_t i = 0; i < results.size(); ++i) {
    if (i != 0) out += ",\n";
    AppendResult(results[i], names.timestamp, out);
  }
  out += "\n  ],\n  \"schema_version\": \"1.0.0\"\n}\n";
  return out;
}

std::string WriteT4(const RecordedSpace& space) {
  return WriteT4(space.configs(), {space.kernel_name(), space.device_name(), ""});
}

}  // namespace seedtune
