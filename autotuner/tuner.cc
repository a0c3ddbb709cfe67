#include "autotuner/tuner.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "autotuner/record_key.h"
#include "autotuner/retiming.h"
#include "autotuner/search/search.h"
#include "autotuner/transfer.h"
#include "config/config_io.h"
#include "hardware/hardware_proto.h"
#include "heuristics/outcome_json.h"
#include "heuristics/tuning_context.h"
#include "ir/proto_convert.h"
#include "util/status_macros.h"
#include "util/string_view.h"
#include "util/textproto.h"

namespace seedtune {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
// How soon a stop from outside is noticed, and progress told, while nothing is answered.
constexpr int64_t kPollNs = 50'000'000;
// Of a budget in seconds, the most that is kept back for re-timing the leaders, and for how many
// rounds: five are the fewest that can separate two (see statistics.h).
constexpr double kMostRetimingShare = 0.25;
constexpr int kRoundsKeptBack = 5;
constexpr size_t kLongestQuote = 500;
// See Budget::stale_evaluations.
constexpr double kImprovement = 0.001;

std::string_view HeuristicsBackend(const Measurer& measurer, const TuneOptions& options) {
  return options.heuristics_backend.empty() ? measurer.info().backend : options.heuristics_backend;
}

// What stays the same from the first session of a run to its last.
struct Question {
  std::shared_ptr<const Kernel> kernel;
  std::shared_ptr<const ConfigSpace> space;
  const HeuristicRegistry& registry;
  Measurer& measurer;
  Database* database;
  Clock& clock;
  const TuneOptions& options;
  TuningContext context;
  ConsultResult consulted;
  std::vector<Candidate> first;  // the untuned default, then the seeds
};

absl::Status CheckOptions(const TuneOptions& options) {
  const auto wrong = [](auto... what) {
    return absl::InvalidArgumentError(absl::StrCat("tune options: ", what...));
  };
  const Budget& budget = options.budget;
  if (budget.evaluations < 0) {
    return wrong("budget.evaluations is ", budget.evaluations, ", want at least 0");
  }
  if (!(budget.seconds >= 0) || !std::isfinite(budget.seconds)) {
    return wrong("budget.seconds is ", budget.seconds, ", want at least 0");
  }
  if (!(budget.device_seconds >= 0) || !std::isfinite(budget.device_seconds)) {
    return wrong("budget.device_seconds is ", budget.device_seconds, ", want at least 0");
  }
  if (budget.stale_evaluations < 0) {
    return wrong("budget.stale_evaluations is ", budget.stale_evaluations, ", want at least 0");
  }
  if (!(budget.roofline_fraction >= 0 && budget.roofline_fraction <= 1)) {
    return wrong("budget.roofline_fraction is ", budget.roofline_fraction, ", want 0 to 1");
  }
  if (!budget.HasLimit()) {
    return wrong("budget is ", BudgetToString(budget),
                 ", want a limit of evaluations, seconds, device seconds or stale evaluations");
  }
  if (budget.roofline_fraction > 0 &&
      !(options.roofline_ns > 0 && std::isfinite(options.roofline_ns))) {
    return wrong("roofline_ns is ", options.roofline_ns, ", want more than 0 for a budget of ",
                 BudgetToString(budget));
  }
  if (options.transfer.max_seeds < 0) {
    return wrong("transfer.max_seeds is ", options.transfer.max_seeds, ", want at least 0");
  }
  if (!(options.transfer.max_distance >= 0)) {
    return wrong("transfer.max_distance is ", options.transfer.max_distance, ", want at least 0");
  }
  if (options.leaders < 0) return wrong("leaders is ", options.leaders, ", want at least 0");
  if (options.leader_rounds < 0) {
    return wrong("leader_rounds is ", options.leader_rounds, ", want at least 0");
  }
  if (options.drop_factor != 0 &&
      !(options.drop_factor > 1 && std::isfinite(options.drop_factor))) {
    return wrong("drop_factor is ", options.drop_factor, ", want more than 1, or 0 for never");
  }
  return absl::OkStatus();
}

// What of the options decides which seeds are planted, in one line.
std::string SeedPolicy(const ConsultOptions& options) {
  std::vector<std::string> disabled = options.disabled;
  std::sort(disabled.begin(), disabled.end());
  std::vector<std::string> seeds;
  for (const PartialConfig& seed : options.user_seeds) seeds.push_back(PartialConfigToJson(seed));
  return absl::StrCat("heuristics=", options.enabled ? "on" : "off", " disabled=[",
                      absl::StrJoin(disabled, ","), "] user_seeds=[", absl::StrJoin(seeds, ","),
                      "]", options.neighbors ? "" : " neighbors=off");
}

// The rules that end a search early and that a run's settings have no field for; "" where there are
// none, as in all runs recorded before there were any.
std::string StopPolicy(const TuneOptions& options) {
  Budget rules = options.budget;
  rules.evaluations = 0;
  rules.seconds = 0;
  if (rules == Budget{}) return "";
  return absl::StrCat(
      " stop=", BudgetToString(rules),
      rules.roofline_fraction > 0 ? absl::StrCat(" roofline_ns=", options.roofline_ns) : "");
}

Outcome Crash(std::string message) {
  Outcome outcome;
  outcome.kind = OutcomeKind::kCrash;
  outcome.message = std::move(message);
  return outcome;
}

// "" where there is none, as in all runs recorded before there was any.
std::string TransferPolicy(const TransferOptions& transfer) {
  if (transfer.max_seeds == 0) return "";
  return absl::StrCat(" transfer=", transfer.max_seeds, "/", transfer.max_distance);
}

RunSettings MakeRunSettings(const TuneOptions& options) {
  return RunSettings{
      .algorithm = options.algorithm,
      .random_seed = options.random_seed,
      .budget_evaluations = options.budget.evaluations,
      .budget_seconds = options.budget.seconds,
      .seed_policy = absl::StrCat(SeedPolicy(options.heuristics), TransferPolicy(options.transfer),
                                  StopPolicy(options))};
}

// The untuned default, then the seeds in order of rank. A heuristic whose seed is the default gets
// the credit for it.
std::vector<Candidate> FirstCandidates(const ConsultResult& consulted) {
  std::vector<Candidate> first = {{.config = consulted.untuned, .origin = "default"}};
  absl::flat_hash_set<Config> planted = {consulted.untuned};
  for (const Seed& seed : consulted.seeds) {
    if (planted.insert(seed.config).second) {
      first.push_back({.config = seed.config, .origin = "seed", .heuristic = seed.heuristic});
    } else if (seed.config == consulted.untuned && first[0].heuristic.empty()) {
      first[0].heuristic = seed.heuristic;
    }
  }
  return first;
}

// Gives `consulted` the recorded seeds that an unfinished run was begun with. A string: why they
// cannot be read.
std::optional<std::string> RestoreRecorded(const RunInfo& run, const ConfigSpace& space,
                                           ConsultResult& consulted) {
  if (run.heuristics_json.empty()) return std::nullopt;  // of a release without any
  absl::StatusOr<std::vector<HeuristicOutcome>> outcomes =
      HeuristicOutcomesFromJson(run.heuristics_json, space);
  if (!outcomes.ok()) return std::string(outcomes.status().message());
  for (HeuristicOutcome& outcome : *outcomes) {
    if (!IsRecordedSource(outcome.heuristic)) continue;
    for (size_t i = 0; i < outcome.seeds.size(); ++i) {
      consulted.seeds.push_back({outcome.seeds[i], outcome.heuristic, static_cast<int>(i)});
    }
    consulted.outcomes.push_back(std::move(outcome));
  }
  return std::nullopt;
}

// One run, from its first session to its last: what was asked, what came of it, and what is next.
class Run {
 public:
  static absl::StatusOr<std::unique_ptr<Run>> Create(const Question& question) {
    std::unique_ptr<Run> run(new Run(question));
    const TuneOptions& options = question.options;
    SearchProblem problem{.space = question.space,
                          .random_seed = options.random_seed,
                          .first = question.first,
                          .has_own_seeds = HasOwnSeeds(question.first),
                          .heuristic_neighbors = [&question](const Config& config) {
                            return HeuristicCandidates(question, config);
                          }};
    SEEDTUNE_ASSIGN_OR_RETURN(run->search_, MakeSearch(options.algorithm, std::move(problem)));
    return run;
  }

