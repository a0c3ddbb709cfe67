#include "autotuner/replay/recorded_only.h"

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/numeric/int128.h"
#include "autotuner/outcome.h"
#include "autotuner/replay/recorded_space.h"
#include "config/config_space.h"
#include "config/knob.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

TEST(RestrictToRecordedTest, NothingElseIsValid) {
  ConfigSpace::Options options;
  options.name = "square";
  options.knobs = {*Knob::Integer("x", 0, 9, 1, 0), *Knob::Enum("layout", {"row", "col"}, "row")};
  const std::shared_ptr<const ConfigSpace> space = *ConfigSpace::Create(std::move(options));
  std::vector<RecordedConfig> configs;
  for (uint64_t i = 0; i < 20; i += 3) {
    RecordedConfig config{.config = space->At(i), .outcome = {}, .compile_cost_ns = 1.0 + i};
    config.outcome.kind = OutcomeKind::kOk;
    config.outcome.samples_ns = {1.0 + i};
    configs.push_back(config);
  }
  ASSERT_OK_AND_ASSIGN(const auto record, RecordedSpace::Create("k", "d", space, configs));
  EXPECT_FALSE(record->is_exhaustive());

  ASSERT_OK_AND_ASSIGN(const auto restricted, RestrictToRecorded(*record));
  EXPECT_TRUE(restricted->is_exhaustive());
  EXPECT_EQ(restricted->space()->NumValid(), absl::uint128(7));
  EXPECT_EQ(restricted->kernel_name(), "k");
  EXPECT_EQ(restricted->device_name(), "d");
  for (uint64_t i = 0; i < 20; ++i) {
    EXPECT_EQ(restricted->space()->IsValid(space->At(i).choices()), i % 3 == 0) << i;
  }
  for (uint64_t i = 0; i < 7; ++i) {
    const Config config = restricted->space()->At(i);
    const RecordedConfig* found = restricted->Find(config);
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->outcome, record->Find(config)->outcome);
    EXPECT_EQ(found->total_cost_ns(), record->Find(config)->total_cost_ns());
  }
}

}  // namespace
}  // namespace seedtune
