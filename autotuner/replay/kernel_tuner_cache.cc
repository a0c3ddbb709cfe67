#include "autotuner/replay/kernel_tuner_cache.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "autotuner/outcome.h"
#include "autotuner/replay/format_support.h"
#include "autotuner/replay/recorded_space.h"
#include "config/config_space.h"
#include "config/expression.h"
#include "config/json_text.h"
#include "config/t1.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

absl::Status Invalid(const std::string& message) { return absl::InvalidArgumentError(message); }

// A file that ends too early, inside of its entries or behind them: where the last whole entry ends
// (or the first would begin), what closes it there, and whether what is cut off for it is
// something.
struct Tear {
  size_t keep;
  const char* closing;
  bool lost_entry;  // something of another entry follows
};

// Follows brackets and strings only. nullopt: the file does not end inside of an object within the
// outermost one.
std::optional<Tear> FindTear(std::string_view text) {
  int depth = 0;
  size_t keep = 0;
  size_t closed = 0;  // where the last member of the outermost object ends
  for (size_t i = 0; i < text.size(); ++i) {
    switch (text[i]) {
      case '"':
        for (++i; i < text.size() && text[i] != '"'; ++i) {
          if (text[i] == '\\') ++i;
        }
        break;
      case '{':
      case '[':
        ++depth;
        if (depth == 2) keep = text[i] == '{' ? i + 1 : 0;
        break;
      case '}':
      case ']':
        --depth;
        if (depth == 2 && keep != 0) keep = i + 1;
        if (depth <= 1) keep = 0;
        if (depth == 1 && text[i] == '}') closed = i + 1;
        break;
      default:
        break;
    }
  }
  const auto is_blank_from = [&](size_t from) {
    return text.find_first_not_of(" \t\r\n,", from) == std::string_view::npos;
  };
  if (depth == 1 && closed != 0 && is_blank_from(closed)) return Tear{closed, "}", false};
  if (depth < 2 || keep == 0) return std::nullopt;
  return Tear{keep, "}}", !is_blank_from(keep)};
}

absl::StatusOr<JsonValue> ParseOrRepair(std::string_view text, std::vector<std::string>* notes) {
  absl::StatusOr<JsonValue> json = ParseJson(text);
  if (json.ok()) return json;
  const std::optional<Tear> tear = FindTear(text);
  if (!tear) return json;
  absl::StatusOr<JsonValue> repaired =
      ParseJson(absl::StrCat(std::string(text.substr(0, tear->keep)), tear->closing));
  if (!repaired.ok()) return json;
  if (notes != nullptr) {
    notes->push_back(
        tear->lost_entry
            ? std::string("the file is cut off inside of its last entry, which is dropped")
            : absl::StrCat("the file lacks its closing \"", tear->closing, "\", which is added"));
  }
  return repaired;
}

absl::StatusOr<std::shared_ptr<const ConfigSpace>> MakeSpace(const JsonValue& json,
                                                             std::vector<std::string> conditions) {
  const JsonValue* parameters = json.Find("tune_params");
  if (parameters == nullptr || !parameters->is_object()) {
    return Invalid("tune_params is missing, want an object; is this a Kernel Tuner cache");
  }
  T1Space space;
  const JsonValue* kernel = json.Find("kernel_name");
  space.name = kernel != nullptr && kernel->is_string() && !kernel->text.empty()
                   ? kernel->text
                   : "kernel_tuner_cache";
  for (size_t i = 0; i < parameters->members.size(); ++i) {
    T1Parameter& parameter = space.parameters.emplace_back();
    parameter.name = parameters->keys[i];
    const JsonValue& values = parameters->members[i];
    const std::string where = absl::StrCat("tune_params.", parameter.name);
    if (!values.is_array() || values.members.empty()) {
      return Invalid(absl::StrCat(where, " is ", values.Describe(), ", want an array of values"));
    }
    for (const JsonValue& element : values.members) {
      absl::StatusOr<ExpressionValue> value = T1ValueFromJson(element);
      if (!value.ok()) return Invalid(absl::StrCat(where, ": ", value.status().message()));
      parameter.values.push_back(*std::move(value));
    }
    const bool boolean = std::all_of(
        values.members.begin(), values.members.end(),
        [](const JsonValue& element) { return element.kind == JsonValue::Kind::kBoolean; });
    parameter.type = boolean ? "bool" : "";
  }
  space.conditions = std::move(conditions);
  return MakeConfigSpace(space);
}

