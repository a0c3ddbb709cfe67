#include "tools/svg_chart.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "util/file.h"
#include "util/string_view.h"

namespace seedtune {
namespace {

// Eight colours that people with any colour vision tell apart (M. Okabe and K. Ito, "Color
// universal design", 2008), yellow left out: it is lost on white.
constexpr const char* kColours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                    "#e69f00", "#56b4e9", "#000000"};
constexpr char kDashedColour[] = "#777777";
constexpr char kDashes[] = "6 4";
// Of lines beyond the colours: the second time round, the third, ...
constexpr const char* kPatterns[] = {"", "2 2.5", "9 2.5 2 2.5", "12 3"};

// Pixels.
constexpr double kPanelWidth = 520;
constexpr double kPanelHeight = 330;
constexpr double kLeft = 62;
constexpr double kRight = 18;
constexpr double kTop = 34;
constexpr double kBottom = 50;
constexpr double kTitleHeight = 36;
constexpr double kLegendLine = 20;
constexpr int kColumns = 2;
constexpr double kMargin = 0.03;  // above and below all lines, of the height
constexpr double kLetter = 7.2;   // of the legend, about

std::string Escape(std::string_view text) {
  return absl::StrReplaceAll(ToAbsl(text),
                             {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}});
}

// Of the values that are numbers; a little around a single one; 0 to 1 where there is none.
struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  void Cover(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  void Settle() {
    if (low > high) *this = {.low = 0, .high = 1};
    if (low == high) {
      const double around = std::max(1.0, std::abs(low)) / 2;
      *this = {.low = low - around, .high = high + around};
    }
  }
};

struct LegendEntry {
  std::string name;
  std::string colour;
  std::string dashes;  // "": a whole line

  std::string Style(const char* width) const {
    return absl::StrFormat("stroke=\"%s\" stroke-width=\"%s\"%s", colour, width,
                           dashes.empty() ? "" : " stroke-dasharray=\"" + dashes + "\"");
  }
};

std::vector<LegendEntry> MakeLegend(std::span<const ChartPanel> panels) {
  std::vector<LegendEntry> legend;
  size_t next = 0;
  for (const ChartPanel& panel : panels) {
    for (const ChartLine& line : panel.lines) {
      const bool known = std::any_of(legend.begin(), legend.end(), [&](const LegendEntry& entry) {
        return entry.name == line.name;
      });
      if (known) continue;
      if (line.dashed) {
        legend.push_back({line.name, kDashedColour, kDashes});
        continue;
      }
      legend.push_back({line.name, kColours[next % std::size(kColours)],
                        kPatterns[next / std::size(kColours) % std::size(kPatterns)]});
      ++next;
    }
  }
  return legend;
}

std::string Text(double x, double y, std::string_view anchor, int size, std::string_view text) {
  return absl::StrFormat(
      "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" font-size=\"%d\">%s</text>\n", x, y,
      std::string(anchor), size, Escape(text));
}

std::string Line(double x1, double y1, double x2, double y2, const char* style) {
  return absl::StrFormat("<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" %s/>\n", x1, y1, x2,
                         y2, style);
}

void AppendPanel(const ChartPanel& panel, std::span<const LegendEntry> legend, double left,
                 double top, std::string& svg) {
  Range x_range, y_range;
  for (const ChartLine& line : panel.lines) {
    for (size_t i = 0; i < line.x.size(); ++i) {
      if (!std::isfinite(line.x[i]) || !std::isfinite(line.y[i])) continue;
      x_range.Cover(line.x[i]);
      y_range.Cover(line.y[i]);
    }
  }
  x_range.Settle();
  y_range.Settle();
  // No line lies on the frame.
  const double margin = kMargin * (y_range.high - y_range.low);
  y_range.low -= margin;
  y_range.high += margin;
  const double right = left + kPanelWidth - kRight;
  const double bottom = top + kPanelHeight - kBottom;
  const auto to_x = [&](double x) {
    return left + kLeft + (x - x_range.low) / (x_range.high - x_range.low) * (right - left - kLeft);
  };
  const auto to_y = [&](double y) {
    return bottom - (y - y_range.low) / (y_range.high - y_range.low) * (bottom - top - kTop);
  };

  absl::StrAppend(&svg, Text(left + kLeft, top + 20, "start", 14, panel.title));
  for (const double tick : AxisTicks(x_range.low, x_range.high, 6)) {
    absl::StrAppend(&svg, Line(to_x(tick), top + kTop, to_x(tick), bottom, "stroke=\"#e4e4e4\""),
                    Text(to_x(tick), bottom + 16, "middle", 11, absl::StrFormat("%g", tick)));
  }
  for (const double tick : AxisTicks(y_range.low, y_range.high, 6)) {
    absl::StrAppend(&svg, Line(left + kLeft, to_y(tick), right, to_y(tick), "stroke=\"#e4e4e4\""),
                    Text(left + kLeft - 6, to_y(tick) + 4, "end", 11, absl::StrFormat("%g", tick)));
  }
  absl::StrAppend(&svg, Line(left + kLeft, bottom, right, bottom, "stroke=\"#444444\""),
                  Line(left + kLeft, top + kTop, left + kLeft, bottom, "stroke=\"#444444\""),
                  Text((left + kLeft + right) / 2, bottom + 36, "middle", 12, panel.x_label));
  const double middle = (top + kTop + bottom) / 2;
  absl::StrAppendFormat(&svg, "<g transform=\"rotate(-90 %.1f %.1f)\">%s</g>\n", left + 16, middle,
                        Text(left + 16, middle, "middle", 12, panel.y_label));

  for (const ChartLine& line : panel.lines) {
    const auto entry = std::find_if(legend.begin(), legend.end(), [&](const LegendEntry& known) {
      return known.name == line.name;
    });
    std::string path, last;
    bool pen_down = false;
    for (size_t i = 0; i < line.x.size(); ++i) {
      if (!std::isfinite(line.x[i]) || !std::isfinite(line.y[i])) {
        pen_down = false;
        continue;
      }
      const std::string point = absl::StrFormat("%.1f %.1f", to_x(line.x[i]), to_y(line.y[i]));
      if (pen_down && point == last) continue;  // not a tenth of a pixel away
      absl::StrAppend(&path, pen_down ? "L" : "M", point);
      pen_down = true;
      last = point;
    }
    if (path.empty()) continue;
    absl::StrAppendFormat(&svg, "<path d=\"%s\" fill=\"none\" %s><title>%s</title></path>\n", path,
                          entry->Style("1.8"), Escape(line.name));
  }
}

}  // namespace

