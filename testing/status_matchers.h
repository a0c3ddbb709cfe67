// GoogleTest matchers for absl::Status and absl::StatusOr. Debian 12's Abseil has none of its own.
//
//   ASSERT_THAT(Save(path), IsOk());
//   EXPECT_THAT(Count(), IsOkAndHolds(Gt(3)));
//   EXPECT_THAT(Load(path), StatusIs(absl::StatusCode::kNotFound, HasSubstr("no such file")));
//   ASSERT_OK_AND_ASSIGN(const std::string text, ReadFile(path));
#ifndef SEEDTUNE_TESTING_STATUS_MATCHERS_H_
#define SEEDTUNE_TESTING_STATUS_MATCHERS_H_

#include <ostream>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace seedtune {
namespace internal_status_matchers {

inline const absl::Status& GetStatus(const absl::Status& status) { return status; }

template <typename T>
const absl::Status& GetStatus(const absl::StatusOr<T>& status_or) {
  return status_or.status();
}

// Matches a StatusOr whose value matches.
template <typename Inner>
class IsOkAndHoldsMatcher {
 public:
  using is_gtest_matcher = void;

  explicit IsOkAndHoldsMatcher(Inner inner) : inner_(std::move(inner)) {}

  template <typename T>
  bool MatchAndExplain(const absl::StatusOr<T>& status_or,
                       ::testing::MatchResultListener* listener) const {
    if (!status_or.ok()) {
      *listener << "which is " << status_or.status().ToString();
      return false;
    }
    *listener << "which holds " << ::testing::PrintToString(*status_or) << " ";
    return ::testing::SafeMatcherCast<const T&>(inner_).MatchAndExplain(*status_or, listener);
  }

  void DescribeTo(std::ostream* os) const { *os << "is OK and holds the value wanted"; }
  void DescribeNegationTo(std::ostream* os) const { *os << "is not OK or holds another value"; }

 private:
  Inner inner_;
};

class StatusIsMatcher {
 public:
  using is_gtest_matcher = void;

  StatusIsMatcher(absl::StatusCode code, ::testing::Matcher<const std::string&> message)
      : code_(code), message_(std::move(message)) {}

  template <typename StatusLike>
  bool MatchAndExplain(const StatusLike& value, ::testing::MatchResultListener* listener) const {
    const absl::Status& status = GetStatus(value);
    *listener << "which is " << status.ToString();
    return status.code() == code_ && message_.Matches(std::string(status.message()));
  }

  void DescribeTo(std::ostream* os) const {
    *os << "is " << absl::StatusCodeToString(code_) << " with a message that ";
    message_.DescribeTo(os);
  }
  void DescribeNegationTo(std::ostream* os) const {
    *os << "is not " << absl::StatusCodeToString(code_) << " or has a message that ";
    message_.DescribeNegationTo(os);
  }

 private:
  absl::StatusCode code_;
  ::testing::Matcher<const std::string&> message_;
};

}  // namespace internal_status_matchers

// Matches a Status or StatusOr that is OK.
MATCHER(IsOk, negation ? "is not OK" : "is OK") {
  const absl::Status& status = internal_status_matchers::GetStatus(arg);
  *result_listener << "which is " << status.ToString();
  return status.ok();
}

// Matches a StatusOr whose value is `inner`, or matches it.
template <typename Inner>
auto IsOkAndHolds(Inner&& inner) {
  return internal_status_matchers::IsOkAndHoldsMatcher<std::decay_t<Inner>>(
      std::forward<Inner>(inner));
}

// Matches a Status or StatusOr by its code and, if given, its message: a string or a matcher of
// one.
inline auto StatusIs(absl::StatusCode code,
                     ::testing::Matcher<const std::string&> message = ::testing::_) {
  return internal_status_matchers::StatusIsMatcher(code, std::move(message));
}

}  // namespace seedtune

// Assigns the value of the StatusOr `expression` to `declaration`, or fails the test and leaves it.
#define ASSERT_OK_AND_ASSIGN(declaration, expression)                                    \
  SEEDTUNE_ASSERT_OK_AND_ASSIGN_(SEEDTUNE_STATUS_MATCHERS_CONCAT_(status_or_, __LINE__), \
                                 declaration, expression)

#define SEEDTUNE_ASSERT_OK_AND_ASSIGN_(status_or, declaration, expression)    \
  auto status_or = (expression);                                              \
  ASSERT_TRUE(status_or.ok()) << #expression << " is " << status_or.status(); \
  declaration = *std::move(status_or)

#define SEEDTUNE_STATUS_MATCHERS_CONCAT_(a, b) SEEDTUNE_STATUS_MATCHERS_CONCAT_INNER_(a, b)
#define SEEDTUNE_STATUS_MATCHERS_CONCAT_INNER_(a, b) a##b

#endif  // SEEDTUNE_TESTING_STATUS_MATCHERS_H_
