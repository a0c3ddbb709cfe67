#include "tools/progress.h"

#include <cstdint>
#include <sstream>
#include <string>

#include "autotuner/tuner.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace seedtune {
namespace {

TuningProgress SomeProgress() {
  TuningProgress progress;
  progress.phase = "search";
  progress.evaluations = 12;
  progress.failures = 1;
  progress.seconds = 3.5;
  progress.default_ns = 3e6;
  progress.best_ns = 2e6;
  progress.best_origin = "seed";
  return progress;
}

TEST(ProgressLineTest, SaysHowItGoes) {
  std::ostringstream out;
  ProgressLine line(out, {.in_place = false, .every_seconds = 5});
  line.Start("[2/5] ffn_down");
  line.Update(SomeProgress(), /*now_seconds=*/100);
  EXPECT_EQ(out.str(),
            "[2/5] ffn_down: search, 12 measured (1 failed), 3.5 s, best 2 ms (1.50x) from seed\n");
}

TEST(ProgressLineTest, ForeseesTheEndOfABudgetInEvaluations) {
  const struct {
    int64_t evaluations;
    const char* says;
  } kCases[] = {{12, "search, 12 of 1,012 measured (1 failed), 3.5 s, best"},
                {50, "search, 50 of 1,012 measured (1 failed), 3.5 s, about 1 min 8 s left, best"},
                {1012, "search, 1012 of 1,012 measured (1 failed), 3.5 s, best"}};
  for (const auto& c : kCases) {
    std::ostringstream out;
    ProgressLine line(out, {.in_place = false, .every_seconds = 5});
    TuningProgress progress = SomeProgress();
    progress.evaluations = c.evaluations;
    progress.budget_evaluations = 1012;
    line.Update(progress, 100);
    EXPECT_THAT(out.str(), ::testing::HasSubstr(c.says));
  }
}

TEST(ProgressLineTest, KeepsItsPace) {
  std::ostringstream out;
  ProgressLine line(out, {.in_place = false, .every_seconds = 5});
  line.Start("x");
  line.Update(SomeProgress(), 100);
  const std::string first = out.str();
  line.Update(SomeProgress(), 104);
  EXPECT_EQ(out.str(), first);
  line.Update(SomeProgress(), 105);
  EXPECT_GT(out.str().size(), first.size());
}

TEST(ProgressLineTest, InPlaceFitsTheTerminalAndCleansUp) {
  std::ostringstream out;
  ProgressLine line(out, {.in_place = true, .width = 20, .every_seconds = 0});
  line.Start("[2/5] ffn_down");
  line.Update(SomeProgress(), 1);
  EXPECT_EQ(out.str(), "\r[2/5] ffn_down: sea");
  line.Finish();
  EXPECT_THAT(out.str(), ::testing::EndsWith("\r" + std::string(19, ' ') + "\r"));
}

}  // namespace
}  // namespace seedtune
