// Records as JSON, as every command with --json prints them.
#ifndef SEEDTUNE_TOOLS_RECORD_JSON_H_
#define SEEDTUNE_TOOLS_RECORD_JSON_H_

#include "autotuner/database/database.h"
#include "nlohmann/json.hpp"

namespace seedtune {

// Raised whenever a field changes its meaning or goes away.
inline constexpr int kJsonSchemaVersion = 1;

// Times in nanoseconds; configurations and heuristic outcomes as JSON objects, not as text.
nlohmann::ordered_json BestRecordToJson(const BestRecord& record);

}  // namespace seedtune

#endif  // SEEDTUNE_TOOLS_RECORD_JSON_H_
