#include "autotuner/replay/gzip.h"

#include <zlib.h>

#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::HasSubstr;

std::string Gzip(const std::string& text) {
  z_stream stream = {};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, text.size()) + 32, '\0');
  std::string in = text;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

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
