#include "autotuner/replay/recorded_space.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "autotuner/outcome.h"
#include "config/config_space.h"
#include "config/constraint.h"
#include "config/knob.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::HasSubstr;

// x in 1..4, y in 1..4, x * y <= 8: 14 configurations of 16.
std::shared_ptr<const ConfigSpace> MakeSpace(int limit = 8, int64_t max_y = 4) {
  ConfigSpace::Options options;
  options.name = "small";
  options.knobs = {Knob::Integer("x", 1, 4, 1, 1).value(),
                   Knob::Integer("y", 1, max_y, 1, 1).value()};
  options.constraints = {
      {"product_is_small", "x * y is small", {"x", "y"}, [limit](std::span<const int64_t> v) {
         return v[0] * v[1] <= limit;
       }}};
  return ConfigSpace::Create(std::move(options)).value();
}

RecordedConfig Record(Config config, double ns) {
  RecordedConfig record;
  record.config = std::move(config);
  record.outcome.kind = OutcomeKind::kOk;
  record.outcome.samples_ns = {ns};
  return record;
}

std::vector<RecordedConfig> RecordAll(const std::shared_ptr<const ConfigSpace>& space) {
  std::vector<RecordedConfig> records;
  for (uint64_t i = 0; i < static_cast<uint64_t>(space->NumValid()); ++i) {
    records.push_back(Record(space->At(i), 100.0 + static_cast<double>(i)));
  }
  return records;
}

TEST(RecordedSpaceTest, FindsEachConfiguration) {
  auto space = MakeSpace();
  ASSERT_OK_AND_ASSIGN(auto recorded,
                       RecordedSpace::Create("kernel", "device", space, RecordAll(space)));
  EXPECT_EQ(recorded->kernel_name(), "kernel");
  EXPECT_EQ(recorded->device_name(), "device");
  EXPECT_TRUE(recorded->is_exhaustive());
  for (uint64_t i = 0; i < static_cast<uint64_t>(space->NumValid()); ++i) {
    const RecordedConfig* found = recorded->Find(space->At(i));
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->outcome.samples_ns[0], 100.0 + static_cast<double>(i));
  }
}

TEST(RecordedSpaceTest, KnowsWhatIsNotRecorded) {
  auto space = MakeSpace();
  std::vector<RecordedConfig> records = RecordAll(space);
  const Config missing = records.back().config;
  records.pop_back();
  ASSERT_OK_AND_ASSIGN(auto recorded,
                       RecordedSpace::Create("kernel", "device", space, std::move(records)));
  EXPECT_FALSE(recorded->is_exhaustive());
  EXPECT_EQ(recorded->Find(missing), nullptr);
}

TEST(RecordedSpaceTest, TakesConfigurationsOfAnEqualSpace) {
  auto space = MakeSpace();
  EXPECT_TRUE(RecordedSpace::Create("kernel", "device", space, RecordAll(MakeSpace())).ok());
}

TEST(RecordedSpaceTest, RejectsWhatIsNotOneRecordPerConfiguration) {
  auto space = MakeSpace();
  auto twice = RecordAll(space);
  twice.push_back(twice.front());
  auto no_samples = RecordAll(space);
  no_samples[1].outcome.samples_ns.clear();
  auto no_space = RecordAll(space);
  no_space[2].config = Config();
  auto negative_cost = RecordAll(space);
  negative_cost[3].search_cost_ns = -1;
  const struct {
    const char* name;
    std::vector<RecordedConfig> records;
    const char* error;
  } kCases[] = {
      {"nothing", {}, "no results"},
      {"twice", twice, "is results[0] again"},
      {"another space", RecordAll(MakeSpace(8, 5)), "results[0] is of small.v1"},
      {"of no space", no_space, "results[2] is of no space"},
      {"other constraints", RecordAll(MakeSpace(16)), "constraint \"product_is_small\""},
      {"negative cost", negative_cost, "a cost is -1"},
      {"bad outcome", no_samples, "results[1]"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.name);
    auto recorded = RecordedSpace::Create("kernel", "device", space, c.records);
    EXPECT_EQ(recorded.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(recorded.status().message()), HasSubstr(c.error));
  }
}

TEST(RecordedConfigTest, TotalCostIsTheSumOfAllCosts) {
  RecordedConfig record;
  record.compile_cost_ns = 1;
  record.benchmark_cost_ns = 2;
  record.framework_cost_ns = 4;
  record.search_cost_ns = 8;
  record.verification_cost_ns = 16;
  EXPECT_EQ(record.total_cost_ns(), 31);
}

}  // namespace
}  // namespace seedtune
