#include "hardware/real_system_reader.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "hardware/cuda_api.h"
#include "hardware/hip_api.h"
#include "hardware/real_cpu_identity.h"
#include "hardware/real_cuda_api.h"
#include "hardware/real_hip_api.h"
#include "hardware/system_reader.h"
#include "hardware/topology.h"
#include "util/file.h"
#include "util/string_view.h"

namespace seedtune {
namespace {

class RealSystemReader : public SystemReader {
 public:
  absl::StatusOr<std::string> ReadFile(std::string_view path) const override {
    return seedtune::ReadFile(path);
  }

  absl::StatusOr<std::vector<std::string>> ListFolder(std::string_view path) const override {
    std::error_code error;
    std::vector<std::string> names;
    std::filesystem::directory_iterator it(path, error);
    for (; !error && it != std::filesystem::directory_iterator(); it.increment(error)) {
      names.push_back(it->path().filename().string());
    }
    if (error) {
      return absl::Status(absl::ErrnoToStatusCode(error.value()),
                          absl::StrCat(ToAbsl(path), ": cannot list: ", error.message()));
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  absl::StatusOr<std::string> TopologyXml() const override { return ExportTopologyXml(); }

  absl::StatusOr<CpuIdentity> ReadCpuIdentity() const override { return ReadThisCpuIdentity(); }

  absl::StatusOr<std::unique_ptr<CudaApi>> OpenCuda() const override {
    // The second is where the Windows Subsystem for Linux has it.
    return OpenCudaApi(std::vector<std::string>{"libcuda.so.1", "/usr/lib/wsl/lib/libcuda.so.1"});
  }

  absl::StatusOr<std::unique_ptr<NvmlApi>> OpenNvml() const override {
    return OpenNvmlApi(
        std::vector<std::string>{"libnvidia-ml.so.1", "/usr/lib/wsl/lib/libnvidia-ml.so.1"});
  }

  absl::StatusOr<std::unique_ptr<HipApi>> OpenHip() const override {
    // The plain name and ROCm's own folder first: what the user has chosen; then releases, newest
    // first, for machines without development packages.
    return OpenHipApi(std::vector<std::string>{"libamdhip64.so", "/opt/rocm/lib/libamdhip64.so",
                                               "libamdhip64.so.7", "libamdhip64.so.6",
                                               "libamdhip64.so.5"});
  }
};

}  // namespace

std::unique_ptr<SystemReader> NewRealSystemReader() { return std::make_unique<RealSystemReader>(); }

}  // namespace seedtune
