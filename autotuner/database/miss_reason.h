// Why a look-up found nothing: in what the nearest recorded key differs. Thread-safe: no state.
#ifndef SEEDTUNE_AUTOTUNER_DATABASE_MISS_REASON_H_
#define SEEDTUNE_AUTOTUNER_DATABASE_MISS_REASON_H_

#include <string>
#include <vector>

#include "autotuner/database/records.h"

namespace seedtune {

// The parts that differ: `code generator "1", want "2", and driver "6.0", want "6.1"`; "" if none
// does.
std::string DescribeKeyDifference(const RecordKey& have, const RecordKey& want);

// How much two keys differ: 0 where they do not, and the more the weightier the parts are (the
// backend's difference outweighs those of all that come after it below, and so on).
int KeyDistance(const RecordKey& a, const RecordKey& b);

// Why `recorded`, the keys of the answers for the kernel of `want`, newest first and at least one,
// hold none for `want`: by the nearest of them, that of equals which comes first. A difference of
// the backend weighs more than one of the device, that more than one of the config space, then code
// generator, compiler, driver.
std::string DescribeMiss(const RecordKey& want, const std::vector<RecordKey>& recorded);

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_DATABASE_MISS_REASON_H_
