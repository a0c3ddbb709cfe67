// Checks the tables that are there, whichever they are; there may be none.
#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "config/config_space.h"
#include "config/knob.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hardware/hardware_info.h"
#include "hardware/specs.h"
#include "heuristics/autotuner_heuristic.h"
#include "heuristics/cpu/cpu_seed_tables.h"
#include "heuristics/seed_table.h"
#include "heuristics/seed_table.pb.h"
#include "heuristics/test_kernel.h"
#include "testing/status_matchers.h"
#include "util/embedded_file.h"

namespace seedtune {
namespace {

constexpr char kFolder[] = "heuristics/cpu/seeds";

TEST(CpuSeedTablesTest, EachFileOfTheFolderIsCompiledIn) {
  std::vector<std::string> in_folder;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    const std::string name = entry.path().filename().string();
    if (name != "README.md") in_folder.push_back(name);
  }
  std::sort(in_folder.begin(), in_folder.end());
  std::vector<std::string> compiled_in;
  for (const EmbeddedFile& file : CpuSeedTables()) {
    compiled_in.push_back(std::string(file.name) + ".textproto");
  }
  EXPECT_EQ(in_folder, compiled_in);
}

TEST(CpuSeedTablesTest, EachTableIsValidAndNamedAsItsFile) {
  for (const EmbeddedFile& file : CpuSeedTables()) {
    SCOPED_TRACE(file.path);
    ASSERT_OK_AND_ASSIGN(const SeedTableProto table, ParseSeedTable(file.contents, file.path));
    EXPECT_EQ(table.name(), file.name);
    EXPECT_EQ(table.backend(), "cpu");
  }
}

// On every known device that may use the table, each shape that was measured gets a seed that the
// space takes.
TEST(CpuSeedTablesTest, TheSpaceTakesEverySeedThatWasMeasured) {
  for (const EmbeddedFile& file : CpuSeedTables()) {
    SCOPED_TRACE(file.path);
    ASSERT_OK_AND_ASSIGN(SeedTableProto table, ParseSeedTable(file.contents, file.path));
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<const AutotunerHeuristic> heuristic,
                         MakeSeedTableHeuristic(table));
    for (const std::string& spec : SpecNames()) {
      const HardwareInfo device = TestKernel::Device(spec);
      if (device.kind != DeviceKind::kCpu) continue;
      for (const SeedTableProto::Rule& rule : table.rules()) {
        for (const SeedTableProto::Measured& measured : rule.measured()) {
          SCOPED_TRACE(measured.shape());
          const TestKernel test("cpu", TestKernel::Kernel(measured.shape()), device);
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

}  // namespace
}  // namespace seedtune