  // Begins anew.
  absl::Status Start();

  // Takes up where the log ends. A string: why the search cannot have written it.
  std::optional<std::string> Replay(const RunInfo& info, std::span<const RunEvent> events);
  // Nothing worked, and nothing more would be tried.
  bool HasFailed() const {
    return best_ns_ == kInfinity && told_.size() == asked_.size() && !MayAsk();
  }

  // Does what is left to do.
  absl::StatusOr<TuneResult> Finish();

 private:
  struct Ask {
    int64_t sequence = 0;
    Candidate candidate;
    std::string config_json;
    double drop_above_ns = 0;
    std::optional<Outcome> outcome = std::nullopt;
  };
  using AskIndex = size_t;  // into asked_; 0 is the untuned default

  explicit Run(const Question& question)
      : question_(question), session_start_ns_(question.clock.NowNs()) {}

  static std::vector<Candidate> HeuristicCandidates(const Question& question, const Config& config);

  // Never less than before: a clock that is set back costs no time.
  double Seconds() const {
    const int64_t passed_ns = question_.clock.NowNs() - session_start_ns_;
    latest_session_ns_ = std::max(latest_session_ns_, passed_ns);
    return earlier_seconds_ + static_cast<double>(latest_session_ns_) * 1e-9;
  }
  bool IsStopped() const {
    return question_.options.stop != nullptr &&
           question_.options.stop->load(std::memory_order_relaxed);
  }
  bool MayAsk() const;
  bool IsTimeUp() const;
  double SecondsKeptBack() const;

