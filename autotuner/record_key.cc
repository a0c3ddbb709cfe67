#include "autotuner/record_key.h"

#include "hardware/hardware_info.h"
#include "ir/fingerprint.h"

namespace seedtune {

RecordKey MakeRecordKey(const Kernel& kernel, const ConfigSpace& space, const MeasurerInfo& info) {
  return RecordKey{.kernel_fingerprint = KernelFingerprint(kernel),
                   .backend = info.backend,
                   .space_id = space.id(),
                   .device_key = DeviceKey(info.device),
                   .code_generator_version = info.code_generator_version,
                   .compiler_version = info.compiler_version,
                   .driver_version = info.device.driver_version};
}

}  // namespace seedtune
