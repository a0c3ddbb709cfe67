#include "autotuner/replay/portfolio.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <memory>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "autotuner/replay/recorded_measurer.h"
#include "autotuner/replay/recorded_space.h"
#include "autotuner/search/random_moves.h"
#include "autotuner/search/space_features.h"
#include "config/config_space.h"
#include "config/knob.h"

namespace seedtune {
namespace {

constexpr size_t kDevices = 1000;  // that are imagined
// What is slower than so much of the optimum on all of the sources is no candidate.
constexpr double kLeastSpeed = 0.5;
// How far an imagined device is from the recorded one that it is made from: the deviation of the
// logarithms of the configurations' relative speeds. Between the recorded devices of docs/search.md
// it is 0.04 to 0.24 within a vendor and up to 0.83 between two.
constexpr double kUnlikeness = 0.8;
// What half a knob's range counts where it counts gradually, against a choice by itself.
constexpr double kTrend = 1.2;

struct Entry {
  Config config;
  std::vector<double> speed;  // by source, of the optimum's there; 0: it does not work
};

std::vector<Entry> Candidates(std::span<const std::shared_ptr<const RecordedSpace>> sources) {
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
      entries[it->second].speed[source] = optimum_ns / ns;
    }
  }
  std::erase_if(entries, [](const Entry& entry) {
    return *std::max_element(entry.speed.begin(), entry.speed.end()) < kLeastSpeed;
  });
  return entries;
}

// The entries' speeds on devices that nobody has, by entry and device, of the optimum's there. Each
// is one of the sources, but for what the knobs' values are worth: half of a value's worth is its
// own, the other half goes along with the knob.
std::vector<std::vector<float>> Imagine(std::span<const Entry> entries, size_t num_sources) {
  const ConfigSpace& space = entries[0].config.space();
  const SpaceFeatures features(space);
  std::vector<std::vector<float>> points;
  for (const Entry& entry : entries) points.push_back(features.Of(entry.config));
  std::mt19937_64 random(1);
  std::vector<std::vector<float>> speeds(entries.size());
  std::vector<double> worths(entries.size());
  for (size_t device = 0; device < kDevices; ++device) {
    std::fill(worths.begin(), worths.end(), 0.0);
    int num_knobs = 0;
    size_t coordinate = 0;
    for (size_t knob = 0; knob < space.knobs().size(); ++knob) {
      const auto choices = static_cast<size_t>(space.knobs()[knob].num_choices());
      if (choices < 2) continue;
      while (features.is_evenness(coordinate)) ++coordinate;
      std::vector<double> own(choices);
      for (double& worth : own) worth = RandomNormal(random);
      // Two values are ends of a range, whatever they mean.
      const bool is_range = choices == 2 || features.is_ordered(coordinate);
      const double trend = is_range ? kTrend * RandomNormal(random) : 0;
      for (size_t i = 0; i < entries.size(); ++i) {
        worths[i] +=
            own[entries[i].config.choices()[knob]] + trend * (2 * points[i][coordinate] - 1);
      }
      ++num_knobs;
      ++coordinate;
    }
    const double scale = kUnlikeness / std::sqrt(2.0 * std::max(num_knobs, 1));
    double best = 0;
    for (size_t i = 0; i < entries.size(); ++i) {
      worths[i] = entries[i].speed[device % num_sources] * std::exp(scale * worths[i]);
      best = std::max(best, worths[i]);
    }
    for (size_t i = 0; i < entries.size(); ++i) {
      speeds[i].push_back(best > 0 ? static_cast<float>(worths[i] / best) : 0);
    }
  }
  return speeds;
}

}  // namespace

std::vector<Config> MinePortfolio(std::span<const std::shared_ptr<const RecordedSpace>> sources,
                                  size_t size) {
  std::vector<Config> portfolio;
  const std::vector<Entry> entries = Candidates(sources);
  if (entries.empty()) return portfolio;
  std::vector<std::vector<float>> speeds = Imagine(entries, sources.size());
  std::vector<float> reached(kDevices, 0.0F);
  std::vector<bool> is_taken(entries.size(), false);
  while (portfolio.size() < std::min(size, entries.size())) {
    size_t chosen = 0;
    double most = -1;
    for (size_t i = 0; i < entries.size(); ++i) {
      if (is_taken[i]) continue;
      double sum = 0;
      for (size_t device = 0; device < kDevices; ++device) {
        sum += std::max(reached[device], speeds[i][device]);
      }
      if (sum <= most) continue;
      most = sum;
      chosen = i;
    }
    is_taken[chosen] = true;
    portfolio.push_back(entries[chosen].config);
    for (size_t device = 0; device < kDevices; ++device) {
      reached[device] = std::max(reached[device], speeds[chosen][device]);
    }
  }
  return portfolio;
}

}  // namespace seedtune