  absl::Status Search();
  absl::Status FillMeasurer();
  void GiveUpWhatWaits();
  absl::Status Retime();
  void BeginRetiming();
  bool MayBeginRound() const;
  absl::StatusOr<std::vector<MeasureReply>> WaitForReplies();

  absl::Status LogAsk(const Ask& ask);
  absl::Status LogAnswer(RunEvent::Kind kind, AskIndex index, const Outcome& outcome);
  absl::Status Log(RunEvent event);
  void NoteAsk(int64_t sequence, Candidate candidate);
  void NoteTell(AskIndex index, Outcome outcome);
  MeasureRequest MakeRequest(AskIndex index) const;
  absl::Status Submit(AskIndex index, MeasureRequest request);

  absl::StatusOr<TuneResult> MakeResult(bool finished) const;
  const Outcome& FinalOutcome(AskIndex index) const;
  std::optional<AskIndex> Best() const;
  void FillInHeuristics(TuneResult& result, std::optional<AskIndex> best) const;
  absl::Status EverythingFailed() const;
  void ReportProgress() const;

  const Question& question_;
  std::unique_ptr<SearchAlgorithm> search_;

  std::string id_;
  bool resumed_ = false;
  int64_t session_start_ns_;
  mutable int64_t latest_session_ns_ = 0;
  double earlier_seconds_ = 0;   // what earlier sessions took
  double recorded_seconds_ = 0;  // of these, what the database has been told of as such
  int64_t next_sequence_ = 0;

  std::vector<Ask> asked_;
  absl::flat_hash_map<int64_t, AskIndex> index_of_;  // by sequence
  std::vector<AskIndex> told_;                       // in the order told
  int64_t failures_ = 0;
  double device_ns_ = 0;     // of all that were told
  size_t told_at_best_ = 0;  // how many were told when the best was last improved on; at least the
                             // first candidates
  double best_ns_ = kInfinity;
  AskIndex best_index_ = 0;

