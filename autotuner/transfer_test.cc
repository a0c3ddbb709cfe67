#include "autotuner/transfer.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "autotuner/database/database.h"
#include "autotuner/example_tuning.h"
#include "autotuner/measurer.h"
#include "autotuner/memory_dir.h"
#include "autotuner/record_key.h"
#include "autotuner/replay_measurer.h"
#include "autotuner/search/search_algorithm.h"
#include "autotuner/tuner.h"
#include "autotuner/virtual_clock.h"
#include "config/config_space.h"
#include "config/knob.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hardware/hardware_info.h"
#include "hardware/hardware_proto.h"
#include "hardware/specs.h"
#include "heuristics/consult.h"
#include "heuristics/registry.h"
#include "ir/kernel.h"
#include "ir/matmul.h"
#include "ir/proto_convert.h"
#include "testing/status_matchers.h"
#include "util/textproto.h"

namespace seedtune {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Gt;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Lt;
using ::testing::Optional;
using ::testing::SizeIs;

Kernel Matmul(const std::string& short_form) {
  return *BuildMatmul(*ParseMatmulShortForm("matmul:" + short_form));
}

TEST(KernelDistanceTest, GrowsWithTheShapesRatio) {
  const Kernel kernel = Matmul("64x128x256:f32");
  EXPECT_THAT(KernelDistance(kernel, kernel), Optional(0.0));
  EXPECT_THAT(KernelDistance(kernel, Matmul("128x128x256:f32")), Optional(1.0));
  EXPECT_THAT(KernelDistance(Matmul("128x128x256:f32"), kernel), Optional(1.0));
  EXPECT_THAT(KernelDistance(kernel, Matmul("128x64x1024:f32")), Optional(4.0));
}

TEST(KernelDistanceTest, TypesOfOneSizeAreNearAndOthersAreNot) {
  EXPECT_THAT(KernelDistance(Matmul("64x64x64:bf16"), Matmul("64x64x64:f16")),
              Optional(AllOf(Gt(0.0), Lt(1.0))));
  EXPECT_EQ(KernelDistance(Matmul("64x64x64:bf16"), Matmul("64x64x64:f32")), std::nullopt);
}

TEST(KernelDistanceTest, LayoutsCount) {
  EXPECT_THAT(KernelDistance(Matmul("64x64x64:f32"), Matmul("64x64x64:f32:nt")), Optional(Gt(0.5)));
}

TEST(DeviceDistanceTest, FollowsTheLineage) {
  const HardwareInfo h100 = *FindSpec("h100_sxm");
  EXPECT_THAT(DeviceDistance(h100, h100), Optional(0.0));
  const std::optional<double> sibling = DeviceDistance(h100, *FindSpec("h200"));
  const std::optional<double> parent = DeviceDistance(h100, *FindSpec("a100_sxm"));
  ASSERT_TRUE(sibling.has_value() && parent.has_value());
  EXPECT_GT(*sibling, 0);
  EXPECT_LT(*sibling, *parent);
  EXPECT_EQ(DeviceDistance(h100, *FindSpec("mi300x")), std::nullopt);
}

class TransferTest : public ::testing::Test {
 protected:
  TransferTest() {
    absl::StatusOr<std::unique_ptr<Database>> database = Database::Open(directory_.Path("test.db"));
    EXPECT_THAT(database, IsOk());
    database_ = *std::move(database);
  }

  // A finished run.
  void Record(const Kernel& kernel, const std::string& name, const Config& winner, double ns,
              MeasurerInfo info = ExampleMeasurerInfo()) {
    Kernel named = kernel;
    named.name = name;
    RunInfo run;
    run.key = MakeRecordKey(named, winner.space(), info);
    run.settings.algorithm = "random";
    run.kernel_name = name;
    run.kernel_text = PrintTextProto(KernelToProto(named));
    run.device_text = PrintTextProto(ToProto(info.device));
    run.started_unix_micros = ++micros_;
    const absl::StatusOr<std::string> id = database_->StartRun(run);
    ASSERT_THAT(id, IsOk());
    RunEvent ask;
    ask.kind = RunEvent::Kind::kAsk;
    ask.config_json = winner.ToJson();
    ask.origin = "default";
    ASSERT_THAT(database_->Append(*id, ask), IsOk());
    RunEvent tell;
    tell.sequence = 1;
    tell.kind = RunEvent::Kind::kTell;
    tell.outcome = ExampleOk(ns);
    ASSERT_THAT(database_->Append(*id, tell), IsOk());
    BestRecord best;
    best.config_json = best.untuned_config_json = winner.ToJson();
    best.origin = "default";
    best.untuned_origin = "space default";
    best.outcome = best.untuned_outcome = ExampleOk(ns);
    best.evaluations = 1;
    best.recorded_unix_micros = micros_;
    best.heuristics_json = "[]";
    ASSERT_THAT(database_->FinishRun(*id, best), IsOk());
  }

