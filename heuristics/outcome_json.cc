#include "heuristics/outcome_json.h"

#include <cstdint>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "config/config_io.h"
#include "config/knob.h"
#include "nlohmann/json.hpp"
#include "util/status_macros.h"

namespace seedtune {
namespace {

using Json = nlohmann::ordered_json;

constexpr HeuristicOutcomeKind kKinds[] = {
    HeuristicOutcomeKind::kSeeded,    HeuristicOutcomeKind::kDeclined,
    HeuristicOutcomeKind::kFailed,    HeuristicOutcomeKind::kUntransferable,
    HeuristicOutcomeKind::kDuplicate, HeuristicOutcomeKind::kDisabled,
};

std::optional<HeuristicOutcomeKind> KindNamed(std::string_view name) {
  for (HeuristicOutcomeKind kind : kKinds) {
    if (HeuristicOutcomeKindName(kind) == name) return kind;
  }
  return std::nullopt;
}

// The member `key` of an object, null where there is none.
const Json& Member(const Json& object, const char* key) {
  static const Json& null = *new Json();
  const auto found = object.find(key);
  return found == object.end() ? null : *found;
}

absl::Status Wrong(const std::string& place, const Json& value, const std::string& want) {
  return absl::InvalidArgumentError(
      absl::StrCat(place, " is ", value.is_null() ? "not set" : value.dump(), ", want ", want));
}

absl::StatusOr<HeuristicOutcome> ReadOutcome(const std::string& place, const Json& json,
                                             const ConfigSpace& space) {
  if (!json.is_object()) return Wrong(place, json, "an object");
  HeuristicOutcome outcome;

  const Json& heuristic = Member(json, "heuristic");
  if (!heuristic.is_string()) return Wrong(place + ".heuristic", heuristic, "a name");
  outcome.heuristic = heuristic.get<std::string>();

  const Json& kind = Member(json, "outcome");
  std::optional<HeuristicOutcomeKind> known;
  if (kind.is_string()) known = KindNamed(kind.get_ref<const std::string&>());
  if (!known) return Wrong(place + ".outcome", kind, "one such as \"seeded\"");
  outcome.kind = *known;

  const Json& detail = Member(json, "detail");
  if (!detail.is_string()) return Wrong(place + ".detail", detail, "text");
  outcome.detail = detail.get<std::string>();

  const Json& promoted = Member(json, "promoted");
  if (!promoted.is_boolean()) return Wrong(place + ".promoted", promoted, "true or false");
  outcome.promoted = promoted.get<bool>();

  const Json& seeds = Member(json, "seeds");
  if (!seeds.is_null() && !seeds.is_array()) return Wrong(place + ".seeds", seeds, "an array");
  for (size_t i = 0; i < seeds.size(); ++i) {
    const auto config = [&]() -> absl::StatusOr<Config> {
      SEEDTUNE_ASSIGN_OR_RETURN(const PartialConfig partial,
                                PartialConfigFromJson(seeds[i].dump()));
      return space.Normalize(partial, NormalizeMode::kReject);
    }();
    if (!config.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(place, ".seeds[", i, "]: ", std::string(config.status().message())));
    }
    outcome.seeds.push_back(*config);
  }

  const Json& best_rank = Member(json, "best_rank");
  if (best_rank.is_null()) return outcome;
  if (!best_rank.is_number_integer()) return Wrong(place + ".best_rank", best_rank, "a place");
  outcome.best_rank = best_rank.get<int64_t>();
  const Json& best_median_ns = Member(json, "best_median_ns");
  if (!best_median_ns.is_number())
    return Wrong(place + ".best_median_ns", best_median_ns, "a time");
  outcome.best_median_ns = best_median_ns.get<double>();
  // Older reports do not say.
  const Json& best_is_retimed = Member(json, "best_is_retimed");
  if (!best_is_retimed.is_null() && !best_is_retimed.is_boolean()) {
    return Wrong(place + ".best_is_retimed", best_is_retimed, "true or false");
  }
  outcome.best_is_retimed = best_is_retimed.is_boolean() && best_is_retimed.get<bool>();
  const Json& winner_descends = Member(json, "winner_descends");
  if (!winner_descends.is_boolean()) {
    return Wrong(place + ".winner_descends", winner_descends, "true or false");
  }
  outcome.winner_descends = winner_descends.get<bool>();
  return outcome;
}

}  // namespace

std::string HeuristicOutcomesToJson(std::span<const HeuristicOutcome> outcomes) {
  Json all = Json::array();
  for (const HeuristicOutcome& outcome : outcomes) {
    Json& json = all.emplace_back(Json::object());
    json["heuristic"] = outcome.heuristic;
    json["outcome"] = std::string(HeuristicOutcomeKindName(outcome.kind));
    json["detail"] = outcome.detail;
    json["promoted"] = outcome.promoted;
    for (const Config& seed : outcome.seeds) {
      json["seeds"].push_back(
          Json::parse(seed.ToJson(), /*cb=*/nullptr, /*allow_exceptions=*/false));
    }
    if (outcome.best_rank == 0) continue;
    json["best_rank"] = outcome.best_rank;
    json["best_median_ns"] = outcome.best_median_ns;
    json["best_is_retimed"] = outcome.best_is_retimed;
    json["winner_descends"] = outcome.winner_descends;
  }
  return all.dump(/*indent=*/-1, /*indent_char=*/' ', /*ensure_ascii=*/false,
                  Json::error_handler_t::replace);
}

absl::StatusOr<std::vector<HeuristicOutcome>> HeuristicOutcomesFromJson(std::string_view text,
                                                                        const ConfigSpace& space) {
  const Json json = Json::parse(text, /*cb=*/nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return absl::InvalidArgumentError("outcomes are no JSON, want an array");
  if (!json.is_array()) return Wrong("outcomes", json, "an array");
  std::vector<HeuristicOutcome> outcomes;
  for (size_t i = 0; i < json.size(); ++i) {
    SEEDTUNE_ASSIGN_OR_RETURN(HeuristicOutcome outcome,
                              ReadOutcome(absl::StrCat("outcomes[", i, "]"), json[i], space));
    outcomes.push_back(std::move(outcome));
  }
  return outcomes;
}

}  // namespace seedtune
