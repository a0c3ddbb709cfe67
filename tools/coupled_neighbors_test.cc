// Neighbours that heuristics propose, through the whole line: asked through the registry, taken by
// the search beside its own, measured.
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "autotuner/fake_measurer.h"
#include "autotuner/measurer.h"
#include "autotuner/outcome.h"
#include "autotuner/tuner.h"
#include "autotuner/virtual_clock.h"
#include "config/config_space.h"
#include "config/knob.h"
#include "config/spaces/spaces.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hardware/specs.h"
#include "heuristics/builtin.h"
#include "heuristics/consult.h"
#include "heuristics/registry.h"
#include "heuristics/tuning_context.h"
#include "ir/kernel.h"
#include "ir/matmul.h"
#include "matmul_ops/matmul_fact.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

struct Case {
  const char *heuristic, *backend, *device, *kernel;
};
constexpr Case kCases[] = {
    {"cpu_blis_blocking", "cpu", "epyc_9654", "matmul:512x512x512:f32"},
    {"triton_hopper_matmul", "triton", "h100_sxm", "matmul:4096x4096x4096:bf16"},
    {"triton_split_k", "triton", "h100_sxm", "matmul:128x128x65536:bf16"},
    {"triton_cdna_matmul", "triton", "mi300x", "matmul:4096x4096x4096:bf16"},
    {"cute_tcgen05_cluster_m2", "cute", "b200", "matmul:4096x4096x4096:bf16"},
    {"cute_wgmma_clusters", "cute", "h100_sxm", "matmul:4096x4096x4096:bf16"},
};

class CoupledNeighborsTest : public ::testing::TestWithParam<Case> {
 protected:
  CoupledNeighborsTest() {
    kernel_ =
        std::make_shared<const Kernel>(*BuildMatmul(*ParseMatmulShortForm(GetParam().kernel)));
    facts_ = ExtractMatmulFacts(*kernel_);
    device_ = *FindSpec(GetParam().device);
    space_ = *BuildConfigSpace(GetParam().backend, facts_, device_);
  }
  TuningContext context() const { return {*kernel_, facts_, device_, *space_}; }

  // Of the heuristic in question.
  std::vector<Config> Seeds() const {
    for (const HeuristicOutcome& outcome :
         ConsultHeuristics(registry_, GetParam().backend, context()).outcomes) {
      if (outcome.heuristic == GetParam().heuristic) return outcome.seeds;
    }
    return {};
  }

  const HeuristicRegistry registry_ = BuiltinHeuristics();
  std::shared_ptr<const Kernel> kernel_;
  std::vector<MatmulFact> facts_;
  HardwareInfo device_;
  std::shared_ptr<const ConfigSpace> space_;
};

TEST_P(CoupledNeighborsTest, AreMovesThatNoSingleStepMakes) {
  const std::vector<Config> seeds = Seeds();
  ASSERT_THAT(seeds, ::testing::Not(::testing::IsEmpty()));
  int moves = 0;
  for (const Config& seed : seeds) {
    absl::flat_hash_set<Config> steps;
    for (Config& step : space_->Neighbors(seed, NeighborKind::kHamming)) {
      steps.insert(std::move(step));
    }
    for (const Seed& neighbor :
         HeuristicNeighbors(registry_, GetParam().backend, context(), seed)) {
      if (neighbor.heuristic != GetParam().heuristic) continue;
      moves += steps.contains(neighbor.config) ? 0 : 1;
    }
  }
  EXPECT_GE(moves, 2);
}

TEST_P(CoupledNeighborsTest, AreMeasuredBesideTheSearchesOwn) {
  FakeMeasurer::Options options;
  options.info.backend = GetParam().backend;
  options.info.device = device_;
  options.info.code_generator_version = "v1";
  // Any landscape will do: here every knob has a value of its own that is fast.
  options.outcome = [](const MeasureRequest& request) {
    double ns = 1e6;
    const ConfigSpace& space = request.config.space();
    for (size_t slot = 0; slot < request.config.choices().size(); ++slot) {
      const int choices = space.knobs()[slot].num_choices();
      const int fast = static_cast<int>(7 * slot + 3) % choices;
      ns += 1e4 * std::abs(request.config.choices()[slot] - fast);
    }
    Outcome outcome;
    outcome.kind = OutcomeKind::kOk;
    outcome.samples_ns = {ns, ns, ns, ns, ns};
    return outcome;
  };
  FakeMeasurer measurer(options);
  VirtualClock clock;
  TuneOptions tune;
  tune.budget = {.evaluations = 1500, .seconds = 0};
  ASSERT_OK_AND_ASSIGN(const TuneResult result,
                       Tune(kernel_, facts_, space_, registry_, measurer, nullptr, clock, tune));
  int proposed = 0, own = 0;
  absl::flat_hash_set<Config> tried;
  for (const Trial& trial : result.trials) {
    tried.insert(trial.candidate.config);
    proposed +=
        trial.candidate.origin == "neighbor" && trial.candidate.heuristic == GetParam().heuristic
            ? 1
            : 0;
    own += trial.candidate.origin == "search" ? 1 : 0;
  }
  EXPECT_GT(proposed, 0);
  EXPECT_GT(own, 0);
  // Where the search ended it has tried every single step, whoever had proposed it first.
  int missed = 0;
  for (const Config& step :
       space_->Neighbors(result.best.config, NeighborKind::kStrictlyAdjacent)) {
    missed += tried.contains(step) ? 0 : 1;
  }
  if (result.evaluations < tune.budget.evaluations) {
    EXPECT_EQ(missed, 0);
  }
}

std::string TestName(const ::testing::TestParamInfo<Case>& info) { return info.param.heuristic; }
INSTANTIATE_TEST_SUITE_P(Heuristics, CoupledNeighborsTest, ::testing::ValuesIn(kCases), TestName);

}  // namespace
}  // namespace seedtune
