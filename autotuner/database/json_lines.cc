#include "autotuner/database/json_lines.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "autotuner/database/check_records.h"
#include "autotuner/outcome.h"
#include "nlohmann/json.hpp"
#include "util/status_macros.h"
#include "util/string_view.h"

namespace seedtune {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kFormat = "seedtune-tuning-records";
constexpr int64_t kVersion = 1;
constexpr int kMaxDepth = 16;  // far more than a run needs; the library recurses

constexpr std::string_view kEventKinds[] = {"ask", "tell", "retime"};  // from 1 on

template <typename... Parts>
absl::Status Invalid(const Parts&... parts) {
  return absl::InvalidArgumentError(absl::StrCat(parts...));
}

std::string Join(std::string_view path, std::string_view field) {
  return absl::StrCat(ToAbsl(path), path.empty() ? "" : ".", ToAbsl(field));
}

absl::Status WithPath(std::string_view path, const absl::Status& status) {
  return status.ok() ? status : Invalid(ToAbsl(Join(path, ToStd(status.message()))));
}

std::string Dump(const Json& json) {
  return json.dump(/*indent=*/-1, /*indent_char=*/' ', /*ensure_ascii=*/false,
                   Json::error_handler_t::replace);
}

// What is wrong with a value, short enough for one line.
absl::Status Mistyped(std::string_view path, const Json& value, std::string_view want) {
  std::string text = value.is_structured() ? absl::StrCat("an ", value.type_name()) : Dump(value);
  if (text.size() > 40) text = absl::StrCat(text.substr(0, 37), "...");
  return Invalid(ToAbsl(path), " is ", ToValidUtf8(text), ", want ", ToAbsl(want));
}

absl::Status Read(const Json& json, std::string_view path, std::string& value) {
  if (!json.is_string()) return Mistyped(path, json, "a string");
  value = json.get<std::string>();
  return absl::OkStatus();
}

absl::Status Read(const Json& json, std::string_view path, double& value) {
  if (!json.is_number()) return Mistyped(path, json, "a number");
  value = json.get<double>();
  return absl::OkStatus();
}

absl::Status Read(const Json& json, std::string_view path, uint64_t& value) {
  if (!json.is_number_unsigned()) return Mistyped(path, json, "an integer from 0 to 2^64 - 1");
  value = json.get<uint64_t>();
  return absl::OkStatus();
}

absl::Status Read(const Json& json, std::string_view path, int64_t& value) {
  if (!json.is_number_integer() ||
      (json.is_number_unsigned() &&
       json.get<uint64_t>() > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))) {
    return Mistyped(path, json, "an integer of 64 bits");
  }
  value = json.get<int64_t>();
  return absl::OkStatus();
}

absl::Status Read(const Json& json, std::string_view path, std::vector<double>& values) {
  if (!json.is_array()) return Mistyped(path, json, "an array of numbers");
  values.resize(json.size());
  for (size_t i = 0; i < json.size(); ++i) {
    SEEDTUNE_RETURN_IF_ERROR(Read(json[i], absl::StrCat(ToAbsl(path), "[", i, "]"), values[i]));
  }
  return absl::OkStatus();
}

absl::Status Read(const Json& json, std::string_view path, Outcome& outcome);
absl::Status Read(const Json& json, std::string_view path, RecordKey& key);
absl::Status Read(const Json& json, std::string_view path, RunSettings& settings);
absl::Status Read(const Json& json, std::string_view path, RunEvent::Kind& kind);
absl::Status Read(const Json& json, std::string_view path, std::vector<RunEvent>& events);
absl::Status Read(const Json& json, std::string_view path, std::optional<BestRecord>& best);

// Takes an object's fields by name; what is wrong first is the status. Every field that the object
// has must be asked for.
class ObjectReader {
 public:
  ObjectReader(const Json& object, std::string_view path) : object_(object), path_(path) {
    if (!object.is_object()) status_ = Mistyped(path.empty() ? "line" : path, object, "an object");
  }

  template <typename T>
  ObjectReader& Required(const char* name, T& value) {
    const Json* field = Find(name);
    if (field != nullptr) {
      Note(Read(*field, Join(path_, name), value));
    } else {
      Note(Invalid(Join(path_, name), " is missing, want it set"));
    }
    return *this;
  }

  // Left as it is where missing.
  template <typename T>
  ObjectReader& Optional(const char* name, T& value) {
    const Json* field = Find(name);
    if (field != nullptr) Note(Read(*field, Join(path_, name), value));
    return *this;
  }

