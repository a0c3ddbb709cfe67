#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hardware/real_cpu_identity.h"
#include "hardware/system_reader.h"

namespace seedtune {

absl::StatusOr<CpuIdentity> ReadThisCpuIdentity() {
  return absl::UnimplementedError("no way to ask this kind of processor what it is");
}

}  // namespace seedtune
