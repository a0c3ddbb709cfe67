#include "backends/worker/dying_processes.h"

#include <errno.h>
#include <poll.h>
#include <sys/wait.h>

#include <chrono>

namespace seedtune {
namespace {

constexpr int kLookMs = 2;

bool HasEnded(pid_t pid) {
  int status = 0;
  const pid_t ended = waitpid(pid, &status, WNOHANG);
  return ended == pid || (ended < 0 && errno == ECHILD);
}

}  // namespace

DyingProcesses::~DyingProcesses() { WaitUntilAtMost(0, kLastWaitMs); }

int DyingProcesses::Reap() {
  std::erase_if(pids_, HasEnded);
  return static_cast<int>(pids_.size());
}

int DyingProcesses::WaitUntilAtMost(int count, int timeout_ms) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  while (Reap() > count && std::chrono::steady_clock::now() < give_up) {
    poll(nullptr, 0, kLookMs);
  }
  return static_cast<int>(pids_.size());
}

}  // namespace seedtune
