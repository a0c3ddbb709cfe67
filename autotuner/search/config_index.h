// Finds configurations that somebody else keeps in a list, without a copy of them: a few bytes
// each.
#ifndef SEEDTUNE_AUTOTUNER_SEARCH_CONFIG_INDEX_H_
#define SEEDTUNE_AUTOTUNER_SEARCH_CONFIG_INDEX_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/container/flat_hash_map.h"
#include "config/config_space.h"

namespace seedtune {

// From configurations to their places in a list. Thread-compatible.
class ConfigIndex {
 public:
  // `config` is not in the index and stands at `place` of the list.
  void Add(const Config& config, size_t place) {
    uint64_t key = config.Hash();
    // Hashes seldom meet; where they do, the next free number is taken.
    while (!places_.try_emplace(key, static_cast<uint32_t>(place)).second) ++key;
  }

  // `config_of(place)` is the configuration there.
  template <typename ConfigOf>
  std::optional<size_t> Find(const Config& config, const ConfigOf& config_of) const {
    uint64_t key = config.Hash();
    for (auto it = places_.find(key); it != places_.end(); it = places_.find(++key)) {
      if (config_of(it->second) == config) return it->second;
    }
    return std::nullopt;
  }

 private:
  absl::flat_hash_map<uint64_t, uint32_t> places_;
};

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_SEARCH_CONFIG_INDEX_H_
