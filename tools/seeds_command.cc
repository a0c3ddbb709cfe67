#include "tools/seeds_command.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "autotuner/database/database.h"
#include "config/config_space.h"
#include "config/knob.h"
#include "config/spaces/spaces.h"
#include "hardware/hardware_info.h"
#include "hardware/specs.h"
#include "heuristics/autotuner_heuristic.h"
#include "heuristics/builtin.h"
#include "heuristics/seed_table.h"
#include "heuristics/seed_table.pb.h"
#include "heuristics/tuning_context.h"
#include "ir/kernel.h"
#include "ir/matmul.h"
#include "matmul_ops/matmul_fact.h"
#include "nlohmann/json.hpp"
#include "tools/database_path.h"
#include "tools/environment.h"
#include "tools/mine_seeds.h"
#include "tools/record_json.h"
#include "util/edit_distance.h"
#include "util/embedded_file.h"
#include "util/file.h"
#include "util/format.h"
#include "util/status_macros.h"
#include "util/table.h"
#include "util/textproto.h"

namespace seedtune {
namespace {

std::string TargetOf(const SeedTableProto& table) {
  return table.target().family().empty() ? table.target().arch()
                                         : absl::StrCat("family ", table.target().family());
}

// The tables of a path: itself, or those of the folder, sorted.
absl::StatusOr<std::vector<std::string>> FilesOf(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_directory(path, error)) return std::vector<std::string>{path};
  std::vector<std::string> files;
  for (auto entry = std::filesystem::directory_iterator(path, error);
       !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    if (entry->path().extension() == ".textproto") files.push_back(entry->path().string());
  }
  if (error) return absl::FailedPreconditionError(absl::StrCat(path, ": ", error.message()));
  if (files.empty()) {
    return absl::NotFoundError(absl::StrCat(path, ": no .textproto in this folder, want a table"));
  }
  std::sort(files.begin(), files.end());
  return files;
}

// Whether the spaces of the known devices that a table is for take its seeds; how many were asked.
absl::StatusOr<int> CheckAgainstSpaces(const SeedTableProto& table, const std::string& path) {
  SEEDTUNE_ASSIGN_OR_RETURN(const std::unique_ptr<const AutotunerHeuristic> heuristic,
                            MakeSeedTableHeuristic(table));
  const std::vector<std::string_view> backends = SpaceBackends();
  if (std::find(backends.begin(), backends.end(), table.backend()) == backends.end()) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, ": backend is \"", table.backend(), "\", want one of ",
        absl::StrJoin(std::vector<std::string>(backends.begin(), backends.end()), ", ")));
  }
  int asked = 0;
  for (const std::string& spec : SpecNames()) {
    SEEDTUNE_ASSIGN_OR_RETURN(const HardwareInfo device, FindSpec(spec));
    for (const SeedTableProto::Rule& rule : table.rules()) {
      for (const SeedTableProto::Measured& measured : rule.measured()) {
        SEEDTUNE_ASSIGN_OR_RETURN(const MatmulSpec matmul, ParseMatmulShortForm(measured.shape()));
        SEEDTUNE_ASSIGN_OR_RETURN(const Kernel kernel, BuildMatmul(matmul));
        const std::vector<MatmulFact> facts = ExtractMatmulFacts(kernel);
        const auto space = BuildConfigSpace(table.backend(), facts, device);
        if (!space.ok()) continue;  // not a device of that backend
        const TuningContext context{kernel, facts, device, **space};
        if (!heuristic->IsEligible(context).eligible) continue;
        SEEDTUNE_ASSIGN_OR_RETURN(const std::vector<PartialConfig> seeds,
                                  heuristic->SeedConfigs(context));
        for (const PartialConfig& seed : seeds) {
          const auto config = (*space)->Normalize(seed, NormalizeMode::kReject);
          if (!config.ok()) {
            return absl::InvalidArgumentError(
                absl::StrCat(path, ": the seed for ", measured.shape(), " does not fit ", spec,
                             ": ", std::string(config.status().message())));
          }
          ++asked;
        }
      }
    }
  }
  return asked;
}

absl::StatusOr<SeedTableProto> CheckFile(const std::string& path, int& asked) {
  SEEDTUNE_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  SEEDTUNE_ASSIGN_OR_RETURN(SeedTableProto table, ParseSeedTable(text, path));
  const std::string want = table.name() + ".textproto";
  if (std::filesystem::path(path).filename() != want) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": the table's name is \"", table.name(),
                                                   "\", want the file's own; call the file ",
                                                   want));
  }
  SEEDTUNE_ASSIGN_OR_RETURN(asked, CheckAgainstSpaces(table, path));
  return table;
}

// As one would type it again, but for the folder of the database.
std::string MineCommand(const SeedsCommandOptions& options, const std::string& database) {
  const MineSeedsOptions defaults;
  std::string command = absl::StrCat("seedtune seeds mine --db=",
                                     std::filesystem::path(database).filename().string());
  const auto add = [&](const char* flag, const auto& value, const auto& otherwise) {
    if (value != otherwise) absl::StrAppend(&command, " --", flag, "=", value);
  };
  add("backend", options.mine.backend, defaults.backend);
  add("device", options.mine.device, defaults.device);
  add("max-rules", options.mine.cover.max_rules, defaults.cover.max_rules);
  add("max-slowdown", options.mine.cover.max_slowdown, defaults.cover.max_slowdown);
  add("min-gain", options.mine.cover.min_gain, defaults.cover.min_gain);
  add("nearest-within", options.mine.nearest_within, defaults.nearest_within);
  return command;
}

