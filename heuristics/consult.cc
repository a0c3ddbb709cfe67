#include "heuristics/consult.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "heuristics/autotuner_heuristic.h"

namespace seedtune {
namespace {

constexpr char kUser[] = "user";

// Runs somebody's code; the text of what it threw, if it did.
template <typename Call>
std::optional<std::string> TextOfThrown(Call&& call) {
  try {
    call();
    return std::nullopt;
  } catch (const std::exception& e) {
    return absl::StrCat("threw \"", e.what(), "\"");
  } catch (...) {
    return "threw what is no std::exception";
  }
}

// Nothing where the heuristic is on, else what switched it off.
std::optional<std::string> WhyDisabled(const ConsultOptions& options, std::string_view name) {
  if (!options.enabled) return "all heuristics are switched off";
  for (const std::string& disabled : options.disabled) {
    if (disabled == name) return "switched off by name";
  }
  return std::nullopt;
}

std::string Text(const absl::Status& status) { return std::string(status.message()); }

// What one source of seeds (the user, a heuristic) brought, as it is taken into the result.
class Planter {
 public:
  Planter(const ConfigSpace& space, ConsultResult& result) : space_(space), result_(result) {}

  // Takes a source's seeds in; fills `outcome` but for the promotion. `reason` is what stands in
  // the detail of a source that seeded. The primary, if the space takes it, comes back.
  std::optional<Config> Plant(const std::vector<PartialConfig>& partials, std::string reason,
                              HeuristicOutcome& outcome) {
    std::optional<Config> primary;
    std::vector<std::string> untransferable;
    std::vector<std::string> repeated;
    for (size_t i = 0; i < partials.size(); ++i) {
      absl::StatusOr<Config> config = space_.Normalize(partials[i], NormalizeMode::kReject);
      if (!config.ok()) {
        untransferable.push_back(absl::StrCat("seeds[", i, "]: ", Text(config.status())));
        continue;
      }
      if (i == 0) primary = *config;
      const auto [first, is_new] =
          places_.emplace(*config, absl::StrCat("seeds[", i, "] of ", outcome.heuristic));
      if (!is_new) {
        repeated.push_back(absl::StrCat("seeds[", i, "] repeats ", first->second));
        continue;
      }
      outcome.seeds.push_back(*config);
      result_.seeds.push_back({*std::move(config), outcome.heuristic, static_cast<int>(i)});
    }
    std::vector<std::string> details;
    if (!outcome.seeds.empty()) {
      outcome.kind = HeuristicOutcomeKind::kSeeded;
      if (!reason.empty()) details.push_back(std::move(reason));
    } else if (!untransferable.empty()) {
      outcome.kind = HeuristicOutcomeKind::kUntransferable;
    } else {
      outcome.kind = HeuristicOutcomeKind::kDuplicate;
    }
    details.insert(details.end(), untransferable.begin(), untransferable.end());
    details.insert(details.end(), repeated.begin(), repeated.end());
    outcome.detail = absl::StrJoin(details, "; ");
    return primary;
  }

