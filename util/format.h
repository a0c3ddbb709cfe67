// Numbers for people.
#ifndef SEEDTUNE_UTIL_FORMAT_H_
#define SEEDTUNE_UTIL_FORMAT_H_

#include <cstdint>
#include <string>

#include "absl/numeric/int128.h"

namespace seedtune {

// "853 ns", "41.2 us", "1.90 ms", "12.3 s"; "-" for what is not a positive finite number.
std::string FormatNs(double ns);

// "42 s", "1 min 8 s", "1 h 8 min", "12 d 3 h": rounded up. "for ever": from 10^15 seconds on, and
// what is no number.
std::string FormatSeconds(double seconds);

// "1.53x"; "-" where either is unknown.
std::string FormatSpeedup(double before_ns, double after_ns);

// GFLOP/s of `flops` in `ns`: "61.3"; "-" where either is unknown.
std::string FormatGflops(int64_t flops, double ns);

// "1,234,567"
std::string FormatCount(absl::uint128 count);

}  // namespace seedtune

#endif  // SEEDTUNE_UTIL_FORMAT_H_
