// The tables of the tuning database. SQLite keeps the text of each statement, comments included, in
// the file itself:
// `.schema` of the sqlite3 shell shows it.
#ifndef SEEDTUNE_AUTOTUNER_DATABASE_SCHEMA_H_
#define SEEDTUNE_AUTOTUNER_DATABASE_SCHEMA_H_

#include <cstdint>

namespace seedtune {

// PRAGMA application_id: "Sdtn" in ASCII. It tells our files from other applications' databases.
inline constexpr int32_t kApplicationId = 0x5364746e;

// PRAGMA user_version. Raise it with every change of kSchema, and with every change of meaning of a
// column; a program refuses files with a higher one.
inline constexpr int32_t kSchemaVersion = 1;

// Numbers of kinds and states are those of the enums in records.h and outcome.h. Times are
// nanoseconds of one run of the kernel unless the name says otherwise; texts are UTF-8.
inline constexpr char kSchema[] = R"sql(
CREATE TABLE runs (
  -- One search, finished or not.
  run INTEGER PRIMARY KEY AUTOINCREMENT,  -- this file's own number of it; means nothing elsewhere
  id TEXT NOT NULL UNIQUE,                -- 32 random hex digits: the run's name everywhere
  -- What decides whether its times still mean anything: the key.
  kernel_fingerprint TEXT NOT NULL,
  backend TEXT NOT NULL,                  -- 'cpu', 'cuda', ...
  space_id TEXT NOT NULL,                 -- the config space with its version
  device_key TEXT NOT NULL,
  code_generator_version TEXT NOT NULL,
  compiler_version TEXT NOT NULL,         -- '': nothing compiles at run time
  driver_version TEXT NOT NULL,           -- '': none
  -- How it was asked for: the settings.
  algorithm TEXT NOT NULL,
  random_seed INTEGER NOT NULL,           -- 64 bits, unsigned: seeds from 2^63 on look negative here
  budget_evaluations INTEGER NOT NULL,    -- 0: no limit
  budget_seconds REAL NOT NULL,           -- 0: no limit
  seed_policy TEXT NOT NULL,              -- canonical text: which heuristics and user's seeds
  -- For people, and for mining seeds.
  kernel_name TEXT NOT NULL,
  kernel_text TEXT NOT NULL,              -- KernelProto as textproto
  device_text TEXT NOT NULL,              -- HardwareSpec as textproto
  -- How far it came.
  started_unix_micros INTEGER NOT NULL,
  state INTEGER NOT NULL CHECK (state IN (1, 2)),  -- 1 unfinished, 2 finished (has an answer)
  seconds_spent REAL NOT NULL,            -- over all its sessions
  heuristics_json TEXT NOT NULL,          -- what became of each heuristic; '' until finished
  checksum INTEGER NOT NULL               -- of all of the above but the run's number, see checksum.h
) STRICT;

CREATE INDEX runs_by_kernel ON runs (kernel_fingerprint, backend);

CREATE TABLE events (
  -- A run's log: what was asked and what was told, in order, without gaps. Rows are only ever added.
  run INTEGER NOT NULL REFERENCES runs (run) ON DELETE CASCADE,
  sequence INTEGER NOT NULL CHECK (sequence >= 0),    -- 0, 1, 2, ... within the run
  kind INTEGER NOT NULL CHECK (kind IN (1, 2, 3)),    -- 1 ask, 2 tell, 3 more samples of a leader
  at_seconds REAL NOT NULL,   -- since the run's start, time between its sessions left out
  -- Of an ask (NULL otherwise).
  config TEXT,                -- canonical JSON object: knob name to value
  origin TEXT,                -- 'default', 'seed', 'neighbor' or 'search'
  heuristic TEXT,             -- whose seed it is or descends from; '': none
  -- Of a tell or a re-timing (NULL otherwise): the outcome.
  ask_sequence INTEGER CHECK (ask_sequence < sequence),  -- of the ask that it answers
  outcome INTEGER CHECK (outcome BETWEEN 1 AND 8),  -- 1 ok, 2 censored, 3 compile error, 4 launch error,
                                                    -- 5 wrong result, 6 timeout, 7 crash, 8 out of resources
  samples_ns TEXT,            -- JSON array of numbers, in the order taken: json_each(samples_ns)
  lower_bound_ns REAL,        -- of a censored one: it takes at least this
  message TEXT,               -- of a failure
  compile_ns REAL,            -- what it cost to prepare
  measure_ns REAL,            -- what it cost to check and time
  checksum INTEGER NOT NULL,  -- of the run's id and all of the above, see checksum.h
  PRIMARY KEY (run, sequence),
  FOREIGN KEY (run, ask_sequence) REFERENCES events (run, sequence),
  CHECK ((kind = 1) = (config IS NOT NULL AND origin IS NOT NULL AND heuristic IS NOT NULL)),
  CHECK ((kind > 1) = (ask_sequence IS NOT NULL AND outcome IS NOT NULL AND samples_ns IS NOT NULL
                       AND lower_bound_ns IS NOT NULL AND message IS NOT NULL
                       AND compile_ns IS NOT NULL AND measure_ns IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE answers (
  -- What a finished run found. Of several for one key the one with the least objective_ns counts.
  run INTEGER PRIMARY KEY REFERENCES runs (run) ON DELETE CASCADE,
  ask_sequence INTEGER NOT NULL,          -- the winner: the event that asked for it
  log_size INTEGER NOT NULL,              -- how many events the run has
  origin TEXT NOT NULL,                   -- as in events
  heuristic TEXT NOT NULL,
  objective_ns REAL NOT NULL,             -- the median of its samples
  -- The winner's outcome, all its samples together; columns as in events.
  outcome INTEGER NOT NULL CHECK (outcome = 1),
  samples_ns TEXT NOT NULL,
  lower_bound_ns REAL NOT NULL,
  message TEXT NOT NULL,
  compile_ns REAL NOT NULL,
  measure_ns REAL NOT NULL,
  -- The untuned default, measured in the same run.
  untuned_config TEXT NOT NULL,           -- '': not known
  untuned_origin TEXT NOT NULL,
  untuned_outcome INTEGER NOT NULL CHECK (untuned_outcome BETWEEN 1 AND 8),
  untuned_samples_ns TEXT NOT NULL,
  untuned_lower_bound_ns REAL NOT NULL,
  untuned_message TEXT NOT NULL,
  untuned_compile_ns REAL NOT NULL,
  untuned_measure_ns REAL NOT NULL,
  evaluations INTEGER NOT NULL,           -- candidates measured
  seconds REAL NOT NULL,                  -- spent on all of it
  recorded_unix_micros INTEGER NOT NULL,
  checksum INTEGER NOT NULL,              -- of the whole answer, see checksum.h
  FOREIGN KEY (run, ask_sequence) REFERENCES events (run, sequence)
) STRICT;
)sql";

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_DATABASE_SCHEMA_H_
