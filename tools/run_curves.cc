#include "tools/run_curves.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "autotuner/database/records.h"
#include "autotuner/outcome.h"
#include "tools/svg_chart.h"

namespace seedtune {
namespace {

// Times at which a run found something faster, and what.
struct Steps {
  std::vector<double> seconds, best_ns;
};

Steps StepsOf(const RunLog& log) {
  Steps steps;
  double best_ns = std::numeric_limits<double>::infinity();
  for (const RunEvent& event : log.events) {
    if (event.kind != RunEvent::Kind::kTell || !event.outcome.ok()) continue;
    if (event.outcome.objective_ns() >= best_ns) continue;
    best_ns = event.outcome.objective_ns();
    steps.seconds.push_back(event.at_seconds);
    steps.best_ns.push_back(best_ns);
  }
  return steps;
}

}  // namespace

std::string NameOfRun(const RunInfo& run) {
  const std::string& policy = run.settings.seed_policy;
  const auto says = [&](const char* words) { return absl::StrContains(policy, words); };
  const bool users = says("user_seeds=[") && !says("user_seeds=[]");
  std::string name = absl::StrCat(run.settings.algorithm, ", ");
  if (says("heuristics=off")) {
    absl::StrAppend(&name, users ? "the user's seeds" : "no seeds");
  } else {
    absl::StrAppend(&name, "seeded", users ? ", the user's seeds too" : "",
                    says("disabled=[]") ? "" : ", some heuristics disabled");
  }
  if (says("neighbors=off")) absl::StrAppend(&name, ", no neighbours of heuristics");
  return name;
}

std::vector<ChartPanel> RunCurves(std::span<const RunLog> logs) {
  std::vector<Steps> steps;
  std::map<std::string, double> fastest_ns;  // by the panel's title
  const auto title_of = [](const RunLog& log) {
    return absl::StrCat(log.run.kernel_name, " on ", log.device_name);
  };
  for (const RunLog& log : logs) {
    steps.push_back(StepsOf(log));
    if (steps.back().best_ns.empty()) continue;
    double& fastest =
        fastest_ns.try_emplace(title_of(log), steps.back().best_ns.back()).first->second;
    fastest = std::min(fastest, steps.back().best_ns.back());
  }
  std::vector<ChartPanel> panels;
  for (size_t i = 0; i < logs.size(); ++i) {
    if (steps[i].best_ns.empty()) continue;
    const std::string title = title_of(logs[i]);
    auto panel = std::find_if(panels.begin(), panels.end(),
                              [&](const ChartPanel& known) { return known.title == title; });
    if (panel == panels.end()) {
      panels.push_back({.title = title,
                        .x_label = "tuning time (s)",
                        .y_label = "best so far (% of the fastest)",
                        .lines = {}});
      panel = panels.end() - 1;
    }
    ChartLine line{.name = NameOfRun(logs[i].run), .x = {}, .y = {}};
    const auto add = [&](double seconds, double best_ns) {
      line.x.push_back(seconds);
      line.y.push_back(100 * fastest_ns[title] / best_ns);
    };
    for (size_t step = 0; step < steps[i].seconds.size(); ++step) {
      // Level until something faster is known.
      if (step > 0) add(steps[i].seconds[step], steps[i].best_ns[step - 1]);
      add(steps[i].seconds[step], steps[i].best_ns[step]);
    }
    add(std::max(logs[i].run.seconds_spent, steps[i].seconds.back()), steps[i].best_ns.back());
    panel->lines.push_back(std::move(line));
  }
  return panels;
}

}  // namespace seedtune
