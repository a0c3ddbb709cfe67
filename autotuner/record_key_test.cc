#include "autotuner/record_key.h"

#include <memory>
#include <vector>

#include "autotuner/database/records.h"
#include "autotuner/example_tuning.h"
#include "autotuner/measurer.h"
#include "config/config_space.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ir/kernel.h"
#include "ir/matmul.h"

namespace seedtune {
namespace {

TEST(MakeRecordKeyTest, T12_ChangesWithEverythingThatMakesATimeMeaningless) {
  const auto kernel = ExampleKernel();
  const auto space = ExampleSpace();
  const MeasurerInfo info = ExampleMeasurerInfo();
  std::vector<RecordKey> keys = {MakeRecordKey(*kernel, *space, info)};

  const Kernel other_kernel = *BuildMatmul(*ParseMatmulShortForm("matmul:64x128x257:f32"));
  keys.push_back(MakeRecordKey(other_kernel, *space, info));
  ConfigSpace::Options options;
  options.name = "example";
  options.version = 2;
  options.knobs = {space->knobs().begin(), space->knobs().end()};
  keys.push_back(MakeRecordKey(*kernel, **ConfigSpace::Create(options), info));
  const auto with = [&](auto change) {
    MeasurerInfo changed = info;
    change(changed);
    keys.push_back(MakeRecordKey(*kernel, *space, changed));
  };
  with([](MeasurerInfo& changed) { changed.backend = "other"; });
  with([](MeasurerInfo& changed) { changed.device.name = "Other CPU"; });
  with([](MeasurerInfo& changed) { changed.device.driver_version = "535.1"; });
  with([](MeasurerInfo& changed) { changed.code_generator_version = "v2"; });
  with([](MeasurerInfo& changed) { changed.compiler_version = "example 2.0"; });
  for (size_t i = 0; i < keys.size(); ++i) {
    for (size_t j = 0; j < i; ++j) EXPECT_NE(keys[i], keys[j]) << i << " and " << j;
  }
}

TEST(MakeRecordKeyTest, DoesNotChangeWithNames) {
  Kernel renamed = *ExampleKernel();
  renamed.name = "another";
  EXPECT_EQ(MakeRecordKey(renamed, *ExampleSpace(), ExampleMeasurerInfo()),
            MakeRecordKey(*ExampleKernel(), *ExampleSpace(), ExampleMeasurerInfo()));
}

}  // namespace
}  // namespace seedtune
