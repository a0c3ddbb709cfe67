#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "config/config_space.h"
#include "config/interchange/foreign_config.h"
#include "config/knob.h"
#include "config/spaces/testing_kernels.h"
#include "config/spaces/triton/triton_space.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::HasSubstr;

PartialConfig Tile() {
  PartialConfig tile;
  tile.Set("block_size[m]", 128).Set("block_size[n]", 256).Set("block_size[k]", 64);
  return tile.Set("num_warps", 8).Set("num_stages", 4).Set("l2_grouping", 8);
}

TEST(InterchangeTest, ReadsWhatHelionShips) {
  const auto read = ReadAnyConfig(
      R"({"block_sizes":[128,256,64],"indexing":["pointer","pointer","tensor_descriptor"],)"
      R"("l2_groupings":[32],"load_eviction_policies":["first",""],"loop_orders":[[1,0]],)"
      R"("num_stages":4,"num_warps":4,"pid_type":"flat","range_flattens":[null,false],)"
      R"("range_multi_buffers":[null,true],"range_num_stages":[0,2],"atomic_indexing":[],)"
      R"("flatten_loops":[false],"static_ranges":[false],"maxnreg":null})");
  ASSERT_THAT(read, IsOk());
  PartialConfig want;
  want.Set("block_size[m]", 128).Set("block_size[n]", 256).Set("block_size[k]", 64);
  want.Set("indexing[0]", "pointer").Set("indexing[1]", "pointer");
  want.Set("indexing[2]", "tensor_descriptor").Set("l2_grouping", 32).Set("maxnreg", 0);
  want.Set("load_eviction_policy[0]", "first").Set("load_eviction_policy[1]", "none");
  want.Set("loop_order", KnobValue(std::vector<int>{1, 0})).Set("num_stages", 4);
  want.Set("num_warps", 4).Set("pid_type", "flat").Set("range_flatten[grid]", "auto");
  want.Set("range_flatten[k]", "false").Set("range_multi_buffer[grid]", "auto");
  want.Set("range_multi_buffer[k]", "true").Set("range_num_stages[grid]", 0);
  want.Set("range_num_stages[k]", 2);
  EXPECT_EQ(*read, want);
}

TEST(InterchangeTest, OneValueOfHelionServesAllOperands) {
  ASSERT_OK_AND_ASSIGN(const PartialConfig read,
                       ReadAnyConfig(R"({"block_sizes":[1,64,64,32],"indexing":"block_ptr"})"));
  EXPECT_EQ(read.values.at("indexing[2]"), KnobValue(std::string("block_pointer")));
  EXPECT_EQ(read.values.at("block_size[k]"), KnobValue(int64_t{32}));
}

TEST(InterchangeTest, ReadsWhatTritonsTutorialsHave) {
  for (const char* text : {
           "triton.Config({'BLOCK_SIZE_M': 128, 'BLOCK_SIZE_N': 256, 'BLOCK_SIZE_K': 64, "
           "'GROUP_SIZE_M': 8}, num_stages=4, num_warps=8)",
           " triton.Config( { \"BLOCK_M\" : 128, \"BLOCK_N\":256,\"BLOCK_K\":64, "
           "\"GROUP_M\": 8, }, num_stages = 4,\n num_warps = 8, num_ctas=1, pre_hook=None, ),",
           "Config(kwargs={'BLOCK_SIZE_M': 128, 'BLOCK_SIZE_N': 256, 'BLOCK_SIZE_K': 64, "
           "'GROUP_SIZE_M': 8}, num_stages=4, num_warps=8)",
       }) {
    ASSERT_OK_AND_ASSIGN(const PartialConfig read, ReadAnyConfig(text));
    EXPECT_EQ(read, Tile()) << text;
  }
}

TEST(InterchangeTest, WritesWhatCanBePasted) {
  EXPECT_THAT(*WriteConfig(Tile(), ConfigFormat::kTriton),
              "triton.Config({'BLOCK_SIZE_M': 128, 'BLOCK_SIZE_N': 256, 'BLOCK_SIZE_K': 64, "
              "'GROUP_SIZE_M': 8}, num_warps=8, num_stages=4)");
  EXPECT_THAT(*WriteConfig(Tile().Set("indexing[1]", "block_pointer"), ConfigFormat::kHelion),
              R"({"block_sizes": [128, 256, 64], "l2_groupings": [8], )"
              R"("indexing": ["pointer", "block_ptr"], "num_warps": 8, "num_stages": 4})");
}