  std::vector<SeedSource> Find(int max_seeds = 3) {
    absl::StatusOr<std::vector<SeedSource>> sources =
        FindRecordedSeeds(*database_, *kernel_, "fake", ExampleMeasurerInfo().device, *space_,
                          {.max_seeds = max_seeds});
    EXPECT_THAT(sources, IsOk());
    return *std::move(sources);
  }
  std::vector<std::string> Names(int max_seeds = 3) {
    std::vector<std::string> names;
    for (const SeedSource& source : Find(max_seeds)) names.push_back(source.name);
    return names;
  }

  absl::StatusOr<TuneResult> RunTune(const TuneOptions& options,
                                     const std::function<void()>& at_each_measurement = {}) {
    ReplayMeasurer::Options measuring;
    measuring.info = ExampleMeasurerInfo();
    measuring.outcome = [&](const Config& config) {
      if (at_each_measurement) at_each_measurement();
      return ExampleOutcome(config);
    };
    ReplayMeasurer measurer(measuring, clock_);
    return Tune(kernel_, /*facts=*/{}, space_, HeuristicRegistry(), measurer, database_.get(),
                clock_, options);
  }

  const MemoryDir directory_;
  const std::shared_ptr<const Kernel> kernel_ = ExampleKernel();  // 64x128x256:f32
  const std::shared_ptr<const ConfigSpace> space_ = ExampleSpace();
  std::unique_ptr<Database> database_;
  VirtualClock clock_;
  int64_t micros_ = 0;
};

TEST_F(TransferTest, OwnSeedsAreThoseOfHeuristicsAndOfTheUser) {
  std::vector<Candidate> first = {{.config = space_->At(0), .origin = "default"}};
  first.push_back({.config = space_->At(1), .origin = "seed"});
  first.push_back({.config = space_->At(2), .origin = "seed", .heuristic = "recorded: a on b"});
  EXPECT_FALSE(HasOwnSeeds(first));
  first.push_back({.config = space_->At(3), .origin = "seed", .heuristic = "cpu_skinny_stream"});
  EXPECT_TRUE(HasOwnSeeds(first));
}

TEST_F(TransferTest, NearestComeFirstAndFarOnesNotAtAll) {
  Record(Matmul("64x4096x256:f32"), "far", space_->At(1), 100);
  Record(Matmul("64x128x512:f32"), "near", space_->At(2), 100);
  Record(Matmul("64x128x65536:f32"), "too far", space_->At(3), 100);
  Record(Matmul("64x128x256:bf16"), "of another type", space_->At(4), 100);
  EXPECT_THAT(Names(),
              ElementsAre("recorded: near on Example CPU", "recorded: far on Example CPU"));
  EXPECT_THAT(Names(1), ElementsAre("recorded: near on Example CPU"));
  EXPECT_THAT(Names(0), IsEmpty());
  EXPECT_THAT(Find()[0].detail, HasSubstr("kernel 1.0 octaves away, device the same"));
  for (const std::string& name : Names()) EXPECT_TRUE(IsRecordedSource(name));
  EXPECT_FALSE(IsRecordedSource("cpu_skinny_stream"));
}

TEST_F(TransferTest, OtherBackendsSayNothing) {
  MeasurerInfo info = ExampleMeasurerInfo();
  info.backend = "another";
  Record(*kernel_, "same", space_->At(1), 100, info);
  EXPECT_THAT(Find(), IsEmpty());
}

TEST_F(TransferTest, TheFastestOfAKernelOnADeviceStandsForIt) {
  Record(*kernel_, "same", space_->At(1), 100);
  Record(*kernel_, "same", space_->At(2), 90);
  Record(*kernel_, "same", space_->At(3), 95);
  const std::vector<SeedSource> sources = Find();
  ASSERT_THAT(sources, SizeIs(1));
  EXPECT_THAT(sources[0].seeds, ElementsAre(space_->At(2).ToPartial()));
}

TEST_F(TransferTest, EachConfigurationIsASeedOnce) {
  Record(*kernel_, "same", space_->At(1), 100);
  Record(Matmul("64x128x512:f32"), "near", space_->At(1), 100);
  Record(Matmul("64x128x1024:f32"), "less near", space_->At(2), 100);
  EXPECT_THAT(Names(2),
              ElementsAre("recorded: same on Example CPU", "recorded: less near on Example CPU"));
}

TEST_F(TransferTest, AnotherSpacesValuesGoToTheNearest) {
  ConfigSpace::Options options;
  options.name = "example";
  options.knobs = {*Knob::PowerOfTwo("block_m", 8, 2048, 2048)};
  const std::shared_ptr<const ConfigSpace> larger = *ConfigSpace::Create(options);
  Record(Matmul("64x128x512:f32"), "near", larger->Default(), 100);
  const std::vector<SeedSource> sources = Find();
  ASSERT_THAT(sources, SizeIs(1));
  const absl::StatusOr<Config> seed =
      space_->Normalize(sources[0].seeds[0], NormalizeMode::kReject);
  ASSERT_THAT(seed, IsOk());
  EXPECT_EQ(seed->GetInt("block_m"), 256);
}

TEST_F(TransferTest, WhatCannotBeReadIsLeftOut) {
  ConfigSpace::Options options;
  options.name = "example";
  options.knobs = {*Knob::Boolean("unheard_of", false)};
  const std::shared_ptr<const ConfigSpace> other = *ConfigSpace::Create(options);
  Record(Matmul("64x128x512:f32"), "near", other->Default(), 100);
  EXPECT_THAT(Find(), IsEmpty());
}

TEST_F(TransferTest, TheTunerPlantsThemAndSaysWhatTheyWereWorth) {
  const Config optimum = ExampleOptimum(*space_);
  Record(Matmul("64x128x512:f32"), "near", optimum, 100);
  TuneOptions options;
  options.budget = {.evaluations = 10, .seconds = 0};
  options.transfer.max_seeds = 3;
  const absl::StatusOr<TuneResult> result = RunTune(options);
  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result->best.config, optimum);
  EXPECT_EQ(result->best.heuristic, "recorded: near on Example CPU");
  ASSERT_THAT(result->heuristics, SizeIs(1));
  EXPECT_EQ(result->heuristics[0].kind, HeuristicOutcomeKind::kSeeded);
  EXPECT_EQ(result->heuristics[0].best_rank, 1);
  EXPECT_TRUE(result->heuristics[0].winner_descends);
  // Never the untuned default.
  EXPECT_EQ(result->untuned, space_->Default());
}

