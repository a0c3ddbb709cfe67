#include "ir/opaque.h"

#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ir/fingerprint.h"
#include "ir/kernel.h"
#include "ir/load.h"
#include "ir/proto_convert.h"
#include "ir/validate.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::HasSubstr;

TEST(OpaqueTest, ReadsFunctionAndParameters) {
  ASSERT_OK_AND_ASSIGN(const OpaqueFunction function,
                       ParseOpaqueShortForm("external:transpose:rows=4096:alpha=-0.5:dtype=f32"));
  EXPECT_EQ(function.function, "transpose");
  EXPECT_EQ(function.parameters.at("rows"), OpaqueValue(int64_t{4096}));
  EXPECT_EQ(function.parameters.at("alpha"), OpaqueValue(-0.5));
  EXPECT_EQ(function.parameters.at("dtype"), OpaqueValue(std::string("f32")));
}

TEST(OpaqueTest, OneFunctionHasOneSpelling) {
  const struct {
    const char *text, *canonical;
  } kCases[] = {
      {"external:f", "external:f"},
      {"external:f:b=2:a=1", "external:f:a=1:b=2"},
      {"external:f:a=1e3:b=+7:c=007:d=2.50", "external:f:a=1000:b=7:c=7:d=2.5"},
      {"external:f:x=0.1:y=1e300", "external:f:x=0.1:y=1e+300"},
      {"external:f:mode=row,major/2:v=1.2.3", "external:f:mode=row,major/2:v=1.2.3"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.text);
    ASSERT_OK_AND_ASSIGN(const OpaqueFunction function, ParseOpaqueShortForm(c.text));
    EXPECT_EQ(OpaqueShortForm(function), c.canonical);
    EXPECT_THAT(ParseOpaqueShortForm(c.canonical), IsOkAndHolds(function));
  }
}

TEST(OpaqueTest, SaysWhatIsWrong) {
  const struct {
    const char *text, *error;
  } kCases[] = {
      {"matmul:1", "does not begin with \"external:\""},
      {"external:", "the function is \"\""},
      {"external:2d", "the function is \"2d\""},
      {"external:f:rows", "parameter 1 is \"rows\", want NAME=VALUE"},
      {"external:f:=3", "parameter 1 is \"=3\""},
      {"external:f:a=", "parameter \"a\" is \"\""},
      {"external:f:a=b c", "parameter \"a\" is \"b c\""},
      {"external:f:a=9007199254740993", "at most 2^53"},
      {"external:f:a=1:a=2", "there twice"},
  };
  for (const auto& c : kCases) {
    EXPECT_THAT(ParseOpaqueShortForm(c.text),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.error)))
        << c.text;
  }
}

TEST(OpaqueTest, IsAKernelLikeOthers) {
  ASSERT_OK_AND_ASSIGN(const Workload workload, LoadWorkload("external:f:rows=8:columns=4"));
  ASSERT_EQ(workload.entries.size(), 1u);
  const Kernel& kernel = workload.entries[0].kernel;
  EXPECT_EQ(kernel.name, "external:f:columns=4:rows=8");
  EXPECT_TRUE(IsOpaque(kernel));
  EXPECT_THAT(ValidateKernel(kernel), IsOk());
  EXPECT_THAT(KernelFromProto(KernelToProto(kernel)), IsOkAndHolds(kernel));
  EXPECT_THAT(ParseWorkload(PrintWorkload(workload), "w"), IsOk());
}

TEST(OpaqueTest, ItsNameIsItsIdentity) {
  const auto fingerprint = [](const char* text) {
    return KernelFingerprint(LoadWorkload(text)->entries[0].kernel);
  };
  EXPECT_EQ(fingerprint("external:f:a=1:b=2"), fingerprint("external:f:b=2:a=1.0"));
  EXPECT_NE(fingerprint("external:f:a=1"), fingerprint("external:f:a=2"));
  EXPECT_NE(fingerprint("external:f:a=1"), fingerprint("external:g:a=1"));
  EXPECT_NE(fingerprint("external:f"), fingerprint("external:f:a=1"));
}

TEST(OpaqueTest, WantsItsNameInOneSpelling) {
  Kernel kernel;
  kernel.name = "external:f:b=1:a=1";
  EXPECT_THAT(ValidateKernel(kernel), StatusIs(absl::StatusCode::kInvalidArgument,
                                               HasSubstr("want \"external:f:a=1:b=1\"")));
  kernel.name = "f";
  EXPECT_THAT(ValidateKernel(kernel),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("ops hold no store")));
}

}  // namespace
}  // namespace seedtune
