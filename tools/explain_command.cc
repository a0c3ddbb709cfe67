#include "tools/explain_command.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "autotuner/database/database.h"
#include "autotuner/record_key.h"
#include "heuristics/consult.h"
#include "heuristics/outcome_json.h"
#include "ir/fingerprint.h"
#include "nlohmann/json.hpp"
#include "tools/database_path.h"
#include "tools/record_json.h"
#include "tools/seed_flags.h"
#include "tools/seeds_reached.h"
#include "tools/subject.h"
#include "tools/target.h"
#include "util/format.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

std::string Indented(const std::string& text) {
  std::string indented = absl::StrCat("  ", absl::StrReplaceAll(text, {{"\n", "\n  "}}));
  indented.erase(indented.find_last_not_of(" \n") + 1);
  return indented + "\n";
}

std::string DescribeSpace(const ConfigSpace& space) {
  std::string text =
      absl::StrCat(space.name(), " version ", space.version(), ": ", space.knobs().size(),
                   " knobs, ", FormatCount(space.NumValid()), " valid configurations of ",
                   FormatCount(space.CartesianSize()), "\n");
  for (const Knob& knob : space.knobs())
    absl::StrAppend(&text, "  ", knob.name(), ": ", knob.DescribeChoices(), "\n");
  for (const Constraint& constraint : space.constraints()) {
    absl::StrAppend(&text, "  want ", constraint.description, "\n");
  }
  return text;
}

// Whether a knob is worth showing even where it is as the space's default has it.
bool IsTold(std::string_view knob) {
  return knob.substr(0, 11) == "block_size[" || knob == "num_warps" || knob == "num_stages";
}

// The knobs of the tile, and what a seed sets otherwise than the space's default does: the rest is
// noise.
std::string BesideTheDefault(const Config& seed) {
  const Config base = seed.space().Default();
  const auto all = nlohmann::ordered_json::parse(seed.ToJson());
  auto changed = nlohmann::ordered_json::object();
  for (size_t slot = 0; slot < seed.choices().size(); ++slot) {
    const std::string& name = seed.space().knobs()[slot].name();
    if (IsTold(name) || seed.choices()[slot] != base.choices()[slot]) changed[name] = all[name];
  }
  return changed.empty() ? "as the space's default" : changed.dump();
}

std::string DescribeOutcome(const HeuristicOutcome& outcome) {
  std::string text =
      absl::StrCat(outcome.heuristic, ": ", std::string(HeuristicOutcomeKindName(outcome.kind)));
  if (!outcome.detail.empty()) absl::StrAppend(&text, ": ", outcome.detail);
  absl::StrAppend(&text, "\n");
  for (const Config& seed : outcome.seeds) {
    absl::StrAppend(&text, "  seed ", BesideTheDefault(seed), "\n");
  }
  return text;
}

// What the database remembers of the last search, if there is one: the report that was saved with
// the best run. Anything that is missing (no database, nothing recorded, nobody measures for that
// backend here) is no fault of whoever asks for an explanation.
std::vector<HeuristicOutcome> RecordedOutcomes(const ExplainCommandOptions& options,
                                               const Target& target, const Subject& subject) {
  const auto info = target.Info();
  if (!info.ok()) return {};
  const auto database =
      Database::Open(ResolveDatabasePath(options.database), {.mode = Database::Mode::kReadOnly});
  if (!database.ok()) return {};
  const auto found = (*database)->Lookup(MakeRecordKey(*subject.kernel, *subject.space, *info));
  if (!found.ok() || !found->record) return {};
  auto outcomes = HeuristicOutcomesFromJson(found->record->heuristics_json, *subject.space);
  if (!outcomes.ok()) return {};
  return *std::move(outcomes);
}

// Whether there are seeds, and none of them may be the default.
bool LacksValidation(const ConsultResult& consulted) {
  const auto& outcomes = consulted.outcomes;
  return !consulted.seeds.empty() &&
         std::none_of(outcomes.begin(), outcomes.end(),
                      [](const HeuristicOutcome& outcome) { return outcome.promoted; });
}

