#include "backends/cuda/compiler.h"

#include <optional>
#include <string_view>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "util/stable_hash.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

// Between the log and the cubin of a cache entry; ptxas prints no such line.
constexpr absl::string_view kSeparator = "\n---- cubin ----\n";

}  // namespace

absl::StatusOr<std::string> CudaTargetName(const Arch& arch) {
  int number = 0;
  if (!absl::StartsWith(arch.base, "sm") ||
      !absl::SimpleAtoi(absl::string_view(arch.base).substr(2), &number)) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", arch.ToString(), "\" is no CUDA architecture, want one such as sm90"));
  }
  return absl::StrCat("sm_", number, number >= 90 ? "a" : "");
}

// Within a major release any driver runs the machine code of any compiler (CUDA Compatibility,
// "minor version compatibility"), and newer drivers run that of older ones.
absl::Status CudaCompiler::CheckDriver(int driver_version) const {
  const int driver_major = driver_version / 1000;
  if (nvrtc_->major_version() <= driver_major) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      version(), " (", nvrtc_->path(), ") makes code that this driver, of CUDA ", driver_major, ".",
      driver_version % 1000 / 10,
      ", does not run; update the driver, or set CUDA_HOME to a toolkit of CUDA ", driver_major));
}

absl::StatusOr<CompiledCuda> CudaCompiler::Compile(const std::string& source,
                                                   const Arch& arch) const {
  SEEDTUNE_ASSIGN_OR_RETURN(const std::string target, CudaTargetName(arch));
  const std::vector<std::string> options = {absl::StrCat("--gpu-architecture=", target),
                                            "--std=c++17", "--ptxas-options=-v"};
  CanonicalBytes key;
  key.Add(source).Add(version());
  for (const std::string& option : options) key.Add(option);

  if (std::optional<std::string> cached = cache_.Get(key.bytes())) {
    const size_t at = cached->find(kSeparator.data(), 0, kSeparator.size());
    if (at != std::string::npos) {
      return CompiledCuda{cached->substr(at + kSeparator.size()),
                          ParsePtxasLog(std::string_view(*cached).substr(0, at)),
                          /*from_cache=*/true};
    }
  }
  SEEDTUNE_ASSIGN_OR_RETURN(Nvrtc::Result result, nvrtc_->Compile(source, options));
  // Whether it could be kept makes no difference to this call, and the next one tries again.
  cache_.Put(key.bytes(), absl::StrCat(result.log, kSeparator, result.cubin)).IgnoreError();
  return CompiledCuda{std::move(result.cubin), ParsePtxasLog(result.log), /*from_cache=*/false};
}

}  // namespace seedtune