  absl::Status Done() {
    if (!status_.ok()) return status_;
    for (const auto& item : object_.items()) {
      if (!known_.contains(item.key())) {
        return Invalid(Join(path_, ToValidUtf8(item.key())), " is unknown; drop it, or read this ",
                       "file with the version that wrote it");
      }
    }
    return status_;
  }

 private:
  const Json* Find(const char* name) {
    known_.insert(name);
    if (!status_.ok()) return nullptr;
    const auto found = object_.find(name);
    return found == object_.end() ? nullptr : &*found;
  }

  void Note(absl::Status status) {
    if (status_.ok()) status_ = std::move(status);
  }

  const Json& object_;
  std::string path_;
  absl::Status status_;
  std::set<std::string, std::less<>> known_;
};

absl::Status Read(const Json& json, std::string_view path, Outcome& outcome) {
  std::string kind;
  ObjectReader reader(json, path);
  reader.Required("kind", kind)
      .Optional("samples_ns", outcome.samples_ns)
      .Optional("lower_bound_ns", outcome.lower_bound_ns)
      .Optional("message", outcome.message)
      .Optional("compile_ns", outcome.compile_ns)
      .Optional("measure_ns", outcome.measure_ns);
  SEEDTUNE_RETURN_IF_ERROR(reader.Done());
  const absl::StatusOr<OutcomeKind> parsed = ParseOutcomeKind(kind);
  if (!parsed.ok()) return Invalid(Join(path, "kind"), ": ", parsed.status().message());
  outcome.kind = *parsed;
  return absl::OkStatus();
}

absl::Status Read(const Json& json, std::string_view path, RecordKey& key) {
  return ObjectReader(json, path)
      .Required("kernel_fingerprint", key.kernel_fingerprint)
      .Required("backend", key.backend)
      .Required("space_id", key.space_id)
      .Required("device_key", key.device_key)
      .Required("code_generator_version", key.code_generator_version)
      .Required("compiler_version", key.compiler_version)
      .Required("driver_version", key.driver_version)
      .Done();
}

absl::Status Read(const Json& json, std::string_view path, RunSettings& settings) {
  return ObjectReader(json, path)
      .Required("algorithm", settings.algorithm)
      .Required("random_seed", settings.random_seed)
      .Required("budget_evaluations", settings.budget_evaluations)
      .Required("budget_seconds", settings.budget_seconds)
      .Required("seed_policy", settings.seed_policy)
      .Done();
}

absl::Status Read(const Json& json, std::string_view path, RunEvent::Kind& kind) {
  for (size_t i = 0; i < std::size(kEventKinds); ++i) {
    if (json.is_string() && json.get_ref<const std::string&>() == kEventKinds[i]) {
      kind = static_cast<RunEvent::Kind>(i + 1);
      return absl::OkStatus();
    }
  }
  return Mistyped(path, json, "\"ask\", \"tell\" or \"retime\"");
}

absl::Status Read(const Json& json, std::string_view path, RunEvent& event) {
  // The kind says which fields there are.
  if (json.is_object() && json.contains("kind")) {
    SEEDTUNE_RETURN_IF_ERROR(Read(json["kind"], Join(path, "kind"), event.kind));
  }
  ObjectReader reader(json, path);
  reader.Required("kind", event.kind).Required("at_seconds", event.at_seconds);
  if (event.kind == RunEvent::Kind::kAsk) {
    reader.Required("config_json", event.config_json)
        .Required("origin", event.origin)
        .Optional("heuristic", event.heuristic);
  } else {
    reader.Required("ask_sequence", event.ask_sequence).Required("outcome", event.outcome);
  }
  return reader.Done();
}

absl::Status Read(const Json& json, std::string_view path, std::vector<RunEvent>& events) {
  if (!json.is_array()) return Mistyped(path, json, "an array of events");
  events.resize(json.size());
  for (size_t i = 0; i < json.size(); ++i) {
    const std::string event_path = absl::StrCat(ToAbsl(path), "[", i, "]");
    RunEvent& event = events[i];
    SEEDTUNE_RETURN_IF_ERROR(Read(json[i], event_path, event));
    event.sequence = static_cast<int64_t>(i);
    if (event.kind != RunEvent::Kind::kAsk && event.ask_sequence >= 0 &&
        event.ask_sequence < event.sequence) {
      event.config_json = events[event.ask_sequence].config_json;
    }
  }
  return absl::OkStatus();
}

