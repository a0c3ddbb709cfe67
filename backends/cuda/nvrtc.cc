// Prototypes and numbers are of the NVRTC documentation (https://docs.nvidia.com/cuda/nvrtc), whose
// functions keep what they stand for. Written down here so that no toolkit is needed to build;
// toolkit_abi_test compares them with nvrtc.h where that is installed.
#include "backends/cuda/nvrtc.h"

#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "backends/cuda/cuda_libraries.h"
#include "backends/cuda/nvrtc_abi.h"
#include "hardware/dynamic_library.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

// Of a long log, the part that a person reads.
constexpr size_t kMaxErrorBytes = 1000;

// From the first line that speaks of an error on.
std::string FirstErrors(const std::string& log) {
  std::vector<absl::string_view> kept;
  size_t size = 0;
  for (const absl::string_view line : absl::StrSplit(log, '\n')) {
    if (kept.empty() && !absl::StrContains(line, "error") && !absl::StrContains(line, "fatal")) {
      continue;
    }
    const absl::string_view text = absl::StripAsciiWhitespace(line);
    if (text.empty()) continue;
    size += text.size();
    if (!kept.empty() && size > kMaxErrorBytes) break;
    kept.push_back(text);
  }
  return absl::StrJoin(kept, " | ");
}

class RealNvrtc : public Nvrtc {
 public:
  static absl::StatusOr<std::unique_ptr<const Nvrtc>> Load(const DynamicLibrary& library) {
    NvrtcFunctions f;
    SEEDTUNE_RETURN_IF_ERROR(library.Find("nvrtcVersion", &f.version));
    SEEDTUNE_RETURN_IF_ERROR(library.Find("nvrtcGetErrorString", &f.get_error_string));
    SEEDTUNE_RETURN_IF_ERROR(library.Find("nvrtcCreateProgram", &f.create_program));
    SEEDTUNE_RETURN_IF_ERROR(library.Find("nvrtcDestroyProgram", &f.destroy_program));
    SEEDTUNE_RETURN_IF_ERROR(library.Find("nvrtcCompileProgram", &f.compile_program));
    SEEDTUNE_RETURN_IF_ERROR(library.Find("nvrtcGetCUBINSize", &f.get_cubin_size));
    SEEDTUNE_RETURN_IF_ERROR(library.Find("nvrtcGetCUBIN", &f.get_cubin));
    SEEDTUNE_RETURN_IF_ERROR(library.Find("nvrtcGetProgramLogSize", &f.get_log_size));
    SEEDTUNE_RETURN_IF_ERROR(library.Find("nvrtcGetProgramLog", &f.get_log));
    std::unique_ptr<RealNvrtc> nvrtc(new RealNvrtc(f));
    int minor = 0;
    SEEDTUNE_RETURN_IF_ERROR(
        nvrtc->Check("nvrtcVersion", f.version(&nvrtc->major_version_, &minor)));
    nvrtc->version_ = absl::StrCat("nvrtc ", nvrtc->major_version_, ".", minor);
    nvrtc->path_ = library.name();
    return nvrtc;
  }

  const std::string& version() const override { return version_; }
  int major_version() const override { return major_version_; }
  const std::string& path() const override { return path_; }

  absl::StatusOr<Result> Compile(const std::string& source,
                                 std::span<const std::string> options) const override {
    NvrtcProgram program = nullptr;
    SEEDTUNE_RETURN_IF_ERROR(
        Check("nvrtcCreateProgram",
              f_.create_program(&program, source.c_str(), "kernel.cu", 0, nullptr, nullptr)));
    absl::Cleanup destroy = [&] { f_.destroy_program(&program); };
    std::vector<const char*> arguments;
    for (const std::string& option : options) arguments.push_back(option.c_str());
    const NvrtcResult compiled =
        f_.compile_program(program, static_cast<int>(arguments.size()), arguments.data());
    Result result;
    size_t size = 0;
    SEEDTUNE_RETURN_IF_ERROR(Check("nvrtcGetProgramLogSize", f_.get_log_size(program, &size)));
    result.log.resize(size);
    SEEDTUNE_RETURN_IF_ERROR(Check("nvrtcGetProgramLog", f_.get_log(program, result.log.data())));
    while (!result.log.empty() && result.log.back() == '\0') result.log.pop_back();
    if (compiled == kNvrtcErrorCompilation) {
      return absl::InvalidArgumentError(
          absl::StrCat(version_, " does not compile it: ", FirstErrors(result.log)));
    }
    SEEDTUNE_RETURN_IF_ERROR(Check("nvrtcCompileProgram", compiled));
    SEEDTUNE_RETURN_IF_ERROR(Check("nvrtcGetCUBINSize", f_.get_cubin_size(program, &size)));
    result.cubin.resize(size);
    SEEDTUNE_RETURN_IF_ERROR(Check("nvrtcGetCUBIN", f_.get_cubin(program, result.cubin.data())));
    return result;
  }

 private:
  explicit RealNvrtc(const NvrtcFunctions& functions) : f_(functions) {}

  absl::Status Check(const char* call, NvrtcResult result) const {
    if (result == kNvrtcSuccess) return absl::OkStatus();
    const std::string message = absl::StrCat(call, " failed: ", f_.get_error_string(result));
    if (result == kNvrtcErrorOutOfMemory) return absl::ResourceExhaustedError(message);
    return absl::InternalError(message);
  }

  NvrtcFunctions f_;
  int major_version_ = 0;
  std::string version_, path_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<const Nvrtc>> Nvrtc::Open() {
  return Open(CudaLibraryCandidates("nvrtc"));
}

absl::StatusOr<std::unique_ptr<const Nvrtc>> Nvrtc::Open(std::span<const std::string> names) {
  const absl::StatusOr<DynamicLibrary> library = DynamicLibrary::Open(names);
  if (absl::IsNotFound(library.status())) {
    return absl::NotFoundError(
        "NVIDIA's run-time compiler is not here (libnvrtc.so), which the cuda backend needs; "
        "install the CUDA toolkit, Debian's nvidia-cuda-toolkit or `pip install "
        "nvidia-cuda-nvrtc`, or set CUDA_HOME to where it is");
  }
  SEEDTUNE_RETURN_IF_ERROR(library.status());
  return RealNvrtc::Load(*library);
}

}  // namespace seedtune
