#include "tools/database_path.h"

#include "autotuner/database/database.h"
#include "util/file.h"

namespace seedtune {

std::string ResolveDatabasePath(const std::string& flag) {
  return flag.empty() ? DefaultDatabasePath() : ResolveUserPath(flag);
}

}  // namespace seedtune
