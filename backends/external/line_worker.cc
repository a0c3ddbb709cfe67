#include "backends/external/line_worker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

// How long the end of a process can go unseen whose descendants keep its pipes open.
constexpr int kLookAgainMs = 100;

// write() without the signal that kills us when nobody reads: blocked here, and taken back where
// this write raised it.
ssize_t WriteWithoutSignal(int fd, const char* bytes, size_t size) {
  sigset_t pipe_signal, pending, before;
  sigemptyset(&pipe_signal);
  sigaddset(&pipe_signal, SIGPIPE);
  sigpending(&pending);
  const bool was_pending = sigismember(&pending, SIGPIPE) == 1;
  pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
  const ssize_t written = write(fd, bytes, size);
  const int error = errno;
  if (written < 0 && error == EPIPE && !was_pending) {
    const timespec now = {};
    while (sigtimedwait(&pipe_signal, nullptr, &now) < 0 && errno == EINTR) {
    }
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return written;
}

}  // namespace

absl::StatusOr<LineWorker> LineWorker::Start(const std::string& command) {
  SEEDTUNE_ASSIGN_OR_RETURN(WorkerProcess process,
                            WorkerProcess::StartOnPipes({"/bin/sh", "-c", command}));
  return LineWorker(std::move(process));
}

void LineWorker::Send(std::string_view line) {
  unsent_.append(line);
  unsent_.push_back('\n');
  WriteSome();
}

void LineWorker::WriteSome() {
  while (!unsent_.empty()) {
    const ssize_t written = WriteWithoutSignal(process_.requests(), unsent_.data(), unsent_.size());
    if (written > 0) {
      unsent_.erase(0, static_cast<size_t>(written));
    } else if (written < 0 && errno == EINTR) {
      continue;
    } else {
      // Nobody reads any more; whether it still answers is seen on its output.
      if (written < 0 && errno != EAGAIN) unsent_.clear();
      return;
    }
  }
}

void LineWorker::Exchange() {
  WriteSome();
  process_.DrainOutput();
  const bool has_ended = process_.HasEnded();  // asked first: what it wrote before is read below
  char chunk[1 << 16];
  while (!is_closed_ && !is_overlong_) {
    const ssize_t n = read(process_.replies(), chunk, sizeof(chunk));
    if (n > 0) {
      received_.append(chunk, static_cast<size_t>(n));
      is_overlong_ =
          received_.size() > kMaxLineBytes && received_.find('\n', searched_) == std::string::npos;
      if (received_.size() > 4 * kMaxLineBytes) return;  // lines enough; the rest can wait
    } else if (n == 0) {
      is_closed_ = true;
    } else if (errno != EINTR) {
      is_closed_ = has_ended;
      return;
    }
  }
}

std::optional<std::string> LineWorker::NextLine() {
  const size_t end = received_.find('\n', searched_);
  if (end == std::string::npos) {
    searched_ = received_.size();
    is_overlong_ = is_overlong_ || received_.size() > kMaxLineBytes;
    return std::nullopt;
  }
  searched_ = 0;
  if (end > kMaxLineBytes) {
    is_overlong_ = true;
    return std::nullopt;
  }
  std::string line = received_.substr(0, end);
  received_.erase(0, end + 1);
  if (!line.empty() && line.back() == '\r') line.pop_back();
  return line;
}

absl::Status LineWorker::Broken() const {
  if (is_overlong_) {
    return absl::OutOfRangeError(
        absl::StrCat("a line of more than ", kMaxLineBytes, " bytes, want at most that"));
  }
  if (is_closed_) return absl::UnavailableError("its standard output is closed");
  return absl::OkStatus();
}

void WaitAndExchange(std::span<LineWorker* const> workers, int timeout_ms) {
  std::vector<pollfd> ready;
  for (const LineWorker* worker : workers) {
    ready.push_back({worker->process().replies(), POLLIN, 0});
    ready.push_back({worker->process().output(), POLLIN, 0});
    if (worker->has_unsent()) ready.push_back({worker->process().requests(), POLLOUT, 0});
  }
  poll(ready.data(), ready.size(), std::clamp(timeout_ms, 0, kLookAgainMs));
  for (LineWorker* worker : workers) worker->Exchange();
}

}  // namespace seedtune
