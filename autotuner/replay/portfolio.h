// Seeds from other devices: a few configurations which, measured first, are worth many evaluations
// on a device of which nothing is known.
#ifndef SEEDTUNE_AUTOTUNER_REPLAY_PORTFOLIO_H_
#define SEEDTUNE_AUTOTUNER_REPLAY_PORTFOLIO_H_

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "autotuner/replay/recorded_space.h"
#include "config/config_space.h"

namespace seedtune {

// At most `size` configurations, best first, chosen one after the other: each adds the most to what
// the portfolio reaches on the devices of `sources` (the mean of optimum / best), and, where that
// is reached already, to its variety, since the device that it is for is none of them. All of one
// space. Empty where there are no sources, or none in which anything works.
std::vector<Config> MinePortfolio(std::span<const std::shared_ptr<const RecordedSpace>> sources,
                                  size_t size);

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_REPLAY_PORTFOLIO_H_
