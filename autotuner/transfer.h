// What the tuning database knows about kernels and devices like these: the winners of the nearest
// recorded runs, as seeds.
//
// Nearness is a distance, in octaves. Kernels: for each dot, how far its extents m, n, k and batch
// are apart (the logarithms' differences, added up), and something for layouts, epilogues and
// element types that differ; kernels of other numbers of dots, or of operands of other sizes, are
// not near at all. Devices: nothing for the same, up to an octave along one lineage of
// architectures, more for others of the same maker, and none of another kind. The sum has a limit.
#ifndef SEEDTUNE_AUTOTUNER_TRANSFER_H_
#define SEEDTUNE_AUTOTUNER_TRANSFER_H_

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "autotuner/database/database.h"
#include "autotuner/search/search_algorithm.h"
#include "config/config_space.h"
#include "hardware/hardware_info.h"
#include "heuristics/consult.h"
#include "ir/kernel.h"

namespace seedtune {

struct TransferOptions {
  int max_seeds = 0;        // 0: none
  double max_distance = 6;  // octaves
};

// Kernels of one backend. nullopt: not near. 0: alike in all that counts here. Thread-safe.
std::optional<double> KernelDistance(const Kernel& a, const Kernel& b);
std::optional<double> DeviceDistance(const HardwareInfo& a, const HardwareInfo& b);

// The winners of the nearest finished runs of `backend`, nearest first and of equals the newest, at
// most `max_seeds` that differ, put into `space` (values that it has not go to the nearest that it
// has). Each source is named "recorded: <kernel> on <device>", and its detail says how near it is.
// The same database and question give the same seeds. What cannot be read back (recorded by another
// version, a knob that `space` has not) is left out. Errors: the database's.
absl::StatusOr<std::vector<SeedSource>> FindRecordedSeeds(Database& database, const Kernel& kernel,
                                                          std::string_view backend,
                                                          const HardwareInfo& device,
                                                          const ConfigSpace& space,
                                                          const TransferOptions& options);

// Whether it names a source of FindRecordedSeeds: no heuristic can be called so.
bool IsRecordedSource(std::string_view source);

// SearchProblem::has_own_seeds of these candidates: one of them has a source that is not such.
bool HasOwnSeeds(std::span<const Candidate> first);

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_TRANSFER_H_