  std::deque<AskIndex> resubmit_;                     // asked by an earlier session, not told
  absl::flat_hash_map<int64_t, AskIndex> under_way_;  // by request id
  std::optional<Retiming> retiming_;                  // who is who: AskIndex
};

std::vector<Candidate> Run::HeuristicCandidates(const Question& question, const Config& config) {
  std::vector<Candidate> candidates;
  for (Seed& seed :
       HeuristicNeighbors(question.registry, HeuristicsBackend(question.measurer, question.options),
                          question.context, config, question.options.heuristics)) {
    candidates.push_back({.config = std::move(seed.config),
                          .origin = "neighbor",
                          .heuristic = std::move(seed.heuristic)});
  }
  return candidates;
}

absl::Status Run::Start() {
  if (question_.database == nullptr) return absl::OkStatus();
  const MeasurerInfo& info = question_.measurer.info();
  SEEDTUNE_ASSIGN_OR_RETURN(
      id_, question_.database->StartRun(
               RunInfo{.id = "",
                       .key = MakeRecordKey(*question_.kernel, *question_.space, info),
                       .settings = MakeRunSettings(question_.options),
                       .kernel_name = question_.kernel->name,
                       .kernel_text = PrintTextProto(KernelToProto(*question_.kernel)),
                       .device_text = PrintTextProto(ToProto(info.device)),
                       .started_unix_micros = question_.clock.UnixMicros(),
                       .state = RunState::kUnfinished,
                       .seconds_spent = 0,
                       .heuristics_json = HeuristicOutcomesToJson(question_.consulted.outcomes)}));
  return absl::OkStatus();
}

std::optional<std::string> Run::Replay(const RunInfo& info, std::span<const RunEvent> events) {
  id_ = info.id;
  resumed_ = true;
  recorded_seconds_ = info.seconds_spent;
  earlier_seconds_ = info.seconds_spent;
  for (const RunEvent& event : events) {
    const auto unlike = [&](auto... what) {
      return absl::StrCat("event ", event.sequence, what...);
    };
    if (event.sequence != next_sequence_) return unlike(" comes where ", next_sequence_, " should");
    ++next_sequence_;
    // A session that was killed told nobody how long it took, but its events did.
    earlier_seconds_ = std::max(earlier_seconds_, event.at_seconds);

    if (event.kind == RunEvent::Kind::kAsk) {
      std::vector<Candidate> candidates = search_->Ask(1);
      if (candidates.empty() || retiming_.has_value()) {
        return unlike(" asks for ", event.config_json, ", where the search asks for nothing now");
      }
      const Candidate& candidate = candidates[0];
      const std::string config_json = candidate.config.ToJson();
      if (config_json != event.config_json || candidate.origin != event.origin ||
          candidate.heuristic != event.heuristic) {
        const auto describe = [](std::string_view config, const std::string& origin,
                                 const std::string& heuristic) {
          return absl::StrCat(ToAbsl(config), " (", origin, heuristic.empty() ? "" : " of ",
                              heuristic, ")");
        };
        return unlike(" asks for ", describe(event.config_json, event.origin, event.heuristic),
                      ", where the search asks for ",
                      describe(config_json, candidate.origin, candidate.heuristic), " now");
      }
      NoteAsk(event.sequence, std::move(candidates[0]));
      continue;
    }

    const auto found = index_of_.find(event.ask_sequence);
    if (found == index_of_.end())
      return unlike(" answers ", event.ask_sequence, ", which is no ask");
    const AskIndex index = found->second;
    if (event.kind == RunEvent::Kind::kTell) {
      if (asked_[index].outcome.has_value() || retiming_.has_value()) {
        return unlike(" answers ", event.ask_sequence, " too late");
      }
      NoteTell(index, event.outcome);
      continue;
    }
    if (!retiming_.has_value()) {
      // Others may have been given up when the time was up.
      for (AskIndex first = 0; first < std::min(asked_.size(), question_.first.size()); ++first) {
        if (asked_[first].outcome.has_value()) continue;
        return unlike(" re-times ", asked_[index].config_json, " before ",
                      asked_[first].config_json, " is measured");
      }
      BeginRetiming();
    }
    if (retiming_->outstanding().empty() && !retiming_->BeginRound()) {
      return unlike(" re-times ", asked_[index].config_json, ", where all is decided now");
    }
    const std::vector<int64_t>& outstanding = retiming_->outstanding();
    if (std::find(outstanding.begin(), outstanding.end(), static_cast<int64_t>(index)) ==
        outstanding.end()) {
      return unlike(" re-times ", asked_[index].config_json, ", whose turn it is not now");
    }
    retiming_->Tell(static_cast<int64_t>(index), event.outcome);
  }

  if (retiming_.has_value()) return std::nullopt;  // what is not measured was given up
  for (AskIndex index = 0; index < asked_.size(); ++index) {
    if (!asked_[index].outcome.has_value()) resubmit_.push_back(index);
  }
  return std::nullopt;
}

absl::StatusOr<TuneResult> Run::Finish() {
  absl::StatusOr<TuneResult> result = [&]() -> absl::StatusOr<TuneResult> {
    SEEDTUNE_RETURN_IF_ERROR(Search());
    if (!IsStopped()) SEEDTUNE_RETURN_IF_ERROR(Retime());
    return MakeResult(!IsStopped());
  }();
  if (question_.database == nullptr) return result;

  const absl::Status added =
      question_.database->AddSeconds(id_, std::max(0.0, Seconds() - recorded_seconds_));
  // The first error is the one to tell of.
  if (!result.ok()) return result;
  SEEDTUNE_RETURN_IF_ERROR(added);
  if (!result->finished) return result;
  SEEDTUNE_RETURN_IF_ERROR(question_.database->FinishRun(
      id_, BestRecord{
               .run_id = id_,
               .kernel_name = question_.kernel->name,
               .key = MakeRecordKey(*question_.kernel, *question_.space, question_.measurer.info()),
               .config_json = result->best.config.ToJson(),
               .origin = result->best.origin,
               .heuristic = result->best.heuristic,
               .outcome = result->best_outcome,
               .untuned_config_json = result->untuned.ToJson(),
               .untuned_origin = result->untuned_origin,
               .untuned_outcome = result->untuned_outcome,
               .evaluations = result->evaluations,
               .seconds = result->seconds,
               .recorded_unix_micros = question_.clock.UnixMicros(),
               .heuristics_json = HeuristicOutcomesToJson(result->heuristics)}));
  return result;
}

// Whether one more candidate fits the budget. The first ones always do.
bool Run::MayAsk() const {
  if (search_->IsDone() || retiming_.has_value()) return false;
  if (asked_.size() < question_.first.size()) return true;
  const Budget& budget = question_.options.budget;
  if (budget.evaluations > 0 && static_cast<int64_t>(asked_.size()) >= budget.evaluations) {
    return false;
  }
  if (budget.device_seconds > 0 && device_ns_ >= budget.device_seconds * 1e9) return false;
  if (budget.stale_evaluations > 0 &&
      static_cast<int64_t>(told_.size() - told_at_best_) >= budget.stale_evaluations) {
    return false;
  }
  if (budget.roofline_fraction > 0 &&
      best_ns_ <= question_.options.roofline_ns / budget.roofline_fraction) {
    return false;
  }
  return !IsTimeUp();
}

bool Run::IsTimeUp() const {
  const double seconds = question_.options.budget.seconds;
  return seconds > 0 && Seconds() >= seconds - SecondsKeptBack();
}

// For re-timing the leaders, going by what a measurement has taken so far.
double Run::SecondsKeptBack() const {
  const TuneOptions& options = question_.options;
  if (told_.empty()) return 0;
  const double requests = std::min(options.leader_rounds, kRoundsKeptBack) *
                          (options.leaders == 0 ? 0.0 : options.leaders + 1.0);
  return std::min(requests * Seconds() / static_cast<double>(told_.size()),
                  kMostRetimingShare * options.budget.seconds);
}

absl::Status Run::Search() {
  ReportProgress();
  while (true) {
    GiveUpWhatWaits();
    SEEDTUNE_RETURN_IF_ERROR(FillMeasurer());
    if (under_way_.empty() || IsStopped()) return absl::OkStatus();
    SEEDTUNE_ASSIGN_OR_RETURN(std::vector<MeasureReply> replies, WaitForReplies());
    for (MeasureReply& reply : replies) {
      const AskIndex index = under_way_.extract(reply.id).mapped();
      SEEDTUNE_RETURN_IF_ERROR(LogAnswer(RunEvent::Kind::kTell, index, reply.outcome));
      NoteTell(index, std::move(reply.outcome));
      // After each answer and not after each batch: where a batch ends is the measurer's whim, and
      // must not decide what is asked.
      SEEDTUNE_RETURN_IF_ERROR(FillMeasurer());
    }
    ReportProgress();
  }
}

// Once the time is up and something is known to work, nothing is waited for that does not run yet:
// a compiler can take longer than the budget. But the first candidates are measured whatever it
// takes.
void Run::GiveUpWhatWaits() {
  if (!IsTimeUp() || best_ns_ == kInfinity) return;
  const auto is_first = [&](AskIndex index) { return index < question_.first.size(); };
  std::erase_if(resubmit_, [&](AskIndex index) { return !is_first(index); });
  std::vector<int64_t> ids;
  for (const auto& [id, index] : under_way_) {
    if (!is_first(index)) ids.push_back(id);
  }
  for (const int64_t id : question_.measurer.GiveUp(ids)) under_way_.erase(id);
}

// Keeps as many requests under way as the measurer wants.
absl::Status Run::FillMeasurer() {
  while (static_cast<int>(under_way_.size()) < std::max(1, question_.measurer.capacity()) &&
         !IsStopped()) {
    if (!resubmit_.empty()) {
      const AskIndex index = resubmit_.front();
      resubmit_.pop_front();
      SEEDTUNE_RETURN_IF_ERROR(Submit(index, MakeRequest(index)));
      continue;
    }
    if (!MayAsk()) break;
    std::vector<Candidate> candidates = search_->Ask(1);
    if (candidates.empty()) {
      if (under_way_.empty()) {
        return absl::InternalError(absl::StrCat("search \"", ToAbsl(search_->name()),
                                                "\": waits for answers where none is under way"));
      }
      break;
    }
    NoteAsk(next_sequence_, std::move(candidates[0]));
    SEEDTUNE_RETURN_IF_ERROR(LogAsk(asked_.back()));
    SEEDTUNE_RETURN_IF_ERROR(Submit(asked_.size() - 1, MakeRequest(asked_.size() - 1)));
  }
  return absl::OkStatus();
}

absl::Status Run::Retime() {
  if (!retiming_.has_value()) BeginRetiming();
  ReportProgress();
  while (!IsStopped()) {
    if (retiming_->outstanding().empty() && !(MayBeginRound() && retiming_->BeginRound())) break;
    std::deque<int64_t> turns(retiming_->outstanding().begin(), retiming_->outstanding().end());
    while (!IsStopped() && !retiming_->outstanding().empty()) {
      while (!turns.empty() &&
             static_cast<int>(under_way_.size()) < std::max(1, question_.measurer.capacity())) {
        const AskIndex index = static_cast<AskIndex>(turns.front());
        turns.pop_front();
        MeasureRequest request = MakeRequest(index);
        // Apart from the candidates' own requests and from every other round's.
        request.id += int64_t{retiming_->round()} << 32;
        request.drop_above_ns = 0;
        // Once more against the reference, because this decides; the rest is about time.
        request.check_result = retiming_->IsFirstOfLeaders();
        SEEDTUNE_RETURN_IF_ERROR(Submit(index, std::move(request)));
      }
      SEEDTUNE_ASSIGN_OR_RETURN(std::vector<MeasureReply> replies, WaitForReplies());
      for (MeasureReply& reply : replies) {
        const AskIndex index = under_way_.extract(reply.id).mapped();
        SEEDTUNE_RETURN_IF_ERROR(LogAnswer(RunEvent::Kind::kRetime, index, reply.outcome));
        retiming_->Tell(static_cast<int64_t>(index), reply.outcome);
      }
      ReportProgress();
    }
  }
  return absl::OkStatus();
}

void Run::BeginRetiming() {
  std::vector<int64_t> ranked;
  for (AskIndex index = 0; index < asked_.size(); ++index) {
    const std::optional<Outcome>& outcome = asked_[index].outcome;
    if (outcome.has_value() && outcome->ok()) ranked.push_back(static_cast<int64_t>(index));
  }
  std::stable_sort(ranked.begin(), ranked.end(), [&](int64_t a, int64_t b) {
    return asked_[a].outcome->objective_ns() < asked_[b].outcome->objective_ns();
  });
  const bool has_untuned =
      !asked_.empty() && asked_[0].outcome.has_value() && asked_[0].outcome->ok();
  retiming_.emplace(std::move(ranked), has_untuned ? std::optional<int64_t>(0) : std::nullopt,
                    Retiming::Options{.leaders = question_.options.leaders,
                                      .rounds = question_.options.leader_rounds});
}

// The first round is begun whatever the time: without it the speed-up would be the luckiest
// sample's.
bool Run::MayBeginRound() const {
  const double limit = question_.options.budget.seconds;
  return limit == 0 || retiming_->round() == 0 || Seconds() < limit;
}

// Answers to requests under way.
absl::StatusOr<std::vector<MeasureReply>> Run::WaitForReplies() {
  SEEDTUNE_ASSIGN_OR_RETURN(std::vector<MeasureReply> replies, question_.measurer.Wait(kPollNs));
  if (replies.empty()) ReportProgress();
  absl::flat_hash_set<int64_t> seen;
  for (MeasureReply& reply : replies) {
    if (!under_way_.contains(reply.id) || !seen.insert(reply.id).second) {
      return absl::InternalError(
          absl::StrCat("measurer of backend \"", question_.measurer.info().backend,
                       "\": answered request ", reply.id, ", which is not under way"));
    }
    if (const absl::Status valid = ValidateOutcome(reply.outcome); !valid.ok()) {
      reply.outcome = Crash(absl::StrCat("impossible outcome: ", valid.message()));
    }
  }
  return replies;
}

absl::Status Run::LogAsk(const Ask& ask) {
  RunEvent event;
  event.kind = RunEvent::Kind::kAsk;
  event.config_json = ask.config_json;
  event.origin = ask.candidate.origin;
  event.heuristic = ask.candidate.heuristic;
  return Log(std::move(event));
}

absl::Status Run::LogAnswer(RunEvent::Kind kind, AskIndex index, const Outcome& outcome) {
  RunEvent event;
  event.kind = kind;
  event.ask_sequence = asked_[index].sequence;
  event.config_json = asked_[index].config_json;
  event.outcome = outcome;
  return Log(std::move(event));
}

// Gives the event its place in the log, and records it.
absl::Status Run::Log(RunEvent event) {
  event.sequence = next_sequence_++;
  event.at_seconds = Seconds();
  if (question_.database == nullptr) return absl::OkStatus();
  return question_.database->Append(id_, event);
}

void Run::NoteAsk(int64_t sequence, Candidate candidate) {
  Ask ask{.sequence = sequence,
          .candidate = std::move(candidate),
          .config_json = "",
          .drop_above_ns = 0};
  ask.config_json = ask.candidate.config.ToJson();
  if (asked_.size() >= question_.first.size() && best_ns_ < kInfinity) {
    ask.drop_above_ns = question_.options.drop_factor * best_ns_;
  }
  index_of_[sequence] = asked_.size();
  asked_.push_back(std::move(ask));
}

void Run::NoteTell(AskIndex index, Outcome outcome) {
  Ask& ask = asked_[index];
  search_->Tell(
      {.candidate = ask.candidate, .kind = outcome.kind, .objective_ns = outcome.objective_ns()});
  told_.push_back(index);
  device_ns_ += outcome.measure_ns;
  if (told_.size() <= question_.first.size()) told_at_best_ = told_.size();
  if (!outcome.ok() && outcome.kind != OutcomeKind::kCensored) ++failures_;
  if (outcome.ok() && outcome.objective_ns() < best_ns_) {
    if (outcome.objective_ns() < best_ns_ * (1 - kImprovement)) told_at_best_ = told_.size();
    best_ns_ = outcome.objective_ns();
    best_index_ = index;
  }
  ask.outcome = std::move(outcome);
}

MeasureRequest Run::MakeRequest(AskIndex index) const {
  MeasureRequest request;
  request.id = asked_[index].sequence;
  request.kernel = question_.kernel;
  request.config = asked_[index].candidate.config;
  request.drop_above_ns = asked_[index].drop_above_ns;
  request.data_seed = question_.options.random_seed;
  return request;
}

absl::Status Run::Submit(AskIndex index, MeasureRequest request) {
  under_way_[request.id] = index;
  return question_.measurer.Submit(std::move(request));
}

// What is known of a candidate in the end: its re-timing where there was one.
const Outcome& Run::FinalOutcome(AskIndex index) const {
  if (retiming_.has_value()) {
    if (const Outcome* pooled = retiming_->Pooled(static_cast<int64_t>(index))) return *pooled;
  }
  return *asked_[index].outcome;
}

std::optional<Run::AskIndex> Run::Best() const {
  if (retiming_.has_value()) {
    if (const std::optional<int64_t> best = retiming_->Best()) return static_cast<AskIndex>(*best);
  }
  // Nobody was re-timed: the fastest at first sight, of equals the untuned default, then the
  // oldest.
  std::optional<AskIndex> best;
  for (AskIndex index = 0; index < asked_.size(); ++index) {
    const std::optional<Outcome>& outcome = asked_[index].outcome;
    if (!outcome.has_value() || !outcome->ok()) continue;
    if (retiming_.has_value() && retiming_->Failure(static_cast<int64_t>(index))) continue;
    if (!best.has_value() || outcome->objective_ns() < asked_[*best].outcome->objective_ns()) {
      best = index;
    }
  }
  return best;
}

absl::StatusOr<TuneResult> Run::MakeResult(bool finished) const {
  const std::optional<AskIndex> best = Best();
  if (finished && !best.has_value()) return EverythingFailed();

  const Outcome unknown = Crash("stopped before it was measured");
  const bool knows_untuned = !asked_.empty() && asked_[0].outcome.has_value();
  TuneResult result;
  result.run_id = id_;
  result.finished = finished;
  result.resumed = resumed_;
  result.untuned = question_.consulted.untuned;
  result.untuned_outcome = knows_untuned ? FinalOutcome(0) : unknown;
  result.untuned_origin = question_.consulted.untuned_origin;
  result.best = best.has_value() ? asked_[*best].candidate : question_.first[0];
  result.best_outcome = best.has_value() ? FinalOutcome(*best) : result.untuned_outcome;
  result.evaluations = static_cast<int64_t>(told_.size());
  result.failures = failures_;
  result.seconds = Seconds();
  for (const AskIndex index : told_) {
    result.trials.push_back(
        {.candidate = asked_[index].candidate, .outcome = *asked_[index].outcome});
  }
  FillInHeuristics(result, best);
  return result;
}

// Ranks: the winner, then the re-timed leaders by their re-timing, then the others as first
// measured.
void Run::FillInHeuristics(TuneResult& result, std::optional<AskIndex> best) const {
  result.heuristics = question_.consulted.outcomes;
  if (!best.has_value()) return;
  using Place = std::tuple<int, double, AskIndex>;
  std::vector<Place> places;
  for (AskIndex index = 0; index < asked_.size(); ++index) {
    const std::optional<Outcome>& outcome = asked_[index].outcome;
    if (!outcome.has_value() || !outcome->ok()) continue;
    const int64_t who = static_cast<int64_t>(index);
    const bool is_retimed = retiming_.has_value() && retiming_->IsLeader(who);
    const int tier = index == *best ? 0 : is_retimed ? 1 : 2;
    places.emplace_back(tier, (tier == 2 ? *outcome : FinalOutcome(index)).objective_ns(), index);
  }
  std::sort(places.begin(), places.end());
  absl::flat_hash_map<Config, size_t> rank_of;
  for (size_t i = 0; i < places.size(); ++i) {
    rank_of[asked_[std::get<AskIndex>(places[i])].candidate.config] = i + 1;
  }

  const Candidate& winner = result.best;
  for (HeuristicOutcome& heuristic : result.heuristics) {
    heuristic.winner_descends = winner.heuristic == heuristic.heuristic;
    for (const Config& seed : heuristic.seeds) {
      if (seed == winner.config) heuristic.winner_descends = true;
      const auto rank = rank_of.find(seed);
      if (rank == rank_of.end()) continue;
      if (heuristic.best_rank != 0 && heuristic.best_rank <= static_cast<int64_t>(rank->second)) {
        continue;
      }
      heuristic.best_rank = static_cast<int64_t>(rank->second);
      const AskIndex index = std::get<AskIndex>(places[rank->second - 1]);
      heuristic.best_median_ns = FinalOutcome(index).objective_ns();
      heuristic.best_is_retimed =
          retiming_.has_value() && retiming_->IsLeader(static_cast<int64_t>(index));
    }
  }
}

absl::Status Run::EverythingFailed() const {
  // Counted by kind first: texts often differ from candidate to candidate.
  std::map<OutcomeKind, std::map<std::string, int64_t>> messages;
  std::map<OutcomeKind, int64_t> kinds;
  for (const AskIndex index : told_) {
    const Outcome* again = retiming_->Failure(static_cast<int64_t>(index));
    const Outcome& outcome = again != nullptr ? *again : *asked_[index].outcome;
    ++kinds[outcome.kind];
    ++messages[outcome.kind][outcome.message];
  }
  const auto by_count = [](const auto& a, const auto& b) { return a.second < b.second; };
  const auto kind = std::max_element(kinds.begin(), kinds.end(), by_count);
  const auto message =
      std::max_element(messages[kind->first].begin(), messages[kind->first].end(), by_count);
  return absl::FailedPreconditionError(absl::StrCat(
      "tuning \"", question_.kernel->name, "\": all of ", told_.size(), " candidates failed, ",
      kind->second, " of them with ", ToAbsl(OutcomeKindName(kind->first)),
      ", want at least one that works; most often: \"", message->first.substr(0, kLongestQuote),
      "\""));
}

void Run::ReportProgress() const {
  if (!question_.options.progress) return;
  TuningProgress progress;
  progress.evaluations = static_cast<int64_t>(told_.size());
  progress.failures = failures_;
  progress.budget_evaluations = question_.options.budget.evaluations;
  progress.seconds = Seconds();
  if (!asked_.empty() && asked_[0].outcome.has_value() && asked_[0].outcome->ok()) {
    progress.default_ns = FinalOutcome(0).objective_ns();
  }
  std::optional<AskIndex> best;
  if (best_ns_ < kInfinity) best = best_index_;
  if (retiming_.has_value() && retiming_->Best().has_value()) best = retiming_->Best();
  if (best.has_value()) {
    const Candidate& candidate = asked_[*best].candidate;
    progress.best_ns = FinalOutcome(*best).objective_ns();
    progress.best_origin = candidate.heuristic.empty() ? candidate.origin : candidate.heuristic;
  }
  progress.phase = retiming_.has_value()                   ? "re-timing"
                   : told_.size() < question_.first.size() ? "seeds"
                                                           : "search";
  question_.options.progress(progress);
}

}  // namespace

