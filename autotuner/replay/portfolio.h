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

// At most `size` configurations, best first, all of one space. The device that they are for is none
// of those known, and may be unlike all of them. So they are chosen for a thousand imagined
// devices, each of them a known one on which the knobs' values are worth something else: one after
// the other, each adds the most to what the portfolio reaches there in the mean. Those that are
// fast on the devices of `sources` come first, and then, of the many that are about as fast, such
// as other devices might like for other reasons. The same sources give the same portfolio.
//
// Empty where there are no sources, or none in which anything works; fewer than `size` where
// nothing else has half the speed of the optimum anywhere.
std::vector<Config> MinePortfolio(std::span<const std::shared_ptr<const RecordedSpace>> sources,
                                  size_t size);

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_REPLAY_PORTFOLIO_H_
