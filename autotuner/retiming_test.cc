#include "autotuner/retiming.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "autotuner/outcome.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace seedtune {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Optional;
using ::testing::SizeIs;

constexpr Retiming::Options kThreeLeaders{.leaders = 3, .rounds = 10};

Outcome Ok(std::vector<double> samples_ns) {
  Outcome outcome;
  outcome.kind = OutcomeKind::kOk;
  outcome.samples_ns = std::move(samples_ns);
  return outcome;
}

Outcome Failed() {
  Outcome outcome;
  outcome.kind = OutcomeKind::kWrongResult;
  outcome.message = "off by one";
  return outcome;
}

// Runs to the end, or for some rounds; whom each round timed. Times are by contestant; 0: it fails.
std::vector<std::vector<int64_t>> RunRounds(Retiming& retiming,
                                            const std::map<int64_t, double>& times,
                                            int rounds = 1000) {
  std::vector<std::vector<int64_t>> turns;
  while (static_cast<int>(turns.size()) < rounds && retiming.BeginRound()) {
    turns.push_back(retiming.outstanding());
    for (const int64_t who : turns.back()) {
      const double ns = times.at(who);
      // Not alike from round to round, or equals would be told apart.
      const double wobble = (retiming.round() * 7 + who * 3) % 5 * 0.01;
      retiming.Tell(who, ns == 0 ? Failed() : Ok({ns, ns + wobble, ns}));
    }
  }
  return turns;
}

TEST(RetimingTest, T14_GivesEachLeaderAndTheDefaultOneTurnARoundInChangingOrder) {
  Retiming retiming({5, 2, 9, 7}, 7, kThreeLeaders);
  const auto turns = RunRounds(retiming, {{5, 100}, {2, 100}, {9, 100}, {7, 100}});
  ASSERT_THAT(turns, SizeIs(10)) << "equals are not separated";
  for (size_t round = 0; round < turns.size(); ++round) {
    if (round % 2 == 0) {
      EXPECT_THAT(turns[round], ElementsAre(5, 2, 9, 7));
    } else {
      EXPECT_THAT(turns[round], ElementsAre(7, 9, 2, 5));
    }
  }
}

TEST(RetimingTest, TimesTheDefaultOnceWhereItLeads) {
  Retiming retiming({7, 5, 2, 9}, 7, kThreeLeaders);
  const auto turns = RunRounds(retiming, {{7, 100}, {5, 101}, {2, 102}}, 1);
  EXPECT_THAT(turns, ElementsAre(ElementsAre(7, 5, 2)));
}

TEST(RetimingTest, EndsWhenTheFirstStandsAlone) {
  Retiming retiming({5, 2, 9, 7}, 7, kThreeLeaders);
  EXPECT_THAT(RunRounds(retiming, {{5, 100}, {2, 90}, {9, 110}, {7, 200}}), SizeIs(5));
  EXPECT_THAT(retiming.Best(), Optional(2));
}

TEST(RetimingTest, DropsTheSeparatedButNeverTheDefault) {
  Retiming retiming({5, 2, 9, 7}, 7, kThreeLeaders);
  const auto turns = RunRounds(retiming, {{5, 100}, {2, 100}, {9, 110}, {7, 200}});
  ASSERT_THAT(turns, SizeIs(10)) << "5 and 2 are alike";
  EXPECT_THAT(turns[4], Contains(9));
  EXPECT_THAT(turns[5], Not(Contains(9)));
  EXPECT_THAT(turns[9], Contains(7));
}

TEST(RetimingTest, T15_DecidesByFreshSamplesAlone) {
  Retiming retiming({1, 2, 3}, 3, kThreeLeaders);
  RunRounds(retiming, {{1, 120}, {2, 110}, {3, 100}});
  EXPECT_THAT(retiming.Best(), Optional(3)) << "last at first sight";
  ASSERT_NE(retiming.Pooled(3), nullptr);
  EXPECT_THAT(retiming.Pooled(3)->samples_ns, SizeIs(5 * 3));
}

TEST(RetimingTest, PrefersTheDefaultAmongEquals) {
  Retiming retiming({1, 3}, 3, {.leaders = 1, .rounds = 4});
  while (retiming.BeginRound()) {
    for (const int64_t who : std::vector(retiming.outstanding())) retiming.Tell(who, Ok({100}));
  }
  EXPECT_THAT(retiming.Best(), Optional(3));
}

TEST(RetimingTest, WhoeverFailsHasLost) {
  Retiming retiming({5, 2, 9, 7}, 7, kThreeLeaders);
  RunRounds(retiming, {{5, 10}, {2, 90}, {9, 80}, {7, 200}}, 2);
  ASSERT_TRUE(retiming.BeginRound());
  for (const int64_t who : std::vector(retiming.outstanding())) {
    retiming.Tell(who, who == 5 ? Failed() : Ok({who * 10.0}));
  }
  EXPECT_THAT(retiming.Best(), Optional(9));
  EXPECT_EQ(retiming.Pooled(5), nullptr);
  ASSERT_NE(retiming.Failure(5), nullptr);
  EXPECT_EQ(retiming.Failure(5)->message, "off by one");
  EXPECT_FALSE(retiming.IsLeader(5));
  EXPECT_TRUE(retiming.IsLeader(9));
  EXPECT_FALSE(retiming.IsLeader(7)) << "it is here as the default only";
  ASSERT_TRUE(retiming.BeginRound());
  EXPECT_THAT(retiming.outstanding(), Not(Contains(5)));
}

