// Cores and caches through hwloc.
//
// Thread-safe: no state.
#ifndef SEEDTUNE_HARDWARE_TOPOLOGY_H_
#define SEEDTUNE_HARDWARE_TOPOLOGY_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace seedtune {

// What a topology says of the processors in it. 0 and "" mean unknown.
struct CpuTopology {
  std::string cpu_model;  // "AMD EPYC 9654 96-Core Processor"
  int packages = 0;
  int cores = 0;
  int threads = 0;           // hardware threads in all
  int threads_per_core = 0;  // of the core that has most
  // The smallest cache of each level, so that what is blocked for it fits wherever it runs (cores
  // may differ).
  int64_t cache_line_bytes = 0;
  int64_t l1_data_bytes = 0;
  int64_t l2_bytes = 0;
  int64_t l3_bytes = 0;
};

// kInvalidArgument: not a topology as hwloc 2 writes it.
absl::StatusOr<CpuTopology> ParseTopologyXml(const std::string& xml);

// The XML of this machine, as far as this process may use it: without processors that its cpuset or
// its CPU affinity forbid. May bind the calling thread to one processor after another meanwhile.
// kInternal: hwloc fails.
absl::StatusOr<std::string> ExportTopologyXml();

}  // namespace seedtune

#endif  // SEEDTUNE_HARDWARE_TOPOLOGY_H_
