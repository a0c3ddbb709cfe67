// Moves that change two knobs of a recorded space at once, as heuristics propose them for kernels:
// so that replay can say what such moves are worth to a search.
#ifndef SEEDTUNE_AUTOTUNER_REPLAY_COUPLED_MOVES_H_
#define SEEDTUNE_AUTOTUNER_REPLAY_COUPLED_MOVES_H_

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "autotuner/search/search_algorithm.h"
#include "config/config_space.h"

namespace seedtune {

using CoupledKnobs = std::pair<std::string, std::string>;

// "MWG*MDIMC": two knobs. kInvalidArgument: anything else.
absl::StatusOr<CoupledKnobs> ParseCoupledKnobs(std::string_view text);

// kNotFound: the space has no such knob (says which), or it is no ordered one.
absl::Status CheckCoupledKnobs(const ConfigSpace& space, std::span<const CoupledKnobs> pairs);

// Of each pair, as far as the space takes it: one knob a choice up and the other a choice down,
// both up, both down, and the values exchanged. Origin "neighbor", heuristic "coupled". A space
// without the knobs has no such moves. Thread-safe.
std::vector<Candidate> CoupledMoves(const Config& config, std::span<const CoupledKnobs> pairs);

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_REPLAY_COUPLED_MOVES_H_
