#include "heuristics/builtin.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/config_space.h"
#include "config/spaces/spaces.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hardware/specs.h"
#include "heuristics/conformance.h"
#include "heuristics/consult.h"
#include "heuristics/registry.h"
#include "heuristics/seed_table.h"
#include "heuristics/test_kernel.h"
#include "testing/status_matchers.h"
#include "util/embedded_file.h"

namespace seedtune {
namespace {

using ::testing::Contains;

// What a heuristic is not asked here, and why. Empty is how it should stay.
const std::vector<ConformanceExclusion> kExclusions = {};

class BuiltinTest : public ::testing::TestWithParam<std::string> {};

TEST_P(BuiltinTest, HeuristicsConformOnASample) {
  const int checked = CheckConformance(BuiltinHeuristics(), GetParam(),
                                       ConformanceKernels(ConformanceGrid::kSample), kExclusions);
  EXPECT_GT(checked, 0) << "the sample has nothing for this device";
}

std::string TestName(const ::testing::TestParamInfo<std::string>& info) { return info.param; }
INSTANTIATE_TEST_SUITE_P(Specs, BuiltinTest, ::testing::ValuesIn(SpecNames()), TestName);

TEST(BuiltinRegistryTest, ExclusionsAreOfHeuristicsThatAreThereAndHaveAReason) {
  const HeuristicRegistry registry = BuiltinHeuristics();
  for (const ConformanceExclusion& exclusion : kExclusions) {
    EXPECT_NE(registry.Find(exclusion.heuristic), nullptr) << exclusion.heuristic;
    EXPECT_FALSE(exclusion.reason.empty());
  }
}

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
          "matmul:256x256x256:bf16", "matmul:128x128x65536:bf16",
          "matmul:2048x2048x2048:f8e4m3:out=bf16", "matmul:128x128x128:bf16:batch=64",
          "matmul:4096x4096x4096:bf16:bias:gelu"}) {
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

// A default is never checked before it runs: it comes only from where somebody measured it.
TEST(BuiltinRegistryTest, PromotesOnValidatedTargetsAlone) {
  const struct {
    const char *heuristic, *device, *evidence;
  } kValidated[] = {
      {"triton_hopper_matmul", "h100_sxm", "0.85 of cuBLAS over twelve shapes, measured by us"},
      {"triton_hopper_matmul", "h200", "sm90 as well"},
      {"triton_blackwell_matmul", "b200", "pytorch/helion pull requests 2428 and 3007"},
  };
  const HeuristicRegistry registry = BuiltinHeuristics();
  for (const char* backend : {"triton", "cute"}) {
    for (const std::string& device : SpecNames()) {
      for (const char* kernel : {"matmul:4096x4096x4096:bf16", "matmul:16x8192x8192:f16",
                                 "matmul:2048x2048x2048:f8e4m3:out=bf16"}) {
        const TestKernel test(backend, kernel, device);
        if (!test.status().ok()) continue;
        for (const HeuristicOutcome& outcome :
             ConsultHeuristics(registry, backend, test.context()).outcomes) {
          if (!outcome.promoted) continue;
          EXPECT_TRUE(std::any_of(std::begin(kValidated), std::end(kValidated),
                                  [&](const auto& validated) {
                                    return validated.heuristic == outcome.heuristic &&
                                           validated.device == device;
                                  }))
              << outcome.heuristic << " on " << device << " " << kernel;
        }
      }
    }
  }
}

// What fits a few shapes and no others does not generalise: a shape one larger or smaller gets
// seeds of about the same tile, on every device.
TEST(BuiltinRegistryTest, T19_ShapesThatAreAlikeGetSeedsThatAreAlike) {
  const HeuristicRegistry registry = BuiltinHeuristics();
  const auto primary = [&](const std::string& shape, const char* device) {
    const TestKernel test("triton", "matmul:" + shape + ":bf16", device);
    const ConsultResult result = ConsultHeuristics(registry, "triton", test.context());
    EXPECT_FALSE(result.seeds.empty()) << shape;
    const Config& seed = result.seeds.front().config;
    return std::pair(seed.GetInt("block_size[m]"), seed.GetInt("block_size[n]"));
  };
  for (const char* device : {"h100_sxm", "b200", "a100_sxm", "l40s", "mi300x", "mi350x"}) {
    for (const auto& [shape, near] : {std::pair("8192x8192x8192", "8191x8191x8191"),
                                      {"4096x4096x4096", "4097x4095x4096"},
                                      {"16x8192x8192", "15x8191x8192"},
                                      {"2048x11008x4096", "2047x11007x4095"}}) {
      SCOPED_TRACE(std::string(shape) + " on " + device);
      const auto [m, n] = primary(shape, device);
      const auto [near_m, near_n] = primary(near, device);
      EXPECT_LE(std::max(m, near_m), 2 * std::min(m, near_m));
      EXPECT_LE(std::max(n, near_n), 2 * std::min(n, near_n));
    }
  }
}

}  // namespace
}  // namespace seedtune
