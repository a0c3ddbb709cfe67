// A line on stderr that says how the tuning goes: rewritten in place on a terminal, a line now and
// then elsewhere.
#ifndef SEEDTUNE_TOOLS_PROGRESS_H_
#define SEEDTUNE_TOOLS_PROGRESS_H_

#include <cstdint>
#include <ostream>
#include <string>

#include "autotuner/tuner.h"

namespace seedtune {

// Not thread-safe.
class ProgressLine {
 public:
  struct Options {
    bool in_place = false;       // the stream is a terminal
    int width = 80;              // of the terminal; longer lines are cut
    double every_seconds = 0.1;  // how often at most; without `in_place`, 5 seconds suit a log
  };
  ProgressLine(std::ostream& out, Options options) : out_(out), options_(options) {}

  // Starts on another kernel: "[2/5] ffn_down".
  void Start(std::string subject);
  // `now_seconds` by any steady clock.
  void Update(const TuningProgress& progress, double now_seconds);
  // The same with a text of one's own.
  void Show(const std::string& text, double now_seconds);
  // Leaves a clean line behind for other output.
  void Finish();

 private:
  std::ostream& out_;
  const Options options_;
  std::string subject_;
  double last_seconds_ = -1e9;
  size_t shown_ = 0;  // characters on the line now
};

// What stderr is.
ProgressLine::Options DetectProgressOptions();

}  // namespace seedtune

#endif  // SEEDTUNE_TOOLS_PROGRESS_H_