TEST(RetimingTest, TheNextOnesTakeThePlacesOfLeadersThatAllFail) {
  Retiming retiming({1, 2, 3, 4, 7}, 7, {.leaders = 2, .rounds = 6});
  const auto turns = RunRounds(retiming, {{1, 0}, {2, 0}, {3, 50}, {4, 0}, {7, 100}});
  ASSERT_THAT(turns, SizeIs(6));
  EXPECT_THAT(turns[0], ElementsAre(1, 2, 7));
  EXPECT_THAT(turns[1], ElementsAre(7, 4, 3));
  EXPECT_THAT(turns[2], ElementsAre(3, 7));
  EXPECT_THAT(retiming.Best(), Optional(3));
  EXPECT_THAT(retiming.Pooled(7)->samples_ns, SizeIs(6 * 3)) << "all its turns count";
}

TEST(RetimingTest, ALoneOneAfterFailedLeadersIsTimedBeforeItWins) {
  Retiming works({1, 2, 3}, std::nullopt, {.leaders = 2, .rounds = 6});
  EXPECT_THAT(RunRounds(works, {{1, 0}, {2, 0}, {3, 50}}),
              ElementsAre(ElementsAre(1, 2), ElementsAre(3)));
  EXPECT_THAT(works.Best(), Optional(3));
  EXPECT_TRUE(works.IsLeader(3));

  Retiming fails({1, 2, 7, 3}, 7, {.leaders = 2, .rounds = 6});
  EXPECT_THAT(RunRounds(fails, {{1, 0}, {2, 0}, {7, 0}, {3, 0}}),
              ElementsAre(ElementsAre(1, 2, 7), ElementsAre(3)));
  EXPECT_EQ(fails.Best(), std::nullopt);
  EXPECT_NE(fails.Failure(3), nullptr);
}

TEST(RetimingTest, EndsWithTheDefaultWhereAllOthersFail) {
  Retiming retiming({1, 2, 3, 7}, 7, {.leaders = 2, .rounds = 6});
  EXPECT_THAT(RunRounds(retiming, {{1, 0}, {2, 0}, {3, 0}, {7, 100}}), SizeIs(2));
  EXPECT_THAT(retiming.Best(), Optional(7));
}

TEST(RetimingTest, EndsWithNobodyWhereAllFail) {
  Retiming retiming({1, 2, 7}, 7, {.leaders = 2, .rounds = 6});
  EXPECT_THAT(RunRounds(retiming, {{1, 0}, {2, 0}, {7, 0}}), SizeIs(1));
  EXPECT_EQ(retiming.Best(), std::nullopt);
  EXPECT_NE(retiming.Failure(7), nullptr);
}

TEST(RetimingTest, HasNothingToDecideForOneOrNobody) {
  Retiming one({7}, 7, kThreeLeaders);
  EXPECT_THAT(RunRounds(one, {}), IsEmpty());
  EXPECT_EQ(one.Best(), std::nullopt);
  Retiming nobody({}, std::nullopt, kThreeLeaders);
  EXPECT_THAT(RunRounds(nobody, {}), IsEmpty());
  Retiming no_rounds({1, 2}, 2, {.leaders = 3, .rounds = 0});
  EXPECT_THAT(RunRounds(no_rounds, {}), IsEmpty());
  Retiming no_leaders({1, 2}, 2, {.leaders = 0, .rounds = 10});
  EXPECT_THAT(RunRounds(no_leaders, {}), IsEmpty());
}

TEST(RetimingTest, TheOrderOfAnswersWithinARoundChangesNothing) {
  const std::map<int64_t, double> times = {{5, 100}, {2, 100.01}, {9, 103}, {7, 104}};
  std::set<std::pair<int, int64_t>> ends;
  for (int rotate = 0; rotate < 4; ++rotate) {
    Retiming retiming({5, 2, 9, 7}, 7, kThreeLeaders);
    while (retiming.BeginRound()) {
      std::vector<int64_t> turns = retiming.outstanding();
      std::rotate(turns.begin(), turns.begin() + rotate % static_cast<int>(turns.size()),
                  turns.end());
      for (const int64_t who : turns) {
        retiming.Tell(who, Ok({times.at(who) + (retiming.round() * 7 + who * 3) % 5 * 0.01}));
      }
      EXPECT_THAT(retiming.outstanding(), IsEmpty());
    }
    ends.insert({retiming.round(), *retiming.Best()});
  }
  EXPECT_THAT(ends, SizeIs(1));
}

}  // namespace
}  // namespace seedtune