OutcomeKind KindOfError(const std::string& error) {
  if (absl::StrContains(error, "Compil")) return OutcomeKind::kCompileError;
  if (absl::StrContains(error, "Invalid")) return OutcomeKind::kOutOfResources;
  if (absl::StrContains(error, "Correct") || absl::StrContains(error, "Verif")) {
    return OutcomeKind::kWrongResult;
  }
  return OutcomeKind::kLaunchError;
}

RecordedConfig ReadEntry(const JsonValue& entry, std::string_view objective) {
  const auto cost = [&](std::string_view name) {
    return ReadCost(entry.Find(name), kMillisecondShift);
  };
  RecordedConfig record;
  record.compile_cost_ns = cost("compile_time");
  record.benchmark_cost_ns = cost("benchmark_time");
  record.framework_cost_ns = cost("framework_time");
  record.search_cost_ns = cost("strategy_time");
  record.verification_cost_ns = cost("verification_time");
  Outcome& outcome = record.outcome;
  outcome.compile_ns = record.compile_cost_ns;
  outcome.measure_ns = record.benchmark_cost_ns;
  // Newer versions say under __error__ what older ones say in place of the time.
  const JsonValue* time = entry.Find("time");
  const JsonValue* error = entry.Find("__error__");
  if (error == nullptr) error = time;
  if (error == time && time == nullptr) error = entry.Find(objective);
  if (error != nullptr && error->is_string()) {
    outcome.kind = KindOfError(error->text);
    outcome.message = error->text;
    return record;
  }
  outcome.kind = OutcomeKind::kOk;
  outcome.samples_ns = ReadSamples(entry.Find("times"), kMillisecondShift);
  if (outcome.samples_ns.empty() && cost("time") > 0) outcome.samples_ns.push_back(cost("time"));
  if (outcome.samples_ns.empty()) {
    outcome.kind = OutcomeKind::kLaunchError;
    outcome.message = "recorded without an error and without a time";
  }
  return record;
}

std::string ReadName(const JsonValue& json, std::string_view member) {
  const JsonValue* name = json.Find(member);
  return name != nullptr && name->is_string() ? name->text : "";
}

}  // namespace

absl::StatusOr<std::shared_ptr<const RecordedSpace>> ReadKernelTunerCache(
    std::string_view text, const KernelTunerCacheOptions& options,
    std::vector<std::string>* notes) {
  SEEDTUNE_ASSIGN_OR_RETURN(const JsonValue json, ParseOrRepair(text, notes));
  const JsonValue* cache = json.Find("cache");
  if (cache == nullptr || !cache->is_object()) {
    return Invalid("cache is missing, want an object; is this a Kernel Tuner cache");
  }
  std::shared_ptr<const ConfigSpace> space = options.space;
  if (space == nullptr) {
    SEEDTUNE_ASSIGN_OR_RETURN(space, MakeSpace(json, options.conditions));
  }
  const std::string objective = ReadName(json, "objective");
  RecordCollector collector(std::move(space));
  for (size_t i = 0; i < cache->members.size(); ++i) {
    const JsonValue& entry = cache->members[i];
    SEEDTUNE_RETURN_IF_ERROR(collector.Add(absl::StrCat("cache[\"", cache->keys[i], "\"]"), entry,
                                           ReadEntry(entry, objective)));
  }
  return collector.Finish(ReadName(json, "kernel_name"), ReadName(json, "device_name"), notes);
}

}  // namespace seedtune
