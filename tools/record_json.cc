#include "tools/record_json.h"

#include <cmath>
#include <string>

namespace seedtune {
namespace {

using Json = nlohmann::ordered_json;

// What was text in the record; null where it is none.
Json ParsedOrNull(const std::string& text) {
  Json json = Json::parse(text, /*cb=*/nullptr, /*allow_exceptions=*/false);
  return json.is_discarded() ? Json(nullptr) : json;
}

Json OutcomeJson(const Outcome& outcome) {
  const double median = outcome.objective_ns();
  return {{"kind", std::string(OutcomeKindName(outcome.kind))},
          {"median_ns", std::isfinite(median) ? Json(median) : Json(nullptr)},
          {"samples_ns", outcome.samples_ns}};
}

}  // namespace

Json BestRecordToJson(const BestRecord& record) {
  return {{"kernel", record.kernel_name},
          {"fingerprint", record.key.kernel_fingerprint},
          {"backend", record.key.backend},
          {"run", record.run_id},
          {"best",
           {{"config", ParsedOrNull(record.config_json)},
            {"origin", record.origin},
            {"heuristic", record.heuristic},
            {"outcome", OutcomeJson(record.outcome)}}},
          {"untuned",
           {{"config", ParsedOrNull(record.untuned_config_json)},
            {"origin", record.untuned_origin},
            {"outcome", OutcomeJson(record.untuned_outcome)}}},
          {"evaluations", record.evaluations},
          {"seconds", record.seconds},
          {"recorded_unix_micros", record.recorded_unix_micros},
          {"heuristics", ParsedOrNull(record.heuristics_json)}};
}

}  // namespace seedtune
