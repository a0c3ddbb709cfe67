// A heuristic that does what a test tells it to.
#ifndef SEEDTUNE_HEURISTICS_FAKE_HEURISTIC_H_
#define SEEDTUNE_HEURISTICS_FAKE_HEURISTIC_H_

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "config/config_space.h"
#include "config/knob.h"
#include "heuristics/autotuner_heuristic.h"
#include "heuristics/tuning_context.h"

namespace seedtune {

// Thread-safe if the functions given to it are.
class FakeHeuristic : public AutotunerHeuristic {
 public:
  // What is left empty does what a heuristic without an opinion does: it is eligible, gives no
  // seeds and no neighbours, and does not promote.
  struct Options {
    std::string name = "fake";
    std::string backend = "fake";
    std::function<Eligibility(const TuningContext&)> is_eligible;
    std::function<absl::StatusOr<std::vector<PartialConfig>>(const TuningContext&)> seeds;
    std::function<std::vector<PartialConfig>(const TuningContext&, const Config&)> neighbors;
    std::function<bool(const TuningContext&)> promotes;
  };
  explicit FakeHeuristic(Options options) : options_(std::move(options)) {}

  std::string_view name() const override { return options_.name; }
  std::string_view backend() const override { return options_.backend; }
  Eligibility IsEligible(const TuningContext& context) const override {
    return options_.is_eligible ? options_.is_eligible(context) : Eligibility::Yes("fake");
  }
  absl::StatusOr<std::vector<PartialConfig>> SeedConfigs(
      const TuningContext& context) const override {
    return options_.seeds ? options_.seeds(context) : std::vector<PartialConfig>();
  }
  std::vector<PartialConfig> Neighbors(const TuningContext& context,
                                       const Config& config) const override {
    return options_.neighbors ? options_.neighbors(context, config) : std::vector<PartialConfig>();
  }
  bool PromotesPrimary(const TuningContext& context) const override {
    return options_.promotes && options_.promotes(context);
  }

 private:
  const Options options_;
};

}  // namespace seedtune

#endif  // SEEDTUNE_HEURISTICS_FAKE_HEURISTIC_H_
