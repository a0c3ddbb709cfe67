// A condition over some knobs of a config space.
#ifndef SEEDTUNE_CONFIG_CONSTRAINT_H_
#define SEEDTUNE_CONFIG_CONSTRAINT_H_

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace seedtune {

// A value type; thread-compatible, and `holds` may be called from any thread.
struct Constraint {
  std::string name;  // lower_snake_case: "tile_fits_shared_memory"
  // For people: "the tiles of all stages fit into 232,448 bytes of shared memory".
  std::string description;
  std::vector<std::string> knobs;  // that it reads
  // Given Knob::numeric of those knobs, in that order. Must be pure and thread-safe.
  std::function<bool(std::span<const int64_t>)> holds;
};

}  // namespace seedtune

#endif  // SEEDTUNE_CONFIG_CONSTRAINT_H_
