// Topologies of machines that nobody has at hand, for tests.
#ifndef SEEDTUNE_HARDWARE_SYNTHETIC_TOPOLOGY_H_
#define SEEDTUNE_HARDWARE_SYNTHETIC_TOPOLOGY_H_

#include <string>

#include "absl/status/statusor.h"

namespace seedtune {

// The XML of a topology that hwloc makes from its description, such as
// "pack:2 l3:12(size=33554432) l2:8(size=1048576) l1d:1(size=32768) core:1 pu:2"
// (https://www.open-mpi.org/projects/hwloc/doc/, "Synthetic topologies"), whose packages are called
// `cpu_model` unless that is empty. kInvalidArgument: no such description. Thread-safe.
absl::StatusOr<std::string> SyntheticTopologyXml(const std::string& description,
                                                 const std::string& cpu_model);

}  // namespace seedtune

#endif  // SEEDTUNE_HARDWARE_SYNTHETIC_TOPOLOGY_H_
