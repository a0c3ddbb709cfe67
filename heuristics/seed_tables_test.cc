// Checks the tables that are there, whichever they are.
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "config/config_space.h"
#include "config/knob.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hardware/hardware_info.h"
#include "hardware/specs.h"
#include "heuristics/autotuner_heuristic.h"
#include "heuristics/builtin.h"
#include "heuristics/consult.h"
#include "heuristics/registry.h"
#include "heuristics/seed_table.h"
#include "heuristics/seed_table.pb.h"
#include "heuristics/test_kernel.h"
#include "testing/status_matchers.h"
#include "util/embedded_file.h"

namespace seedtune {
namespace {

using ::testing::SizeIs;
using ::testing::UnorderedElementsAreArray;

TEST(SeedTablesTest, EachFileOfTheFoldersIsCompiledIn) {
  std::vector<std::string> in_folders;
  for (const char* folder : {"heuristics/cpu/seeds", "heuristics/cuda/seeds"}) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.path().filename() != "README.md") in_folders.push_back(entry.path().stem());
    }
  }
  std::vector<std::string> compiled_in;
  for (const EmbeddedFile& file : BuiltinSeedTables()) compiled_in.emplace_back(file.name);
  EXPECT_THAT(compiled_in, UnorderedElementsAreArray(in_folders));
}

TEST(SeedTablesTest, EachTableIsValidAndNamedAsItsFile) {
  for (const EmbeddedFile& file : BuiltinSeedTables()) {
    SCOPED_TRACE(file.path);
    ASSERT_OK_AND_ASSIGN(const SeedTableProto table, ParseSeedTable(file.contents, file.path));
    EXPECT_EQ(table.name(), file.name);
    EXPECT_EQ(std::string(file.path).rfind("heuristics/" + table.backend() + "/seeds/", 0), 0u);
  }
}

// On every known device that may use the table, each shape that was measured gets a seed that the
// space takes.
TEST(SeedTablesTest, TheSpaceTakesEverySeedThatWasMeasured) {
  for (const EmbeddedFile& file : BuiltinSeedTables()) {
    SCOPED_TRACE(file.path);
    ASSERT_OK_AND_ASSIGN(const SeedTableProto table, ParseSeedTable(file.contents, file.path));
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<const AutotunerHeuristic> heuristic,
                         MakeSeedTableHeuristic(table));
    const DeviceKind kind = table.backend() == "cpu" ? DeviceKind::kCpu : DeviceKind::kCuda;
    for (const std::string& spec : SpecNames()) {
      const HardwareInfo device = TestKernel::Device(spec);
      if (device.kind != kind) continue;
      for (const SeedTableProto::Rule& rule : table.rules()) {
        for (const SeedTableProto::Measured& measured : rule.measured()) {
          SCOPED_TRACE(measured.shape());
          const TestKernel test(table.backend(), TestKernel::Kernel(measured.shape()), device);
          ASSERT_THAT(test.status(), IsOk());
          if (!heuristic->IsEligible(test.context()).eligible) continue;
          ASSERT_OK_AND_ASSIGN(const std::vector<PartialConfig> seeds,
                               heuristic->SeedConfigs(test.context()));
          for (const PartialConfig& seed : seeds) {
            EXPECT_THAT(test.space().Normalize(seed, NormalizeMode::kReject), IsOk());
          }
        }
      }
    }
  }
}

class HopperTableTest : public ::testing::Test {
 protected:
  const HeuristicRegistry registry_ = BuiltinHeuristics();
  const AutotunerHeuristic& table_ = *registry_.Find("cuda_sm90_matmul");
};

TEST_F(HopperTableTest, PlantsWhatWasMeasuredFirstAndLeavesTheUntunedAnswerToFormulas) {
  for (const EmbeddedFile& file : BuiltinSeedTables()) {
    if (file.name != "cuda_sm90_matmul") continue;
    ASSERT_OK_AND_ASSIGN(const SeedTableProto table, ParseSeedTable(file.contents, file.path));
    for (const char* device : {"h100_sxm", "h200"}) {
      for (const SeedTableProto::Rule& rule : table.rules()) {
        SCOPED_TRACE(rule.measured(0).shape());
        const TestKernel test("cuda", rule.measured(0).shape(), device);
        const std::vector<Config> own = test.Seeds(table_);
        ASSERT_THAT(own, SizeIs(1));
        EXPECT_FALSE(table_.PromotesPrimary(test.context()));
        const ConsultResult all = ConsultHeuristics(registry_, "cuda", test.context());
        ASSERT_FALSE(all.seeds.empty());
        EXPECT_EQ(all.seeds.front().config, own.front());
        ConsultOptions without;
        without.disabled = {"cuda_sm90_matmul"};
        const ConsultResult formulas =
            ConsultHeuristics(registry_, "cuda", test.context(), without);
        EXPECT_EQ(all.untuned, formulas.untuned);
        EXPECT_EQ(all.untuned_origin, formulas.untuned_origin);
        EXPECT_NE(all.untuned, own.front());
      }
    }
  }
}

TEST_F(HopperTableTest, SaysNothingOfOtherShapesTypesLayoutsAndDevices) {
  const auto is_eligible = [&](const char* kernel, const char* device) {
    return table_.IsEligible(TestKernel("cuda", kernel, device).context()).eligible;
  };
  EXPECT_TRUE(is_eligible("matmul:256x256x256:bf16", "h200"));
  EXPECT_TRUE(is_eligible("matmul:2047x515x4101:bf16:nt", "h200"));
  EXPECT_FALSE(is_eligible("matmul:256x256x257:bf16", "h200"));
  EXPECT_FALSE(is_eligible("matmul:256x256x256:f16", "h200"));
  EXPECT_FALSE(is_eligible("matmul:256x256x256:bf16:batch=2", "h200"));
  EXPECT_FALSE(is_eligible("matmul:2047x515x4101:bf16", "h200"));
  EXPECT_FALSE(is_eligible("matmul:256x256x256:bf16", "a100_sxm"));
  EXPECT_FALSE(is_eligible("matmul:256x256x256:bf16", "b200"));
}

}  // namespace
}  // namespace seedtune