std::vector<double> AxisTicks(double low, double high, int count) {
  const double raw = (high - low) / std::max(1, count);
  const double power = std::pow(10, std::floor(std::log10(raw)));
  double step = 10 * power;
  for (const double factor : {1, 2, 5}) {
    if (factor * power >= raw) {
      step = factor * power;
      break;
    }
  }
  std::vector<double> ticks;
  // Counted in whole steps, so that rounding neither adds up nor shows.
  for (double i = std::ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; ++i) {
    ticks.push_back(i == 0 ? 0 : i * step);
  }
  return ticks;
}

std::string RenderSvg(std::string_view title, std::span<const ChartPanel> panels) {
  const std::vector<LegendEntry> legend = MakeLegend(panels);
  const int columns = std::min<int>(kColumns, static_cast<int>(std::max<size_t>(1, panels.size())));
  const double width = columns * kPanelWidth;

  std::string keys;
  double x = kLeft;
  double y = kTitleHeight + 12;
  for (const LegendEntry& entry : legend) {
    const double entry_width = 52 + kLetter * static_cast<double>(entry.name.size());
    if (x > kLeft && x + entry_width > width) {
      x = kLeft;
      y += kLegendLine;
    }
    absl::StrAppend(&keys, Line(x, y - 4, x + 28, y - 4, entry.Style("2.5").c_str()),
                    Text(x + 34, y, "start", 13, entry.name));
    x += entry_width;
  }

  const double top = y + 10;
  const size_t rows =
      (panels.size() + static_cast<size_t>(columns) - 1) / static_cast<size_t>(columns);
  const double height = top + static_cast<double>(rows) * kPanelHeight;
  std::string svg = absl::StrFormat(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
      "viewBox=\"0 0 %.0f %.0f\" font-family=\"sans-serif\" fill=\"#222222\">\n"
      "<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n",
      width, height, width, height);
  absl::StrAppend(&svg, Text(kLeft, 24, "start", 17, title), keys);
  for (size_t i = 0; i < panels.size(); ++i) {
    const size_t row = i / static_cast<size_t>(columns);
    const size_t column = i % static_cast<size_t>(columns);
    AppendPanel(panels[i], legend, static_cast<double>(column) * kPanelWidth,
                top + static_cast<double>(row) * kPanelHeight, svg);
  }
  absl::StrAppend(&svg, "</svg>\n");
  return svg;
}

std::string SvgPage(std::string_view title, std::string_view svg) {
  return absl::StrCat(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>",
      Escape(title), "</title>\n</head>\n<body>\n", ToAbsl(svg), "</body>\n</html>\n");
}

absl::Status CheckChartPath(std::string_view what, std::string_view path) {
  if (absl::EndsWith(ToAbsl(path), ".svg") || absl::EndsWith(ToAbsl(path), ".html")) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(ToAbsl(what), " is \"", ToAbsl(path),
                                                 "\", want a name that ends in .svg or .html"));
}

absl::Status WriteChart(const std::string& path, std::string_view title,
                        std::span<const ChartPanel> panels) {
  const std::string svg = RenderSvg(title, panels);
  return WriteFileAtomically(ResolveUserPath(path),
                             absl::EndsWith(path, ".svg") ? svg : SvgPage(title, svg));
}

}  // namespace seedtune
