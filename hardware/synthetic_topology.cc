#include "hardware/synthetic_topology.h"

#include <hwloc.h>

#include <string>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace seedtune {

absl::StatusOr<std::string> SyntheticTopologyXml(const std::string& description,
                                                 const std::string& cpu_model) {
  hwloc_topology_t topology = nullptr;
  if (hwloc_topology_init(&topology) != 0) return absl::InternalError("hwloc fails");
  const absl::Cleanup destroy = [&] { hwloc_topology_destroy(topology); };
  if (hwloc_topology_set_synthetic(topology, description.c_str()) != 0 ||
      hwloc_topology_load(topology) != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", description, "\" is no synthetic topology of hwloc's"));
  }
  for (hwloc_obj_t package = nullptr;
       !cpu_model.empty() &&
       (package = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_PACKAGE, package)) != nullptr;) {
    hwloc_obj_add_info(package, "CPUModel", cpu_model.c_str());
  }
  char* buffer = nullptr;
  int size = 0;
  if (hwloc_topology_export_xmlbuffer(topology, &buffer, &size, /*flags=*/0) != 0) {
    return absl::InternalError("hwloc cannot write XML");
  }
  std::string xml(buffer);
  hwloc_free_xmlbuffer(topology, buffer);
  return xml;
}

}  // namespace seedtune
