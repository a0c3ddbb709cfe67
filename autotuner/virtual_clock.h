// A clock that stands still until it is moved.
#ifndef SEEDTUNE_AUTOTUNER_VIRTUAL_CLOCK_H_
#define SEEDTUNE_AUTOTUNER_VIRTUAL_CLOCK_H_

#include <algorithm>
#include <cstdint>

#include "autotuner/clock.h"

namespace seedtune {

// Both of its times pass alike, from 0 and from the Unix epoch on. Not thread-safe.
class VirtualClock final : public Clock {
 public:
  int64_t NowNs() override { return now_ns_; }
  int64_t UnixMicros() override { return now_ns_ / 1000; }

  void AdvanceNs(int64_t ns) { AdvanceToNs(now_ns_ + ns); }
  // Time does not run backwards: an earlier `ns` changes nothing.
  void AdvanceToNs(int64_t ns) { now_ns_ = std::max(now_ns_, ns); }

 private:
  int64_t now_ns_ = 0;
};

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_VIRTUAL_CLOCK_H_
