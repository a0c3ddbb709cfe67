// The GPUs of AMD's compute driver, as the kernel shows them in /sys/class/kfd/kfd/topology/nodes.
//
// Thread-safe: no state.
#ifndef SEEDTUNE_HARDWARE_KFD_TOPOLOGY_H_
#define SEEDTUNE_HARDWARE_KFD_TOPOLOGY_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "hardware/hardware_info.h"
#include "hardware/system_reader.h"

namespace seedtune {

struct KfdGpu {
  HardwareInfo info;
  // Where it sits: PCI domain, and bus, device and function as in a PCI address.
  uint32_t pci_domain = 0;
  uint32_t pci_location = 0;  // bus << 8 | device << 3 | function
};

// Nodes that this process may not read (a container sees all of them, and may open some) are left
// out. kNotFound: the kernel has no KFD.
absl::StatusOr<std::vector<KfdGpu>> ReadKfdTopology(const SystemReader& reader);

// The name of a "gfx_target_version": 90402 -> "gfx942", 90010 -> "gfx90a", 110501 -> "gfx1151".
std::string GfxName(uint64_t gfx_target_version);

// 32-bit vector registers of a compute unit of `family` (arch.h), 0 if unknown.
int64_t VectorRegistersPerComputeUnit(std::string_view family);

// Whether compute units of `family` have matrix units: MFMA or WMMA.
bool HasMatrixUnits(std::string_view family);

}  // namespace seedtune

#endif  // SEEDTUNE_HARDWARE_KFD_TOPOLOGY_H_
