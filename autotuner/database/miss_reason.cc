#include "autotuner/database/miss_reason.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "autotuner/database/records.h"
#include "util/string_view.h"

namespace seedtune {
namespace {

std::string Quoted(std::string_view text) { return absl::StrCat("\"", ToAbsl(text), "\""); }

// Which parts of a key there are, in the order in which a difference weighs: a time on another
// device says less than one of another driver.
struct KeyPart {
  const char* name;
  std::string RecordKey::*value;
};
constexpr KeyPart kKeyParts[] = {
    {"kernel", &RecordKey::kernel_fingerprint},
    {"backend", &RecordKey::backend},
    {"device", &RecordKey::device_key},
    {"config space", &RecordKey::space_id},
    {"code generator", &RecordKey::code_generator_version},
    {"compiler", &RecordKey::compiler_version},
    {"driver", &RecordKey::driver_version},
};

}  // namespace

// A bit for each part that differs, the weightiest highest.
int KeyDistance(const RecordKey& a, const RecordKey& b) {
  int distance = 0;
  for (const KeyPart& part : kKeyParts) distance = 2 * distance + (a.*part.value != b.*part.value);
  return distance;
}

std::string DescribeKeyDifference(const RecordKey& have, const RecordKey& want) {
  std::vector<std::string> differences;
  for (const KeyPart& part : kKeyParts) {
    if (have.*part.value == want.*part.value) continue;
    differences.push_back(absl::StrCat(part.name, " ", Quoted(have.*part.value), ", want ",
                                       Quoted(want.*part.value)));
  }
  return absl::StrJoin(differences, ", and ");
}

std::string DescribeMiss(const RecordKey& want, const std::vector<RecordKey>& recorded) {
  const RecordKey& nearest = *std::min_element(
      recorded.begin(), recorded.end(),
      [&](const auto& a, const auto& b) { return KeyDistance(want, a) < KeyDistance(want, b); });
  if (nearest.backend == want.backend && nearest.device_key != want.device_key) {
    constexpr size_t kMost = 3;
    std::vector<std::string> devices;
    for (const RecordKey& key : recorded) {
      const std::string device = Quoted(key.device_key);
      if (key.backend == want.backend && std::count(devices.begin(), devices.end(), device) == 0) {
        devices.push_back(device);
      }
    }
    const size_t more = devices.size() - std::min(devices.size(), kMost);
    devices.resize(devices.size() - more);
    return absl::StrCat("nothing recorded for this kernel on this device; recorded on: ",
                        absl::StrJoin(devices, ", "),
                        more == 0 ? "" : absl::StrCat(" and ", more, " more"));
  }
  return absl::StrCat("recorded for this kernel with ", DescribeKeyDifference(nearest, want));
}

}  // namespace seedtune