absl::Status Read(const Json& json, std::string_view path, std::optional<BestRecord>& best) {
  best.emplace();
  return ObjectReader(json, path)
      .Required("config_json", best->config_json)
      .Required("origin", best->origin)
      .Optional("heuristic", best->heuristic)
      .Required("outcome", best->outcome)
      .Required("untuned_config_json", best->untuned_config_json)
      .Required("untuned_origin", best->untuned_origin)
      .Required("untuned_outcome", best->untuned_outcome)
      .Required("evaluations", best->evaluations)
      .Required("seconds", best->seconds)
      .Required("recorded_unix_micros", best->recorded_unix_micros)
      .Done();
}

absl::StatusOr<Json> ParseLine(std::string_view line) {
  // For each object that is open, its fields so far: the library itself would keep the last of two
  // of one name.
  std::vector<std::set<std::string>> open_objects;
  std::string doubled;
  bool too_deep = false;
  const Json::parser_callback_t callback = [&](int depth, Json::parse_event_t event, Json& parsed) {
    too_deep = too_deep || depth > kMaxDepth;
    if (event == Json::parse_event_t::object_start) {
      open_objects.emplace_back();
    } else if (event == Json::parse_event_t::object_end) {
      open_objects.pop_back();
    } else if (event == Json::parse_event_t::key) {
      const auto& name = parsed.get_ref<const std::string&>();
      if (!open_objects.back().insert(name).second && doubled.empty()) doubled = name;
    }
    return !too_deep;
  };
  Json json;
  try {
    json = Json::parse(line, callback);
  } catch (const Json::exception& error) {
    // "[json.exception.parse_error.101] parse error at line 1, column 7: ..."
    std::string_view what = error.what();
    if (const size_t at = what.find("column "); at != std::string_view::npos) {
      what.remove_prefix(at);
    } else if (const size_t end = what.find("] "); end != std::string_view::npos) {
      what.remove_prefix(end + 2);
    }
    return Invalid("no JSON: ", ToValidUtf8(what), ", want one JSON object a line");
  }
  if (too_deep) return Invalid("nested deeper than ", kMaxDepth, " levels, want fewer");
  if (!doubled.empty()) return Invalid("\"", doubled, "\" is there twice, want it once");
  return json;
}

Json ToJson(const Outcome& outcome) {
  Json json;
  json["kind"] = std::string(OutcomeKindName(outcome.kind));
  if (!outcome.samples_ns.empty()) json["samples_ns"] = outcome.samples_ns;
  if (outcome.lower_bound_ns != 0) json["lower_bound_ns"] = outcome.lower_bound_ns;
  if (!outcome.message.empty()) json["message"] = outcome.message;
  if (outcome.compile_ns != 0) json["compile_ns"] = outcome.compile_ns;
  if (outcome.measure_ns != 0) json["measure_ns"] = outcome.measure_ns;
  return json;
}

Json ToJson(const RecordKey& key) {
  Json json;
  json["kernel_fingerprint"] = key.kernel_fingerprint;
  json["backend"] = key.backend;
  json["space_id"] = key.space_id;
  json["device_key"] = key.device_key;
  json["code_generator_version"] = key.code_generator_version;
  json["compiler_version"] = key.compiler_version;
  json["driver_version"] = key.driver_version;
  return json;
}

Json ToJson(const RunSettings& settings) {
  Json json;
  json["algorithm"] = settings.algorithm;
  json["random_seed"] = settings.random_seed;
  json["budget_evaluations"] = settings.budget_evaluations;
  json["budget_seconds"] = settings.budget_seconds;
  json["seed_policy"] = settings.seed_policy;
  return json;
}

Json ToJson(const RunEvent& event) {
  Json json;
  json["kind"] = std::string(kEventKinds[static_cast<int>(event.kind) - 1]);
  json["at_seconds"] = event.at_seconds;
  if (event.kind == RunEvent::Kind::kAsk) {
    json["config_json"] = event.config_json;
    json["origin"] = event.origin;
    if (!event.heuristic.empty()) json["heuristic"] = event.heuristic;
  } else {
    json["ask_sequence"] = event.ask_sequence;
    json["outcome"] = ToJson(event.outcome);
  }
  return json;
}

