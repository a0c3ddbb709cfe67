#include "autotuner/search/suggestion_queue.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "autotuner/search/search_algorithm.h"
#include "config/config_space.h"

namespace seedtune {

void SuggestionQueue::Add(std::vector<Candidate> suggestions) {
  for (auto it = suggestions.rbegin(); it != suggestions.rend(); ++it) {
    auto source = std::find_if(sources_.begin(), sources_.end(), [&](const Source& known) {
      return known.heuristic == it->heuristic;
    });
    if (source == sources_.end()) {
      source = sources_.insert(sources_.end(), Source{.heuristic = it->heuristic});
    }
    source->waiting.push_front(std::move(*it));
  }
}

std::optional<Candidate> SuggestionQueue::Next(absl::FunctionRef<bool(const Config&)> is_visited) {
  if (turn_ - last_turn_ < 2) return std::nullopt;
  std::optional<size_t> chosen;
  for (size_t i = 0; i < sources_.size(); ++i) {
    Source& source = sources_[i];
    while (!source.waiting.empty() && is_visited(source.waiting.front().config)) {
      source.waiting.pop_front();
    }
    if (source.waiting.empty() || turn_ - source.last_turn <= source.pause) continue;
    if (!chosen || source.last_turn < sources_[*chosen].last_turn) chosen = i;
  }
  if (!chosen) return std::nullopt;
  Source& source = sources_[*chosen];
  Candidate suggestion = std::move(source.waiting.front());
  source.waiting.pop_front();
  source.last_turn = last_turn_ = turn_++;
  under_way_[suggestion.config] = *chosen;
  return suggestion;
}

void SuggestionQueue::Told(const Config& config, bool is_new_best) {
  const auto asked = under_way_.find(config);
  if (asked == under_way_.end()) return;
  int64_t& pause = sources_[asked->second].pause;
  pause = is_new_best ? 1 : std::min(2 * pause, kLongestPause);
  under_way_.erase(asked);
}

}  // namespace seedtune
