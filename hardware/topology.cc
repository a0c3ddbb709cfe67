#include "hardware/topology.h"

#include <hwloc.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <type_traits>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace seedtune {
namespace {

struct DestroyTopology {
  void operator()(hwloc_topology_t topology) const { hwloc_topology_destroy(topology); }
};
using Topology = std::unique_ptr<std::remove_pointer_t<hwloc_topology_t>, DestroyTopology>;

Topology NewTopology() {
  hwloc_topology_t topology = nullptr;
  if (hwloc_topology_init(&topology) != 0) return nullptr;
  return Topology(topology);
}

absl::Status HwlocFailed(const char* call) {
  return absl::InternalError(absl::StrCat("hwloc: ", call, " failed: ", std::strerror(errno)));
}

// The size of the smallest cache of `type`, 0 if there is none or its size is not known; its line
// size goes to `line_bytes` unless that is known already.
int64_t SmallestCache(hwloc_topology_t topology, hwloc_obj_type_t type, int64_t* line_bytes) {
  int64_t smallest = 0;
  for (hwloc_obj_t cache = nullptr;
       (cache = hwloc_get_next_obj_by_type(topology, type, cache)) != nullptr;) {
    const hwloc_obj_attr_u::hwloc_cache_attr_s& attributes = cache->attr->cache;
    const int64_t size = static_cast<int64_t>(attributes.size);
    if (size > 0 && (smallest == 0 || size < smallest)) smallest = size;
    if (*line_bytes == 0) *line_bytes = attributes.linesize;
  }
  return smallest;
}

int CountOf(hwloc_topology_t topology, hwloc_obj_type_t type) {
  return std::max(0, hwloc_get_nbobjs_by_type(topology, type));
}

}  // namespace

absl::StatusOr<CpuTopology> ParseTopologyXml(const std::string& xml) {
  const Topology topology = NewTopology();
  if (topology == nullptr) return HwlocFailed("hwloc_topology_init");
  // hwloc counts the final '\0' as part of the buffer.
  if (xml.size() >= std::numeric_limits<int>::max() ||
      hwloc_topology_set_xmlbuffer(topology.get(), xml.c_str(), static_cast<int>(xml.size()) + 1) !=
          0 ||
      hwloc_topology_load(topology.get()) != 0) {
    return absl::InvalidArgumentError(
        "hwloc cannot read the topology, want XML as hwloc 2 writes it (lstopo --of xml)");
  }

  CpuTopology result;
  result.packages = CountOf(topology.get(), HWLOC_OBJ_PACKAGE);
  result.cores = CountOf(topology.get(), HWLOC_OBJ_CORE);
  result.threads = CountOf(topology.get(), HWLOC_OBJ_PU);
  if (result.cores == 0) {  // some virtual machines tell only of threads
    result.cores = result.threads;
    result.threads_per_core = result.threads == 0 ? 0 : 1;
  }
  for (hwloc_obj_t core = nullptr;
       (core = hwloc_get_next_obj_by_type(topology.get(), HWLOC_OBJ_CORE, core)) != nullptr;) {
    result.threads_per_core = std::max(result.threads_per_core, hwloc_bitmap_weight(core->cpuset));
  }
  result.l1_data_bytes = SmallestCache(topology.get(), HWLOC_OBJ_L1CACHE, &result.cache_line_bytes);
  result.l2_bytes = SmallestCache(topology.get(), HWLOC_OBJ_L2CACHE, &result.cache_line_bytes);
  result.l3_bytes = SmallestCache(topology.get(), HWLOC_OBJ_L3CACHE, &result.cache_line_bytes);
  // On the packages, or on the machine where the packages are not known.
  hwloc_obj_t described = hwloc_get_obj_by_type(topology.get(), HWLOC_OBJ_PACKAGE, 0);
  for (hwloc_obj_t object : {described, hwloc_get_root_obj(topology.get())}) {
    const char* model =
        object == nullptr ? nullptr : hwloc_obj_get_info_by_name(object, "CPUModel");
    if (model != nullptr && result.cpu_model.empty()) result.cpu_model = model;
  }
  return result;
}

absl::StatusOr<std::string> ExportTopologyXml() {
  const Topology topology = NewTopology();
  if (topology == nullptr) return HwlocFailed("hwloc_topology_init");
  if (hwloc_topology_set_flags(topology.get(), HWLOC_TOPOLOGY_FLAG_IS_THISSYSTEM |
                                                   HWLOC_TOPOLOGY_FLAG_RESTRICT_TO_CPUBINDING) !=
      0) {
    return HwlocFailed("hwloc_topology_set_flags");
  }
  if (hwloc_topology_load(topology.get()) != 0) return HwlocFailed("hwloc_topology_load");
  char* buffer = nullptr;
  int size = 0;
  if (hwloc_topology_export_xmlbuffer(topology.get(), &buffer, &size, /*flags=*/0) != 0) {
    return HwlocFailed("hwloc_topology_export_xmlbuffer");
  }
  std::string xml(buffer);
  hwloc_free_xmlbuffer(topology.get(), buffer);
  return xml;
}

}  // namespace seedtune
