#include "tools/run_curves.h"

#include <string>
#include <utility>
#include <vector>

#include "autotuner/database/records.h"
#include "autotuner/outcome.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace seedtune {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// A run whose candidates were told such times at such seconds; 0 ns: one that failed.
RunLog Log(const std::string& kernel, const std::string& policy, double seconds_spent,
           const std::vector<std::pair<double, double>>& times) {
  RunLog log;
  log.run.kernel_name = kernel;
  log.run.settings.algorithm = "auto";
  log.run.settings.seed_policy = policy;
  log.run.seconds_spent = seconds_spent;
  log.device_name = "a GPU";
  for (const auto& [at_seconds, ns] : times) {
    RunEvent event;
    log.events.push_back(event);
    event.kind = RunEvent::Kind::kTell;
    event.at_seconds = at_seconds;
    event.outcome.kind = ns > 0 ? OutcomeKind::kOk : OutcomeKind::kCompileError;
    if (ns > 0) event.outcome.samples_ns = {ns};
    log.events.push_back(event);
  }
  return log;
}

constexpr char kSeeded[] = "heuristics=on disabled=[] user_seeds=[]";
constexpr char kUnseeded[] = "heuristics=off disabled=[] user_seeds=[]";

TEST(RunCurvesTest, StepsFromTheFirstTimeToTheEndOfTheRun) {
  const std::vector<RunLog> logs = {Log("mm", kSeeded, 9, {{1, 0}, {2, 400}, {3, 500}, {5, 200}}),
                                    Log("mm", kUnseeded, 8, {{4, 100}})};
  const std::vector<ChartPanel> panels = RunCurves(logs);
  ASSERT_THAT(panels, SizeIs(1));
  EXPECT_EQ(panels[0].title, "mm on a GPU");
  ASSERT_THAT(panels[0].lines, SizeIs(2));
  EXPECT_EQ(panels[0].lines[0].name, "auto, seeded");
  EXPECT_THAT(panels[0].lines[0].x, ElementsAre(2, 5, 5, 9));
  EXPECT_THAT(panels[0].lines[0].y,
              ElementsAre(DoubleEq(25), DoubleEq(25), DoubleEq(50), DoubleEq(50)));
  EXPECT_EQ(panels[0].lines[1].name, "auto, no seeds");
  EXPECT_THAT(panels[0].lines[1].x, ElementsAre(4, 8));
  EXPECT_THAT(panels[0].lines[1].y, ElementsAre(100, 100));
}

TEST(RunCurvesTest, EachKernelHasAPanelAndAFastest) {
  const std::vector<ChartPanel> panels =
      RunCurves(std::vector<RunLog>{Log("one", kSeeded, 2, {{1, 100}}), Log("two", kSeeded, 2, {}),
                                    Log("three", kSeeded, 2, {{1, 700}})});
  ASSERT_THAT(panels, SizeIs(2)) << "nothing was measured of the second";
  EXPECT_EQ(panels[1].title, "three on a GPU");
  EXPECT_THAT(panels[1].lines[0].y, ElementsAre(100, 100));
}

TEST(RunCurvesTest, ReTimingsAreLeftOut) {
  RunLog log = Log("mm", kSeeded, 9, {{1, 100}});
  RunEvent again = log.events.back();
  again.kind = RunEvent::Kind::kRetime;
  again.outcome.samples_ns = {50};
  log.events.push_back(again);
  const std::vector<ChartPanel> panels = RunCurves(std::vector<RunLog>{log});
  ASSERT_THAT(panels, SizeIs(1));
  EXPECT_THAT(panels[0].lines[0].y, ElementsAre(100, 100));
  EXPECT_THAT(RunCurves({}), IsEmpty());
}

TEST(NameOfRunTest, SaysWhatWasPlanted) {
  RunInfo run;
  run.settings.algorithm = "pattern";
  const struct {
    const char *policy, *name;
  } kCases[] = {
      {kSeeded, "pattern, seeded"},
      {kUnseeded, "pattern, no seeds"},
      {"heuristics=off disabled=[] user_seeds=[{\"a\":1}]", "pattern, the user's seeds"},
      {"heuristics=on disabled=[] user_seeds=[{\"a\":1}] neighbors=off",
       "pattern, seeded, the user's seeds too, no neighbours of heuristics"},
      {"heuristics=on disabled=[x] user_seeds=[] stop=50stale",
       "pattern, seeded, some heuristics disabled"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.policy);
    run.settings.seed_policy = c.policy;
    EXPECT_EQ(NameOfRun(run), c.name);
  }
}

}  // namespace
}  // namespace seedtune
