#include "autotuner/replay/gzip.h"

#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::HasSubstr;

// Larger than one chunk, and not all alike.
std::string LongText() {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += std::to_string(i * 7919 % 104'729) + ",";
  return text;
}

TEST(GzipTest, Decompresses) {
  const std::string text = LongText();
  EXPECT_THAT(MaybeGunzip(Gzip(text)), IsOkAndHolds(text));
  EXPECT_THAT(MaybeGunzip(Gzip("")), IsOkAndHolds(std::string()));
  EXPECT_THAT(MaybeGunzip(Gzip("one ") + Gzip("two")), IsOkAndHolds(std::string("one two")));
}

TEST(GzipTest, CompressesTheSameTextToTheSameBytes) {
  const std::string text = LongText();
  const std::string bytes = Gzip(text);
  EXPECT_EQ(bytes, Gzip(text));
  EXPECT_LT(bytes.size(), text.size() / 2);
  EXPECT_EQ(bytes.substr(4, 4), std::string(4, '\0'));  // the time
}

TEST(GzipTest, LeavesOtherFilesAlone) {
  for (const std::string text : {"", "{", "{\"results\": []}", "\x1f"}) {
    EXPECT_THAT(MaybeGunzip(text), IsOkAndHolds(text));
  }
}

TEST(GzipTest, SaysWhatIsWrong) {
  const std::string whole = Gzip(LongText());
  EXPECT_THAT(MaybeGunzip(whole.substr(0, whole.size() / 2)),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("cut off")));
  std::string damaged = whole;
  damaged[damaged.size() / 2] ^= 0x55;
  EXPECT_THAT(MaybeGunzip(damaged), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(MaybeGunzip(whole + "garbage"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("damaged")));
  EXPECT_THAT(MaybeGunzip(whole, /*max_bytes=*/1000),
              StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("more than 1000 bytes")));
}

}  // namespace
}  // namespace seedtune
