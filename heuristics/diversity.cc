#include "heuristics/diversity.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "config/config_space.h"
#include "config/knob.h"

namespace seedtune {
namespace {

// 1 where the space has no such knob, or it is 0.
double Value(const Config& config, std::string_view knob) {
  const std::optional<int> slot = config.space().FindKnob(knob);
  if (!slot) return 1;
  const int64_t value = config.space().knobs()[*slot].numeric(config.choices()[*slot]);
  return value > 0 ? static_cast<double>(value) : 1;
}

bool IsPersistent(const Config& config) {
  const std::optional<int> slot = config.space().FindKnob("pid_type");
  if (!slot) return false;
  const auto* name =
      std::get_if<std::string>(&config.space().knobs()[*slot].choice(config.choices()[*slot]));
  return name != nullptr && name->compare(0, 10, "persistent") == 0;
}

bool Differ(const Config& a, const Config& b, std::string_view knob) {
  const std::optional<int> slot = a.space().FindKnob(knob);
  return slot && a.choices()[*slot] != b.choices()[*slot];
}

constexpr std::string_view kStructure[] = {"two_cta",    "cluster_m",  "cluster_n",
                                           "cluster[m]", "cluster[n]", "schedule",
                                           "loop_order", "family",     "matrix_instr_nonkdim"};

}  // namespace

double StructuralDistance(const Config& a, const Config& b) {
  const auto log_ratio = [&](std::string_view knob) {
    return std::abs(std::log2(Value(a, knob) / Value(b, knob)));
  };
  const auto depth = [](const Config& config) {
    const char* stages = config.space().FindKnob("ab_stages") ? "ab_stages" : "num_stages";
    return Value(config, "block_size[k]") * Value(config, stages);
  };
  double distance = log_ratio("block_size[m]") + log_ratio("block_size[n]") +
                    std::abs(std::log2(depth(a) / depth(b))) / 2 + log_ratio("split_k");
  if (IsPersistent(a) != IsPersistent(b)) distance += 2;
  for (const std::string_view knob : kStructure) {
    if (Differ(a, b, knob)) distance += 1;
  }
  return distance;
}

void DiverseSeeds::Add(PartialConfig seed) {
  if (is_full()) return;
  absl::StatusOr<Config> config = space_.Normalize(seed, NormalizeMode::kReject);
  if (!config.ok()) return;
  for (const Config& other : configs_) {
    if (StructuralDistance(*config, other) < kMinSeedDistance) return;
  }
  configs_.push_back(*std::move(config));
  seeds_.push_back(std::move(seed));
}

}  // namespace seedtune
