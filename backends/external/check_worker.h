// Plays every stage of docs/worker-protocol.md with a worker and says what it does wrong.
#ifndef SEEDTUNE_BACKENDS_EXTERNAL_CHECK_WORKER_H_
#define SEEDTUNE_BACKENDS_EXTERNAL_CHECK_WORKER_H_

#include <optional>
#include <string>
#include <vector>

#include "autotuner/clock.h"
#include "backends/external/hello.h"
#include "ir/kernel.h"

namespace seedtune {

struct CheckOptions {
  std::string command;  // of /bin/sh
  std::string device;   // passed on to the worker
  DeviceDetector detect;
  // What to have built; nullopt: a small matmul, if the worker says that it can.
  std::optional<Kernel> kernel;
  double timeout_ns = 60e9;         // for each reply
  double goodbye_timeout_ns = 2e9;  // from the protocol
};

struct Complaint {
  bool is_error = true;  // false: allowed, but seldom meant
  std::string stage;     // "hello", "run", ...
  std::string what;      // is wrong
  std::string want;
  std::string section;  // of docs/worker-protocol.md: "5. Run"
  std::string line;     // the worker's, at fault; "": none is, or it sent none
};

struct CheckReport {
  std::string worker;               // "transpose 1"; "": it never said
  std::vector<std::string> passed;  // what was tried and is right, for people
  std::vector<Complaint> complaints;

  bool ok() const;  // no errors
};

// Starts the worker twice. Whatever it does, this ends: a reply is waited for no longer than the
// time-out. Thread-safe.
CheckReport CheckWorker(const CheckOptions& options, Clock& clock);

}  // namespace seedtune

#endif  // SEEDTUNE_BACKENDS_EXTERNAL_CHECK_WORKER_H_
