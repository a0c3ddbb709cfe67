#ifndef SEEDTUNE_BACKENDS_CPU_THREAD_POOL_H_
#define SEEDTUNE_BACKENDS_CPU_THREAD_POOL_H_

// A fixed set of threads for short, repeated, evenly divided work. Handing work over costs well
// under a microsecond while workers still spin for it (tens of microseconds after the last), and a
// system call afterwards. (Highway has one too, but not in the release of Debian 12.)

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"

namespace seedtune {

// Thread-compatible: one Run() at a time, not from within a task.
class ThreadPool {
 public:
  // A pool of `threads` threads: the one that calls Run() and `threads` - 1 workers.
  // Errors: kInvalidArgument: `threads` is below 1; kResourceExhausted: the system gives no more.
  static absl::StatusOr<std::unique_ptr<ThreadPool>> Create(int threads);

  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool();

  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  // Calls task(0) on this thread and task(1) ... task(count - 1) on a worker each, and returns when
  // all have. `count` is at most threads(). Tasks may wait for each other. Allocates nothing.
  void Run(int count, absl::FunctionRef<void(int)> task);

 private:
  using Task = absl::FunctionRef<void(int)>;

  // On a cache line of its own, so that waking one worker does not disturb the others.
  struct alignas(64) Worker {
    std::atomic<uint32_t> tickets{0};  // Grows by one for each task, and once to stop.
    std::thread thread;
  };

  explicit ThreadPool(int spins) : spins_(spins) {}
  void Work(int index, Worker& worker);

  const int spins_;                // How often to look for a change before sleeping.
  const Task* task_ = nullptr;     // Published by `tickets`.
  bool stop_ = false;              // Published by `tickets`.
  std::atomic<uint32_t> busy_{0};  // Workers that still run.
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace seedtune

#endif  // SEEDTUNE_BACKENDS_CPU_THREAD_POOL_H_
