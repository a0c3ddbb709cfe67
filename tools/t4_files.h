// Results and their space as files: T4 (autotuner/replay/t4.h) beside T1 (config/t1.h), whose names
// differ in nothing else.
#ifndef SEEDTUNE_TOOLS_T4_FILES_H_
#define SEEDTUNE_TOOLS_T4_FILES_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "autotuner/database/database.h"
#include "autotuner/replay/t4.h"
#include "config/config_space.h"

namespace seedtune {

// What a file of results is called without its folder and endings: "A100" of
// "convolution/A100_T4.json.gz".
std::string T4Stem(std::string_view path);
// Where the space of the results in `path` stands: "convolution/A100_T1.json".
std::string SpacePathBeside(std::string_view path);
// One of several kernels' results: "run-ffn_down_T4.json" of "run_T4.json" and "ffn down".
std::string PathForKernel(std::string_view path, std::string_view kernel);

// Whether results may be written there, as far as that is known before there are any; `path` is a
// user's. kNotFound: no such folder; kInvalidArgument: a folder.
absl::Status CheckT4Path(std::string_view path);

// Writes what run `run_id` has measured to `path`, a user's (compressed by gzip where it ends in
// ".gz"), and `space` to the path beside it. Returns a line for people that says so. Errors:
// kFailedPrecondition: nothing measured yet; kInvalidArgument: the run is of another space; the
// database's and those of writing files.
absl::StatusOr<std::string> WriteRunAsT4(Database& database, const std::string& run_id,
                                         const std::shared_ptr<const ConfigSpace>& space,
                                         const std::string& kernel, const std::string& device,
                                         const std::string& path);

}  // namespace seedtune

#endif  // SEEDTUNE_TOOLS_T4_FILES_H_
