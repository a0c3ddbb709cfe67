#include "backends/external/messages.h"

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "backends/external/kernel_message.h"
#include "config/config_space.h"
#include "config/expression.h"
#include "config/t1.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ir/load.h"
#include "nlohmann/json.hpp"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

ExternalKernel Describe(const char* kernel) {
  return *MakeExternalKernel(LoadWorkload(kernel)->entries[0].kernel);
}

TEST(MessagesTest, ARequestIsOneLineWithAllFields) {
  ExternalRequest request;
  request.set_id(7);
  request.mutable_run()->set_candidate(3);
  request.mutable_run()->set_target_ns(3e7);
  const std::string line = RequestLine(request);
  EXPECT_THAT(line, Not(HasSubstr("\n")));
  const Json json = Json::parse(line);
  EXPECT_EQ(json["id"], 7);
  EXPECT_EQ(json["run"]["target_ns"], 30000000);
  EXPECT_EQ(json["run"]["drop_above_ns"], 0);
  EXPECT_EQ(json["run"]["check_result"], false);
  EXPECT_EQ(json["run"]["data_seed"], 0);
}

TEST(MessagesTest, AMatmulIsToldInPlainNumbers) {
  const Json json = Json::parse(
      KernelJson(Describe("matmul:256x512x128:bf16:nt:batch=3:scale=0.5:bias:gelu:residual")));
  EXPECT_EQ(json["function"], "matmul");
  const Json& matmul = json["matmul"];
  EXPECT_EQ(matmul["m"], 256);
  EXPECT_EQ(matmul["n"], 512);
  EXPECT_EQ(matmul["k"], 128);
  EXPECT_EQ(matmul["batch"], 3);
  EXPECT_EQ(matmul["accumulator"], "f32");
  EXPECT_EQ(matmul["scale"], 0.5);
  EXPECT_EQ(matmul["epilogue"], Json({"scale", "bias", "gelu", "residual"}));
  EXPECT_EQ(matmul["lhs"]["dtype"], "bf16");
  EXPECT_EQ(matmul["lhs"]["layout"], "row_major");
  EXPECT_EQ(matmul["lhs"]["row_stride"], 128);
  EXPECT_EQ(matmul["lhs"]["batch_stride"], 256 * 128);
  EXPECT_EQ(matmul["rhs"]["layout"], "column_major");
  EXPECT_EQ(matmul["rhs"]["column_stride"], 128);
  EXPECT_EQ(matmul["residual"]["row_stride"], 512);
  EXPECT_FALSE(json["ir"]["ops"].empty());
}

TEST(MessagesTest, AFunctionIsToldByItsParameters) {
  const Json json = Json::parse(KernelJson(Describe("external:f:n=4096:alpha=0.5:mode=fast")));
  EXPECT_EQ(json["function"], "f");
  EXPECT_EQ(json["parameters"], Json({{"n", 4096}, {"alpha", 0.5}, {"mode", "fast"}}));
  EXPECT_EQ(json.count("matmul"), 0u);
  EXPECT_EQ(Json::parse(KernelJson(Describe("external:f")))["parameters"], Json::object());
}

TEST(MessagesTest, ASharedKernelMakesTheSameLine) {
  // A user's words may look like ours.
  for (const char* kernel : {"matmul:64x64x64:f32", "external:compile:compile=1"}) {
    ExternalRequest request;
    request.set_id(3);
    request.mutable_compile()->set_timeout_ns(1e9);
    const std::string line = CompileLine(request, KernelJson(Describe(kernel)));
    *request.mutable_compile()->mutable_kernel() = Describe(kernel);
    EXPECT_EQ(Json::parse(line), Json::parse(RequestLine(request)));
  }
}

TEST(MessagesTest, SymbolicShapesAreRefused) {
  EXPECT_THAT(
      MakeExternalKernel(LoadWorkload("matmul:M=16[1,64]x64x64:f32")->entries[0].kernel).status(),
      StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("axis \"m\" is symbolic")));
}

TEST(MessagesTest, ConfigurationsKeepTheirTypes) {
  ASSERT_OK_AND_ASSIGN(
      const auto space,
      MakeConfigSpace(
          {.name = "s",
           .parameters =
               {{"tile",
                 "int",
                 {ExpressionValue(int64_t{16}), ExpressionValue(int64_t{1048576})},
                 ExpressionValue(int64_t{1048576})},
                {"unroll",
                 "bool",
                 {ExpressionValue(int64_t{0}), ExpressionValue(int64_t{1})},
                 ExpressionValue(int64_t{1})},
                {"order", "string", {ExpressionValue("row"), ExpressionValue("column")}, {}},
                {"scale", "float", {ExpressionValue(0.5), ExpressionValue(1.5)}, {}}},
           .conditions = {}}));
  ExternalRequest request;
  *request.mutable_compile()->mutable_config() = ConfigToStruct(space->Default());
  EXPECT_EQ(Json::parse(RequestLine(request))["compile"]["config"],
            Json({{"tile", 1048576}, {"unroll", true}, {"order", "row"}, {"scale", 0.5}}));
}

TEST(MessagesTest, SaysWhatIsNoReply) {
  const struct {
    const char *line, *error;
  } kCases[] = {
      {"", "which is no JSON"},
      {"ready", "\"ready\", which is no JSON"},
      {"{\"id\":1,\"hello\":{}} trailing", "which is no JSON"},
      {"{'id':1,'hello':{}}", "which is no JSON"},
      {"[1]", "want an object"},
      {"{\"id\":1}", "which has none of \"hello\""},
      {"{\"id\":\"x\",\"hello\":{}}", "which is no message"},
      {"{\"id\":1,\"run\":{\"samples_ns\":[\"fast\"]}}", "which is no message"},
  };
  for (const auto& c : kCases) {
    EXPECT_THAT(ParseReply(c.line),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.error)))
        << c.line;
  }
  EXPECT_THAT(ParseReply("{\"id\":1,\"hello\":{\"later\":[{}]},\"more\":1}"), IsOk());
}

TEST(MessagesTest, NamesUnknownFieldsByTheirPlace) {
  EXPECT_THAT(
      UnknownReplyFields("{\"id\":1,\"space\":{\"parameters\":[{\"nane\":\"a\",\"values\":[{"
                         "\"x\":1}]}],\"constraint\":[]},\"more\":1}"),
      ElementsAre("space.parameters.nane", "space.constraint", "more"));
}

}  // namespace
}  // namespace seedtune
