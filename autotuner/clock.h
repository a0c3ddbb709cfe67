// Time comes in from outside, so that tests and replays bring their own.
#ifndef SEEDTUNE_AUTOTUNER_CLOCK_H_
#define SEEDTUNE_AUTOTUNER_CLOCK_H_

#include <cstdint>

namespace seedtune {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual int64_t NowNs() = 0;       // monotonic, from an arbitrary start
  virtual int64_t UnixMicros() = 0;  // wall time, for records
};

// The system's clocks. Thread-safe; lives for ever.
Clock& SystemClock();

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_CLOCK_H_
