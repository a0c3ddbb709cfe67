// Somebody else's program at the other end of two pipes, line by line. It may do what it likes: no
// call here blocks, and no line is longer than what the protocol allows.
#ifndef SEEDTUNE_BACKENDS_EXTERNAL_LINE_WORKER_H_
#define SEEDTUNE_BACKENDS_EXTERNAL_LINE_WORKER_H_

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "backends/worker/worker_process.h"

namespace seedtune {

inline constexpr size_t kMaxLineBytes = 1 << 20;  // docs/worker-protocol.md, section 1

// Owns the process; see WorkerProcess. Movable. Not thread-safe.
class LineWorker {
 public:
  // Runs `command` by /bin/sh -c. kUnavailable: there is no process to be had.
  static absl::StatusOr<LineWorker> Start(const std::string& command);

  // Queues a line (without its end) and writes what the pipe takes.
  void Send(std::string_view line);
  bool has_unsent() const { return !unsent_.empty(); }

  // Writes, and reads, whatever can be at once.
  void Exchange();
  // The next whole line, without its end.
  std::optional<std::string> NextLine();
  // Why no more lines will come, once the last of them is taken: OK: they may. kUnavailable: its
  // standard output is closed, or the process has ended. kOutOfRange: a line is longer than
  // kMaxLineBytes.
  absl::Status Broken() const;
  // What came after the last line end.
  std::string_view unfinished_line() const { return received_; }

  const WorkerProcess& process() const { return process_; }
  // As WorkerProcess::End.
  std::string End(int grace_ms = WorkerProcess::kExitGraceMs) { return process_.End(grace_ms); }

 private:
  explicit LineWorker(WorkerProcess process) : process_(std::move(process)) {}

  void WriteSome();

  WorkerProcess process_;
  std::string unsent_;
  std::string received_;
  size_t searched_ = 0;  // of `received_`: no line end in it
  bool is_closed_ = false;
  bool is_overlong_ = false;
};

// Sleeps until one of them can be read or has room for what is unsent, one has ended, or
// `timeout_ms` has passed; then lets each Exchange().
void WaitAndExchange(std::span<LineWorker* const> workers, int timeout_ms);

}  // namespace seedtune

#endif  // SEEDTUNE_BACKENDS_EXTERNAL_LINE_WORKER_H_
