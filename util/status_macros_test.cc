#include "util/status_macros.h"

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

absl::Status FailIf(bool fail) {
  return fail ? absl::NotFoundError("the inner error") : absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<int>> MakeInt(int value) {
  if (value < 0) return absl::InvalidArgumentError("negative");
  return std::make_unique<int>(value);
}

absl::StatusOr<int> AddOne(int value, bool fail_first) {
  SEEDTUNE_RETURN_IF_ERROR(FailIf(fail_first));
  SEEDTUNE_ASSIGN_OR_RETURN(const std::unique_ptr<int> made, MakeInt(value));
  int again = 0;
  SEEDTUNE_ASSIGN_OR_RETURN(again, absl::StatusOr<int>(*made + 1));
  return again;
}

TEST(StatusMacrosTest, PassesValuesOn) { EXPECT_THAT(AddOne(41, false), IsOkAndHolds(42)); }

TEST(StatusMacrosTest, ReturnsTheStatusAsItIs) {
  EXPECT_THAT(AddOne(41, true), StatusIs(absl::StatusCode::kNotFound, "the inner error"));
}

TEST(StatusMacrosTest, ReturnsTheStatusOfAStatusOr) {
  EXPECT_THAT(AddOne(-1, false), StatusIs(absl::StatusCode::kInvalidArgument, "negative"));
}

TEST(StatusMacrosTest, IsOneStatementInAnUnbracedIf) {
  const auto run = [](bool check) -> absl::Status {
    if (check)
      SEEDTUNE_RETURN_IF_ERROR(FailIf(true));
    else
      return absl::AbortedError("the other branch");
    return absl::OkStatus();
  };
  EXPECT_THAT(run(true), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(run(false), StatusIs(absl::StatusCode::kAborted));
}

}  // namespace
}  // namespace seedtune
