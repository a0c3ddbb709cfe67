#include "autotuner/search/auto_search.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "autotuner/outcome.h"
#include "autotuner/search/search_algorithm.h"
#include "config/config_space.h"
#include "config/knob.h"
#include "gtest/gtest.h"

namespace seedtune {
namespace {

constexpr int kKnobs = 6;
constexpr int kBest = 4;  // of each of them, of 0 to 5
constexpr int kRuns = 20;

std::shared_ptr<const ConfigSpace> Space() {
  ConfigSpace::Options options;
  options.name = "six";
  for (int i = 0; i < kKnobs; ++i) {
    options.knobs.push_back(*Knob::Integer(absl::StrCat("x", i), 0, 5, 1, 0));
  }
  return *ConfigSpace::Create(std::move(options));
}

double TimeNs(const Config& config) {
  double ns = 100;
  for (const uint16_t choice : config.choices()) ns *= 1 + 0.2 * std::abs(choice - kBest);
  return ns;
}

Candidate Seed(const std::shared_ptr<const ConfigSpace>& space, const std::vector<int>& values) {
  PartialConfig partial;
  for (size_t i = 0; i < values.size(); ++i) partial.Set(absl::StrCat("x", i), values[i]);
  return {.config = *space->Normalize(partial, NormalizeMode::kReject), .origin = "seed"};
}

// The best time of each run's first `evaluations`.
std::vector<double> BestNs(const std::vector<Candidate>& seeds, int evaluations,
                           bool has_own_seeds = false) {
  std::vector<double> best_ns;
  for (int run = 0; run < kRuns; ++run) {
    AutoSearch search({.space = Space(),
                       .random_seed = static_cast<uint64_t>(run + 1),
                       .first = seeds,
                       .has_own_seeds = has_own_seeds});
    double best = std::numeric_limits<double>::infinity();
    for (int i = 0; i < evaluations; ++i) {
      const std::vector<Candidate> asked = search.Ask(1);
      if (asked.empty()) break;
      const double ns = TimeNs(asked[0].config);
      search.Tell({.candidate = asked[0], .kind = OutcomeKind::kOk, .objective_ns = ns});
      best = std::min(best, ns);
    }
    best_ns.push_back(best);
  }
  return best_ns;
}

double Mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

TEST(AutoSearchTest, BuildsOnGoodSeedsAtOnce) {
  const auto space = Space();
  const std::vector<Candidate> seeds = {Seed(space, {4, 4, 4, 4, 1, 2}),
                                        Seed(space, {4, 4, 1, 2, 4, 4})};
  const double best_seed_ns = std::min(TimeNs(seeds[0].config), TimeNs(seeds[1].config));
  const std::vector<double> best_ns = BestNs(seeds, 10);
  const auto better =
      std::count_if(best_ns.begin(), best_ns.end(), [&](double ns) { return ns < best_seed_ns; });
  EXPECT_GE(better, kRuns / 2);
}

// Looking around good seeds at once finds more in 14 evaluations than caution does.
TEST(AutoSearchTest, TakesSeedsOfItsOwnAtTheirWord) {
  const auto space = Space();
  const std::vector<Candidate> seeds = {Seed(space, {4, 4, 4, 3, 3, 3}),
                                        Seed(space, {4, 4, 3, 3, 4, 3}),
                                        Seed(space, {3, 4, 4, 3, 3, 4})};
  EXPECT_LT(Mean(BestNs(seeds, 14, /*has_own_seeds=*/true)), 0.95 * Mean(BestNs(seeds, 14)));
}

TEST(AutoSearchTest, IsNotMisledByBadSeeds) {
  const auto space = Space();
  const std::vector<Candidate> seeds = {
      Seed(space, {0, 0, 0, 0, 0, 0}), Seed(space, {0, 1, 0, 1, 0, 0}),
      Seed(space, {1, 0, 0, 0, 1, 0}), Seed(space, {0, 0, 1, 0, 0, 1})};
  EXPECT_LE(Mean(BestNs(seeds, 40)), 1.05 * Mean(BestNs({}, 40)));
}

}  // namespace
}  // namespace seedtune
