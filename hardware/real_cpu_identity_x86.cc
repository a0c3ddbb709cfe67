#include <cpu_features/cpuinfo_x86.h>

#include "absl/status/statusor.h"
#include "hardware/real_cpu_identity.h"
#include "hardware/system_reader.h"

namespace seedtune {

absl::StatusOr<CpuIdentity> ReadThisCpuIdentity() {
  const cpu_features::X86Info info = cpu_features::GetX86Info();
  CpuIdentity identity;
  identity.vendor = info.vendor;
  identity.brand = info.brand_string;
  identity.family = info.family;
  identity.model = info.model;
  identity.stepping = info.stepping;
  for (int i = 0; i < cpu_features::X86_LAST_; ++i) {
    const auto feature = static_cast<cpu_features::X86FeaturesEnum>(i);
    if (cpu_features::GetX86FeaturesEnumValue(&info.features, feature)) {
      identity.features.emplace_back(cpu_features::GetX86FeaturesEnumName(feature));
    }
  }
  return identity;
}

}  // namespace seedtune