absl::StatusOr<TuneResult> Tune(std::shared_ptr<const Kernel> kernel,
                                std::span<const MatmulFact> facts,
                                std::shared_ptr<const ConfigSpace> space,
                                const HeuristicRegistry& registry, Measurer& measurer,
                                Database* database, Clock& clock, const TuneOptions& options) {
  if (kernel == nullptr || space == nullptr) {
    return absl::InvalidArgumentError("tune: no kernel or no space, want both");
  }
  SEEDTUNE_RETURN_IF_ERROR(CheckOptions(options));
  const MeasurerInfo& info = measurer.info();
  const TuningContext context{
      .kernel = *kernel, .facts = facts, .device = info.device, .space = *space};
  const auto ask = [&](ConsultResult consulted) {
    std::vector<Candidate> first = FirstCandidates(consulted);
    return Question{.kernel = kernel,
                    .space = space,
                    .registry = registry,
                    .measurer = measurer,
                    .database = database,
                    .clock = clock,
                    .options = options,
                    .context = context,
                    .consulted = std::move(consulted),
                    .first = std::move(first)};
  };

  std::vector<std::string> notes;
  if (database != nullptr && options.resume) {
    SEEDTUNE_ASSIGN_OR_RETURN(
        const std::optional<RunInfo> unfinished,
        database->FindUnfinished(MakeRecordKey(*kernel, *space, info), MakeRunSettings(options)));
    if (unfinished.has_value()) {
      SEEDTUNE_ASSIGN_OR_RETURN(const std::vector<RunEvent> events,
                                database->Events(unfinished->id));
      ConsultResult consulted = ConsultHeuristics(registry, HeuristicsBackend(measurer, options),
                                                  context, options.heuristics);
      std::optional<std::string> obstacle = RestoreRecorded(*unfinished, *space, consulted);
      if (!obstacle.has_value()) {
        const Question question = ask(std::move(consulted));
        SEEDTUNE_ASSIGN_OR_RETURN(const std::unique_ptr<Run> run, Run::Create(question));
        obstacle = run->Replay(*unfinished, events);
        if (!obstacle.has_value() && run->HasFailed()) obstacle = "all of its candidates failed";
        if (!obstacle.has_value()) return run->Finish();
      }
      notes.push_back(
          absl::StrCat("unfinished run ", unfinished->id, ": ", *obstacle, "; started afresh"));
    }
  }
  ConsultOptions consult = options.heuristics;
  if (database != nullptr) {
    SEEDTUNE_ASSIGN_OR_RETURN(
        consult.recorded,
        FindRecordedSeeds(*database, *kernel, info.backend, info.device, *space, options.transfer));
  }
  const Question question =
      ask(ConsultHeuristics(registry, HeuristicsBackend(measurer, options), context, consult));
  SEEDTUNE_ASSIGN_OR_RETURN(const std::unique_ptr<Run> run, Run::Create(question));
  SEEDTUNE_RETURN_IF_ERROR(run->Start());
  SEEDTUNE_ASSIGN_OR_RETURN(TuneResult result, run->Finish());
  result.notes = std::move(notes);
  return result;
}

}  // namespace seedtune
