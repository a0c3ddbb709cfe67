#include "backends/worker/worker_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"

extern char** environ;

namespace seedtune {
namespace {

constexpr size_t kKeptOutputBytes = 4096;
// How long a process that has closed its socket is given to finish dying, so that the status is its
// own.
constexpr int kExitGraceMs = 200;

std::string DescribeStatus(int status) {
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    return absl::StrCat("killed by signal ", signal, " (", strsignal(signal), ")");
  }
  return absl::StrCat("exited with status ", WEXITSTATUS(status));
}

void CloseIfOpen(int& fd) {
  if (fd >= 0) close(fd);
  fd = -1;
}

}  // namespace

absl::StatusOr<WorkerProcess> WorkerProcess::Start(const std::vector<std::string>& argv) {
  const auto failed = [&](const char* what, int error) {
    return absl::UnavailableError(
        absl::StrCat("cannot start the worker \"", argv[0], "\": ", what, ": ", strerror(error)));
  };
  int sockets[2], output[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0)
    return failed("socketpair", errno);
  WorkerProcess process;
  process.socket_ = sockets[0];
  absl::Cleanup close_socket = [&] { close(sockets[1]); };
  if (pipe2(output, O_CLOEXEC) != 0) return failed("pipe", errno);
  process.output_ = output[0];
  absl::Cleanup close_output = [&] { close(output[1]); };
  fcntl(process.output_, F_SETFL, O_NONBLOCK);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  absl::Cleanup destroy_actions = [&] { posix_spawn_file_actions_destroy(&actions); };
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output[1], STDERR_FILENO);
  posix_spawn_file_actions_adddup2(&actions, sockets[1], kWorkerSocket);

  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  absl::Cleanup destroy_attributes = [&] { posix_spawnattr_destroy(&attributes); };
  // A group of its own: killed as a whole, and untouched by the terminal's Ctrl-C. No signal stays
  // blocked.
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);

  std::vector<char*> arguments;
  for (const std::string& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  const int error =
      posix_spawn(&process.pid_, arguments[0], &actions, &attributes, arguments.data(), environ);
  if (error != 0) {
    process.pid_ = -1;
    return failed("posix_spawn", error);
  }
  return process;
}

WorkerProcess::WorkerProcess(WorkerProcess&& other) noexcept { *this = std::move(other); }

WorkerProcess& WorkerProcess::operator=(WorkerProcess&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(socket_, other.socket_);
  std::swap(output_, other.output_);
  std::swap(printed_, other.printed_);
  return *this;
}

WorkerProcess::~WorkerProcess() {
  if (pid_ > 0) End();
  CloseIfOpen(socket_);
  CloseIfOpen(output_);
}

void WorkerProcess::DrainOutput() {
  char chunk[4096];
  ssize_t n;
  while ((n = read(output_, chunk, sizeof(chunk))) > 0) {
    printed_.append(chunk, static_cast<size_t>(n));
    if (printed_.size() > kKeptOutputBytes) printed_.erase(0, printed_.size() - kKeptOutputBytes);
  }
}

std::string WorkerProcess::End() {
  int status = 0;
  pid_t ended = 0;
  // A crash closes the socket a moment before the process can be reaped. Closing our end tells a
  // healthy one to go.
  CloseIfOpen(socket_);
  for (int waited_ms = 0; waited_ms < kExitGraceMs; ++waited_ms) {
    ended = waitpid(pid_, &status, WNOHANG);
    if (ended != 0) break;
    DrainOutput();
    poll(nullptr, 0, /*timeout=*/1);
  }
  kill(-pid_, SIGKILL);
  while (ended != pid_) {
    ended = waitpid(pid_, &status, 0);
    if (ended < 0 && errno != EINTR) break;
  }
  DrainOutput();
  CloseIfOpen(output_);
  pid_ = -1;
  std::string how = DescribeStatus(status);
  const absl::string_view printed = absl::StripAsciiWhitespace(printed_);
  if (!printed.empty()) absl::StrAppend(&how, ": ", absl::StrReplaceAll(printed, {{"\n", " | "}}));
  printed_.clear();
  return how;
}

}  // namespace seedtune
