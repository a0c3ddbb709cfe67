// A worker for worker_measurer_test: does whatever the kernel's name says.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "backends/backend.h"
#include "backends/worker/worker_loop.h"
#include "backends/worker/worker_process.h"

namespace seedtune {
namespace {

// As if a driver still worked for this process after its death: somebody of another group traces
// it, and takes seconds to let its parent know. False: tracing is not allowed here.
bool ArrangeSlowDeath() {
  int ready[2];
  if (pipe(ready) != 0) return false;
  prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
  const pid_t worker = getpid();
  if (fork() == 0) {
    setsid();
    close(kWorkerSocket);
    const char traced = ptrace(PTRACE_SEIZE, worker, nullptr, nullptr) == 0 ? 1 : 0;
    if (write(ready[1], &traced, 1) != 1 || traced == 0) _exit(1);
    siginfo_t death = {};
    waitid(P_PID, static_cast<id_t>(worker), &death, WEXITED | WNOWAIT);
    sleep(3);
    _exit(0);
  }
  char traced = 0;
  return read(ready[0], &traced, 1) == 1 && traced == 1;
}

class MisbehavingBackend : public Backend {
 public:
  explicit MisbehavingBackend(const HardwareInfo& device) {
    info_.backend = "cpu";
    info_.device = device;
    info_.code_generator_version = "misbehaving 7";
    info_.compiler_version = "none";
  }

  const MeasurerInfo& info() const override { return info_; }
  absl::Status Supports(const Kernel& /*kernel*/) const override { return absl::OkStatus(); }
  bool spent() const override { return spent_; }

  Outcome Measure(const MeasureRequest& request) override {
    const std::string& what = request.kernel->name;
    if (what == "crash") abort();
    if (what == "exit") {
      std::cerr << "out of luck" << std::endl;
      _exit(3);
    }
    if (what == "hang") {
      while (true) pause();
    }
    if (what == "die_slowly") {
      std::cout << (ArrangeSlowDeath() ? "pid=" : "no tracing, pid=") << getpid() << std::endl;
      while (true) pause();
    }
    if (what == "leave_child") {
      // A descendant that shrugs off everything but SIGKILL, then a hang. Its pid goes out through
      // the message of the time-out.
      const pid_t child = fork();
      if (child == 0) {
        signal(SIGTERM, SIG_IGN);
        while (true) pause();
      }
      std::cout << "child=" << child << std::endl;
      while (true) pause();
    }
    if (what == "garbage") {
      const std::string bytes("\x05\0\0\0\xff\xff\xff\xff\xff", 9);
      send(kWorkerSocket, bytes.data(), bytes.size(), 0);
    }
    if (what == "endless") {
      const std::string bytes("\xff\xff\xff\x7f", 4);
      send(kWorkerSocket, bytes.data(), bytes.size(), 0);
    }
    if (what == "chatty") {
      for (int i = 0; i < 20'000; ++i) std::cout << "a line that nobody asked for\n";
      std::cout << std::flush;
    }
    Outcome outcome;
    outcome.kind = OutcomeKind::kOk;
    if (what == "no_samples") return outcome;
    if (what == "spent") spent_ = true;
    // What came over: one knob, one number of the request, the process, the time-out.
    outcome.samples_ns = {static_cast<double>(request.config.GetInt("unroll[k]")),
                          static_cast<double>(request.data_seed), static_cast<double>(getpid())};
    if (request.timeout_ns > 0) outcome.samples_ns.push_back(request.timeout_ns);
    return outcome;
  }

 private:
  MeasurerInfo info_;
  bool spent_ = false;
};

absl::StatusOr<std::unique_ptr<Backend>> MakeBackend(std::string_view backend,
                                                     const HardwareInfo& device) {
  if (backend != "cpu") return absl::NotFoundError("only cpu here");
  return std::make_unique<MisbehavingBackend>(device);
}

}  // namespace
}  // namespace seedtune

int main(int argc, char** argv) {
  const std::string_view mode = argc > 1 ? argv[1] : "";
  if (mode == "silent") {
    while (true) pause();
  }
  if (mode == "dead") {
    std::cerr << "no licence" << std::endl;
    return 5;
  }
  return seedtune::RunWorker(seedtune::kWorkerSocket, seedtune::MakeBackend);
}
