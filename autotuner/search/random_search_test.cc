#include "autotuner/search/random_search.h"

#include <memory>
#include <vector>

#include "absl/numeric/int128.h"
#include "absl/status/statusor.h"
#include "config/config_space.h"
#include "config/knob.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::Lt;

TEST(RandomSearchTest, IsUniformOverTheValidConfigurationsAtEveryTurn) {
  // A constraint that leaves 21 of 36, most of them at small x: drawing knob by knob would not be
  // uniform.
  ConfigSpace::Options options;
  options.name = "triangle";
  options.knobs = {*Knob::Integer("x", 0, 5, 1, 0), *Knob::Integer("y", 0, 5, 1, 0)};
  options.constraints = {{.name = "triangle",
                          .description = "x + y is at most 5",
                          .knobs = {"x", "y"},
                          .holds = [](std::span<const int64_t> v) { return v[0] + v[1] <= 5; }}};
  ASSERT_OK_AND_ASSIGN(const auto space, ConfigSpace::Create(options));
  ASSERT_EQ(space->NumValid(), 21);

  constexpr int kRuns = 6'300;
  for (const int turn : {0, 1, 20}) {
    SCOPED_TRACE(turn);
    std::vector<int> count(21);
    for (int run = 0; run < kRuns; ++run) {
      RandomSearch search({.space = space, .random_seed = static_cast<uint64_t>(run)});
      const std::vector<Candidate> asked = search.Ask(21);
      ASSERT_EQ(asked.size(), 21u);
      ++count[static_cast<size_t>(*space->IndexOf(asked[turn].config))];
    }
    // Pearson's chi-squared with 20 degrees of freedom: above 45.3 in one run of a thousand.
    double chi_squared = 0;
    for (const int times : count) {
      chi_squared += (times - kRuns / 21.0) * (times - kRuns / 21.0) / (kRuns / 21.0);
    }
    EXPECT_THAT(chi_squared, Lt(45.3));
  }
}

}  // namespace
}  // namespace seedtune
