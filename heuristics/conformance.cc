#include "heuristics/conformance.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "config/config_space.h"
#include "config/knob.h"
#include "config/spaces/spaces.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "heuristics/autotuner_heuristic.h"
#include "heuristics/consult.h"
#include "heuristics/opened_files.h"
#include "heuristics/test_kernel.h"
#include "heuristics/tuning_context.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::Not;

// Squares, decoding (m of 1 to 64), tall and wide, deep with a small output, multiples of nothing.
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

// Of the full grid: all combinations.
constexpr int kExtentsM[] = {1, 3, 8, 16, 24, 64, 128, 200, 512, 1024, 2048, 4096, 8192};
constexpr int kExtentsN[] = {1, 16, 64, 100, 256, 768, 1024, 3072, 4096, 8192, 11008, 28672};
constexpr int kExtentsK[] = {1, 16, 33, 64, 128, 512, 1000, 1024, 4096, 8192, 14336, 28672, 65536};

// Accumulators are what the backends take: `f32` for what is narrower.
std::string Accumulator(std::string_view dtype) {
  return dtype == "f32" || dtype == "f64" ? "" : dtype == "i8" ? ":acc=i32:out=i32" : ":acc=f32";
}

bool IsExcluded(const std::vector<ConformanceExclusion>& exclusions, std::string_view heuristic,
                const std::string& device, const std::string& kernel) {
  return std::any_of(exclusions.begin(), exclusions.end(), [&](const ConformanceExclusion& e) {
    return (e.heuristic.empty() || e.heuristic == heuristic) &&
           (e.device.empty() || e.device == device) && kernel.find(e.kernel) != std::string::npos;
  });
}

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
    const auto again = context.space.Normalize(config->ToPartial(), NormalizeMode::kReject);
    ASSERT_THAT(again, IsOk());
    EXPECT_EQ(*again, *config) << "not canonical";
    configs.push_back(*config);
  }
  const auto again = heuristic.SeedConfigs(context);
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(*again, *seeds) << "not deterministic";
  EXPECT_EQ(heuristic.IsEligible(context).reason, eligibility.reason);
  // Whoever wants fewer gets the first of them.
  for (const size_t wanted : {1, 2}) {
    TuningContext few = context;
    few.max_seeds = wanted;
    const auto first = heuristic.SeedConfigs(few);
    ASSERT_THAT(first, IsOk());
    ASSERT_GE(first->size(), std::min(wanted, seeds->size()));
    ASSERT_LE(first->size(), seeds->size());
    EXPECT_TRUE(std::equal(first->begin(), first->end(), seeds->begin()))
        << "not the first " << wanted << " of all";
  }

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

}  // namespace

std::vector<std::string> ConformanceKernels(ConformanceGrid grid) {
  std::vector<std::string> kernels;
  size_t next = 0;
  const auto name = [](const std::string& shape, const char* dtype, const std::string& variant) {
    return absl::StrCat("matmul:", shape, ":", dtype, Accumulator(dtype), variant);
  };
  if (grid == ConformanceGrid::kFull) {
    for (const int m : kExtentsM) {
      for (const int n : kExtentsN) {
        for (const int k : kExtentsK) {
          const std::string shape = absl::StrCat(m, "x", n, "x", k);
          kernels.push_back(name(shape, kDTypes[next % std::size(kDTypes)],
                                 kVariants[next / 3 % std::size(kVariants)]));
          ++next;
        }
      }
    }
    return kernels;
  }
  for (const char* dtype : kDTypes) {
    for (const char* shape : kShapes) {
      kernels.push_back(name(shape, dtype, ""));
      // Each shape with one more variant, another one for each type.
      kernels.push_back(name(shape, dtype, kVariants[1 + next++ % (std::size(kVariants) - 1)]));
    }
    for (const char* shape : kSymbolic) kernels.push_back(name(shape, dtype, ""));
  }
  return kernels;
}

int CheckConformance(const HeuristicRegistry& registry, const std::string& device_name,
                     const std::vector<std::string>& kernels,
                     const std::vector<ConformanceExclusion>& exclusions) {
  const HardwareInfo device = TestKernel::Device(device_name);
  int asked = 0;
  for (const std::string& name : kernels) {
    SCOPED_TRACE(name);
    const Kernel kernel = TestKernel::Kernel(name);
    for (const std::string_view backend : SpaceBackends()) {
      const TestKernel test(backend, kernel, device);
      if (!test.status().ok()) continue;  // not a kernel or device of that backend
      ++asked;
      ConsultOptions options;
      const int64_t opened = OpenedFiles();
      for (const AutotunerHeuristic* heuristic : registry.ForBackend(backend)) {
        if (IsExcluded(exclusions, heuristic->name(), device_name, name)) {
          options.disabled.emplace_back(heuristic->name());
          continue;
        }
        CheckHeuristic(*heuristic, test.context());
      }
      const ConsultResult result = ConsultHeuristics(registry, backend, test.context(), options);
      EXPECT_EQ(OpenedFiles(), opened) << "a heuristic opened a file, a device or a socket";
      for (const HeuristicOutcome& outcome : result.outcomes) {
        EXPECT_TRUE(outcome.kind == HeuristicOutcomeKind::kSeeded ||
                    outcome.kind == HeuristicOutcomeKind::kDeclined ||
                    outcome.kind == HeuristicOutcomeKind::kDuplicate ||
                    outcome.kind == HeuristicOutcomeKind::kDisabled)
            << outcome.heuristic << " " << HeuristicOutcomeKindName(outcome.kind) << ": "
            << outcome.detail;
      }
      EXPECT_TRUE(test.space().IsValid(result.untuned.choices()));
      const UntunedDefault untuned = FindUntunedDefault(registry, backend, test.context(), options);
      EXPECT_EQ(untuned.config, result.untuned) << "alone: " << untuned.origin;
      EXPECT_EQ(untuned.origin, result.untuned_origin);
    }
    // One kernel's failures are enough to see what is wrong.
    if (::testing::Test::HasFailure()) break;
  }
  return asked;
}

}  // namespace seedtune
