// Decides which of the fastest candidates is the fastest: times them again, in turns.
//
// The best of many noisy measurements is mostly the luckiest: choosing by them picks a wrong winner
// and promises too much of it (picking from one draw costs up to 12% in recorded spaces). So the
// leaders are measured afresh, in rounds in which each of them has one turn, the untuned default
// among them, so that clocks, heat and neighbours hit all alike; the order is reversed every other
// round, so that nobody always comes after the same one. Only these fresh samples decide. A leader
// that is separated from the first (statistics.h) is out; the end is when the first is alone, or
// the rounds are over.
#ifndef SEEDTUNE_AUTOTUNER_RETIMING_H_
#define SEEDTUNE_AUTOTUNER_RETIMING_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "autotuner/outcome.h"

namespace seedtune {

// A state machine: it says whom to time, and is told the outcomes. The same outcomes, round by
// round, lead to the same end in whatever order they come within a round. Not thread-safe.
class Retiming {
 public:
  struct Options {
    int leaders = 4;
    int rounds = 10;  // at most
  };

  // `ranked`: whoever may win, fastest first, by names of the caller's choice. `untuned`: the
  // default, re-timed besides the leaders if it is not one of them; one of `ranked`, or nullopt if
  // it failed.
  Retiming(std::vector<int64_t> ranked, std::optional<int64_t> untuned, const Options& options);

  // Whom to time before the next round can begin, in this order.
  const std::vector<int64_t>& outstanding() const { return outstanding_; }
  // Counts from 1; 0: none has begun.
  int round() const { return round_; }
  // Whether the present round is the first of its leaders: later ones may take the places of the
  // first.
  bool IsFirstOfLeaders() const { return rounds_of_group_ == 1; }
  // Begins the next round; false: all is decided. Nobody may be outstanding.
  bool BeginRound();

  // Somebody outstanding was timed. Whoever fails has lost.
  void Tell(int64_t who, const Outcome& outcome);

  // The fastest by all samples, of those still in; the untuned default where it is as fast.
  // nullopt: nobody was timed without failing. May be asked at any time.
  std::optional<int64_t> Best() const;
  // All samples of all rounds; nullptr: none, or it failed.
  const Outcome* Pooled(int64_t who) const;
  // How it failed when timed again; nullptr: it did not.
  const Outcome* Failure(int64_t who) const;
  // Whether it was re-timed for its own sake, and did not fail.
  bool IsLeader(int64_t who) const;

 private:
  struct Contestant {
    int64_t who = 0;
    std::vector<double> round_medians = {};  // of the rounds of the present group
    Outcome pooled = {};
    bool is_leader = false;  // not only here because it is the untuned default
    bool has_failed = false;
    bool is_separated = false;
    bool is_in() const { return !has_failed && !is_separated; }
  };

  bool ChooseGroup();
  const Contestant* First() const;
  Contestant* Find(int64_t who);
  const Contestant* Find(int64_t who) const;

  Options options_;
  std::vector<int64_t> ranked_;
  std::optional<int64_t> untuned_;
  size_t next_ranked_ = 0;
  std::vector<Contestant> group_;  // those who take turns now
  std::vector<Contestant> gone_;   // of earlier groups, all failed
  std::vector<int64_t> outstanding_;
  int round_ = 0;
  int rounds_of_group_ = 0;
};

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_RETIMING_H_
