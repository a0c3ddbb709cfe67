#include "autotuner/database/check_records.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "autotuner/outcome.h"
#include "nlohmann/json.hpp"
#include "util/status_macros.h"
#include "util/string_view.h"

namespace seedtune {
namespace {

constexpr std::string_view kReplacementCharacter = "\xef\xbf\xbd";

template <typename... Parts>
absl::Status Invalid(const Parts&... parts) {
  return absl::InvalidArgumentError(absl::StrCat(parts...));
}

// The size of the UTF-8 character (RFC 3629: no overlong forms, no surrogates) that `text`, which
// is not empty, begins with; 0 if it begins with none.
size_t Utf8CharacterSize(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(0);
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  const size_t size = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (text.size() < size) return 0;
  const uint8_t low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  const uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  if (byte(1) < low || byte(1) > high) return 0;
  for (size_t i = 2; i < size; ++i) {
    if (byte(i) < 0x80 || byte(i) > 0xbf) return 0;
  }
  return size;
}

absl::Status CheckText(std::string_view field, std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const size_t size = Utf8CharacterSize(text.substr(i));
    if (size == 0) return Invalid(ToAbsl(field), " is not UTF-8 from byte ", i, " on, want UTF-8");
    i += size;
  }
  return absl::OkStatus();
}

absl::Status CheckFilledIn(std::string_view field, std::string_view text) {
  if (text.empty()) return Invalid(ToAbsl(field), " is empty, want it filled in");
  return CheckText(field, text);
}

absl::Status CheckNotNegative(std::string_view field, int64_t value) {
  if (value < 0) return Invalid(ToAbsl(field), " is ", value, ", want at least 0");
  return absl::OkStatus();
}

absl::Status CheckNotNegative(std::string_view field, double value) {
  if (!std::isfinite(value) || value < 0) {
    return Invalid(ToAbsl(field), " is ", value, ", want a finite number of at least 0");
  }
  return absl::OkStatus();
}

absl::Status CheckJsonObject(std::string_view field, std::string_view text) {
  SEEDTUNE_RETURN_IF_ERROR(CheckText(field, text));
  if (!text.starts_with('{') || !nlohmann::json::accept(text)) {
    return Invalid(ToAbsl(field), " is \"", ToAbsl(text.substr(0, 60)), "\", want a JSON object");
  }
  return absl::OkStatus();
}

absl::Status CheckOutcome(std::string_view field, const Outcome& outcome) {
  if (absl::Status status = ValidateOutcome(outcome); !status.ok()) {
    return Invalid(ToAbsl(field), ".", status.message());
  }
  return CheckText(absl::StrCat(ToAbsl(field), ".message"), outcome.message);
}

absl::Status CheckKey(const RecordKey& key) {
  SEEDTUNE_RETURN_IF_ERROR(CheckFilledIn("key.kernel_fingerprint", key.kernel_fingerprint));
  SEEDTUNE_RETURN_IF_ERROR(CheckFilledIn("key.backend", key.backend));
  SEEDTUNE_RETURN_IF_ERROR(CheckFilledIn("key.space_id", key.space_id));
  SEEDTUNE_RETURN_IF_ERROR(CheckFilledIn("key.device_key", key.device_key));
  SEEDTUNE_RETURN_IF_ERROR(CheckText("key.code_generator_version", key.code_generator_version));
  SEEDTUNE_RETURN_IF_ERROR(CheckText("key.compiler_version", key.compiler_version));
  return CheckText("key.driver_version", key.driver_version);
}

}  // namespace

absl::Status CheckRun(const RunInfo& run) {
  if (run.id.size() != 32 || run.id.find_first_not_of("0123456789abcdef") != std::string::npos) {
    return Invalid("id is \"", run.id, "\", want 32 digits of 0-9 and a-f");
  }
  SEEDTUNE_RETURN_IF_ERROR(CheckKey(run.key));
  SEEDTUNE_RETURN_IF_ERROR(CheckFilledIn("settings.algorithm", run.settings.algorithm));
  SEEDTUNE_RETURN_IF_ERROR(
      CheckNotNegative("settings.budget_evaluations", run.settings.budget_evaluations));
  SEEDTUNE_RETURN_IF_ERROR(
      CheckNotNegative("settings.budget_seconds", run.settings.budget_seconds));
  SEEDTUNE_RETURN_IF_ERROR(CheckText("settings.seed_policy", run.settings.seed_policy));
  SEEDTUNE_RETURN_IF_ERROR(CheckText("kernel_name", run.kernel_name));
  SEEDTUNE_RETURN_IF_ERROR(CheckText("kernel_text", run.kernel_text));
  SEEDTUNE_RETURN_IF_ERROR(CheckText("device_text", run.device_text));
  SEEDTUNE_RETURN_IF_ERROR(CheckText("heuristics_json", run.heuristics_json));
  if (run.state != RunState::kUnfinished && run.state != RunState::kFinished) {
    return Invalid("state is number ", static_cast<int>(run.state), ", want 1 or 2");
  }
  return CheckNotNegative("seconds_spent", run.seconds_spent);
}

