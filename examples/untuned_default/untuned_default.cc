// How a compiler asks for a configuration without tuning: link the heuristics, build the kernel,
// name the device.
//
//   bazel run //examples/untuned_default -- matmul:8192x512x4096:bf16 triton h100_sxm
//
// The answer takes microseconds, touches no device and opens no file: everything is in the binary.
// With a last argument of "sealed", the program first gives up the right to open files at all, and
// still answers; the test beside it runs it so from an empty folder.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <iostream>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hardware/hardware_info.h"
#include "hardware/specs.h"
#include "heuristics/builtin.h"
#include "heuristics/default_config.h"
#include "ir/kernel.h"
#include "ir/matmul.h"
#include "util/status_macros.h"

namespace {

// From here on, opening a file or a socket ends the process.
bool Seal() {
  const sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_openat, 2, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_socket, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
  };
  const sock_fprog filter = {sizeof(program) / sizeof(program[0]),
                             const_cast<sock_filter*>(program)};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

absl::StatusOr<seedtune::UntunedConfig> Answer(std::string_view shape, std::string_view backend,
                                               std::string_view device_name) {
  using namespace seedtune;
  SEEDTUNE_ASSIGN_OR_RETURN(const MatmulSpec spec, ParseMatmulShortForm(shape));
  SEEDTUNE_ASSIGN_OR_RETURN(const Kernel kernel, BuildMatmul(spec));
  SEEDTUNE_ASSIGN_OR_RETURN(const HardwareInfo device, FindSpec(device_name));
  const HeuristicRegistry heuristics = BuiltinHeuristics();
  return DefaultConfig(heuristics, backend, kernel, device);
}

}  // namespace

int main(int argc, char** argv) {
  const bool sealed = argc == 5 && std::string_view(argv[4]) == "sealed";
  if (argc != 4 && !sealed) {
    std::cerr << "usage: untuned_default SHAPE BACKEND DEVICE [sealed]\n";
    return 2;
  }
  if (sealed && !Seal()) {
    std::cerr << "untuned_default: this system has no seccomp filters\n";
    return 3;
  }
  const absl::StatusOr<seedtune::UntunedConfig> untuned = Answer(argv[1], argv[2], argv[3]);
  if (!untuned.ok()) {
    std::cerr << "untuned_default: " << std::string(untuned.status().message()) << "\n";
    return 1;
  }
  std::cout << untuned->origin << "\n" << untuned->config.ToJson() << "\n";
  return 0;
}
