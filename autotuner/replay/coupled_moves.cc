#include "autotuner/replay/coupled_moves.h"

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "config/knob.h"

namespace seedtune {
namespace {

// The choice of `knob` that stands for `value`.
std::optional<uint16_t> ChoiceOf(const Knob& knob, int64_t value) {
  for (int choice = 0; choice < knob.num_choices(); ++choice) {
    if (knob.numeric(choice) == value) return static_cast<uint16_t>(choice);
  }
  return std::nullopt;
}

}  // namespace

absl::StatusOr<CoupledKnobs> ParseCoupledKnobs(std::string_view text) {
  const size_t star = text.find('*');
  if (star == std::string_view::npos || star == 0 || star + 1 == text.size() ||
      text.find('*', star + 1) != std::string_view::npos) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", std::string(text), "\", want two knobs such as MWG*MDIMC"));
  }
  return CoupledKnobs(text.substr(0, star), text.substr(star + 1));
}

absl::Status CheckCoupledKnobs(const ConfigSpace& space, std::span<const CoupledKnobs> pairs) {
  for (const auto& [a, b] : pairs) {
    for (const std::string& name : {a, b}) {
      const std::optional<int> slot = space.FindKnob(name);
      if (slot && space.knobs()[*slot].is_ordered()) continue;
      return absl::NotFoundError(absl::StrCat("space \"", space.name(), "\" has no ",
                                              slot ? "ordered " : "", "knob \"", name, "\""));
    }
  }
  return absl::OkStatus();
}

std::vector<Candidate> CoupledMoves(const Config& config, std::span<const CoupledKnobs> pairs) {
  const ConfigSpace& space = config.space();
  std::vector<Candidate> moves;
  for (const auto& [a_name, b_name] : pairs) {
    const std::optional<int> a = space.FindKnob(a_name);
    const std::optional<int> b = space.FindKnob(b_name);
    if (!a || !b) continue;
    const int at_a = config.choices()[*a];
    const int at_b = config.choices()[*b];
    const auto add = [&](int choice_a, int choice_b) {
      const auto is_choice = [&](int slot, int choice) {
        return choice >= 0 && choice < space.knobs()[slot].num_choices();
      };
      if (!is_choice(*a, choice_a) || !is_choice(*b, choice_b)) return;
      std::vector<uint16_t> choices(config.choices().begin(), config.choices().end());
      choices[*a] = static_cast<uint16_t>(choice_a);
      choices[*b] = static_cast<uint16_t>(choice_b);
      if (!space.IsValid(choices)) return;
      moves.push_back({.config = Config(config.shared_space(), choices),
                       .origin = "neighbor",
                       .heuristic = "coupled"});
    };
    add(at_a + 1, at_b - 1);
    add(at_a - 1, at_b + 1);
    add(at_a + 1, at_b + 1);
    add(at_a - 1, at_b - 1);
    const auto from_b = ChoiceOf(space.knobs()[*a], space.knobs()[*b].numeric(at_b));
    const auto from_a = ChoiceOf(space.knobs()[*b], space.knobs()[*a].numeric(at_a));
    if (from_a && from_b && *from_b != at_a) add(*from_b, *from_a);
  }
  return moves;
}

}  // namespace seedtune