absl::Status CheckEvent(const RunEvent& event) {
  SEEDTUNE_RETURN_IF_ERROR(CheckNotNegative("at_seconds", event.at_seconds));
  SEEDTUNE_RETURN_IF_ERROR(CheckText("origin", event.origin));
  SEEDTUNE_RETURN_IF_ERROR(CheckText("heuristic", event.heuristic));
  switch (event.kind) {
    case RunEvent::Kind::kAsk:
      if (event.outcome != Outcome()) return Invalid("outcome is set on an ask, want none");
      if (event.origin.empty()) return Invalid("origin is empty, want it filled in");
      return CheckJsonObject("config_json", event.config_json);
    case RunEvent::Kind::kTell:
    case RunEvent::Kind::kRetime:
      return CheckOutcome("outcome", event.outcome);
  }
  return Invalid("kind is number ", static_cast<int>(event.kind), ", want 1, 2 or 3");
}

absl::Status CheckBest(const BestRecord& best) {
  SEEDTUNE_RETURN_IF_ERROR(CheckJsonObject("config_json", best.config_json));
  SEEDTUNE_RETURN_IF_ERROR(CheckFilledIn("origin", best.origin));
  SEEDTUNE_RETURN_IF_ERROR(CheckText("heuristic", best.heuristic));
  SEEDTUNE_RETURN_IF_ERROR(CheckOutcome("outcome", best.outcome));
  if (!best.outcome.ok()) {
    return Invalid("outcome.kind is \"", ToAbsl(OutcomeKindName(best.outcome.kind)),
                   "\", want \"ok\"");
  }
  if (!best.untuned_config_json.empty()) {
    SEEDTUNE_RETURN_IF_ERROR(CheckJsonObject("untuned_config_json", best.untuned_config_json));
  }
  SEEDTUNE_RETURN_IF_ERROR(CheckText("untuned_origin", best.untuned_origin));
  SEEDTUNE_RETURN_IF_ERROR(CheckOutcome("untuned_outcome", best.untuned_outcome));
  SEEDTUNE_RETURN_IF_ERROR(CheckNotNegative("evaluations", best.evaluations));
  SEEDTUNE_RETURN_IF_ERROR(CheckNotNegative("seconds", best.seconds));
  return CheckText("heuristics_json", best.heuristics_json);
}

absl::Status CheckAnswersAsk(const RunEvent& event, const RunEvent& ask) {
  const struct {
    std::string_view field;
    const std::string& value;
    const std::string& asked;
  } fields[] = {{"config_json", event.config_json, ask.config_json},
                {"origin", event.origin, ask.origin},
                {"heuristic", event.heuristic, ask.heuristic}};
  for (const auto& [field, value, asked] : fields) {
    if (!value.empty() && value != asked) {
      return Invalid(ToAbsl(field), " is \"", value, "\", want that of ask ", event.ask_sequence,
                     " (\"", asked, "\") or none");
    }
  }
  return absl::OkStatus();
}

std::string ToValidUtf8(std::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    const size_t size = Utf8CharacterSize(text.substr(i));
    valid += size == 0 ? kReplacementCharacter : text.substr(i, size);
    i += size == 0 ? 1 : size;
  }
  return valid;
}

absl::Status LogState::CheckNext(const RunEvent& event) const {
  if (event.sequence != next_sequence()) {
    return Invalid("sequence is ", event.sequence, ", want ", next_sequence());
  }
  if (event.kind == RunEvent::Kind::kAsk) return absl::OkStatus();
  const int64_t ask = event.ask_sequence;
  if (ask < 0 || ask >= next_sequence() || events_[ask] == Seen::kNoAsk) {
    return Invalid("ask_sequence is ", ask, ", want that of an ask before event ", event.sequence);
  }
  const bool told = events_[ask] == Seen::kAskedAndTold;
  if (event.kind == RunEvent::Kind::kTell && told) {
    return Invalid("ask_sequence is ", ask, ", want an ask that was not told yet");
  }
  if (event.kind == RunEvent::Kind::kRetime && !told) {
    return Invalid("ask_sequence is ", ask, ", want an ask that was told before it is re-timed");
  }
  return absl::OkStatus();
}

void LogState::Add(const RunEvent& event) {
  if (event.kind == RunEvent::Kind::kTell) events_[event.ask_sequence] = Seen::kAskedAndTold;
  events_.push_back(event.kind == RunEvent::Kind::kAsk ? Seen::kAsked : Seen::kNoAsk);
}

}  // namespace seedtune
