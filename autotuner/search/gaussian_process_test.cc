#include "autotuner/search/gaussian_process.h"

#include <cmath>
#include <cstddef>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace seedtune {
namespace {

using ::testing::Gt;
using ::testing::Lt;

// Points of two ordered coordinates and one that is not.
std::vector<std::vector<float>> Grid() {
  std::vector<std::vector<float>> points;
  for (int i = 0; i < 5; ++i) {
    for (int j = 0; j < 5; ++j) {
      const auto x = static_cast<float>(i);
      const auto y = static_cast<float>(j);
      points.push_back({x / 4, y / 4, static_cast<float>((i + 2 * j) % 3)});
    }
  }
  return points;
}

struct Prediction {
  double mean, deviation;
};
Prediction Predict(const GaussianProcess& process, const std::vector<float>& point) {
  GaussianProcess::View view;
  process.Extend(point, view);
  return {process.Mean(view), process.StandardDeviation(view)};
}

TEST(GaussianProcessTest, KnowsNothingAtFirst) {
  GaussianProcess process({true, true, false});
  process.SetValues({});
  EXPECT_EQ(Predict(process, {0, 0, 0}).mean, 0);
}

TEST(GaussianProcessTest, GoesThroughItsPointsAndIsLeastSureFarFromThem) {
  GaussianProcess process({true, true, false});
  const std::vector<std::vector<float>> points = {{0, 0, 0}, {1, 0, 1}, {0, 1, 2}};
  for (const std::vector<float>& point : points) process.Add(point);
  const std::vector<double> values = {1, -1, 0.5};
  process.SetValues(values);
  for (size_t i = 0; i < points.size(); ++i) {
    EXPECT_NEAR(Predict(process, points[i]).mean, values[i], 0.05);
    EXPECT_THAT(Predict(process, points[i]).deviation, Lt(Predict(process, {1, 1, 3}).deviation));
  }
}

TEST(GaussianProcessTest, AViewGrowsWithTheProcess) {
  GaussianProcess process({true, true, false});
  const std::vector<float> at = {0.3F, 0.6F, 1};
  GaussianProcess::View view;
  std::vector<double> values;
  for (const std::vector<float>& point : Grid()) {
    process.Add(point);
    values.push_back(point[0] - point[1]);
    process.Extend(at, view);
  }
  process.SetValues(values);
  GaussianProcess::View fresh;
  process.Extend(at, fresh);
  EXPECT_EQ(view.v, fresh.v);
  EXPECT_EQ(view.variance, fresh.variance);
}

TEST(GaussianProcessTest, APointWithoutAValueTakesDoubtAwayAndChangesNoMean) {
  GaussianProcess process({true, true, false});
  for (const std::vector<float>& point : {std::vector<float>{0, 0, 0}, {1, 0, 1}, {0, 1, 2}}) {
    process.Add(point);
  }
  const std::vector<double> values = {1, -1, 0.5};
  process.SetValues(values);
  const std::vector<float> at = {0.8F, 0.9F, 1};
  GaussianProcess::View view;
  process.Extend(at, view);
  const double mean = process.Mean(view);
  const double deviation = process.StandardDeviation(view);

  process.Add({0.8F, 0.8F, 1});
  process.SetValues(values);
  process.Extend(at, view);
  EXPECT_NEAR(process.Mean(view), mean, 1e-6);
  EXPECT_THAT(process.StandardDeviation(view), Lt(0.9 * deviation));

  process.Shrink(3);
  view.Shrink(3);
  process.SetValues(values);
  EXPECT_NEAR(process.Mean(view), mean, 1e-6);
  EXPECT_NEAR(process.StandardDeviation(view), deviation, 1e-6);
}

TEST(GaussianProcessTest, LearnsWhatMatters) {
  // The value hangs on the first coordinate alone; the second and third are noise to it.
  GaussianProcess process({true, true, false});
  const std::vector<std::vector<float>> points = Grid();
  std::vector<double> values;
  for (const std::vector<float>& point : points) values.push_back(std::sin(3 * point[0]) - 0.5);
  const auto error = [&] {
    for (const std::vector<float>& point : points) process.Add(point);
    process.SetValues(values);
    double sum = 0;
    for (int i = 0; i < 20; ++i) {
      const float x = static_cast<float>(i) / 20;
      const double value = Predict(process, {x, 0.4F, 7}).mean;
      sum += std::abs(value - (std::sin(3 * x) - 0.5));
    }
    return sum / 20;
  };
  const double before = error();
  process.Learn({.points = points, .values = values}, 40);
  EXPECT_EQ(process.size(), 0u) << "it begins anew";
  const double after = error();
  EXPECT_THAT(after, Lt(0.7 * before));
  EXPECT_THAT(after, Lt(0.1));
}

TEST(GaussianProcessTest, LearnsJumps) {
  // Even places are good and odd ones are not: no smooth function of the place.
  GaussianProcess process({true});
  std::vector<std::vector<float>> points;
  std::vector<double> values;
  for (int i = 0; i < 12; ++i) {
    points.push_back({static_cast<float>(i) / 11});
    values.push_back(i % 2 == 0 ? 1 : -1);
  }
  process.Learn({.points = points, .values = values}, 40);
  for (const std::vector<float>& point : points) process.Add(point);
  process.SetValues(values);
  // What it has not seen is uncertain even between two points that it has.
  EXPECT_THAT(Predict(process, {0.5F / 11}).deviation, Gt(0.3));
}

TEST(GaussianProcessTest, LearnsLessWhereItKnowsWhatIsUsual) {
  // As in LearnsWhatMatters: that another coordinate makes no difference is unusual.
  const std::vector<std::vector<float>> points = Grid();
  std::vector<double> values;
  for (const std::vector<float>& point : points) values.push_back(std::sin(3 * point[0]) - 0.5);
  const auto doubt = [&](double deviation) {
    GaussianProcess process({true, true, false}, deviation);
    process.Learn({.points = points, .values = values}, 40);
    for (const std::vector<float>& point : points) process.Add(point);
    process.SetValues(values);
    return Predict(process, {0.5F, 0.4F, 7}).deviation /
           Predict(process, {0.6F, 0.5F, 1}).deviation;
  };
  EXPECT_THAT(doubt(0.3), Gt(1.5 * doubt(3)));
}

TEST(GaussianProcessTest, TakesPointsTwice) {
  GaussianProcess process({true, false});
  for (int i = 0; i < 50; ++i) process.Add({0.5F, 1});
  process.SetValues(std::vector<double>(50, 1.0));
  EXPECT_NEAR(Predict(process, {0.5F, 1}).mean, 1, 0.05);
  const std::vector<std::vector<float>> same(20, {0.5F, 1});
  const std::vector<double> nothing(20, 0.0);
  process.Learn({.points = same, .values = nothing}, 10);
  process.Add({0.5F, 1});
  process.SetValues(std::vector<double>{1.0});
  EXPECT_TRUE(std::isfinite(Predict(process, {0.1F, 0}).mean));
}

}  // namespace
}  // namespace seedtune
