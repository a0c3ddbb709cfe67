// What a measurement is filed under.
#ifndef SEEDTUNE_AUTOTUNER_RECORD_KEY_H_
#define SEEDTUNE_AUTOTUNER_RECORD_KEY_H_

#include "autotuner/database/records.h"
#include "autotuner/measurer.h"
#include "config/config_space.h"
#include "ir/kernel.h"

namespace seedtune {

// The key under which tuning records `kernel` in `space` when measured by such a measurer, and
// under which a look-up finds it. Thread-safe.
RecordKey MakeRecordKey(const Kernel& kernel, const ConfigSpace& space, const MeasurerInfo& info);

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_RECORD_KEY_H_