std::string Explanation(const Subject& subject, const ConsultResult& consulted,
                        const std::vector<HeuristicOutcome>& recorded) {
  std::string text = absl::StrCat("kernel ", subject.kernel->name, " (fingerprint ",
                                  KernelFingerprint(*subject.kernel), ")\n");
  for (const MatmulFact& fact : subject.facts) {
    absl::StrAppend(&text, Indented(DescribeMatmulFact(*subject.kernel, fact)));
  }
  absl::StrAppend(&text, "config space\n", Indented(DescribeSpace(*subject.space)));
  absl::StrAppend(
      &text,
      "heuristics, in rank order (seeds without what the space's default has, but for the tile)\n");
  for (const HeuristicOutcome& outcome : consulted.outcomes)
    absl::StrAppend(&text, Indented(DescribeOutcome(outcome)));
  if (const std::string reached = DescribeWhatSeedsReached(recorded); !reached.empty()) {
    absl::StrAppend(&text, "what seeds reached in the recorded search\n", Indented(reached));
  }
  absl::StrAppend(
      &text, "untuned default, from ", consulted.untuned_origin,
      LacksValidation(consulted)
          ? ", since nothing that seeded was validated on such a device; the first seed "
            "may well be faster, tuning says so"
          : "",
      "\n", Indented(consulted.untuned.ToJson()));
  return text;
}

nlohmann::ordered_json ExplanationJson(const Subject& subject, const ConsultResult& consulted,
                                       const std::vector<HeuristicOutcome>& recorded) {
  using Json = nlohmann::ordered_json;
  Json facts = Json::array();
  for (const MatmulFact& fact : subject.facts) {
    const auto extent = [](const DimFact& dim) {
      return dim.planning_extent() ? Json(*dim.planning_extent()) : Json();
    };
    facts.push_back({{"m", extent(fact.m)},
                     {"n", extent(fact.n)},
                     {"k", extent(fact.k)},
                     {"batch", fact.batch()},
                     {"lhs", std::string(DTypeName(fact.lhs.dtype))},
                     {"rhs", std::string(DTypeName(fact.rhs.dtype))},
                     {"out", std::string(DTypeName(fact.out.dtype))},
                     {"accumulator", std::string(DTypeName(fact.accumulator))},
                     {"flops", fact.flops},
                     {"bytes", fact.bytes},
                     {"intensity", fact.intensity}});
  }
  return {{"kernel", subject.kernel->name},
          {"fingerprint", KernelFingerprint(*subject.kernel)},
          {"facts", std::move(facts)},
          {"space",
           {{"id", subject.space->id()},
            {"knobs", subject.space->knobs().size()},
            {"valid", FormatCount(subject.space->NumValid())},
            {"cartesian", FormatCount(subject.space->CartesianSize())}}},
          {"heuristics", Json::parse(HeuristicOutcomesToJson(consulted.outcomes))},
          {"recorded", recorded.empty() ? Json() : Json::parse(HeuristicOutcomesToJson(recorded))},
          {"untuned",
           {{"config", Json::parse(consulted.untuned.ToJson())},
            {"origin", consulted.untuned_origin}}}};
}

}  // namespace

absl::Status RunExplain(const ExplainCommandOptions& options, const Environment& environment) {
  SEEDTUNE_ASSIGN_OR_RETURN(Target target, Target::Resolve(options.kernel, environment));
  const HardwareInfo& device = target.device();
  SEEDTUNE_ASSIGN_OR_RETURN(const std::vector<Subject> subjects, target.Subjects());
  SEEDTUNE_ASSIGN_OR_RETURN(const ConsultOptions consult,
                            MakeConsultOptions(options.seeds, environment.heuristics));
  nlohmann::ordered_json json = {{"schema_version", kJsonSchemaVersion},
                                 {"device", device.name},
                                 {"backend", options.kernel.backend},
                                 {"kernels", nlohmann::ordered_json::array()}};
  if (!options.kernel.json) environment.out << "device " << DescribeHardware(device) << "\n";
  for (const Subject& subject : subjects) {
    const ConsultResult consulted = ConsultHeuristics(environment.heuristics, subject.heuristics,
                                                      subject.Context(device), consult);
    const std::vector<HeuristicOutcome> recorded = RecordedOutcomes(options, target, subject);
    if (options.kernel.json) {
      json["kernels"].push_back(ExplanationJson(subject, consulted, recorded));
    } else {
      environment.out << Explanation(subject, consulted, recorded);
      if (&subject != &subjects.back()) environment.out << "\n";
    }
  }
  if (options.kernel.json) environment.out << json.dump(2) << "\n";
  return absl::OkStatus();
}

}  // namespace seedtune
