#include "autotuner/replay/portfolio.h"

#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "autotuner/outcome.h"
#include "autotuner/replay/recorded_space.h"
#include "config/config_space.h"
#include "config/knob.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

std::shared_ptr<const ConfigSpace> Line() {
  ConfigSpace::Options options;
  options.name = "line";
  options.knobs = {*Knob::Integer("x", 0, 5, 1, 0)};
  return *ConfigSpace::Create(std::move(options));
}

// A record of Line; 0: that one failed.
std::shared_ptr<const RecordedSpace> Record(const std::string& device,
                                            const std::vector<double>& times_ns) {
  const auto space = Line();
  std::vector<RecordedConfig> configs;
  for (size_t i = 0; i < times_ns.size(); ++i) {
    RecordedConfig recorded;
    recorded.config = space->At(i);
    recorded.outcome.kind = times_ns[i] > 0 ? OutcomeKind::kOk : OutcomeKind::kCompileError;
    if (times_ns[i] > 0) recorded.outcome.samples_ns = {times_ns[i]};
    recorded.compile_cost_ns = 1e9;
    configs.push_back(std::move(recorded));
  }
  return *RecordedSpace::Create("line", device, space, std::move(configs));
}

TEST(MinePortfolioTest, BeginsWithWhatServesAllBest) {
  // The best of each is bad on the other one; the fourth is good on both.
  const auto one = Record("one", {100, 900, 300, 110, 500, 600});
  const auto other = Record("other", {900, 100, 300, 110, 500, 600});
  const std::vector<Config> portfolio = MinePortfolio({{one, other}}, 3);
  ASSERT_THAT(portfolio, SizeIs(3));
  EXPECT_EQ(portfolio[0], Line()->At(3));
  EXPECT_THAT((std::vector<Config>{portfolio[1], portfolio[2]}),
              UnorderedElementsAre(Line()->At(0), Line()->At(1)));
}

TEST(MinePortfolioTest, SpreadsOverWhatIsAsGood) {
  // Another device may like small ones or large ones: neither two small ones nor two large ones.
  const auto one = Record("one", {100, 100, 101, 100, 100, 100});
  const std::vector<Config> portfolio = MinePortfolio({{one}}, 2);
  ASSERT_THAT(portfolio, SizeIs(2));
  EXPECT_GE(std::abs(portfolio[0].choices()[0] - portfolio[1].choices()[0]), 3);
}

TEST(MinePortfolioTest, TakesNothingForVarietysSakeThatIsSlow) {
  const auto one = Record("one", {100, 110, 900, 900, 900, 900});
  EXPECT_THAT(MinePortfolio({{one}}, 4), UnorderedElementsAre(Line()->At(0), Line()->At(1)));
}

TEST(MinePortfolioTest, LeavesOutFailuresAndDuplicates) {
  const auto one = Record("one", {0, 150, 0, 100, 0, 0});
  EXPECT_THAT(MinePortfolio({{one}}, 4), ElementsAre(Line()->At(3), Line()->At(1)));
  EXPECT_THAT(MinePortfolio({{one, one}}, 4), SizeIs(2));
}

TEST(MinePortfolioTest, OfNothingIsNothing) {
  EXPECT_THAT(MinePortfolio({}, 4), IsEmpty());
  EXPECT_THAT(MinePortfolio({{Record("one", {0, 0, 0, 0, 0, 0})}}, 4), IsEmpty());
  EXPECT_THAT(MinePortfolio({{Record("one", {1, 2, 3, 4, 5, 6})}}, 0), IsEmpty());
}

}  // namespace
}  // namespace seedtune
