#include "autotuner/search/random_moves.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "absl/numeric/int128.h"
#include "autotuner/search/index_shuffle.h"
#include "config/config_space.h"
#include "config/knob.h"

namespace seedtune {
namespace {

constexpr int kTries = 30;  // before all neighbours are listed

// Another choice of a knob; nullopt: there is none.
std::optional<uint16_t> OtherChoice(const Knob& knob, uint16_t present, NeighborKind kind,
                                    std::mt19937_64& random) {
  const auto choices = static_cast<size_t>(knob.num_choices());
  if (choices < 2) return std::nullopt;
  if (kind == NeighborKind::kHamming || !knob.is_ordered()) {
    const size_t other = RandomBelow(choices - 1, random);
    return static_cast<uint16_t>(other < present ? other : other + 1);
  }
  const bool up = present == 0 || (present + 1U < choices && RandomBelow(2, random) == 1);
  return static_cast<uint16_t>(up ? present + 1 : present - 1);
}

}  // namespace

size_t RandomBelow(size_t bound, std::mt19937_64& random) {
  return absl::Uint128Low64(UniformBelow(bound, random));
}

double RandomUnit(std::mt19937_64& random) {
  return static_cast<double>(random() >> 11) * 0x1.0p-53;
}

double RandomNormal(std::mt19937_64& random) {
  // Box and Muller.
  const double radius = std::sqrt(-2 * std::log(1 - RandomUnit(random)));
  return radius * std::cos(2 * std::numbers::pi * RandomUnit(random));
}

std::optional<Config> RandomNeighbor(const Config& config, NeighborKind kind,
                                     std::mt19937_64& random) {
  const ConfigSpace& space = config.space();
  const size_t num_knobs = space.knobs().size();
  std::vector<uint16_t> choices(config.choices().begin(), config.choices().end());
  for (int i = 0; i < kTries; ++i) {
    const size_t moves = kind == NeighborKind::kAdjacent ? 1 + RandomBelow(2, random) : 1;
    for (size_t move = 0; move < moves; ++move) {
      const size_t knob = RandomBelow(num_knobs, random);
      if (const std::optional<uint16_t> other =
              OtherChoice(space.knobs()[knob], config.choices()[knob], kind, random)) {
        choices[knob] = *other;
      }
    }
    Config neighbor(config.shared_space(), choices);
    if (!(neighbor == config) && space.IsValid(choices)) return neighbor;
    choices.assign(config.choices().begin(), config.choices().end());
  }
  std::vector<Config> all = space.Neighbors(config, kind, /*limit=*/256);
  if (all.empty()) return std::nullopt;
  return std::move(all[RandomBelow(all.size(), random)]);
}

}  // namespace seedtune
