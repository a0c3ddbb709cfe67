// The config space of a backend, by the backend's name.
#ifndef SEEDTUNE_CONFIG_SPACES_SPACES_H_
#define SEEDTUNE_CONFIG_SPACES_SPACES_H_

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "config/config_space.h"
#include "hardware/hardware_info.h"
#include "matmul_ops/matmul_fact.h"

namespace seedtune {

std::vector<std::string_view> SpaceBackends();  // "cpu", "cuda", "cute", "triton"

// kNotFound: `no backend named "cudaa"; known: cpu, cuda, cute, triton`. Other errors: the backend's own.
absl::StatusOr<std::shared_ptr<const ConfigSpace>> BuildConfigSpace(
    std::string_view backend, std::span<const MatmulFact> facts, const HardwareInfo& device);

}  // namespace seedtune

#endif  // SEEDTUNE_CONFIG_SPACES_SPACES_H_
