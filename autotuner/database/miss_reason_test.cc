#include "autotuner/database/miss_reason.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "autotuner/database/example_records.h"
#include "autotuner/database/records.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace seedtune {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

template <typename Change>
RecordKey With(Change change) {
  RecordKey key = ExampleKey();
  change(key);
  return key;
}

TEST(DescribeKeyDifferenceTest, NamesEveryPartThatDiffers) {
  const struct {
    void (*change)(RecordKey&);
    const char* text;
  } kCases[] = {
      {[](RecordKey&) {}, ""},
      {[](RecordKey& k) { k.kernel_fingerprint = "0"; }, "kernel \"0\", want \"9f86d081884c7d65\""},
      {[](RecordKey& k) { k.backend = "cuda"; }, "backend \"cuda\", want \"cpu\""},
      {[](RecordKey& k) { k.device_key = "H100"; },
       "device \"H100\", want \"cpu|AMD EPYC 9454|znver4\""},
      {[](RecordKey& k) { k.space_id = "cpu/2"; }, "config space \"cpu/2\", want \"cpu/1\""},
      {[](RecordKey& k) { k.code_generator_version = "2"; }, "code generator \"2\", want \"3\""},
      {[](RecordKey& k) { k.compiler_version = "gcc 12"; }, "compiler \"gcc 12\", want \"\""},
      {[](RecordKey& k) { k.driver_version = ""; }, "driver \"\", want \"linux 6.1\""},
  };
  for (const auto& c : kCases) {
    EXPECT_EQ(DescribeKeyDifference(With(c.change), ExampleKey()), c.text);
  }
  EXPECT_EQ(
      DescribeKeyDifference(With([](RecordKey& k) {
                              k.space_id = "cpu/2";
                              k.driver_version = "linux 5.10";
                            }),
                            ExampleKey()),
      "config space \"cpu/2\", want \"cpu/1\", and driver \"linux 5.10\", want \"linux 6.1\"");
}

TEST(DescribeMissTest, ADifferenceThatWeighsLessIsNearer) {
  // From the farthest to the nearest.
  const std::vector<RecordKey> keys = {
      With([](RecordKey& k) { k.backend = "x"; }),
      With([](RecordKey& k) { k.space_id = "x"; }),
      With([](RecordKey& k) { k.code_generator_version = k.compiler_version = "x"; }),
      With([](RecordKey& k) { k.code_generator_version = "x"; }),
      With([](RecordKey& k) { k.compiler_version = k.driver_version = "x"; }),
      With([](RecordKey& k) { k.compiler_version = "x"; }),
      With([](RecordKey& k) { k.driver_version = "x"; }),
  };
  std::vector<RecordKey> recorded;
  for (const RecordKey& key : keys) {
    recorded.push_back(key);
    const std::string want =
        absl::StrCat("recorded for this kernel with ", DescribeKeyDifference(key, ExampleKey()));
    EXPECT_EQ(DescribeMiss(ExampleKey(), recorded), want);
    EXPECT_EQ(DescribeMiss(ExampleKey(), {recorded.rbegin(), recorded.rend()}), want);
  }
}

TEST(DescribeMissTest, OfEqualsTheNewestCounts) {
  EXPECT_THAT(DescribeMiss(ExampleKey(), {With([](RecordKey& k) { k.driver_version = "new"; }),
                                          With([](RecordKey& k) { k.driver_version = "old"; })}),
              HasSubstr("driver \"new\""));
}

TEST(DescribeMissTest, ListsDevicesOfTheSameBackendOnce) {
  const auto on = [](const char* backend, const char* device) {
    return With([&](RecordKey& k) {
      k.backend = backend;
      k.device_key = device;
    });
  };
  EXPECT_EQ(
      DescribeMiss(ExampleKey(), {on("cpu", "a"), on("cuda", "b"), on("cpu", "c"), on("cpu", "a")}),
      "nothing recorded for this kernel on this device; recorded on: \"a\", \"c\"");
  EXPECT_EQ(
      DescribeMiss(ExampleKey(), {on("cpu", "a"), on("cpu", "b"), on("cpu", "c"), on("cpu", "d"),
                                  on("cpu", "e")}),
      "nothing recorded for this kernel on this device; recorded on: \"a\", \"b\", \"c\" and 2 "
      "more");
  EXPECT_THAT(DescribeMiss(ExampleKey(), {on("cuda", "a")}), Not(HasSubstr("nothing recorded")));
}

}  // namespace
}  // namespace seedtune
