// A child process with a way to talk to it, killed with all of its descendants.
#ifndef SEEDTUNE_BACKENDS_WORKER_WORKER_PROCESS_H_
#define SEEDTUNE_BACKENDS_WORKER_WORKER_PROCESS_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "backends/worker/dying_processes.h"

namespace seedtune {

// The descriptor on which a worker finds its socket.
inline constexpr int kWorkerSocket = 3;

// Owns the process: the destructor kills its process group and reaps it. Movable. Not thread-safe.
class WorkerProcess {
 public:
  // Starts `argv` (argv[0] is a path) in a process group of its own, its socket on descriptor 3,
  // its standard output and error collected. kUnavailable: it cannot be started.
  static absl::StatusOr<WorkerProcess> Start(const std::vector<std::string>& argv);
  // The same, but it is talked to by pipes on its standard input and output; only its standard
  // error is collected. For programs of other people's.
  static absl::StatusOr<WorkerProcess> StartOnPipes(const std::vector<std::string>& argv);

  WorkerProcess(WorkerProcess&& other) noexcept;
  WorkerProcess& operator=(WorkerProcess&& other) noexcept;
  ~WorkerProcess();

  int socket() const { return socket_; }
  // Of StartOnPipes, both non-blocking: our ends of its standard input and output. Writing may
  // raise SIGPIPE.
  int requests() const { return socket_; }
  int replies() const { return replies_; }
  int output() const { return output_; }  // what it prints, non-blocking
  pid_t pid() const { return pid_; }

  // Takes what the process has printed since; the last 4 KiB are kept.
  void DrainOutput();

  // Whether the process has ended, even if descendants keep its pipes open.
  bool HasEnded() const;

  // The last of what it has printed so far.
  const std::string& printed() const { return printed_; }

  // Kills the group, reaps the process and says how it had ended, with the last lines that it
  // printed: `killed by signal 11 (Segmentation fault)`, `exited with status 3: out of memory`. A
  // process that was still running `grace_ms` after we closed the connection ends by our own
  // SIGKILL, which is then what it says. Afterwards the object is empty. With `slow`, a process
  // that has not ended kPromptMs after SIGKILL is left to it: `killed, and has not ended yet`.
  std::string End(int grace_ms = kExitGraceMs, DyingProcesses* slow = nullptr);
  // How long a process whose connection is closed is given to finish dying, so that the status is
  // its own.
  static constexpr int kExitGraceMs = 200;
  static constexpr int kPromptMs = 100;

 private:
  WorkerProcess() = default;
  static absl::StatusOr<WorkerProcess> Spawn(const std::vector<std::string>& argv, bool on_pipes);

  pid_t pid_ = -1;
  int socket_ = -1;  // or the pipe of requests
  int replies_ = -1;
  int output_ = -1;
  std::string printed_;
};

}  // namespace seedtune

#endif  // SEEDTUNE_BACKENDS_WORKER_WORKER_PROCESS_H_
