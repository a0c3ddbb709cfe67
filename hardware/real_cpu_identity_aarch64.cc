#include <cpu_features/cpuinfo_aarch64.h>

#include "absl/status/statusor.h"
#include "hardware/real_cpu_identity.h"
#include "hardware/system_reader.h"

namespace seedtune {

absl::StatusOr<CpuIdentity> ReadThisCpuIdentity() {
  const cpu_features::Aarch64Info info = cpu_features::GetAarch64Info();
  CpuIdentity identity;
  identity.vendor = "arm";
  identity.implementer = info.implementer;
  identity.part = info.part;
  for (int i = 0; i < cpu_features::AARCH64_LAST_; ++i) {
    const auto feature = static_cast<cpu_features::Aarch64FeaturesEnum>(i);
    if (cpu_features::GetAarch64FeaturesEnumValue(&info.features, feature)) {
      identity.features.emplace_back(cpu_features::GetAarch64FeaturesEnumName(feature));
    }
  }
  return identity;
}

}  // namespace seedtune
