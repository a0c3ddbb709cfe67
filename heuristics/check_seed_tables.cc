// Exits with 0 if all files named on the command line are valid seed tables, each named as it is;
// else prints one line a fault. The build runs it before it embeds tables.
#include <cstdio>
#include <string>

#include "absl/status/statusor.h"
#include "heuristics/seed_table.h"
#include "util/file.h"

namespace seedtune {
namespace {

absl::Status Check(const std::string& path) {
  absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return text.status();
  absl::StatusOr<SeedTableProto> table = ParseSeedTable(*text, path);
  if (!table.ok()) return table.status();
  const std::string file = table->name() + ".textproto";
  const size_t slash = path.rfind('/');
  if (path.substr(slash == std::string::npos ? 0 : slash + 1) != file) {
    return absl::InvalidArgumentError(path + ": name is \"" + table->name() +
                                      "\", want the file's own");
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace seedtune

int main(int argc, char** argv) {
  int faults = 0;
  for (int i = 1; i < argc; ++i) {
    const absl::Status status = seedtune::Check(argv[i]);
    if (status.ok()) continue;
    std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
    ++faults;
  }
  return faults == 0 ? 0 : 1;
}
