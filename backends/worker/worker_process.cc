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

std::string DescribeStatus(int status) {
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    return absl::StrCat("killed by signal ", signal, " (", strsignal(signal), ")");
  }
  return absl::StrCat("exited with status ", WEXITSTATUS(status));
}

void MakeNonBlocking(int fd) { fcntl(fd, F_SETFL, O_NONBLOCK); }

void CloseIfOpen(int& fd) {
  if (fd >= 0) close(fd);
  fd = -1;
}

}  // namespace

absl::StatusOr<WorkerProcess> WorkerProcess::Start(const std::vector<std::string>& argv) {
  return Spawn(argv, /*on_pipes=*/false);
}

absl::StatusOr<WorkerProcess> WorkerProcess::StartOnPipes(const std::vector<std::string>& argv) {
  return Spawn(argv, /*on_pipes=*/true);
}

absl::StatusOr<WorkerProcess> WorkerProcess::Spawn(const std::vector<std::string>& argv,
                                                   bool on_pipes) {
  const auto failed = [&](const char* what, int error) {
    return absl::UnavailableError(
        absl::StrCat("cannot start the worker \"", argv[0], "\": ", what, ": ", strerror(error)));
  };
  WorkerProcess process;
  // The child's ends.
  int to_child = -1, from_child = -1, printed = -1;
  absl::Cleanup close_ends = [&] {
    CloseIfOpen(to_child);
    CloseIfOpen(from_child);
    CloseIfOpen(printed);
  };
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return failed("pipe", errno);
  process.output_ = ends[0];
  printed = ends[1];
  MakeNonBlocking(process.output_);
  if (on_pipes) {
    if (pipe2(ends, O_CLOEXEC) != 0) return failed("pipe", errno);
    to_child = ends[0];
    process.socket_ = ends[1];
    MakeNonBlocking(process.socket_);
    if (pipe2(ends, O_CLOEXEC) != 0) return failed("pipe", errno);
    process.replies_ = ends[0];
    from_child = ends[1];
    MakeNonBlocking(process.replies_);
  } else {
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
      return failed("socketpair", errno);
    }
    process.socket_ = ends[0];
    to_child = ends[1];
  }

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  absl::Cleanup destroy_actions = [&] { posix_spawn_file_actions_destroy(&actions); };
  if (on_pipes) {
    posix_spawn_file_actions_adddup2(&actions, to_child, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, from_child, STDOUT_FILENO);
  } else {
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, printed, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, to_child, kWorkerSocket);
  }
  posix_spawn_file_actions_adddup2(&actions, printed, STDERR_FILENO);

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
  std::swap(replies_, other.replies_);
  std::swap(output_, other.output_);
  std::swap(printed_, other.printed_);
  return *this;
}

WorkerProcess::~WorkerProcess() {
  if (pid_ > 0) End();
  CloseIfOpen(socket_);
  CloseIfOpen(replies_);
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

bool WorkerProcess::HasEnded() const {
  siginfo_t ended = {};
  return waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         ended.si_pid == pid_;
}

std::string WorkerProcess::End(int grace_ms, DyingProcesses* slow) {
  int status = 0;
  pid_t ended = 0;
  const auto wait_for = [&](int timeout_ms) {
    for (int waited_ms = 0; ended == 0 && waited_ms <= timeout_ms; ++waited_ms) {
      if (waited_ms > 0) poll(nullptr, 0, /*timeout=*/1);
      DrainOutput();
      ended = waitpid(pid_, &status, WNOHANG);
    }
  };
  // A crash closes the socket a moment before the process can be reaped. Closing our end tells a
  // healthy one to go.
  CloseIfOpen(socket_);
  if (grace_ms > 0) wait_for(grace_ms);
  kill(-pid_, SIGKILL);
  if (slow != nullptr) {
    wait_for(kPromptMs);
    if (ended == 0) slow->Add(pid_);
  } else {
    while (ended != pid_) {
      ended = waitpid(pid_, &status, 0);
      if (ended < 0 && errno != EINTR) break;
    }
  }
  DrainOutput();
  CloseIfOpen(replies_);
  CloseIfOpen(output_);
  pid_ = -1;
  std::string how = ended == 0 ? "killed, and has not ended yet" : DescribeStatus(status);
  const absl::string_view printed = absl::StripAsciiWhitespace(printed_);
  if (!printed.empty()) absl::StrAppend(&how, ": ", absl::StrReplaceAll(printed, {{"\n", " | "}}));
  printed_.clear();
  return how;
}

}  // namespace seedtune
