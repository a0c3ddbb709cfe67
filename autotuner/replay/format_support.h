// What the readers and writers of recorded spaces share: numbers in other units, configurations,
// and the collecting of results, some of which are of no use.
#ifndef SEEDTUNE_AUTOTUNER_REPLAY_FORMAT_SUPPORT_H_
#define SEEDTUNE_AUTOTUNER_REPLAY_FORMAT_SUPPORT_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "autotuner/replay/recorded_space.h"
#include "config/config_space.h"
#include "config/json_text.h"

namespace seedtune {

constexpr int kMillisecondShift = 6;  // 1 ms is 10^6 ns

// The decimal number `text` times 10^shift, rounded once: "3.2" milliseconds are 3,200,000 ns.
// kInvalidArgument: no decimal number, or too large.
absl::StatusOr<double> ScaleDecimal(std::string_view text, int shift);
// A JSON number that ScaleDecimal(.., -shift) reads back as `value`, which must be finite.
std::string FormatDecimal(double value, int shift);

// The sum of what `json` is, a number or an array of numbers, scaled; 0 where there is none: absent
// (nullptr), null, negative, a string.
double ReadCost(const JsonValue* json, int shift);
// The numbers above 0 of the array `json`, scaled; empty if it is nullptr or no array.
std::vector<double> ReadSamples(const JsonValue* json, int shift);

// Puts results together. Not thread-safe.
class RecordCollector {
 public:
  explicit RecordCollector(std::shared_ptr<const ConfigSpace> space) : space_(std::move(space)) {}

  // Adds the result of the configuration in `json`, an object with a member for each knob (those
  // with one choice may be missing; others' names are left alone); `record.config` is set here.
  // Left out and counted: one that is not valid in the space, one that was there before.
  // kInvalidArgument: no such object, or a value that is none of its knob's choices.
  absl::Status Add(std::string_view where, const JsonValue& json, RecordedConfig record);

  // What was left out, one line a reason, is appended to `notes` if that is not null.
  absl::StatusOr<std::shared_ptr<const RecordedSpace>> Finish(std::string kernel_name,
                                                              std::string device_name,
                                                              std::vector<std::string>* notes);

 private:
  std::shared_ptr<const ConfigSpace> space_;
  std::vector<RecordedConfig> records_;
  absl::flat_hash_set<Config> seen_;
  size_t invalid_ = 0, repeated_ = 0;
  std::string first_invalid_, first_repeated_;
};

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_REPLAY_FORMAT_SUPPORT_H_
