// Which database file a command is about.
#ifndef SEEDTUNE_TOOLS_DATABASE_PATH_H_
#define SEEDTUNE_TOOLS_DATABASE_PATH_H_

#include <string>

namespace seedtune {

// What --db says, as the user who typed it meant it; "" is the default path.
std::string ResolveDatabasePath(const std::string& flag);

}  // namespace seedtune

#endif  // SEEDTUNE_TOOLS_DATABASE_PATH_H_
