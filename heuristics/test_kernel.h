// A kernel in its short form, on a device of hardware/specs, in a backend's space: all that a
// heuristic is asked with, for tests.
#ifndef SEEDTUNE_HEURISTICS_TEST_KERNEL_H_
#define SEEDTUNE_HEURISTICS_TEST_KERNEL_H_

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "config/config_space.h"
#include "config/knob.h"
#include "config/spaces/spaces.h"
#include "gtest/gtest.h"
#include "hardware/hardware_info.h"
#include "hardware/specs.h"
#include "heuristics/autotuner_heuristic.h"
#include "heuristics/tuning_context.h"
#include "ir/kernel.h"
#include "ir/matmul.h"
#include "matmul_ops/matmul_fact.h"

namespace seedtune {

// Owns the parts of a TuningContext. Not thread-safe.
class TestKernel {
 public:
  // `kernel` is a short form such as "matmul:16x64x64:f32", `device` the name of a spec. What
  // cannot be read fails the test; a kernel that the backend's space cannot express does not: see
  // status().
  TestKernel(std::string_view backend, std::string_view kernel, std::string_view device)
      : TestKernel(backend, Kernel(kernel), Device(device)) {}
  TestKernel(std::string_view backend, seedtune::Kernel kernel, HardwareInfo device)
      : kernel_(std::move(kernel)),
        facts_(ExtractMatmulFacts(kernel_)),
        device_(std::move(device)) {
    auto space = BuildConfigSpace(backend, facts_, device_);
    if (space.ok()) {
      space_ = *std::move(space);
    } else {
      status_ = space.status();
    }
  }

  static seedtune::Kernel Kernel(std::string_view short_form) {
    const auto spec = ParseMatmulShortForm(short_form);
    if (!spec.ok()) {
      ADD_FAILURE() << spec.status();
      return {};
    }
    auto kernel = BuildMatmul(*spec);
    if (!kernel.ok()) {
      ADD_FAILURE() << kernel.status();
      return {};
    }
    return *std::move(kernel);
  }

  static HardwareInfo Device(std::string_view name) {
    auto device = FindSpec(name);
    if (!device.ok()) {
      ADD_FAILURE() << device.status();
      return {};
    }
    return *std::move(device);
  }

  const absl::Status& status() const { return status_; }  // of the space
  // The rest only where status() is OK.
  const ConfigSpace& space() const { return *space_; }
  const MatmulFact& fact() const { return facts_.at(0); }
  const HardwareInfo& device() const { return device_; }
  TuningContext context() const { return {kernel_, facts_, device_, *space_}; }

  // The seeds of a heuristic, which has to be eligible, each taken by the space as it stands, in
  // rank order.
  std::vector<Config> Seeds(const AutotunerHeuristic& heuristic) const {
    EXPECT_TRUE(status().ok()) << status();
    if (!status().ok()) return {};
    const Eligibility eligibility = heuristic.IsEligible(context());
    EXPECT_TRUE(eligibility.eligible) << eligibility.reason;
    std::vector<Config> configs;
    const auto seeds = heuristic.SeedConfigs(context());
    EXPECT_TRUE(seeds.ok()) << seeds.status();
    if (!seeds.ok()) return configs;
    for (const PartialConfig& seed : *seeds) {
      const auto config = space().Normalize(seed, NormalizeMode::kReject);
      EXPECT_TRUE(config.ok()) << config.status();
      if (config.ok()) configs.push_back(*config);
    }
    return configs;
  }

 private:
  seedtune::Kernel kernel_;
  std::vector<MatmulFact> facts_;
  HardwareInfo device_;
  absl::Status status_;
  std::shared_ptr<const ConfigSpace> space_;
};

}  // namespace seedtune

#endif  // SEEDTUNE_HEURISTICS_TEST_KERNEL_H_