absl::Status ValidateMineOptions(const SeedsCommandOptions& options) {
  const struct {
    const char* flag;
    double value;
  } factors[] = {{"--max-slowdown", options.mine.cover.max_slowdown},
                 {"--min-gain", options.mine.cover.min_gain}};
  for (const auto& [flag, value] : factors) {
    if (value >= 1 && value <= 100) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(flag, " is ", value, ", want a factor from 1 to 100"));
  }
  if (options.mine.cover.max_rules == 0) {
    return absl::InvalidArgumentError("--max-rules is 0, want at least 1");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status RunSeedsList(const SeedsCommandOptions& options, const Environment& environment) {
  nlohmann::ordered_json json = {{"schema_version", kJsonSchemaVersion},
                                 {"tables", nlohmann::ordered_json::array()}};
  Table text({{"table", Align::kLeft},
              {"backend", Align::kLeft},
              {"target", Align::kLeft},
              {"rules", Align::kRight},
              {"promoted", Align::kLeft},
              {"measured", Align::kLeft},
              {"on", Align::kLeft}});
  for (const EmbeddedFile& file : BuiltinSeedTables()) {
    SEEDTUNE_ASSIGN_OR_RETURN(const SeedTableProto table, ParseSeedTable(file.contents, file.path));
    text.AddRow({table.name(), table.backend(), TargetOf(table), absl::StrCat(table.rules_size()),
                 table.promote() ? "yes" : "no", table.provenance().date(),
                 table.provenance().device()});
    json["tables"].push_back({{"name", table.name()},
                              {"backend", table.backend()},
                              {"target", TargetOf(table)},
                              {"rules", table.rules_size()},
                              {"promote", table.promote()},
                              {"date", table.provenance().date()},
                              {"device", table.provenance().device()},
                              {"commit", table.provenance().commit()}});
  }
  environment.out << (options.json ? json.dump(2) + "\n" : text.ToString());
  return absl::OkStatus();
}

absl::Status RunSeedsShow(const SeedsCommandOptions& options, const Environment& environment) {
  std::vector<std::string_view> names;
  for (const EmbeddedFile& file : BuiltinSeedTables()) {
    if (file.name == options.name) {
      environment.out << file.contents;
      return absl::OkStatus();
    }
    names.push_back(file.name);
  }
  const std::optional<std::string> nearest = NearestName(options.name, names);
  return absl::NotFoundError(absl::StrCat("no seed table named \"", options.name, "\"",
                                          nearest
                                              ? absl::StrCat(", did you mean \"", *nearest, "\"")
                                              : "; `seedtune seeds list` lists them"));
}

absl::Status RunSeedsCheck(const SeedsCommandOptions& options, const Environment& environment) {
  std::vector<std::string> faults;
  for (const std::string& given : options.paths) {
    absl::StatusOr<std::vector<std::string>> files = FilesOf(ResolveUserPath(given));
    if (!files.ok()) {
      faults.emplace_back(files.status().message());
      continue;
    }
    for (const std::string& file : *files) {
      int asked = 0;
      const absl::StatusOr<SeedTableProto> table = CheckFile(file, asked);
      if (!table.ok()) {
        faults.emplace_back(table.status().message());
        continue;
      }
      environment.out << file << ": ok, " << table->rules_size()
                      << (table->rules_size() == 1 ? " rule" : " rules") << ", "
                      << (asked > 0 ? absl::StrCat(asked, " seeds asked of known devices, all fit")
                                    : "no known device is its target")
                      << "\n";
    }
  }
  if (faults.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrJoin(faults, "; "));
}

absl::Status RunSeedsMine(const SeedsCommandOptions& options, const Environment& environment) {
  SEEDTUNE_RETURN_IF_ERROR(ValidateMineOptions(options));
  SEEDTUNE_ASSIGN_OR_RETURN(
      const std::unique_ptr<Database> database,
      Database::Open(ResolveDatabasePath(options.database), {.mode = Database::Mode::kReadOnly}));
  MineSeedsOptions mine = options.mine;
  mine.command = MineCommand(options, database->path());
  const std::string output = options.output.empty() ? "" : ResolveUserPath(options.output);
  // A table's name is its file's.
  if (mine.name.empty() && !output.empty()) {
    mine.name = std::filesystem::path(output).stem().string();
  }
  SEEDTUNE_ASSIGN_OR_RETURN(const MinedSeeds mined, MineSeedTable(*database, mine));
  const std::string text =
      absl::StrCat("# proto-message: seedtune.SeedTableProto\n", PrintTextProto(mined.table));
  if (output.empty()) {
    environment.out << text;
  } else {
    SEEDTUNE_RETURN_IF_ERROR(WriteFileAtomically(output, text));
  }
  Table table({{"kernel", Align::kLeft},
               {"untuned", Align::kRight},
               {"best", Align::kRight},
               {"gain", Align::kRight},
               {"became", Align::kLeft}});
  for (const MinedAnswer& answer : mined.answers) {
    table.AddRow({answer.kernel, FormatNs(answer.untuned_ns), FormatNs(answer.best_ns),
                  FormatSpeedup(answer.untuned_ns, answer.best_ns), answer.fate});
  }
  environment.err << table.ToString();
  if (!output.empty()) {
    environment.err << "wrote " << mined.table.rules_size()
                    << (mined.table.rules_size() == 1 ? " rule" : " rules") << " to " << output
                    << "; `seedtune seeds check` checks them\n";
  }
  return absl::OkStatus();
}

}  // namespace seedtune
