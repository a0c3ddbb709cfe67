// Records for tests: each valid, and different for different arguments.
#ifndef SEEDTUNE_AUTOTUNER_DATABASE_EXAMPLE_RECORDS_H_
#define SEEDTUNE_AUTOTUNER_DATABASE_EXAMPLE_RECORDS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "autotuner/database/json_lines.h"
#include "autotuner/database/records.h"
#include "autotuner/outcome.h"

namespace seedtune {

RecordKey ExampleKey();

// The id is made of `number`; a larger one started later.
RunInfo ExampleRun(int number);

std::string ExampleConfig(int number);

Outcome OkOutcome(std::vector<double> samples_ns);
Outcome FailedOutcome(OutcomeKind kind, std::string message);

RunEvent Ask(int64_t sequence, std::string config_json);
RunEvent Tell(int64_t sequence, const RunEvent& ask, Outcome outcome);
RunEvent Retime(int64_t sequence, const RunEvent& ask, Outcome outcome);

// An answer of `run`, whose log has a tell of `config_json`.
BestRecord ExampleBest(const RunInfo& run, std::string config_json, Outcome outcome);

// A finished run with all kinds of events and outcomes, and numbers and texts that are hard to
// write down.
RunDocument ExampleDocument(int number);

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_DATABASE_EXAMPLE_RECORDS_H_