 private:
  const ConfigSpace& space_;
  ConsultResult& result_;
  absl::flat_hash_map<Config, std::string> places_;  // where each was seen first
};

}  // namespace

std::string_view HeuristicOutcomeKindName(HeuristicOutcomeKind kind) {
  switch (kind) {
    case HeuristicOutcomeKind::kSeeded:
      return "seeded";
    case HeuristicOutcomeKind::kDeclined:
      return "declined";
    case HeuristicOutcomeKind::kFailed:
      return "failed";
    case HeuristicOutcomeKind::kUntransferable:
      return "untransferable";
    case HeuristicOutcomeKind::kDuplicate:
      return "duplicate";
    case HeuristicOutcomeKind::kDisabled:
      return "disabled";
  }
  return "unknown";
}

ConsultResult ConsultHeuristics(const HeuristicRegistry& registry, std::string_view backend,
                                const TuningContext& context, const ConsultOptions& options) {
  ConsultResult result;
  result.untuned = context.space.Default();
  result.untuned_origin = "space default";
  Planter planter(context.space, result);

  if (!options.user_seeds.empty()) {
    HeuristicOutcome outcome;
    outcome.heuristic = kUser;
    planter.Plant(options.user_seeds, "given by the user", outcome);
    result.outcomes.push_back(std::move(outcome));
  }

  bool is_promoted = false;
  for (const AutotunerHeuristic* heuristic : registry.ForBackend(backend)) {
    HeuristicOutcome& outcome = result.outcomes.emplace_back();
    outcome.heuristic = std::string(heuristic->name());
    if (std::optional<std::string> why = WhyDisabled(options, outcome.heuristic)) {
      outcome.kind = HeuristicOutcomeKind::kDisabled;
      outcome.detail = *std::move(why);
      continue;
    }

    Eligibility eligibility;
    absl::StatusOr<std::vector<PartialConfig>> partials;
    bool promotes = false;
    const std::optional<std::string> thrown = TextOfThrown([&] {
      eligibility = heuristic->IsEligible(context);
      if (eligibility.eligible) partials = heuristic->SeedConfigs(context);
    });
    if (thrown) {
      outcome.kind = HeuristicOutcomeKind::kFailed;
      outcome.detail = *thrown;
      continue;
    }
    if (!eligibility.eligible) {
      outcome.kind = HeuristicOutcomeKind::kDeclined;
      outcome.detail = std::move(eligibility.reason);
      continue;
    }
    if (!partials.ok()) {
      outcome.kind = HeuristicOutcomeKind::kFailed;
      outcome.detail = Text(partials.status());
      continue;
    }
    if (partials->empty()) {
      outcome.kind = HeuristicOutcomeKind::kFailed;
      outcome.detail = "eligible, but gave no seed";
      continue;
    }

    const std::optional<Config> primary =
        planter.Plant(*partials, std::move(eligibility.reason), outcome);
    // Asked apart from the seeds: what goes wrong here costs the promotion, not the seeds.
    const std::optional<std::string> promotion_thrown =
        TextOfThrown([&] { promotes = heuristic->PromotesPrimary(context); });
    if (promotion_thrown) {
      absl::StrAppend(&outcome.detail, "; not promoted: PromotesPrimary ", *promotion_thrown);
    } else if (promotes && !primary) {
      absl::StrAppend(&outcome.detail, "; not promoted: the space does not take the primary");
    } else if (promotes && is_promoted) {
      absl::StrAppend(&outcome.detail, "; not promoted: ", result.untuned_origin, " comes first");
    } else if (promotes) {
      is_promoted = true;
      outcome.promoted = true;
      result.untuned = *primary;
      result.untuned_origin = outcome.heuristic;
    }
  }

  for (const SeedSource& source : options.recorded) {
    HeuristicOutcome outcome;
    outcome.heuristic = source.name;
    planter.Plant(source.seeds, source.detail, outcome);
    result.outcomes.push_back(std::move(outcome));
  }
  return result;
}

UntunedDefault FindUntunedDefault(const HeuristicRegistry& registry, std::string_view backend,
                                  const TuningContext& context, const ConsultOptions& options) {
  TuningContext primary_alone = context;
  primary_alone.max_seeds = 1;
  for (const AutotunerHeuristic* heuristic : registry.ForBackend(backend)) {
    if (WhyDisabled(options, heuristic->name())) continue;
    absl::StatusOr<std::vector<PartialConfig>> partials = std::vector<PartialConfig>();
    const std::optional<std::string> thrown = TextOfThrown([&] {
      if (!heuristic->IsEligible(context).eligible || !heuristic->PromotesPrimary(context)) return;
      partials = heuristic->SeedConfigs(primary_alone);
    });
    if (thrown || !partials.ok() || partials->empty()) continue;
    absl::StatusOr<Config> primary =
        context.space.Normalize(partials->front(), NormalizeMode::kReject);
    if (primary.ok()) return {*std::move(primary), std::string(heuristic->name())};
  }
  return {context.space.Default(), "space default"};
}

std::vector<Seed> HeuristicNeighbors(const HeuristicRegistry& registry, std::string_view backend,
                                     const TuningContext& context, const Config& config,
                                     const ConsultOptions& options,
                                     std::vector<std::string>* failures) {
  if (!options.neighbors) return {};
  std::vector<Seed> neighbors;
  absl::flat_hash_set<Config> seen = {config};
  for (const AutotunerHeuristic* heuristic : registry.ForBackend(backend)) {
    if (WhyDisabled(options, heuristic->name())) continue;
    std::vector<PartialConfig> partials;
    const std::optional<std::string> thrown = TextOfThrown([&] {
      if (heuristic->IsEligible(context).eligible) partials = heuristic->Neighbors(context, config);
    });
    if (thrown) {
      if (failures != nullptr) {
        failures->push_back(absl::StrCat(std::string(heuristic->name()), ": ", *thrown));
      }
      continue;
    }
    for (size_t i = 0; i < partials.size(); ++i) {
      absl::StatusOr<Config> neighbor =
          context.space.NormalizeOver(config, partials[i], NormalizeMode::kReject);
      if (!neighbor.ok() || !seen.insert(*neighbor).second) continue;
      neighbors.push_back(
          {*std::move(neighbor), std::string(heuristic->name()), static_cast<int>(i)});
    }
  }
  return neighbors;
}

}  // namespace seedtune
