// The command as its users meet it, in this process: no device, no worker.
#include <cstdint>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "autotuner/clock.h"
#include "autotuner/outcome.h"
#include "autotuner/replay/recorded_space.h"
#include "autotuner/replay/t4.h"
#include "config/config_space.h"
#include "config/knob.h"
#include "config/t1.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hardware/fake_system_reader.h"
#include "heuristics/registry.h"
#include "nlohmann/json.hpp"
#include "testing/status_matchers.h"
#include "testing/temp_dir.h"
#include "tools/cli.h"
#include "tools/environment.h"
#include "util/file.h"

namespace seedtune {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Json = nlohmann::json;

struct Finished {
  int status = -1;
  std::string out, err;
};

class ReplayCommandTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ConfigSpace::Options options;
    options.name = "valley";
    options.knobs = {*Knob::Integer("x", 0, 19, 1, 0), *Knob::PowerOfTwo("y", 1, 32768, 1)};
    const std::shared_ptr<const ConfigSpace> space = *ConfigSpace::Create(std::move(options));
    std::vector<RecordedConfig> configs;
    for (uint64_t i = 0; i < 320; ++i) {
      RecordedConfig config{.config = space->At(i), .outcome = {}};
      const auto distance = static_cast<double>(i > 71 ? i - 71 : 71 - i);
      config.outcome.kind = OutcomeKind::kOk;
      config.outcome.samples_ns = {1e6 + 1e4 * distance, 1.01e6 + 1e4 * distance};
      config.compile_cost_ns = 1e9;
      config.benchmark_cost_ns = 1e8;
      configs.push_back(config);
    }
    const auto recorded = *RecordedSpace::Create("valley", "some GPU", space, configs);
    ASSERT_THAT(WriteFileAtomically(Path("record.json"), WriteT4(*recorded)), IsOk());
    const auto elsewhere = *RecordedSpace::Create("valley", "other GPU", space, configs);
    ASSERT_THAT(WriteFileAtomically(Path("other.json"), WriteT4(*elsewhere)), IsOk());
    const auto like_it = *RecordedSpace::Create("dale", "some GPU", space, configs);
    ASSERT_THAT(WriteFileAtomically(Path("like_it.json"), WriteT4(*like_it)), IsOk());
    ASSERT_THAT(WriteFileAtomically(Path("space.json"), WriteT1(MakeT1(*space))), IsOk());
  }

  std::string Path(std::string_view name) const { return dir_.Path(name); }

  Finished Run(std::vector<std::string> arguments) {
    std::ostringstream out, err;
    const FakeSystemReader reader;
    const HeuristicRegistry heuristics;
    const Environment environment{.out = out,
                                  .err = err,
                                  .reader = reader,
                                  .clock = SystemClock(),
                                  .heuristics = heuristics,
                                  .make_measurer = nullptr,
                                  .measurer_info = nullptr,
                                  .supports = nullptr,
                                  .stop = nullptr,
                                  .progress = {}};
    arguments.insert(arguments.begin(), "replay");
    const int status = RunCli(arguments, environment);
    return {.status = status, .out = out.str(), .err = err.str()};
  }

  // Of the record, with some repeats.
  Finished Replay(const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {Path("record.json"), "--space=" + Path("space.json"),
                                          "--repeats=5"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return Run(std::move(arguments));
  }

  TempDir dir_;
};

TEST_F(ReplayCommandTest, PrintsATableOfAllAlgorithms) {
  const Finished finished = Replay({});
  EXPECT_EQ(finished.status, 0) << finished.err;
  EXPECT_THAT(finished.out, AllOf(HasSubstr("valley on some GPU"), HasSubstr("random, calculated"),
                                  HasSubstr("pattern"), HasSubstr("exhaustive"),
                                  HasSubstr("P(time)"), HasSubstr("@200")));
  EXPECT_THAT(finished.err, HasSubstr("replaying: ")) << "progress";
}

