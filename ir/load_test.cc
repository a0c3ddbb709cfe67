#include "ir/load.h"

#include <cstdlib>
#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ir/kernel.h"
#include "ir/matmul.h"
#include "ir/test_kernels.h"
#include "testing/status_matchers.h"
#include "testing/temp_dir.h"
#include "util/file.h"

namespace seedtune {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kWorkload[] = R"(# proto-message: seedtune.WorkloadProto
name: "tiny"
description: "two kernels"
kernels {
  name: "up"
  count: 3
  matmul { m: 16 n: 64 k: 32 dtype: F32 bias: true }
}
kernels {
  name: "down"
  matmul { m: 16 n: 32 k: 64 dtype: F32 }
}
)";

constexpr char kKernel[] =
    R"(# One kernel, with names of fields of others in comments and strings: kernels {}
name: "kernels { twice: 1 }"
axes { name: "i" kind: PARALLEL extent { static: 4 } }
tensors { name: 'x' dtype: F32 dims < size { static: 4 } > }
tensors { name: 'y' dtype: F32 dims { size { static: 4 } } }
ops { name: "load" load { tensor: "x" index: "i" } }
ops { name: "double" pointwise { kind: ADD values: ["load", "load"] } }
ops { name: "store" store { tensor: "y" index: "i" value: "double" } }
)";

TEST(ParseWorkloadTest, ReadsAWorkload) {
  ASSERT_OK_AND_ASSIGN(const Workload workload, ParseWorkload(kWorkload, "tiny.textproto"));
  EXPECT_EQ(workload.name, "tiny");
  EXPECT_EQ(workload.description, "two kernels");
  ASSERT_EQ(workload.entries.size(), 2u);
  EXPECT_EQ(workload.entries[0].kernel.name, "up");
  EXPECT_EQ(workload.entries[0].count, 3);
  EXPECT_EQ(workload.entries[1].kernel.name, "down");
  EXPECT_EQ(workload.entries[1].count, 1);
  EXPECT_THAT(BuildMatmul({.name = "down",
                           .m = Extent::Static(16),
                           .n = Extent::Static(32),
                           .k = Extent::Static(64)}),
              IsOkAndHolds(workload.entries[1].kernel));
}

TEST(ParseWorkloadTest, ReadsASingleKernel) {
  ASSERT_OK_AND_ASSIGN(const Workload workload, ParseWorkload(kKernel, "k.textproto"));
  EXPECT_EQ(workload.name, "kernels { twice: 1 }");
  ASSERT_EQ(workload.entries.size(), 1u);
  EXPECT_EQ(workload.entries[0].count, 1);
  EXPECT_EQ(workload.entries[0].kernel.name, "kernels { twice: 1 }");
  EXPECT_EQ(workload.entries[0].kernel.ops.size(), 3u);
}

TEST(ParseWorkloadTest, ReadsWhatPrintWorkloadWrote) {
  Workload workload;
  workload.name = "printed";
  workload.description = "with \"quotes\", a back\\slash,\na new line and an umlaut: ü";
  workload.entries.push_back({.kernel = RichKernel(), .count = 7});
  ASSERT_OK_AND_ASSIGN(const Workload back,
                       ParseWorkload(PrintWorkload(workload), "printed.textproto"));
  EXPECT_EQ(back.name, workload.name);
  EXPECT_EQ(back.description, workload.description);
  EXPECT_EQ(back.entries, workload.entries);
}

