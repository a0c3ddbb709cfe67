#include "autotuner/clock.h"

#include <chrono>
#include <cstdint>

namespace seedtune {
namespace {

class StdClock final : public Clock {
 public:
  int64_t NowNs() override {
    return Count<std::chrono::nanoseconds>(std::chrono::steady_clock::now());
  }
  int64_t UnixMicros() override {
    return Count<std::chrono::microseconds>(std::chrono::system_clock::now());
  }

 private:
  template <typename Unit, typename TimePoint>
  static int64_t Count(TimePoint time) {
    return std::chrono::duration_cast<Unit>(time.time_since_epoch()).count();
  }
};

}  // namespace

Clock& SystemClock() {
  static StdClock clock;
  return clock;
}

}  // namespace seedtune
