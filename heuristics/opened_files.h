// How often this program has opened a file, a device or a socket: for tests that expect it not to.
#ifndef SEEDTUNE_HEURISTICS_OPENED_FILES_H_
#define SEEDTUNE_HEURISTICS_OPENED_FILES_H_

#include <cstdint>

namespace seedtune {

// Since the program started. Counts calls of the C library's functions (open, openat, fopen,
// dlopen, socket), whichever library calls them, but for the C library's own. Thread-safe.
int64_t OpenedFiles();

}  // namespace seedtune

#endif  // SEEDTUNE_HEURISTICS_OPENED_FILES_H_