TEST(InterchangeTest, RefusesByName) {
  const struct {
    const char *text, *error;
  } kRead[] = {
      {R"({"block_sizes":[128,256,64],"tcgen05_cluster_m":2})", "tcgen05_cluster_m is 2"},
      {R"({"block_sizes":[128,256]})", "want those of m, n and k"},
      {R"({"block_sizes":[2,128,256,64]})", "block_sizes[0] is 2, want 1"},
      {R"({"block_sizes":[128,256,64],"num_warps":"8"})", "num_warps is \"8\", want an integer"},
      {R"({"block_sizes":[128,256,64],"range_flattens":[null,1]})", "range_flattens[1] is 1"},
      {R"({"block_sizes":[128,256,64],"loop_orders":[[0,5]]})", "axis 5, want 0 to 1"},
      {R"({"block_sizes":[128,256,64],"num_warps":8,"num_warps":4})", "num_warps is there twice"},
      {"triton.Config({'HEAD_DIM': 64}, num_warps=4)", "HEAD_DIM is 64, which no knob"},
      {"triton.Config({'BLOCK_M': X}, num_warps=4)", "BLOCK_M is X, want an integer"},
      {"triton.Config({'BLOCK_M': 64}, num_ctas=2)", "num_ctas is 2, which no knob"},
      {"triton.Config({'BLOCK_M': 64}, num_warps=4", "want ')', found the end"},
      {"triton.Config({'BLOCK_M': 64, 'BLOCK_SIZE_M': 64})", "BLOCK_SIZE_M is there twice"},
      {"numba.Config()", "want triton.Config(...)"},
      {"{\"num_warps\": }", "offset"},
      {"", "offset"},
  };
  for (const auto& c : kRead) {
    EXPECT_THAT(ReadAnyConfig(c.text),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.error)))
        << c.text;
  }
  const struct {
    PartialConfig config;
    ConfigFormat format;
    const char* error;
  } kWrite[] = {
      {Tile().Set("pid_type", "persistent_interleaved"), ConfigFormat::kTriton, "knob pid_type"},
      {Tile().Set("indexing[1]", "tensor_descriptor"), ConfigFormat::kTriton, "knob indexing[1]"},
      {Tile().Set("num_sm_multiplier", 2), ConfigFormat::kTriton, "knob num_sm_multiplier (2)"},
      {Tile().Set("block_size[n1]", 64), ConfigFormat::kTriton, "knob block_size[n1]"},
      {Tile().Set("epilogue_subtile", 4), ConfigFormat::kTriton, "epilogue_subtile is 4"},
      {Tile().Set("block_size[n1]", 64), ConfigFormat::kHelion, "knob block_size[n1]"},
      {Tile().Set("maxnreg", 128), ConfigFormat::kHelion, "maxnreg is 128"},
      {PartialConfig().Set("num_warps", 8), ConfigFormat::kHelion, "block_size[m] is not set"},
  };
  for (const auto& c : kWrite) {
    EXPECT_THAT(WriteConfig(c.config, c.format),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.error)));
  }
  EXPECT_THAT(ParseConfigFormat("tvm"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("\"tvm\"")));
}

class RoundTripTest : public testing::TestWithParam<std::pair<const char*, const char*>> {};

// What is not expressible is set to the space's default first; that it is refused as it was drawn
// is looked at on the way.
TEST_P(RoundTripTest, OfAThousandRandomConfigurationsLosesNothing) {
  const auto [kernel, device] = GetParam();
  ASSERT_OK_AND_ASSIGN(const auto space, TritonMatmulSpace(FactsOf(kernel), Device(device)));
  const PartialConfig defaults = space->Default().ToPartial();
  std::mt19937_64 random(7);
  for (const ConfigFormat format :
       {ConfigFormat::kSeedtune, ConfigFormat::kHelion, ConfigFormat::kTriton}) {
    int refused = 0;
    for (int i = 0; i < 1000; ++i) {
      PartialConfig drawn = space->Sample(random).ToPartial();
      absl::StatusOr<std::string> text = WriteConfig(drawn, format);
      // Each refusal names a knob; what it names goes, and no other knob is refused for nothing.
      int given_up = 0;
      while (!text.ok()) {
        ASSERT_LT(++given_up, 30) << text.status();
        bool named = false;
        for (auto& [knob, value] : drawn.values) {
          if (text.status().message().find(knob) == std::string::npos ||
              value == defaults.values.at(knob)) {
            continue;
          }
          value = defaults.values.at(knob);
          named = true;
        }
        ASSERT_TRUE(named) << text.status();
        text = WriteConfig(drawn, format);
      }
      refused += given_up > 0;
      ASSERT_OK_AND_ASSIGN(PartialConfig read, ReadAnyConfig(*text));
      // Knobs that a form leaves out have the space's defaults.
      read.values.insert(defaults.values.begin(), defaults.values.end());
      ASSERT_EQ(read, drawn) << *text;
    }
    if (format == ConfigFormat::kSeedtune) {
      EXPECT_EQ(refused, 0);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(AllVendors, RoundTripTest,
                         testing::Values(std::pair("matmul:4096x4096x4096:bf16", "h100_sxm"),
                                         std::pair("matmul:128x128x65536:bf16", "b200"),
                                         std::pair("matmul:512x512x512:f16:batch=8", "h100_sxm"),
                                         std::pair("matmul:4096x4096x4096:bf16", "mi300x")));

}  // namespace
}  // namespace seedtune
