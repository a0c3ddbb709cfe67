// What every heuristic must be, on every device, for every kernel: one suite for all of them.
#ifndef SEEDTUNE_HEURISTICS_CONFORMANCE_H_
#define SEEDTUNE_HEURISTICS_CONFORMANCE_H_

#include <string>
#include <string_view>
#include <vector>

#include "heuristics/registry.h"

namespace seedtune {

// Not asked, and why; "" holds for all.
struct ConformanceExclusion {
  std::string heuristic;
  std::string device;
  std::string kernel;  // a part of its short form
  std::string reason;
};

enum class ConformanceGrid {
  kSample,  // of each kind of shape some, each type, layouts, batches, epilogues, symbols by turns
  kFull,    // more than 2,000 shapes, types and layouts by turns
};
// Short forms, in a fixed order.
std::vector<std::string> ConformanceKernels(ConformanceGrid grid);

// Asks every heuristic of every backend that has a space for a kernel on the device
// (hardware/specs/<device>.textproto), and expects of each:
//   * eligibility has a reason and agrees with seeding: eligible means seeds, anything else an
//   error;
//   * seeds are legal in the space as they are, canonical (what comes back of them is themselves),
//     pairwise distinct, the primary first, and the same when asked again, or asked for fewer;
//   * the untuned default is the same, whether it is asked for alone or beside all seeds;
//   * neighbours name knobs of the space and values that are choices;
//   * consulted through the registry it has seeded, declined or repeated others, and nothing else;
//   * no file, device or socket is opened meanwhile.
// Failures are test failures. Returns how many (kernel, backend) pairs were asked.
int CheckConformance(const HeuristicRegistry& registry, const std::string& device,
                     const std::vector<std::string>& kernels,
                     const std::vector<ConformanceExclusion>& exclusions);

}  // namespace seedtune

#endif  // SEEDTUNE_HEURISTICS_CONFORMANCE_H_
