#include "heuristics/registry.h"

#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "heuristics/fake_heuristic.h"

namespace seedtune {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::unique_ptr<const AutotunerHeuristic> Named(std::string name, std::string backend) {
  FakeHeuristic::Options options;
  options.name = std::move(name);
  options.backend = std::move(backend);
  return std::make_unique<FakeHeuristic>(std::move(options));
}

TEST(HeuristicRegistryTest, KeepsTheOrderGivenWithinEachBackend) {
  HeuristicRegistry registry;
  ASSERT_TRUE(registry.Add(Named("zebra", "cpu")).ok());
  ASSERT_TRUE(registry.Add(Named("other", "triton")).ok());
  ASSERT_TRUE(registry.Add(Named("ant", "cpu")).ok());
  EXPECT_THAT(registry.Names(), ElementsAre("zebra", "other", "ant"));
  EXPECT_THAT(registry.ForBackend("cpu"),
              ElementsAre(registry.Find("zebra"), registry.Find("ant")));
  EXPECT_THAT(registry.ForBackend("triton"), ElementsAre(registry.Find("other")));
}

TEST(HeuristicRegistryTest, KnowsNothingOfWhatWasNotAdded) {
  HeuristicRegistry registry;
  ASSERT_TRUE(registry.Add(Named("zebra", "cpu")).ok());
  EXPECT_THAT(registry.ForBackend("cp"), IsEmpty());
  EXPECT_EQ(registry.Find("zebr"), nullptr);
}

TEST(HeuristicRegistryTest, RefusesATakenNameOfAnyBackend) {
  HeuristicRegistry registry;
  ASSERT_TRUE(registry.Add(Named("zebra", "cpu")).ok());
  const absl::Status status = registry.Add(Named("zebra", "triton"));
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(status.message()), HasSubstr("\"zebra\""));
  EXPECT_THAT(registry.Names(), ElementsAre("zebra"));
}

TEST(HeuristicRegistryTest, RefusesWhatHasNoProperName) {
  const struct {
    const char *name, *backend, *error;
  } kCases[] = {
      {"", "cpu", "name is \"\""},
      {"Zebra", "cpu", "name is \"Zebra\""},
      {"2zebras", "cpu", "name is \"2zebras\""},
      {"ze-bra", "cpu", "name is \"ze-bra\""},
      {"zebra", "", "backend is \"\""},
      {"zebra", "CPU", "backend is \"CPU\""},
  };
  HeuristicRegistry registry;
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.error);
    const absl::Status status = registry.Add(Named(c.name, c.backend));
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.error));
  }
  EXPECT_EQ(registry.Add(nullptr).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(registry.Names(), IsEmpty());
}

}  // namespace
}  // namespace seedtune
