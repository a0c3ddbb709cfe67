// The interface through which a compiler says what it knows about one family of kernels on one
// backend.
#ifndef SEEDTUNE_HEURISTICS_AUTOTUNER_HEURISTIC_H_
#define SEEDTUNE_HEURISTICS_AUTOTUNER_HEURISTIC_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "config/config_space.h"
#include "config/knob.h"
#include "heuristics/tuning_context.h"

namespace seedtune {

// Whether a heuristic has something to say, and the reason either way, for people:
// "aspect 2.0, want at least 8", "8192x512: aspect 16.0 on hopper".
struct Eligibility {
  bool eligible = false;
  std::string reason;

  static Eligibility Yes(std::string reason) { return {true, std::move(reason)}; }
  static Eligibility No(std::string reason) { return {false, std::move(reason)}; }
};

// Thread-safe: implementations are immutable and read no file, flag or device; `context` carries
// all there is to know. They should not throw; what they throw all the same is caught by the caller
// (see consult.h).
class AutotunerHeuristic {
 public:
  virtual ~AutotunerHeuristic() = default;

  virtual std::string_view name() const = 0;     // lower_snake_case, unique: "triton_skinny_gemm"
  virtual std::string_view backend() const = 0;  // "triton"

  virtual Eligibility IsEligible(const TuningContext& context) const = 0;

  // Seeds, best first; the first is the primary. Called only when eligible. A seed may be partial.
  // An error costs these seeds and nothing else. Seeds are hints: they never shrink the space. The
  // first context.max_seeds are enough.
  virtual absl::StatusOr<std::vector<PartialConfig>> SeedConfigs(
      const TuningContext& context) const = 0;

  // Moves worth trying from `config`, added to the search's own, never instead of them; knobs left
  // out keep their values. Called only when eligible. Default: none.
  virtual std::vector<PartialConfig> Neighbors(const TuningContext& /*context*/,
                                               const Config& /*config*/) const {
    return {};
  }

  // Whether the primary seed may become the untuned default here: a validated target. Called only
  // when eligible.
  virtual bool PromotesPrimary(const TuningContext& /*context*/) const { return false; }
};

}  // namespace seedtune

#endif  // SEEDTUNE_HEURISTICS_AUTOTUNER_HEURISTIC_H_
