#include "tools/t4_files.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "autotuner/database/database.h"
#include "autotuner/replay/gzip.h"
#include "autotuner/replay/recorded_run.h"
#include "autotuner/replay/recorded_space.h"
#include "autotuner/replay/t4.h"
#include "config/config_space.h"
#include "config/t1.h"
#include "util/file.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

// A file's name and the endings that follow it.
struct SplitName {
  std::string stem;
  std::string endings;
};

SplitName Split(std::string_view path) {
  SplitName name{std::filesystem::path(path).filename().string(), ""};
  for (const std::string_view ending : {".gz", ".json", "_T4"}) {
    if (name.stem.size() <= ending.size() ||
        std::string_view(name.stem).substr(name.stem.size() - ending.size()) != ending) {
      continue;
    }
    name.stem.resize(name.stem.size() - ending.size());
    name.endings.insert(0, ending);
  }
  return name;
}

std::string Beside(std::string_view path, const std::string& name) {
  return std::filesystem::path(path).replace_filename(name).string();
}

// As other tools write it: "2026-11-23 09:54:05+00:00".
std::string Timestamp(int64_t unix_micros) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S%Ez", absl::FromUnixMicros(unix_micros),
                          absl::UTCTimeZone());
}

}  // namespace

std::string T4Stem(std::string_view path) { return Split(path).stem; }

std::string SpacePathBeside(std::string_view path) {
  return Beside(path, Split(path).stem + "_T1.json");
}

std::string PathForKernel(std::string_view path, std::string_view kernel) {
  std::string safe(kernel);
  std::replace_if(
      safe.begin(), safe.end(),
      [](unsigned char c) { return std::isalnum(c) == 0 && c != '-' && c != '.'; }, '_');
  const SplitName name = Split(path);
  return Beside(path, absl::StrCat(name.stem, "-", safe, name.endings));
}

absl::Status CheckT4Path(std::string_view path) {
  const std::filesystem::path file(ResolveUserPath(std::string(path)));
  std::error_code error;
  if (!file.has_filename() || std::filesystem::is_directory(file, error)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--output-t4: \"", std::string(path), "\" is a folder, want a file"));
  }
  if (file.has_parent_path() && !std::filesystem::is_directory(file.parent_path(), error)) {
    return absl::NotFoundError(absl::StrCat("--output-t4: no folder ", file.parent_path().string(),
                                            ", want one that is there; make it first"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> WriteRunAsT4(Database& database, const std::string& run_id,
                                         const std::shared_ptr<const ConfigSpace>& space,
                                         const std::string& kernel, const std::string& device,
                                         const std::string& path) {
  SEEDTUNE_ASSIGN_OR_RETURN(const std::vector<RunEvent> events, database.Events(run_id));
  SEEDTUNE_ASSIGN_OR_RETURN(const std::vector<RecordedConfig> results, ResultsOfRun(events, space));
  if (results.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("run ", run_id, ": nothing measured yet, want results to write to ", path));
  }
  SEEDTUNE_ASSIGN_OR_RETURN(const std::vector<RunInfo> runs, database.ListRuns());
  T4Names names{.kernel = kernel, .device = device, .timestamp = ""};
  for (const RunInfo& run : runs) {
    if (run.id == run_id) names.timestamp = Timestamp(run.started_unix_micros);
  }
  const std::string results_path = ResolveUserPath(path);
  const std::string space_path = SpacePathBeside(results_path);
  std::vector<std::string> left_out;
  // The space first: results without one are of no use.
  SEEDTUNE_RETURN_IF_ERROR(WriteFileAtomically(space_path, WriteT1(MakeT1(*space, &left_out))));
  const std::string text = WriteT4(results, names);
  SEEDTUNE_RETURN_IF_ERROR(
      WriteFileAtomically(results_path, absl::EndsWith(results_path, ".gz") ? Gzip(text) : text));
  return absl::StrCat("wrote ", results.size(), " results to ", results_path,
                      " (T4), their space to ", space_path, " (T1)",
                      left_out.empty()
                          ? ""
                          : absl::StrCat(" without its conditions ", absl::StrJoin(left_out, ", "),
                                         ", which are too large to write down"));
}

}  // namespace seedtune
