// Any bytes are a recorded space, perhaps repaired, or an error.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "autotuner/replay/kernel_tuner_cache.h"
#include "autotuner/replay/recorded_space.h"
#include "testing/fuzz/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::vector<std::string> notes;
  const auto space = seedtune::ReadKernelTunerCache(
      std::string_view(reinterpret_cast<const char*>(data), size), {}, &notes);
  if (!space.ok()) return 0;
  for (const seedtune::RecordedConfig& config : (*space)->configs()) {
    seedtune::Check((*space)->Find(config.config) == &config, "each result is found");
  }
  return 0;
}
