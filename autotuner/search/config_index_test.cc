#include "autotuner/search/config_index.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "config/config_space.h"
#include "config/knob.h"
#include "gtest/gtest.h"

namespace seedtune {
namespace {

TEST(ConfigIndexTest, FindsWhatWasAdded) {
  ConfigSpace::Options options;
  options.name = "index";
  options.knobs = {*Knob::Integer("x", 0, 99, 1, 0), *Knob::Integer("y", 0, 19, 1, 0)};
  const auto space = *ConfigSpace::Create(std::move(options));
  std::vector<Config> list;
  ConfigIndex index;
  const auto config_of = [&list](size_t place) -> const Config& { return list[place]; };
  for (int i = 0; i < 2000; i += 2) {
    list.push_back(space->At(i));
    index.Add(list.back(), list.size() - 1);
  }
  for (int i = 0; i < 2000; ++i) {
    const std::optional<size_t> found = index.Find(space->At(i), config_of);
    if (i % 2 == 0) {
      EXPECT_EQ(found, static_cast<size_t>(i / 2));
    } else {
      EXPECT_EQ(found, std::nullopt);
    }
  }
}

}  // namespace
}  // namespace seedtune
