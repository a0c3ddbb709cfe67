#include "autotuner/search/suggestion_queue.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "autotuner/search/search_algorithm.h"
#include "config/config_space.h"
#include "config/knob.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace seedtune {
namespace {

using ::testing::ElementsAre;

class SuggestionQueueTest : public ::testing::Test {
 protected:
  static std::shared_ptr<const ConfigSpace> Line() {
    ConfigSpace::Options options;
    options.name = "line";
    options.knobs.push_back(*Knob::Integer("x", 0, 999, 1, 0));
    return *ConfigSpace::Create(std::move(options));
  }
  Candidate At(int x, std::string heuristic = "expert") const {
    return {.config = Config(space_, {static_cast<uint16_t>(x)}),
            .origin = "neighbor",
            .heuristic = std::move(heuristic)};
  }
  // Where it came from, x of a suggestion, -1 of an own proposal, for each of `turns`; every
  // suggestion is told at once.
  std::vector<int> Play(int turns, bool is_best = false) {
    std::vector<int> played;
    for (int i = 0; i < turns; ++i) {
      const std::optional<Candidate> next = queue_.Next([](const Config&) { return false; });
      if (next) {
        queue_.Told(next->config, is_best);
      } else {
        queue_.PassTurn();
      }
      played.push_back(next ? static_cast<int>(next->config.GetInt("x")) : -1);
    }
    return played;
  }

  const std::shared_ptr<const ConfigSpace> space_ = Line();
  SuggestionQueue queue_;
};

TEST_F(SuggestionQueueTest, GivesEveryOtherTurnToWhatWins) {
  queue_.Add({At(1), At(2), At(3)});
  EXPECT_THAT(Play(7, /*is_best=*/true), ElementsAre(1, -1, 2, -1, 3, -1, -1));
}

TEST_F(SuggestionQueueTest, DoublesThePauseAfterWhatDoesNotWin) {
  queue_.Add({At(1), At(2), At(3)});
  EXPECT_THAT(Play(9), ElementsAre(1, -1, -1, 2, -1, -1, -1, -1, 3));
}

TEST_F(SuggestionQueueTest, SpendsLittleOnWhatNeverWinsAndGivesNothingUp) {
  std::vector<Candidate> many;
  for (int x = 0; x < 100; ++x) many.push_back(At(x));
  queue_.Add(std::move(many));
  const auto suggestions = [&](int turns) {
    int count = 0;
    for (const int x : Play(turns)) count += x >= 0 ? 1 : 0;
    return count;
  };
  EXPECT_EQ(suggestions(60), 5);
  EXPECT_EQ(suggestions(20 * (SuggestionQueue::kLongestPause + 1)), 20);
}

TEST_F(SuggestionQueueTest, OneHeuristicPaysNothingForAnother) {
  queue_.Add({At(1, "wrong"), At(2, "wrong"), At(3, "wrong"), At(11, "right"), At(12, "right"),
              At(13, "right")});
  std::vector<int> played;
  for (int turn = 0; turn < 9; ++turn) {
    const auto next = queue_.Next([](const Config&) { return false; });
    if (next) {
      queue_.Told(next->config, next->heuristic == "right");
    } else {
      queue_.PassTurn();
    }
    played.push_back(next ? static_cast<int>(next->config.GetInt("x")) : -1);
  }
  // Neither of them takes two turns running from the search itself.
  EXPECT_THAT(played, ElementsAre(11, -1, 1, -1, 12, -1, 2, -1, 13));
}

TEST_F(SuggestionQueueTest, PutsTheNewestFirst) {
  queue_.Add({At(1), At(2)});
  queue_.Add({At(3), At(4)});
  EXPECT_THAT(Play(7, /*is_best=*/true), ElementsAre(3, -1, 4, -1, 1, -1, 2));
}

TEST_F(SuggestionQueueTest, PassesOverWhatIsVisited) {
  queue_.Add({At(1), At(2)});
  const Config known = At(1).config;
  const auto next = queue_.Next([&](const Config& config) { return config == known; });
  ASSERT_TRUE(next.has_value());
  EXPECT_EQ(next->config, At(2).config);
}

TEST_F(SuggestionQueueTest, IgnoresWhatItDidNotSuggest) {
  queue_.Add({At(1), At(2), At(3)});
  for (int x = 500; x < 510; ++x) queue_.Told(At(x).config, /*is_new_best=*/false);
  EXPECT_THAT(Play(5, /*is_best=*/true), ElementsAre(1, -1, 2, -1, 3));
}

}  // namespace
}  // namespace seedtune
