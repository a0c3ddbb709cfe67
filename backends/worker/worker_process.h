// A child process of our own with a socket to it, killed with all of its descendants.
#ifndef SEEDTUNE_BACKENDS_WORKER_WORKER_PROCESS_H_
#define SEEDTUNE_BACKENDS_WORKER_WORKER_PROCESS_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace seedtune {

// The descriptor on which a worker finds its socket.
inline constexpr int kWorkerSocket = 3;

// Owns the process: the destructor kills its process group and reaps it. Movable. Not thread-safe.
class WorkerProcess {
 public:
  // Starts `argv` (argv[0] is a path) in a process group of its own, its socket on descriptor 3,
  // its standard output and error collected. kUnavailable: it cannot be started.
  static absl::StatusOr<WorkerProcess> Start(const std::vector<std::string>& argv);

  WorkerProcess(WorkerProcess&& other) noexcept;
  WorkerProcess& operator=(WorkerProcess&& other) noexcept;
  ~WorkerProcess();

  int socket() const { return socket_; }
  int output() const { return output_; }  // what it prints, non-blocking
  pid_t pid() const { return pid_; }

  // Takes what the process has printed since; the last 4 KiB are kept.
  void DrainOutput();

  // Kills the group, reaps the process and says how it had ended, with the last lines that it
  // printed: `killed by signal 11 (Segmentation fault)`, `exited with status 3: out of memory`. A
  // process that was still running ends by our own SIGKILL, which is then what it says. Afterwards
  // the object is empty.
  std::string End();

 private:
  WorkerProcess() = default;

  pid_t pid_ = -1;
  int socket_ = -1;
  int output_ = -1;
  std::string printed_;
};

}  // namespace seedtune

#endif  // SEEDTUNE_BACKENDS_WORKER_WORKER_PROCESS_H_