TEST_F(ReplayCommandTest, MinesSeedsOfOtherDevices) {
  const Finished seeded =
      Replay({"--json", "--algorithm=random", "--max-seeds=2",
              "--seeds-from=" + Path("other.json") + "," + Path("record.json")});
  ASSERT_EQ(seeded.status, 0) << seeded.err;
  EXPECT_THAT(seeded.err, HasSubstr("valley on some GPU: 2 seeds from other GPU\n"));
  const Json space = Json::parse(seeded.out)["spaces"][0];
  EXPECT_EQ(space["seeds"].size(), 2u);
  // Both devices are alike; seeds are what may be good on others, too.
  EXPECT_GE(space["algorithms"][0]["mean_fraction"]["10"], 0.95);

  const Finished own = Replay({"--algorithm=random", "--seeds-from=" + Path("record.json")});
  EXPECT_EQ(own.status, 0) << own.err;
  EXPECT_THAT(own.err, HasSubstr("0 seeds: no other record of its space"));
  const Finished like_it = Replay({"--algorithm=random", "--seeds-from=" + Path("like_it.json")});
  EXPECT_EQ(like_it.status, 0) << like_it.err;
  EXPECT_THAT(like_it.err, HasSubstr("valley on some GPU: 4 seeds from dale\n"))
      << "another kernel on the same device";
  const Finished none = Replay({"--seeds-from=" + Path("other.json"), "--max-seeds=0"});
  EXPECT_EQ(none.status, 1);
  EXPECT_THAT(none.err, HasSubstr("--max-seeds is 0, want at least 1"));
}

TEST_F(ReplayCommandTest, HeuristicsWantAKernelThatTheyKnow) {
  const Finished finished = Replay({"--heuristics"});
  EXPECT_EQ(finished.status, 1);
  EXPECT_THAT(finished.err, HasSubstr("--heuristics: valley on some GPU: "));
  const Finished alone = Replay({"--device=h200"});
  EXPECT_EQ(alone.status, 2);
  EXPECT_THAT(alone.err, HasSubstr("--device requires --heuristics"));
}

TEST_F(ReplayCommandTest, MovesCoupledKnobsTogether) {
  const std::vector<std::string> flags = {"--json", "--algorithm=neighborhood"};
  const Finished alone = Replay(flags);
  std::vector<std::string> with = flags;
  with.emplace_back("--coupled=x*y");
  const Finished coupled = Replay(with);
  ASSERT_EQ(alone.status, 0) << alone.err;
  ASSERT_EQ(coupled.status, 0) << coupled.err;
  EXPECT_NE(alone.out, coupled.out) << "the moves are asked for";

  EXPECT_THAT(Replay({"--coupled=x*z"}).err,
              HasSubstr("--coupled: space \"valley\" has no knob \"z\""));
  EXPECT_THAT(Replay({"--coupled=x"}).err, HasSubstr("--coupled: \"x\", want two knobs such as"));
}

TEST_F(ReplayCommandTest, OneSeedOneJson) {
  const Finished one = Replay({"--json", "--algorithm=random,pattern", "--threads=1"});
  const Finished same = Replay({"--json", "--algorithm=random,pattern", "--threads=3"});
  const Finished other = Replay({"--json", "--algorithm=random,pattern", "--seed=2"});
  ASSERT_EQ(one.status, 0) << one.err;
  EXPECT_EQ(one.out, same.out);
  EXPECT_NE(one.out, other.out);

  const Json json = Json::parse(one.out);
  EXPECT_EQ(json["schema_version"], 1);
  EXPECT_EQ(json["repeats"], 5);
  const Json& space = json["spaces"][0];
  EXPECT_EQ(space["kernel"], "valley");
  EXPECT_EQ(space["device"], "some GPU");
  EXPECT_EQ(space["configurations"], 320);
  EXPECT_DOUBLE_EQ(space["optimum_ns"], 1.005e6);
  ASSERT_EQ(space["algorithms"].size(), 2u);
  EXPECT_EQ(space["algorithms"][0]["algorithm"], "random");
  EXPECT_GT(space["algorithms"][0]["mean_fraction"]["50"], 0.5);
  EXPECT_LE(space["algorithms"][0]["time"]["score"], 1);
}

TEST_F(ReplayCommandTest, DrawsPicturesThatStandAlone) {
  const Finished svg = Replay({"--algorithm=random", "--plot=" + Path("curves.svg")});
  EXPECT_EQ(svg.status, 0) << svg.err;
  EXPECT_THAT(svg.out, HasSubstr("drawn in " + Path("curves.svg")));
  EXPECT_THAT(ReadFile(Path("curves.svg")),
              IsOkAndHolds(AllOf(StartsWith("<svg"), HasSubstr("valley on some GPU"),
                                 HasSubstr("random, calculated"), EndsWith("</svg>\n"))));
  EXPECT_EQ(Replay({"--algorithm=random", "--plot=" + Path("curves.html")}).status, 0);
  EXPECT_THAT(ReadFile(Path("curves.html")), IsOkAndHolds(StartsWith("<!DOCTYPE html>")));
}

