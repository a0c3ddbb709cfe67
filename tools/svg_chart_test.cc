#include "tools/svg_chart.h"

#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace seedtune {
namespace {

using ::testing::AllOf;
using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pointwise;
using ::testing::StartsWith;

int Count(const std::string& text, const std::string& part) {
  int count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

ChartPanel Panel(const std::string& title, std::vector<ChartLine> lines) {
  return {.title = title, .x_label = "seconds", .y_label = "%", .lines = std::move(lines)};
}

TEST(AxisTicksTest, AreRoundAndWithin) {
  EXPECT_THAT(AxisTicks(0, 10, 5), ElementsAre(0, 2, 4, 6, 8, 10));
  EXPECT_THAT(AxisTicks(0.83, 1, 4), Pointwise(DoubleNear(1e-12), {0.85, 0.9, 0.95, 1.0}));
  EXPECT_THAT(AxisTicks(-30, 30, 3), ElementsAre(-20, 0, 20));
  EXPECT_THAT(AxisTicks(1234, 2600, 4), ElementsAre(1500, 2000, 2500));
}

TEST(SvgChartTest, DrawsALineFromCornerToCorner) {
  const ChartPanel panel = Panel("one", {{.name = "up", .x = {0, 1}, .y = {5, 7}}});
  const std::string svg = RenderSvg("Title", std::vector<ChartPanel>{panel});
  EXPECT_THAT(svg, AllOf(StartsWith("<svg xmlns=\"http://www.w3.org/2000/svg\""),
                         EndsWith("</svg>\n"), HasSubstr(">Title<"), HasSubstr(">one<"),
                         HasSubstr(">seconds<"), HasSubstr(">%<")));
  // From end to end, a little above and below the frame.
  EXPECT_THAT(svg, HasSubstr("<path d=\"M62.0 331.0L502.0 99.0\""));
}

TEST(SvgChartTest, OneNameHasOneColourAndOneLegendEntry) {
  const std::vector<ChartPanel> panels = {
      Panel("first", {{.name = "fast", .x = {0, 1}, .y = {0, 1}},
                      {.name = "chance", .x = {0, 1}, .y = {0, 2}, .dashed = true}}),
      Panel("second", {{.name = "fast", .x = {0, 1}, .y = {0, 1}}})};
  const std::string svg = RenderSvg("t", panels);
  EXPECT_EQ(Count(svg, ">fast</text>"), 1);
  EXPECT_EQ(Count(svg, "stroke=\"#0072b2\""), 3) << "two lines and the legend's";
  EXPECT_EQ(Count(svg, "stroke-dasharray"), 2) << "a line and the legend's";
}

TEST(SvgChartTest, ManyLinesAreStillToldApart) {
  std::vector<ChartLine> lines;
  for (int i = 0; i < 20; ++i) {
    lines.push_back({.name = absl::StrCat("line ", i), .x = {0, 1}, .y = {0, 1.0 * i}});
  }
  const std::string svg = RenderSvg("t", std::vector<ChartPanel>{Panel("p", lines)});
  std::set<std::string> styles;
  for (size_t at = svg.find("<path"); at != std::string::npos; at = svg.find("<path", at + 1)) {
    const size_t from = svg.find("stroke=", at);
    styles.insert(svg.substr(from, svg.find('>', from) - from));
  }
  EXPECT_THAT(styles, ::testing::SizeIs(20));
}

TEST(SvgChartTest, LeavesGapsWhereThereIsNoNumber) {
  const double nan = std::nan("");
  const std::string svg =
      RenderSvg("t", std::vector<ChartPanel>{
                         Panel("p", {{.name = "a", .x = {0, 1, 2, 3, 4}, .y = {1, 2, nan, 2, 1}},
                                     {.name = "b", .x = {0}, .y = {nan}}})});
  EXPECT_EQ(Count(svg, "<path"), 1) << "nothing is left of b";
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  const std::string path = svg.substr(svg.find("<path d="));
  EXPECT_EQ(Count(path.substr(0, path.find(" fill")), "M"), 2);
}

TEST(SvgChartTest, EmptyAndLevelChartsAreChartsToo) {
  EXPECT_THAT(RenderSvg("t", {}), EndsWith("</svg>\n"));
  const std::string svg = RenderSvg(
      "t", std::vector<ChartPanel>{Panel("none", {}),
                                   Panel("level", {{.name = "a", .x = {1, 1}, .y = {3, 3}}})});
  EXPECT_THAT(svg, AllOf(Not(HasSubstr("nan")), Not(HasSubstr("inf"))));
}

TEST(SvgChartTest, EscapesNames) {
  const std::string svg = RenderSvg(
      "a<b", std::vector<ChartPanel>{Panel("\"x\" & y", {{.name = "<i>", .x = {0}, .y = {0}}})});
  EXPECT_THAT(svg, AllOf(HasSubstr("a&lt;b"), HasSubstr("&quot;x&quot; &amp; y"),
                         HasSubstr("&lt;i&gt;"), Not(HasSubstr("<i>"))));
}

TEST(SvgPageTest, HoldsThePicture) {
  EXPECT_THAT(SvgPage("a&b", "<svg></svg>\n"),
              AllOf(StartsWith("<!DOCTYPE html>"), HasSubstr("<title>a&amp;b</title>"),
                    HasSubstr("<svg></svg>")));
}

}  // namespace
}  // namespace seedtune
