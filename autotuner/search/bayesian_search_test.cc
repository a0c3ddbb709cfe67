#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include "autotuner/outcome.h"
#include "autotuner/search/search.h"
#include "autotuner/search/search_algorithm.h"
#include "config/config_space.h"
#include "config/knob.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::Ge;

// 1,296 configurations.
std::shared_ptr<const ConfigSpace> FourKnobs() {
  ConfigSpace::Options options;
  options.name = "four";
  for (const char* name : {"a", "b", "c", "d"}) {
    options.knobs.push_back(*Knob::Integer(name, 1, 6, 1, 1));
  }
  return *ConfigSpace::Create(std::move(options));
}

// A hill of 0.7 of the optimum's speed, and two spikes: the optimum near its top, and a second best
// farther down.
double Speed(const Config& config) {
  const std::vector<uint16_t> at(config.choices().begin(), config.choices().end());
  if (at == std::vector<uint16_t>{4, 2, 3, 3}) return 1;
  if (at == std::vector<uint16_t>{3, 2, 3, 0}) return 0.93;
  const double apart =
      std::abs(at[0] - 4) + std::abs(at[1] - 2) + std::abs(at[2] - 3) + std::abs(at[3] - 2);
  return 0.7 / (1 + 0.1 * apart);
}

// In how many of `runs` it measures the optimum within `evaluations`, if the second best is the
// first that it hears of.
int NumThatFindTheOptimum(int runs, int evaluations) {
  const auto space = FourKnobs();
  int found = 0;
  for (int run = 0; run < runs; ++run) {
    auto search = MakeSearch("bayesian", {.space = space,
                                          .random_seed = static_cast<uint64_t>(run),
                                          .first = {{.config = Config(space, {3, 2, 3, 0})}}});
    EXPECT_THAT(search, IsOk());
    if (!search.ok()) return 0;
    for (int i = 0; i < evaluations; ++i) {
      const Candidate candidate = (*search)->Ask(1)[0];
      const double speed = Speed(candidate.config);
      (*search)->Tell(
          {.candidate = candidate, .kind = OutcomeKind::kOk, .objective_ns = 1000 / speed});
      if (speed < 1) continue;
      ++found;
      break;
    }
  }
  return found;
}

// To its processes the second best is far above all that is left. The greatest expected improvement
// alone finds the optimum in 7 of these runs.
TEST(BayesianSearchTest, MeasuresWhatPromisesMostWhereNothingMayBeHopedFor) {
  EXPECT_THAT(NumThatFindTheOptimum(/*runs=*/20, /*evaluations=*/60), Ge(15));
}

// Eight workers ask before any has answered.
TEST(BayesianSearchTest, LooksInUnlikePlacesWhileNothingIsKnown) {
  const auto space = FourKnobs();
  for (uint64_t run = 0; run < 20; ++run) {
    auto search = MakeSearch("bayesian", {.space = space, .random_seed = run});
    ASSERT_THAT(search, IsOk());
    std::vector<Candidate> asked;
    for (int i = 0; i < 8; ++i) asked.push_back((*search)->Ask(1)[0]);
    for (size_t a = 0; a < asked.size(); ++a) {
      for (size_t b = 0; b < a; ++b) {
        int differing = 0;
        for (size_t knob = 0; knob < 4; ++knob) {
          if (asked[a].config.choices()[knob] != asked[b].config.choices()[knob]) ++differing;
        }
        EXPECT_THAT(differing, Ge(2)) << "run " << run << ", " << b << " and " << a;
      }
    }
  }
}

}  // namespace
}  // namespace seedtune
