// Child processes that were killed and take long to die.
#ifndef SEEDTUNE_BACKENDS_WORKER_DYING_PROCESSES_H_
#define SEEDTUNE_BACKENDS_WORKER_DYING_PROCESSES_H_

#include <sys/types.h>

#include <vector>

namespace seedtune {

// A process that is killed while a driver works for it ends when the driver lets it: seconds later,
// where a kernel still runs on a GPU. Whoever killed it leaves it here and goes on. Not
// thread-safe.
class DyingProcesses {
 public:
  DyingProcesses() = default;
  DyingProcesses(const DyingProcesses&) = delete;
  DyingProcesses& operator=(const DyingProcesses&) = delete;
  // Waits for all of them, at most kLastWaitMs: what has not ended by then stays a zombie until
  // this process ends, too.
  ~DyingProcesses();
  static constexpr int kLastWaitMs = 30'000;

  // Takes over a killed child process that nobody has waited for.
  void Add(pid_t pid) { pids_.push_back(pid); }

  // Reaps those that have ended; says how many have not.
  int Reap();

  // Waits until at most `count` are left, or until `timeout_ms` have passed; says how many are.
  int WaitUntilAtMost(int count, int timeout_ms);

 private:
  std::vector<pid_t> pids_;
};

}  // namespace seedtune

#endif  // SEEDTUNE_BACKENDS_WORKER_DYING_PROCESSES_H_
