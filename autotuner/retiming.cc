#include "autotuner/retiming.h"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "autotuner/outcome.h"
#include "autotuner/statistics.h"

namespace seedtune {

Retiming::Retiming(std::vector<int64_t> ranked, std::optional<int64_t> untuned,
                   const Options& options)
    : options_(options), ranked_(std::move(ranked)), untuned_(untuned) {}

bool Retiming::BeginRound() {
  assert(outstanding_.empty());
  if (options_.rounds <= 0) return false;

  if (const Contestant* first = First(); first != nullptr) {
    for (Contestant& other : group_) {
      if (&other == first || !other.is_in()) continue;
      other.is_separated = IsSeparated(first->round_medians, other.round_medians);
    }
  }
  const bool has_leader = std::any_of(group_.begin(), group_.end(), [](const Contestant& one) {
    return one.is_leader && !one.has_failed;
  });
  if (!has_leader && !ChooseGroup()) return false;
  const auto still_in = std::count_if(group_.begin(), group_.end(),
                                      [](const Contestant& one) { return one.is_in(); });
  // One alone has nothing to be compared with; but after leaders that failed, it has to show that
  // it does not.
  const bool takes_places = round_ > 0 && rounds_of_group_ == 0;
  if (still_in < (takes_places ? 1 : 2) || rounds_of_group_ == options_.rounds) return false;

  for (const Contestant& one : group_) {
    // The default keeps its turns to the end: the speed-up is against it.
    if (one.is_in() || (one.who == untuned_ && !one.has_failed)) outstanding_.push_back(one.who);
  }
  if (round_ % 2 == 1) std::reverse(outstanding_.begin(), outstanding_.end());
  ++round_;
  ++rounds_of_group_;
  return true;
}

// The next few of the ranking, and the untuned default unless it has failed. False: there are none.
bool Retiming::ChooseGroup() {
  std::vector<Contestant> chosen;
  for (int i = 0; i < options_.leaders && next_ranked_ < ranked_.size(); ++next_ranked_) {
    if (Find(ranked_[next_ranked_]) != nullptr) continue;  // the default, in an earlier group
    chosen.push_back({.who = ranked_[next_ranked_], .is_leader = true});
    ++i;
  }
  if (chosen.empty()) return false;

  std::optional<Contestant> untuned;
  for (Contestant& old : group_) {
    if (old.who == untuned_ && !old.has_failed) {
      untuned = std::move(old);
      untuned->round_medians.clear();
      untuned->is_separated = false;
    } else {
      gone_.push_back(std::move(old));
    }
  }
  group_ = std::move(chosen);
  if (untuned.has_value()) {
    group_.push_back(*std::move(untuned));
  } else if (untuned_.has_value() && Find(*untuned_) == nullptr) {
    group_.push_back({.who = *untuned_});
  }
  rounds_of_group_ = 0;
  return true;
}

void Retiming::Tell(int64_t who, const Outcome& outcome) {
  const auto waiting = std::find(outstanding_.begin(), outstanding_.end(), who);
  assert(waiting != outstanding_.end());
  outstanding_.erase(waiting);
  Contestant& one = *Find(who);
  Outcome& pooled = one.pooled;
  pooled.compile_ns += outcome.compile_ns;
  pooled.measure_ns += outcome.measure_ns;
  if (!outcome.ok()) {
    one.has_failed = true;
    pooled.kind = outcome.kind;
    pooled.message = outcome.message;
    return;
  }
  pooled.kind = OutcomeKind::kOk;
  pooled.samples_ns.insert(pooled.samples_ns.end(), outcome.samples_ns.begin(),
                           outcome.samples_ns.end());
  one.round_medians.push_back(Median(outcome.samples_ns));
}

std::optional<int64_t> Retiming::Best() const {
  const Contestant* first = First();
  if (first == nullptr) return std::nullopt;
  return first->who;
}

const Outcome* Retiming::Pooled(int64_t who) const {
  const Contestant* one = Find(who);
  return one == nullptr || one->has_failed || one->pooled.samples_ns.empty() ? nullptr
                                                                             : &one->pooled;
}

const Outcome* Retiming::Failure(int64_t who) const {
  const Contestant* one = Find(who);
  return one == nullptr || !one->has_failed ? nullptr : &one->pooled;
}

bool Retiming::IsLeader(int64_t who) const {
  const Contestant* one = Find(who);
  return one != nullptr && one->is_leader && Pooled(who) != nullptr;
}

const Retiming::Contestant* Retiming::First() const {
  const Contestant* first = nullptr;
  double first_ns = 0;
  for (const Contestant& one : group_) {
    if (!one.is_in() || one.pooled.samples_ns.empty()) continue;
    const double ns = Median(one.pooled.samples_ns);
    if (first == nullptr || ns < first_ns || (ns == first_ns && one.who == untuned_)) {
      first = &one;
      first_ns = ns;
    }
  }
  return first;
}

const Retiming::Contestant* Retiming::Find(int64_t who) const {
  for (const std::vector<Contestant>* list : {&group_, &gone_}) {
    for (const Contestant& one : *list) {
      if (one.who == who) return &one;
    }
  }
  return nullptr;
}

Retiming::Contestant* Retiming::Find(int64_t who) {
  return const_cast<Contestant*>(std::as_const(*this).Find(who));
}

}  // namespace seedtune
