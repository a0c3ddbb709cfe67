#include "tools/worker_command.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "backends/external/check_worker.h"
#include "ir/load.h"
#include "nlohmann/json.hpp"
#include "tools/device.h"
#include "tools/record_json.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

constexpr char kProtocol[] = "docs/worker-protocol.md";

void Print(const CheckReport& report, std::ostream& out) {
  for (const std::string& passed : report.passed) out << "ok     " << passed << "\n";
  for (const Complaint& complaint : report.complaints) {
    out << (complaint.is_error ? "error  " : "advice ") << complaint.stage << ": " << complaint.what
        << "\n       want " << complaint.want << "\n       see " << kProtocol << ", section "
        << complaint.section << "\n";
    if (!complaint.line.empty()) out << "       line " << complaint.line << "\n";
  }
}

nlohmann::ordered_json ToJson(const CheckReport& report) {
  nlohmann::ordered_json json = {{"schema_version", kJsonSchemaVersion},
                                 {"worker", report.worker},
                                 {"conforms", report.ok()},
                                 {"passed", report.passed},
                                 {"complaints", nlohmann::ordered_json::array()}};
  for (const Complaint& complaint : report.complaints) {
    json["complaints"].push_back({{"level", complaint.is_error ? "error" : "advice"},
                                  {"stage", complaint.stage},
                                  {"what", complaint.what},
                                  {"want", complaint.want},
                                  {"section", complaint.section},
                                  {"line", complaint.line}});
  }
  return json;
}

}  // namespace

absl::Status RunWorkerCheck(const WorkerCommandOptions& options, const Environment& environment) {
  if (!(options.timeout_seconds > 0)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--timeout is ", options.timeout_seconds, ", want seconds above 0"));
  }
  CheckOptions check;
  check.command = options.command;
  check.device = options.device;
  check.timeout_ns = options.timeout_seconds * 1e9;
  check.detect = [&environment](std::string_view device) {
    return DetectDevice(device, environment.reader);
  };
  if (!options.kernel.empty()) {
    SEEDTUNE_ASSIGN_OR_RETURN(Workload workload, LoadWorkload(options.kernel));
    check.kernel = std::move(workload.entries[0].kernel);
  }
  const CheckReport report = CheckWorker(check, environment.clock);
  if (options.json) {
    // What is no UTF-8 is a worker's own, and no reason to fail.
    environment.out << ToJson(report).dump(2, ' ', false,
                                           nlohmann::ordered_json::error_handler_t::replace)
                    << "\n";
  } else {
    Print(report, environment.out);
  }
  const auto errors = std::count_if(report.complaints.begin(), report.complaints.end(),
                                    [](const Complaint& complaint) { return complaint.is_error; });
  if (errors == 0) {
    if (!options.json) environment.out << "the worker conforms to " << kProtocol << "\n";
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      absl::StrCat("the worker does not conform: ", errors, errors == 1 ? " error" : " errors"));
}

}  // namespace seedtune
