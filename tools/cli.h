// The command line of `seedtune`: flags in, exit status out.
#ifndef SEEDTUNE_TOOLS_CLI_H_
#define SEEDTUNE_TOOLS_CLI_H_

#include <string>
#include <vector>

#include "tools/environment.h"

namespace seedtune {

inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;

// `arguments` without the program's name. Errors go to environment.err as one line, `seedtune:
// message`.
int RunCli(const std::vector<std::string>& arguments, const Environment& environment);

}  // namespace seedtune

#endif  // SEEDTUNE_TOOLS_CLI_H_
