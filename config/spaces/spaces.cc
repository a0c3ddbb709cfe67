#include "config/spaces/spaces.h"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "config/config_space.h"
#include "config/spaces/cpu/cpu_space.h"
#include "config/spaces/cuda/cuda_space.h"
#include "config/spaces/cute/cute_space.h"
#include "config/spaces/triton/triton_space.h"
#include "hardware/hardware_info.h"
#include "matmul_ops/matmul_fact.h"

namespace seedtune {
namespace {

using SpaceBuilder = absl::StatusOr<std::shared_ptr<const ConfigSpace>> (*)(
    std::span<const MatmulFact> facts, const HardwareInfo& device);

struct Backend {
  std::string_view name;
  SpaceBuilder build;
};

// Sorted by name.
constexpr Backend kBackends[] = {
    {"cpu", &CpuMatmulSpace},
    {"cuda", &CudaMatmulSpace},
    {"cute", &CuteMatmulSpace},
    {"triton", &TritonMatmulSpace},
};

}  // namespace

std::vector<std::string_view> SpaceBackends() {
  std::vector<std::string_view> names;
  for (const Backend& backend : kBackends) names.push_back(backend.name);
  return names;
}

absl::StatusOr<std::shared_ptr<const ConfigSpace>> BuildConfigSpace(
    std::string_view backend, std::span<const MatmulFact> facts, const HardwareInfo& device) {
  std::string known;
  for (const Backend& candidate : kBackends) {
    if (candidate.name == backend) return candidate.build(facts, device);
    absl::StrAppend(&known, known.empty() ? "" : ", ", std::string(candidate.name));
  }
  return absl::NotFoundError(
      absl::StrCat("no backend named \"", std::string(backend), "\"; known: ", known));
}

}  // namespace seedtune
