#include "heuristics/builtin.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/config_space.h"
#include "config/knob.h"
#include "config/spaces/spaces.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hardware/specs.h"
#include "heuristics/autotuner_heuristic.h"
#include "heuristics/consult.h"
#include "heuristics/registry.h"
#include "heuristics/seed_table.h"
#include "heuristics/test_kernel.h"
#include "heuristics/tuning_context.h"
#include "testing/status_matchers.h"
#include "util/embedded_file.h"

namespace seedtune {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::Not;

// A sample of what is asked for: squares, decoding (m of 1 to 64), tall and wide, deep with a small
// output, multiples of nothing, batched, transposed, with an epilogue, symbolic.
constexpr const char* kShapes[] = {
    "1x1x1",         "1x4096x4096",   "1x1x65536",       "7x13x29",        "16x8192x8192",
    "17x8191x511",   "32x4096x11008", "64x28672x8192",   "128x128x65536",  "128x768x768",
    "256x256x256",   "384x3072x768",  "512x16384x4096",  "1000x1000x1000", "1024x1024x1024",
    "4096x64x512",   "4096x4096x512", "4097x4097x4097",  "4096x4096x4096", "8192x1x8192",
    "8192x512x4096", "8192x8192x64",  "16384x16384x128", "65536x32x32",
};
constexpr const char* kVariants[] = {"", ":tn", ":nt", ":tt", ":batch=12", ":bias:relu:residual"};
constexpr const char* kSymbolic[] = {"M=16[1,64]x4096x4096", "M=2048[1,4096]x512x512"};
constexpr const char* kDTypes[] = {"f32", "bf16", "f16", "f8e4m3", "f8e5m2", "i8", "f64", "tf32"};

// Accumulators are what the backends take: `f32` for what is narrower.
std::string Accumulator(std::string_view dtype) {
  return dtype == "f32" || dtype == "f64" ? "" : dtype == "i8" ? ":acc=i32:out=i32" : ":acc=f32";
}

std::vector<std::string> SampleKernels() {
  std::vector<std::string> kernels;
  int next = 0;
  for (const char* dtype : kDTypes) {
    const auto add = [&](const std::string& shape, const std::string& variant) {
      kernels.push_back("matmul:" + shape + ":" + dtype + Accumulator(dtype) + variant);
    };
    for (const char* shape : kShapes) {
      add(shape, "");
      // Each shape with one more variant, another one for each type.
      add(shape, kVariants[1 + next++ % (std::size(kVariants) - 1)]);
    }
    for (const char* shape : kSymbolic) add(shape, "");
  }
  return kernels;
}

// What every heuristic must be, for one kernel on one device.
void CheckHeuristic(const AutotunerHeuristic& heuristic, const TuningContext& context) {
  SCOPED_TRACE(heuristic.name());
  const Eligibility eligibility = heuristic.IsEligible(context);
  EXPECT_FALSE(eligibility.reason.empty());
  const auto seeds = heuristic.SeedConfigs(context);
  if (!eligibility.eligible) {
    // Nobody should ask for more; who does gets an error and no crash.
    EXPECT_FALSE(seeds.ok());
    heuristic.Neighbors(context, context.space.Default());
    heuristic.PromotesPrimary(context);
    return;
  }
  ASSERT_THAT(seeds, IsOk());
  EXPECT_THAT(*seeds, Not(IsEmpty()));
  std::vector<Config> configs;
  for (const PartialConfig& seed : *seeds) {
    const auto config = context.space.Normalize(seed, NormalizeMode::kReject);
    ASSERT_THAT(config, IsOk());
    EXPECT_THAT(configs, Not(Contains(*config))) << "a seed is there twice";
    configs.push_back(*config);
  }
  const auto again = heuristic.SeedConfigs(context);
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(*again, *seeds) << "not deterministic";
  EXPECT_EQ(heuristic.IsEligible(context).reason, eligibility.reason);

  // Moves name knobs of the space and values of the right kind, whatever constraints say of them.
  for (const Config& config : {configs.front(), context.space.Default()}) {
    for (const PartialConfig& move : heuristic.Neighbors(context, config)) {
      EXPECT_FALSE(move.values.empty());
      for (const auto& [knob, value] : move.values) {
        const auto index = context.space.FindKnob(knob);
        ASSERT_TRUE(index.has_value()) << knob;
        EXPECT_THAT(context.space.knobs()[*index].Find(value), IsOk());
      }
    }
  }
}

class BuiltinTest : public ::testing::TestWithParam<std::string> {};

TEST_P(BuiltinTest, HeuristicsConform) {
  const HeuristicRegistry registry = BuiltinHeuristics();
  const HardwareInfo device = TestKernel::Device(GetParam());
  int kernels = 0;
  for (const std::string& name : SampleKernels()) {
    SCOPED_TRACE(name);
    const Kernel kernel = TestKernel::Kernel(name);
    for (const std::string_view backend : SpaceBackends()) {
      const TestKernel test(backend, kernel, device);
      if (!test.status().ok()) continue;  // not a kernel or device of that backend
      ++kernels;
      for (const AutotunerHeuristic* heuristic : registry.ForBackend(backend)) {
        CheckHeuristic(*heuristic, test.context());
      }
      const ConsultResult result = ConsultHeuristics(registry, backend, test.context());
      for (const HeuristicOutcome& outcome : result.outcomes) {
        EXPECT_TRUE(outcome.kind == HeuristicOutcomeKind::kSeeded ||
                    outcome.kind == HeuristicOutcomeKind::kDeclined ||
                    outcome.kind == HeuristicOutcomeKind::kDuplicate)
            << outcome.heuristic << " " << HeuristicOutcomeKindName(outcome.kind) << ": "
            << outcome.detail;
      }
      EXPECT_TRUE(test.space().IsValid(result.untuned.choices()));
    }
  }
  EXPECT_GT(kernels, 0) << "the sample has nothing for this device";
}

std::string TestName(const ::testing::TestParamInfo<std::string>& info) { return info.param; }
INSTANTIATE_TEST_SUITE_P(Specs, BuiltinTest, ::testing::ValuesIn(SpecNames()), TestName);

TEST(BuiltinRegistryTest, ListsEveryTableOnceAndEachIsAHeuristic) {
  const HeuristicRegistry registry = BuiltinHeuristics();
  std::set<std::string_view> names;
  for (const EmbeddedFile& file : BuiltinSeedTables()) {
    SCOPED_TRACE(file.path);
    EXPECT_TRUE(names.insert(file.name).second);
    EXPECT_NE(registry.Find(file.name), nullptr);
    EXPECT_THAT(ParseSeedTable(file.contents, file.path), IsOk());
  }
}

TEST(BuiltinRegistryTest, EachHeuristicIsOfABackendThatHasASpaceAndIsNamedAfterIt) {
  const HeuristicRegistry registry = BuiltinHeuristics();
  const std::vector<std::string_view> backends = SpaceBackends();
  for (const std::string_view name : registry.Names()) {
    const std::string backend(registry.Find(name)->backend());
    EXPECT_THAT(backends, Contains(backend)) << name;
    EXPECT_EQ(name.substr(0, backend.size() + 1), backend + "_");
  }
}

// A heuristic that fires nowhere is one that nobody checks; one that fires everywhere knows
// nothing.
TEST(BuiltinRegistryTest, EachHeuristicSeedsSomewhereAndDeclinesSomewhere) {
  const HeuristicRegistry registry = BuiltinHeuristics();
  std::set<std::string> seeded, declined;
  for (const std::string& device : SpecNames()) {
    for (const char* kernel :
         {"matmul:16x8192x8192:f32", "matmul:16x8192x8192:bf16", "matmul:1024x1024x1024:f32",
          "matmul:4096x4096x4096:bf16", "matmul:8192x512x4096:bf16", "matmul:64x64x64:bf16",
          "matmul:128x128x65536:bf16", "matmul:2048x2048x2048:f8e4m3:out=bf16",
          "matmul:128x128x128:bf16:batch=64", "matmul:4096x4096x4096:bf16:bias:gelu"}) {
      for (const std::string_view backend : SpaceBackends()) {
        const TestKernel test(backend, kernel, device);
        if (!test.status().ok()) continue;
        for (const HeuristicOutcome& outcome :
             ConsultHeuristics(registry, backend, test.context()).outcomes) {
          if (outcome.kind == HeuristicOutcomeKind::kSeeded) seeded.insert(outcome.heuristic);
          if (outcome.kind == HeuristicOutcomeKind::kDeclined) declined.insert(outcome.heuristic);
        }
      }
    }
  }
  // Of no known device, and of kernels without a short form; tested where they live.
  const std::set<std::string> kElsewhere = {"cpu_znver5_matmul", "triton_rdna_matmul",
                                            "triton_several_dots"};
  // Serves whatever its space can express.
  const std::set<std::string> kGeneral = {"cpu_blis_blocking"};
  for (const std::string_view name : registry.Names()) {
    EXPECT_TRUE(seeded.count(std::string(name)) + kElsewhere.count(std::string(name)) > 0) << name;
    EXPECT_TRUE(declined.count(std::string(name)) + kGeneral.count(std::string(name)) > 0) << name;
  }
}

}  // namespace
}  // namespace seedtune
