// What is measured first in a replay: seeds from other records, and from heuristics.
#ifndef SEEDTUNE_TOOLS_REPLAY_SEEDS_H_
#define SEEDTUNE_TOOLS_REPLAY_SEEDS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "autotuner/replay/recorded_space.h"
#include "autotuner/search/search_algorithm.h"
#include "tools/environment.h"

namespace seedtune {

using Records = std::vector<std::shared_ptr<const RecordedSpace>>;

// For `record`, a portfolio of at most `max_seeds` of those of `sources` that share its space but
// are of other devices or kernels: a record never seeds itself. One line about it goes to `notes`.
std::vector<Candidate> SeedsFromRecords(const RecordedSpace& record, const Records& sources,
                                        int max_seeds, std::vector<std::string>& notes);

// What our heuristics plant when the record's kernel is tuned on its device, in their order: for
// records of `seedtune tune --output-t4`, whose kernel's name is a short form (ir/load.h). `device`
// is a known device or a spec file; "": the known device of the record's device name, else this
// machine's if that is its name. Configurations that the record has not are left out. One line
// about it goes to `notes`. kInvalidArgument: no such kernel, or a space of none of our backends.
// kNotFound: the device.
absl::StatusOr<std::vector<Candidate>> SeedsFromHeuristics(const RecordedSpace& record,
                                                           const std::string& device,
                                                           const Environment& environment,
                                                           std::vector<std::string>& notes);

}  // namespace seedtune

#endif  // SEEDTUNE_TOOLS_REPLAY_SEEDS_H_
