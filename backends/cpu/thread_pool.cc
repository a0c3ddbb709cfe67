#include "backends/cpu/thread_pool.h"

#include <atomic>
#include <cassert>
#include <cstdint>
#include <memory>
#include <string>
#include <system_error>
#include <thread>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "hwy/cache_control.h"

namespace seedtune {
namespace {

// With a pause of some 40 cycles each, about 50 microseconds: longer than the serial part between
// two runs of a small product, shorter than anyone minds.
constexpr int kSpins = 4000;

// Returns once `value` differs from `old`.
void AwaitChange(const std::atomic<uint32_t>& value, uint32_t old, int spins) {
  for (int i = 0; i < spins; ++i) {
    if (value.load(std::memory_order_acquire) != old) return;
    hwy::Pause();
  }
  value.wait(old, std::memory_order_acquire);
}

}  // namespace

absl::StatusOr<std::unique_ptr<ThreadPool>> ThreadPool::Create(int threads) {
  if (threads < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("thread pool: threads is ", threads, ", want at least 1"));
  }
  // A worker that spins on the only core another one could use helps nobody.
  const bool oversubscribed = static_cast<unsigned>(threads) > std::thread::hardware_concurrency();
  auto pool = std::unique_ptr<ThreadPool>(new ThreadPool(oversubscribed ? 0 : kSpins));
  for (int i = 1; i < threads; ++i) {
    pool->workers_.push_back(std::make_unique<Worker>());
    Worker& worker = *pool->workers_.back();
    try {
      worker.thread = std::thread([pool = pool.get(), i, &worker] { pool->Work(i, worker); });
    } catch (const std::system_error& error) {
      pool->workers_.pop_back();
      return absl::ResourceExhaustedError(absl::StrCat("thread pool: thread ", i + 1, " of ",
                                                       threads, " does not start: ", error.what()));
    }
  }
  return pool;
}

ThreadPool::~ThreadPool() {
  stop_ = true;
  for (const auto& worker : workers_) {
    worker->tickets.fetch_add(1, std::memory_order_release);
    worker->tickets.notify_one();
  }
  for (const auto& worker : workers_) worker->thread.join();
}

void ThreadPool::Run(int count, absl::FunctionRef<void(int)> task) {
  assert(count >= 1 && count <= threads());
  task_ = &task;
  busy_.store(static_cast<uint32_t>(count - 1), std::memory_order_relaxed);
  for (int i = 1; i < count; ++i) {
    Worker& worker = *workers_[i - 1];
    worker.tickets.fetch_add(1, std::memory_order_release);
    worker.tickets.notify_one();
  }
  task(0);
  for (uint32_t busy; (busy = busy_.load(std::memory_order_acquire)) != 0;) {
    AwaitChange(busy_, busy, spins_);
  }
}

void ThreadPool::Work(int index, Worker& worker) {
  for (uint32_t seen = 0;; ++seen) {
    AwaitChange(worker.tickets, seen, spins_);
    if (stop_) return;
    (*task_)(index);
    if (busy_.fetch_sub(1, std::memory_order_acq_rel) == 1) busy_.notify_one();
  }
}

}  // namespace seedtune