TEST_F(ReplayCommandTest, ACacheWithoutConditionsIsItsOwnSpace) {
  ASSERT_THAT(WriteFileAtomically(Path("cache.json"), R"({
    "device_name": "some GPU", "kernel_name": "tiny", "problem_size": [1],
    "tune_params_keys": ["a", "b"], "tune_params": {"a": [1, 2], "b": [1, 2]}, "cache": {
      "1,1": {"a": 1, "b": 1, "time": 3.0, "times": [3.0, 3.0], "compile_time": 50},
      "1,2": {"a": 1, "b": 2, "time": 2.0, "times": [2.0, 2.0], "compile_time": 60},
      "2,1": {"a": 2, "b": 1, "time": 1.0, "times": [1.0, 1.0], "compile_time": 70}}})"),
              IsOk());
  const Finished finished = Run({Path("cache.json"), "--json", "--repeats=2"});
  ASSERT_EQ(finished.status, 0) << finished.err;
  EXPECT_THAT(finished.err, HasSubstr("the 3 configurations recorded are taken for the whole"));
  EXPECT_EQ(Json::parse(finished.out)["spaces"][0]["configurations"], 3);

  const Finished conditioned = Run({Path("cache.json"), "--condition=a * b < 4", "--json"});
  EXPECT_EQ(conditioned.status, 0) << conditioned.err;
  // Beside T4 results that need a --space of their own.
  const Finished mixed = Replay({Path("cache.json")});
  EXPECT_EQ(mixed.status, 0) << mixed.err;
  EXPECT_THAT(mixed.err, HasSubstr("cache.json: no --space fits: the 3 configurations recorded"));
  EXPECT_THAT(mixed.out, AllOf(HasSubstr("valley on some GPU"), HasSubstr("tiny on some GPU"),
                               HasSubstr("all spaces")));

  const Finished wrong = Run({Path("cache.json"), "--condition=a <= b + 1"});
  EXPECT_EQ(wrong.status, 1);
  EXPECT_THAT(wrong.err, HasSubstr("tiny on some GPU: only 3 configurations were recorded"));
}

TEST_F(ReplayCommandTest, NoiseAndWorkersChangeTheRuns) {
  const std::string plain = Replay({"--json"}).out;
  for (const char* flag : {"--samples=1", "--workers=1,0.5", "--max-share=0.1"}) {
    const Finished finished = Replay({"--json", flag});
    EXPECT_EQ(finished.status, 0) << finished.err;
    EXPECT_NE(Json::parse(finished.out)["spaces"], Json::parse(plain)["spaces"]) << flag;
  }
}

TEST_F(ReplayCommandTest, SaysWhatIsWrong) {
  ASSERT_THAT(WriteFileAtomically(Path("broken.json"), "{"), IsOk());
  const std::string record = Path("record.json");
  const std::string space = "--space=" + Path("space.json");
  const struct {
    const char* name;
    std::vector<std::string> arguments;
    int status;
    std::string error;
  } kCases[] = {
      {"no record", {}, 2, "record is required"},
      {"unknown flag", {record, "--repeat=3"}, 2, "did you mean \"--repeats\""},
      {"no such file", {Path("none.json"), space}, 1, "none.json: cannot read"},
      {"T4 without its space", {record}, 1, "record.json: T4 results do not say what space"},
      {"no T4", {Path("broken.json"), space}, 1, "broken.json: no --space fits: not of valley"},
      {"no T1", {record, "--space=" + Path("broken.json")}, 1, "broken.json: "},
      {"unknown algorithm", {record, space, "--algorithm=patern"}, 1, "did you mean \"pattern\""},
      {"no repeats", {record, space, "--repeats=0"}, 1, "repeats is 0"},
      {"a bitmap", {record, space, "--plot=x.png"}, 1, "--plot is \"x.png\", want"},
      {"nowhere to draw", {record, space, "--plot=" + Path("no/x.svg")}, 1, "no/x.svg"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.name);
    const Finished finished = Run(c.arguments);
    EXPECT_EQ(finished.status, c.status);
    EXPECT_THAT(finished.err, HasSubstr(c.error));
    EXPECT_EQ(finished.out, "");
  }
}

}  // namespace
}  // namespace seedtune