Json ToJson(const BestRecord& best) {
  Json json;
  json["config_json"] = best.config_json;
  json["origin"] = best.origin;
  if (!best.heuristic.empty()) json["heuristic"] = best.heuristic;
  json["outcome"] = ToJson(best.outcome);
  json["untuned_config_json"] = best.untuned_config_json;
  json["untuned_origin"] = best.untuned_origin;
  json["untuned_outcome"] = ToJson(best.untuned_outcome);
  json["evaluations"] = best.evaluations;
  json["seconds"] = best.seconds;
  json["recorded_unix_micros"] = best.recorded_unix_micros;
  return json;
}

}  // namespace

std::string FormatHeaderLine() {
  Json json;
  json["format"] = std::string(kFormat);
  json["version"] = kVersion;
  return Dump(json);
}

std::string FormatRunLine(const RunDocument& document) {
  const RunInfo& run = document.run;
  Json json;
  json["id"] = run.id;
  json["key"] = ToJson(run.key);
  json["settings"] = ToJson(run.settings);
  json["kernel_name"] = run.kernel_name;
  json["kernel_text"] = run.kernel_text;
  json["device_text"] = run.device_text;
  json["started_unix_micros"] = run.started_unix_micros;
  json["seconds_spent"] = run.seconds_spent;
  if (!run.heuristics_json.empty()) json["heuristics_json"] = run.heuristics_json;
  json["events"] = Json::array();
  for (const RunEvent& event : document.events) json["events"].push_back(ToJson(event));
  if (document.best.has_value()) json["best"] = ToJson(*document.best);
  return Dump(json);
}

absl::Status ParseHeaderLine(std::string_view line) {
  SEEDTUNE_ASSIGN_OR_RETURN(const Json json, ParseLine(line));
  std::string format;
  int64_t version = 0;
  SEEDTUNE_RETURN_IF_ERROR(
      ObjectReader(json, "").Required("format", format).Required("version", version).Done());
  if (format != kFormat) {
    return Invalid("format is \"", format, "\", want \"", ToAbsl(kFormat), "\"");
  }
  if (version != kVersion) {
    return Invalid("version is ", version, ", want ", kVersion,
                   "; read this file with the version that wrote it");
  }
  return absl::OkStatus();
}

absl::StatusOr<RunDocument> ParseRunLine(std::string_view line) {
  SEEDTUNE_ASSIGN_OR_RETURN(const Json json, ParseLine(line));
  RunDocument document;
  RunInfo& run = document.run;
  SEEDTUNE_RETURN_IF_ERROR(ObjectReader(json, "")
                               .Required("id", run.id)
                               .Required("key", run.key)
                               .Required("settings", run.settings)
                               .Required("kernel_name", run.kernel_name)
                               .Required("kernel_text", run.kernel_text)
                               .Required("device_text", run.device_text)
                               .Required("started_unix_micros", run.started_unix_micros)
                               .Required("seconds_spent", run.seconds_spent)
                               .Optional("heuristics_json", run.heuristics_json)
                               .Required("events", document.events)
                               .Optional("best", document.best)
                               .Done());
  if (document.best.has_value()) {
    run.state = RunState::kFinished;
    document.best->run_id = run.id;
    document.best->kernel_name = run.kernel_name;
    document.best->key = run.key;
    document.best->heuristics_json = run.heuristics_json;
  }
  return document;
}

absl::Status CheckDocument(const RunDocument& document) {
  SEEDTUNE_RETURN_IF_ERROR(CheckRun(document.run));
  LogState log;
  for (const RunEvent& event : document.events) {
    const std::string path = absl::StrCat("events[", event.sequence, "]");
    SEEDTUNE_RETURN_IF_ERROR(WithPath(path, CheckEvent(event)));
    SEEDTUNE_RETURN_IF_ERROR(WithPath(path, log.CheckNext(event)));
    log.Add(event);
  }
  if (!document.best.has_value()) return absl::OkStatus();
  SEEDTUNE_RETURN_IF_ERROR(WithPath("best", CheckBest(*document.best)));
  return WithPath("best", FindWinningAsk(document.events, *document.best).status());
}

absl::StatusOr<int64_t> FindWinningAsk(const std::vector<RunEvent>& events,
                                       const BestRecord& best) {
  for (const RunEvent& event : events) {
    if (event.kind == RunEvent::Kind::kTell && event.outcome.ok() &&
        event.config_json == best.config_json) {
      return event.ask_sequence;
    }
  }
  return Invalid("config_json is \"", best.config_json,
                 "\", want a configuration that the run's log tells a time of");
}

}  // namespace seedtune
