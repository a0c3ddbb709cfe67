// What fuzz targets end with where a property does not hold.
#ifndef SEEDTUNE_TESTING_FUZZ_CHECK_H_
#define SEEDTUNE_TESTING_FUZZ_CHECK_H_

#include <cstdio>
#include <cstdlib>

namespace seedtune {

// Aborts, with `what` on stderr, unless `holds`.
inline void Check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "property violated: %s\n", what);
  std::abort();
}

}  // namespace seedtune

#endif  // SEEDTUNE_TESTING_FUZZ_CHECK_H_
