#include "heuristics/example/tall_tiles.h"

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "config/config_space.h"
#include "config/spaces/spaces.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hardware/specs.h"
#include "heuristics/builtin.h"
#include "heuristics/consult.h"
#include "heuristics/registry.h"
#include "heuristics/tuning_context.h"
#include "ir/kernel.h"
#include "ir/matmul.h"
#include "matmul_ops/matmul_fact.h"

namespace my_compiler {
namespace {

using seedtune::HeuristicOutcome;
using seedtune::HeuristicOutcomeKind;
using ::testing::HasSubstr;

HeuristicOutcome Consult(const char* text) {
  seedtune::HeuristicRegistry registry = seedtune::BuiltinHeuristics();
  EXPECT_TRUE(registry.Add(MakeTallTiles()).ok());
  const seedtune::Kernel kernel = *seedtune::BuildMatmul(*seedtune::ParseMatmulShortForm(text));
  const auto facts = seedtune::ExtractMatmulFacts(kernel);
  const seedtune::HardwareInfo device = *seedtune::FindSpec("h100_sxm");
  const auto space = *seedtune::BuildConfigSpace("triton", facts, device);
  const seedtune::ConsultResult result =
      seedtune::ConsultHeuristics(registry, "triton", {kernel, facts, device, *space});
  return result.outcomes.back();
}

TEST(TallTilesTest, SeedsTallMatmulsBesideTheBuiltInOnes) {
  const HeuristicOutcome outcome = Consult("matmul:65536x64x1024:bf16");
  EXPECT_EQ(outcome.heuristic, "my_tall_tiles");
  EXPECT_EQ(outcome.kind, HeuristicOutcomeKind::kSeeded) << outcome.detail;
  EXPECT_EQ(outcome.seeds.front().GetInt("block_size[m]"), 256);
}

TEST(TallTilesTest, DeclinesWithAReason) {
  const HeuristicOutcome outcome = Consult("matmul:4096x4096x1024:bf16");
  EXPECT_EQ(outcome.kind, HeuristicOutcomeKind::kDeclined);
  EXPECT_THAT(outcome.detail, HasSubstr("want at least 4096 rows and at most 128 columns"));
}

std::string Contents(const char* path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  EXPECT_FALSE(text.str().empty()) << path;
  return text.str();
}

// What the documentation shows is what is compiled here, line by line.
TEST(TallTilesTest, TheDocumentationShowsThisCode) {
  const std::string code = Contents("heuristics/example/tall_tiles.cc");
  std::istringstream page(Contents("docs/heuristics.md"));
  bool in_code = false;
  int shown = 0;
  for (std::string line; std::getline(page, line);) {
    if (line == "```cpp") {
      in_code = true;
    } else if (line == "```") {
      in_code = false;
    } else if (in_code && !line.empty()) {
      EXPECT_THAT(code, HasSubstr(line + "\n"));
      ++shown;
    }
  }
  EXPECT_GT(shown, 30);
}

}  // namespace
}  // namespace my_compiler
