#include "util/textproto.h"

#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"
#include "util/textproto_test.pb.h"

namespace seedtune {
namespace {

using ::seedtune::textproto_test::Tree;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(ParseTextProtoTest, ReadsAMessage) {
  Tree tree;
  tree.set_title("gone");
  ASSERT_THAT(ParseTextProto("# proto-message: Tree\nleaves { name: 'a' sizes: [1, 2] color: RED }",
                             "t.textproto", &tree),
              IsOk());
  EXPECT_EQ(tree.title(), "");
  ASSERT_EQ(tree.leaves_size(), 1);
  EXPECT_EQ(tree.leaves(0).sizes(1), 2);
  EXPECT_EQ(tree.leaves(0).color(), textproto_test::RED);
}

TEST(ParseTextProtoTest, NamesPlaceAndFault) {
  const struct {
    const char *text, *error;
  } kCases[] = {
      {"titel: 'x'",
       "t.textproto:1:6: no field \"titel\" in seedtune.textproto_test.Tree, did you mean "
       "\"title\""},
      {"\n  leaves { nmae: 'x' }",
       "no field \"nmae\" in seedtune.textproto_test.Leaf, did you mean \"name\""},
      {"leaves { zzzzzz: 1 }", "; known: name, sizes, color"},
      {"child { child { leaves { color: GREAN } } }",
       "\"GREAN\" is no value of color, did you mean \"GREEN\""},
      {"leaves { color: BLUE }",
       "\"BLUE\" is no value of color; known: COLOR_UNSPECIFIED, RED, GREEN"},
      {"title: 'x'\nleaves { sizes: 'two' }", "t.textproto:2:17: expected integer, got: "},
      {"leaves { sizes: 9223372036854775808 }", "integer out of range"},
      {"title: 'x' title: 'y'", "t.textproto:1:"},
      {"leaves {", "t.textproto:1:9: "},
      {"title: \"x", "t.textproto:1:"},
      {"\x01\x02", "t.textproto:1:1: "},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.text);
    Tree tree;
    const absl::Status status = ParseTextProto(c.text, "t.textproto", &tree);
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument,
                                 AllOf(StartsWith("t.textproto:"), HasSubstr(c.error),
                                       Not(HasSubstr("\n")))));
  }
}

TEST(ParseTextProtoTest, RefusesBottomlessNesting) {
  std::string text;
  for (int i = 0; i < 100000; ++i) text += "child {";
  Tree tree;
  EXPECT_THAT(ParseTextProto(text, "deep.textproto", &tree),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("too deep")));
}

TEST(ParseTextProtoTest, PrintsNothing) {
  ::testing::internal::CaptureStderr();
  Tree tree;
  EXPECT_THAT(ParseTextProto("leaves { nmae: 'x' }", "t.textproto", &tree), Not(IsOk()));
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST(PrintTextProtoTest, IsShortAndReadsBack) {
  Tree tree;
  tree.set_title("größer \"x\"\n");
  for (int i = 0; i < 3; ++i) tree.add_leaves()->add_sizes(i);
  tree.mutable_leaves(0)->add_sizes(7);
  const std::string text = PrintTextProto(tree);
  EXPECT_THAT(text, AllOf(HasSubstr("sizes: [0, 7]"), HasSubstr("größer")));
  Tree again;
  ASSERT_THAT(ParseTextProto(text, "printed", &again), IsOk());
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(tree, again));
}

}  // namespace
}  // namespace seedtune
