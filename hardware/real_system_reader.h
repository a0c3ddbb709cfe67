// The reader of this machine, for main().
#ifndef SEEDTUNE_HARDWARE_REAL_SYSTEM_READER_H_
#define SEEDTUNE_HARDWARE_REAL_SYSTEM_READER_H_

#include <memory>

#include "hardware/system_reader.h"

namespace seedtune {

// Thread-safe; holds nothing open.
std::unique_ptr<SystemReader> NewRealSystemReader();

}  // namespace seedtune

#endif  // SEEDTUNE_HARDWARE_REAL_SYSTEM_READER_H_
