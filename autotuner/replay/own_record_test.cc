// The space that our own tool recorded (testdata/README.md), read, written and replayed.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "autotuner/outcome.h"
#include "autotuner/replay/experiment.h"
#include "autotuner/replay/gzip.h"
#include "autotuner/replay/recorded_space.h"
#include "autotuner/replay/t4.h"
#include "config/config_space.h"
#include "config/t1.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"
#include "util/file.h"

namespace seedtune {
namespace {

using ::testing::AllOf;
using ::testing::Ge;
using ::testing::Gt;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Lt;

class OwnRecordTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string folder = "autotuner/replay/testdata/";
    ASSERT_OK_AND_ASSIGN(t1_text_, ReadFile(folder + "cpu_matmul_16x16x32_T1.json"));
    ASSERT_OK_AND_ASSIGN(const std::string bytes,
                         ReadFile(folder + "cpu_matmul_16x16x32_T4.json.gz"));
    ASSERT_OK_AND_ASSIGN(t4_text_, MaybeGunzip(bytes));
    ASSERT_OK_AND_ASSIGN(t1_, ReadT1(t1_text_));
    ASSERT_OK_AND_ASSIGN(space_, MakeConfigSpace(t1_));
    std::vector<std::string> notes;
    ASSERT_OK_AND_ASSIGN(recorded_, ReadT4(t4_text_, space_, {}, &notes));
    EXPECT_THAT(notes, IsEmpty());
  }

  std::string t1_text_, t4_text_;
  T1Space t1_;
  std::shared_ptr<const ConfigSpace> space_;
  std::shared_ptr<const RecordedSpace> recorded_;
};

TEST_F(OwnRecordTest, HoldsAllOfItsSpace) {
  EXPECT_EQ(space_->NumValid(), 1408u);
  EXPECT_TRUE(recorded_->is_exhaustive());
  EXPECT_EQ(recorded_->kernel_name(), "matmul:16x16x32:f32");
  EXPECT_EQ(recorded_->device_name(), "AMD EPYC");
  for (const RecordedConfig& config : recorded_->configs()) {
    ASSERT_TRUE(config.outcome.ok());
    ASSERT_THAT(config.outcome.samples_ns.size(), Ge(5u));
    ASSERT_THAT(config.total_cost_ns(), Gt(0));
  }
}

TEST_F(OwnRecordTest, IsWrittenAsItWasRead) {
  // The text says when, which the record does not keep.
  const std::string_view key = "\"timestamp\": \"";
  const size_t from = t4_text_.find(key) + key.size();
  const std::string timestamp = t4_text_.substr(from, t4_text_.find('"', from) - from);
  ASSERT_THAT(timestamp, HasSubstr("2026-"));
  const std::string again = WriteT4(
      recorded_->configs(), {recorded_->kernel_name(), recorded_->device_name(), timestamp});
  EXPECT_TRUE(again == t4_text_);  // no dump of a megabyte
  EXPECT_EQ(WriteT1(t1_), t1_text_);
  EXPECT_EQ(WriteT1(MakeT1(*space_)), t1_text_) << "by way of the config space";
}

TEST_F(OwnRecordTest, CanBeSearchedAndScored) {
  ExperimentOptions options{.algorithms = {"random", "pattern", "exhaustive"}};
  options.repeats = 25;
  ASSERT_OK_AND_ASSIGN(const ExperimentResult result,
                       RunExperiment(std::vector{recorded_}, options));
  const ExperimentSpace& space = result.spaces[0];
  EXPECT_EQ(space.statistics.num_configs(), 1408);
  EXPECT_EQ(space.statistics.values_ns().size(), 1408u);
  const Score& random = space.cells[0].score;
  // Of evaluation counts nothing but chance decides.
  EXPECT_THAT(random.evaluations.score, AllOf(Gt(-0.3), Lt(0.3)));
  for (size_t i = 0; i < random.mean_fraction.size(); ++i) {
    EXPECT_NEAR(random.mean_fraction[i], random.random_fraction[i], 0.05);
  }
  EXPECT_THAT(space.cells[1].score.evaluations.score, Gt(random.evaluations.score));
}

}  // namespace
}  // namespace seedtune