TEST(ParseWorkloadTest, SaysWhereAndWhatIsWrong) {
  const std::string good = kWorkload;
  const auto replaced = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  };
  const struct {
    const char* name;
    std::string text;
    const char* error;
  } cases[] = {
      {"empty", "", "f.textproto: empty, want a textproto (proto-message: seedtune.WorkloadProto)"},
      {"blank", " \n\t\n", "f.textproto: empty, want a textproto"},
      {"only a comment", "# nothing\n", "f.textproto: name is not set"},
      {"binary",
       std::string("\x7f"
                   "ELF\0\0\1",
                   7),
       "f.textproto: binary data, want a textproto"},
      {"garbage without zeros", "\x89PNG\r\n\x1a\n", "f.textproto:1:1: "},
      {"misspelt field", replaced("count", "cuont"),
       "f.textproto:6:8: no field \"cuont\" in seedtune.WorkloadProto.Entry, did you mean "
       "\"count\""},
      {"misspelt top field", replaced("kernels {", "kernel {"),
       "f.textproto:4:8: no field \"kernel\" in seedtune.WorkloadProto, did you mean \"kernels\""},
      {"misspelt dtype", replaced("F32", "F23"), "f.textproto:7:"},
      {"missing brace", good.substr(0, good.size() - 2), "f.textproto:12:1: "},
      {"duplicate", replaced("down", "up"),
       "f.textproto: kernels[1].name is \"up\", which kernels[0] has already"},
      {"count 0", replaced("count: 3", "count: 0"),
       "f.textproto: kernels[0] (\"up\").count is 0, want at least 1"},
      {"count too large", replaced("count: 3", "count: 9223372036854775808"), "f.textproto:6:"},
      {"m 0", replaced("m: 16", "m: 0"),
       "f.textproto: kernels[0] (\"up\"): m is 0, want at least 1"},
      {"overflow", replaced("m: 16", "m: 9223372036854775807"),
       "f.textproto: kernels[0] (\"up\"): kernel \"up\": tensors[0] (lhs).dims: the number of "
       "elements overflows 64 bits"},
      {"field of a kernel in a workload", good + "axes { name: 'i' }\n",
       "no field \"axes\" in seedtune.WorkloadProto"},
      {"misspelt field of a kernel", "name: 'k' axes { nmae: 'i' }",
       "f.textproto:1:22: no field \"nmae\" in seedtune.AxisProto, did you mean \"name\""},
      {"misspelt top field of a kernel", "name: 'k' axes { name: 'i' } tnesors {}",
       "no field \"tnesors\" in seedtune.KernelProto, did you mean \"tensors\""},
      {"wrong kernel", "name: 'k' ops { load { tensor: 'x' } }",
       "f.textproto: kernel \"k\": ops[0].load.tensor is \"x\", no tensor; known: none"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    const auto workload = ParseWorkload(c.text, "f.textproto");
    EXPECT_THAT(workload, StatusIs(absl::StatusCode::kInvalidArgument,
                                   AllOf(StartsWith("f.textproto:"), HasSubstr(c.error))));
    EXPECT_EQ(workload.status().message().find('\n'), std::string::npos);
  }
}

TEST(LoadWorkloadTest, ReadsAShortForm) {
  ASSERT_OK_AND_ASSIGN(const Workload workload, LoadWorkload("matmul:16x32x64:f32:relu"));
  EXPECT_EQ(workload.name, "matmul:16x32x64:f32:relu");
  ASSERT_EQ(workload.entries.size(), 1u);
  EXPECT_EQ(workload.entries[0].kernel.name, "matmul:16x32x64:f32:relu");
  EXPECT_THAT(LoadWorkload("matmul:16x32:f32"),
              StatusIs(absl::StatusCode::kInvalidArgument, StartsWith("\"matmul:16x32:f32\": ")));
  EXPECT_THAT(LoadWorkload("matmul:9223372036854775807x9223372036854775807x1:f32"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("overflows 64 bits")));
}

TEST(LoadWorkloadTest, ReadsAFileFromWhereTheUserStands) {
  const TempDir dir;
  ASSERT_THAT(WriteFileAtomically(dir.Path("tiny.textproto"), kWorkload), IsOk());
  ASSERT_OK_AND_ASSIGN(const Workload absolute, LoadWorkload(dir.Path("tiny.textproto")));
  EXPECT_EQ(absolute.name, "tiny");

  // As under `bazel run`.
  ASSERT_EQ(setenv("BUILD_WORKING_DIRECTORY", dir.path().c_str(), /*overwrite=*/1), 0);
  const auto relative = LoadWorkload("tiny.textproto");
  const auto wrong = LoadWorkload("missing/tiny.textproto");
  ASSERT_EQ(unsetenv("BUILD_WORKING_DIRECTORY"), 0);
  ASSERT_THAT(relative, IsOk());
  EXPECT_EQ(relative->entries, absolute.entries);
  EXPECT_THAT(wrong, StatusIs(absl::StatusCode::kNotFound, HasSubstr("missing/tiny.textproto")));
}

TEST(LoadWorkloadTest, SaysWhatIsWrongWithAFile) {
  const TempDir dir;
  EXPECT_THAT(LoadWorkload(dir.Path("none.textproto")),
              StatusIs(absl::StatusCode::kNotFound,
                       AllOf(HasSubstr("none.textproto"), HasSubstr("no such file"))));
  EXPECT_THAT(LoadWorkload(dir.path()),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr(dir.path())));
  EXPECT_THAT(LoadWorkload(""), testing::Not(IsOk()));
  ASSERT_THAT(WriteFileAtomically(dir.Path("empty"), ""), IsOk());
  EXPECT_THAT(
      LoadWorkload(dir.Path("empty")),
      StatusIs(absl::StatusCode::kInvalidArgument,
               AllOf(StartsWith(dir.Path("empty")), HasSubstr(": empty, want a textproto"))));
  ASSERT_THAT(WriteFileAtomically(dir.Path("misspelt"), "name: 'x'\nkernel {}\n"), IsOk());
  EXPECT_THAT(LoadWorkload(dir.Path("misspelt")),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("misspelt:2:8: no field \"kernel\" in seedtune.WorkloadProto, did "
                                 "you mean \"kernels\"")));
}

}  // namespace
}  // namespace seedtune