TEST_F(TransferTest, OffUnlessAskedFor) {
  Record(Matmul("64x128x512:f32"), "near", ExampleOptimum(*space_), 100);
  TuneOptions options;
  options.budget = {.evaluations = 5, .seconds = 0};
  const absl::StatusOr<TuneResult> result = RunTune(options);
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(result->heuristics, IsEmpty());
}

// Wherever a run is stopped, and whatever is recorded until it is gone on with.
TEST_F(TransferTest, AnUnfinishedRunKeepsItsSeeds) {
  Record(Matmul("64x128x512:f32"), "near", space_->At(5), 100);
  Record(Matmul("64x128x1024:f32"), "less near", space_->At(6), 100);
  TuneOptions options;
  options.budget = {.evaluations = 8, .seconds = 0};
  options.transfer.max_seeds = 2;
  for (int stop_at = 1; stop_at <= 8; ++stop_at) {
    SCOPED_TRACE(stop_at);
    options.random_seed = static_cast<uint64_t>(stop_at);
    std::atomic<bool> stop = false;
    int measured = 0;
    options.stop = &stop;
    const absl::StatusOr<TuneResult> stopped =
        RunTune(options, [&] { stop = ++measured == stop_at; });
    ASSERT_THAT(stopped, IsOk());
    ASSERT_FALSE(stopped->finished);
    Record(*kernel_, absl::StrCat("newer", stop_at),
           space_->At(static_cast<uint64_t>(100 + stop_at)), 50.0 - stop_at);
    options.stop = nullptr;
    const absl::StatusOr<TuneResult> result = RunTune(options);
    ASSERT_THAT(result, IsOk());
    EXPECT_TRUE(result->resumed);
    EXPECT_THAT(result->notes, IsEmpty());
    EXPECT_EQ(result->run_id, stopped->run_id);
    ASSERT_THAT(result->heuristics, SizeIs(2));
    for (size_t i = 0; i < 2; ++i) {
      EXPECT_EQ(result->heuristics[i].heuristic, stopped->heuristics[i].heuristic);
      EXPECT_EQ(result->heuristics[i].seeds, stopped->heuristics[i].seeds);
      EXPECT_EQ(result->heuristics[i].detail, stopped->heuristics[i].detail);
    }
    EXPECT_EQ(result->trials[1].candidate.config, stopped->heuristics[0].seeds[0]);
    EXPECT_EQ(result->trials[2].candidate.config, stopped->heuristics[1].seeds[0]);
  }
}

}  // namespace
}  // namespace seedtune
