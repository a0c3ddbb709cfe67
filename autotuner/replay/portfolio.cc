#include "autotuner/replay/portfolio.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "autotuner/replay/recorded_measurer.h"
#include "autotuner/replay/recorded_space.h"
#include "config/config_space.h"
#include "config/knob.h"

namespace seedtune {
namespace {

// What variety counts for against speed.
constexpr double kVariety = 0.3;

// The share of the knobs that have a choice and differ.
double Difference(const Config& a, const Config& b) {
  int different = 0;
  int all = 0;
  for (size_t knob = 0; knob < a.choices().size(); ++knob) {
    if (a.space().knobs()[knob].num_choices() < 2) continue;
    ++all;
    different += a.choices()[knob] != b.choices()[knob];
  }
  return all == 0 ? 0 : static_cast<double>(different) / all;
}

}  // namespace

std::vector<Config> MinePortfolio(std::span<const std::shared_ptr<const RecordedSpace>> sources,
                                  size_t size) {
  struct Entry {
    Config config;
    std::vector<double> speed;  // by source; 0: it does not work there
    double mean = 0;
    double nearest = 1;  // Difference to the portfolio
  };
  std::vector<Entry> entries;
  absl::flat_hash_map<Config, size_t> entry_of;
  for (size_t source = 0; source < sources.size(); ++source) {
    double optimum_ns = std::numeric_limits<double>::infinity();
    for (const RecordedConfig& recorded : sources[source]->configs()) {
      optimum_ns = std::min(optimum_ns, RecordedValueNs(recorded));
    }
    for (const RecordedConfig& recorded : sources[source]->configs()) {
      const double ns = RecordedValueNs(recorded);
      if (!std::isfinite(ns)) continue;
      const auto [it, is_new] = entry_of.try_emplace(recorded.config, entries.size());
      if (is_new) {
        entries.push_back(
            {.config = recorded.config, .speed = std::vector<double>(sources.size(), 0.0)});
      }
      Entry& entry = entries[it->second];
      entry.speed[source] = optimum_ns / ns;
      entry.mean += optimum_ns / ns / static_cast<double>(sources.size());
    }
  }

  std::vector<Config> portfolio;
  std::vector<double> reached(sources.size(), 0.0);
  while (portfolio.size() < std::min(size, entries.size())) {
    const Entry* best = nullptr;
    double best_worth = -1;
    for (const Entry& entry : entries) {
      if (entry.nearest == 0) continue;
      double worth = 0;
      for (size_t source = 0; source < sources.size(); ++source) {
        worth +=
            std::max(reached[source], entry.speed[source]) / static_cast<double>(sources.size());
      }
      worth += kVariety * entry.mean * entry.mean * entry.nearest;
      if (worth <= best_worth) continue;
      best_worth = worth;
      best = &entry;
    }
    if (best == nullptr) break;
    portfolio.push_back(best->config);
    for (size_t source = 0; source < sources.size(); ++source) {
      reached[source] = std::max(reached[source], best->speed[source]);
    }
    for (Entry& entry : entries) {
      entry.nearest = std::min(entry.nearest, Difference(entry.config, portfolio.back()));
    }
  }
  return portfolio;
}

}  // namespace seedtune
