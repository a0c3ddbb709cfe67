// How far recorded searches had come, and when: best so far against time.
#ifndef SEEDTUNE_TOOLS_RUN_CURVES_H_
#define SEEDTUNE_TOOLS_RUN_CURVES_H_

#include <span>
#include <string>
#include <vector>

#include "autotuner/database/records.h"
#include "tools/svg_chart.h"

namespace seedtune {

struct RunLog {
  RunInfo run;
  std::string device_name;
  std::vector<RunEvent> events;  // in order
};

// "auto, seeded", "random, no seeds": who searched, and what was planted. Runs that differ in
// nothing but the random seed have one name.
std::string NameOfRun(const RunInfo& run);

// A panel for each kernel on each device, in the order of the runs; a line for each run, which
// begins with the first time measured and ends with the run. The y axis is speed in percent of the
// fastest that any of the panel's runs measured while it searched (re-timings are no part of this).
// Runs without a time have no line, and kernels without one no panel. Thread-safe.
std::vector<ChartPanel> RunCurves(std::span<const RunLog> logs);

}  // namespace seedtune

#endif  // SEEDTUNE_TOOLS_RUN_CURVES_H_
