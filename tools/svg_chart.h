// Line charts as one self-contained SVG picture, for browsers and documents.
#ifndef SEEDTUNE_TOOLS_SVG_CHART_H_
#define SEEDTUNE_TOOLS_SVG_CHART_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace seedtune {

struct ChartLine {
  std::string name;          // lines of one name have one colour and one entry in the legend
  std::vector<double> x, y;  // as many of each; points that are not finite leave a gap
  bool dashed = false;
};

struct ChartPanel {
  std::string title, x_label, y_label;
  std::vector<ChartLine> lines;
};

// The panels in two columns under a common legend, each with axes of its own. No scripts, no fonts
// and nothing else from outside.
std::string RenderSvg(std::string_view title, std::span<const ChartPanel> panels);

// A page that holds that picture.
std::string SvgPage(std::string_view title, std::string_view svg);

// Whether WriteChart() takes this name. kInvalidArgument, beginning with `what` ("--plot"): it ends
// in neither .svg nor .html.
absl::Status CheckChartPath(std::string_view what, std::string_view path);

// The panels as a picture, or as a page where `path`, a user's, ends in .html; all or nothing.
// Errors: those of WriteFileAtomically().
absl::Status WriteChart(const std::string& path, std::string_view title,
                        std::span<const ChartPanel> panels);

// Round numbers (1, 2 or 5 times a power of ten apart) that lie within [low, high], low < high:
// about `count` of them.
std::vector<double> AxisTicks(double low, double high, int count);

}  // namespace seedtune

#endif  // SEEDTUNE_TOOLS_SVG_CHART_H_
