#include "tools/lookup_command.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "autotuner/database/database.h"
#include "autotuner/record_key.h"
#include "config/config_io.h"
#include "config/interchange/foreign_config.h"
#include "config/knob.h"
#include "nlohmann/json.hpp"
#include "tools/database_path.h"
#include "tools/record_json.h"
#include "tools/subject.h"
#include "tools/target.h"
#include "util/format.h"
#include "util/status_macros.h"

namespace seedtune {

absl::Status RunLookup(const LookupCommandOptions& options, const Environment& environment) {
  const KernelOptions& kernel_options = options.kernel;
  const bool loose = options.match == "loose";
  if (!loose && options.match != "strict") {
    return absl::InvalidArgumentError(
        absl::StrCat("--match is \"", options.match, "\", want strict or loose"));
  }
  ConfigFormat format = ConfigFormat::kSeedtune;
  if (!options.format.empty()) {
    SEEDTUNE_ASSIGN_OR_RETURN(format, ParseConfigFormat(options.format));
  }
  SEEDTUNE_ASSIGN_OR_RETURN(Target target, Target::Resolve(kernel_options, environment));
  SEEDTUNE_ASSIGN_OR_RETURN(const std::vector<Subject> subjects, target.Subjects());
  SEEDTUNE_ASSIGN_OR_RETURN(const MeasurerInfo info, target.Info());
  const std::string path = ResolveDatabasePath(options.database);
  SEEDTUNE_ASSIGN_OR_RETURN(const std::unique_ptr<Database> database,
                            Database::Open(path, {.mode = Database::Mode::kReadOnly}));

  std::vector<std::string> misses;
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const Subject& subject : subjects) {
    const RecordKey key = MakeRecordKey(*subject.kernel, *subject.space, info);
    SEEDTUNE_ASSIGN_OR_RETURN(LookupResult found,
                              loose ? database->LookupLoose(key) : database->Lookup(key));
    if (!found.record) {
      misses.push_back(absl::StrCat("kernel \"", subject.kernel->name, "\": ", found.miss_reason));
      rows.push_back({{"kernel", subject.kernel->name}, {"miss", found.miss_reason}});
      continue;
    }
    found.record->kernel_name = subject.kernel->name;
    if (!options.format.empty()) {
      SEEDTUNE_ASSIGN_OR_RETURN(const PartialConfig config,
                                PartialConfigFromJson(found.record->config_json));
      SEEDTUNE_ASSIGN_OR_RETURN(const std::string text, WriteConfig(config, format));
      environment.out << text << "\n";
      continue;
    }
    if (kernel_options.json) {
      rows.push_back(BestRecordToJson(*found.record));
      if (loose) rows.back()["difference"] = found.difference;
      continue;
    }
    const double best_ns = found.record->outcome.objective_ns();
    environment.out << subject.kernel->name << ": " << FormatNs(best_ns) << ", "
                    << FormatSpeedup(found.record->untuned_outcome.objective_ns(), best_ns)
                    << " of the untuned default's speed, " << FormatGflops(subject.flops(), best_ns)
                    << " GFLOP/s\n  " << found.record->config_json << "\n";
    if (!found.difference.empty()) {
      environment.out << "  recorded with " << found.difference << "\n";
    }
  }
  if (kernel_options.json && options.format.empty()) {
    const nlohmann::ordered_json json = {
        {"schema_version", kJsonSchemaVersion}, {"database", path}, {"kernels", std::move(rows)}};
    environment.out << json.dump(2) << "\n";
  }
  if (misses.empty()) return absl::OkStatus();
  return absl::NotFoundError(absl::StrJoin(misses, "; "));
}

}  // namespace seedtune
