// What holds for every kernel, tried on many that nobody thought of.
#include "ir/random_kernel.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ir/bind.h"
#include "ir/fingerprint.h"
#include "ir/kernel.h"
#include "ir/kernel_fields.h"
#include "ir/load.h"
#include "ir/proto_convert.h"
#include "ir/validate.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

constexpr uint64_t kKernels = 400;

TEST(RandomKernelTest, IsValid) {
  for (uint64_t seed = 0; seed < kKernels; ++seed) {
    ASSERT_OK_AND_ASSIGN(const Kernel kernel, RandomKernel(seed));
    ASSERT_THAT(ValidateKernel(kernel), IsOk()) << seed;
    ASSERT_THAT(RandomKernel(seed), IsOkAndHolds(kernel)) << seed;
  }
}

TEST(RandomKernelTest, CoversAllThereIs) {
  std::set<OpKind> ops;
  std::set<PointwiseKind> pointwise;
  std::set<std::string> features;
  for (uint64_t seed = 0; seed < kKernels; ++seed) {
    ASSERT_OK_AND_ASSIGN(const Kernel kernel, RandomKernel(seed));
    int dots = 0;
    for (const Op& op : kernel.ops) {
      ops.insert(op.kind);
      if (op.kind == OpKind::kPointwise) pointwise.insert(op.pointwise);
      for (const AffineIndex& index : op.access) {
        if (index.terms.size() > 1) features.insert("window");
        for (const auto& term : index.terms) {
          if (term.coefficient < 0) features.insert("backwards");
        }
      }
      if (op.kind != OpKind::kDot) continue;
      ++dots;
      features.insert(absl::StrCat(op.dot.batch.size(), " batch"));
      features.insert(absl::StrCat(op.dot.m.size(), " m"));
      features.insert(absl::StrCat(op.dot.n.size(), " n"));
      features.insert(absl::StrCat(op.dot.k.size(), " k"));
    }
    features.insert(absl::StrCat(dots, " dots"));
    for (const Axis& axis : kernel.axes) {
      features.insert(axis.tunable ? "tunable" : "fixed");
      features.insert(axis.extent.is_static() ? "static" : axis.extent.symbol);
    }
    for (const Tensor& tensor : kernel.tensors) {
      for (const TensorDim& dim : tensor.dims) {
        if (dim.stride == 0) features.insert("broadcast");
        if (dim.stride == TensorDim::kDynamicStride) features.insert("dynamic");
      }
    }
  }
  EXPECT_EQ(ops.size(), 7u);
  EXPECT_EQ(pointwise.size(), 13u);
  EXPECT_THAT(features, testing::IsSupersetOf(
                            {"window", "backwards", "0 batch",    "1 batch",   "2 batch", "1 m",
                             "2 m",    "0 n",       "1 n",        "2 n",       "1 k",     "2 k",
                             "1 dots", "2 dots",    "tunable",    "fixed",     "static",  "M",
                             "free",   "low.bound", "high_bound", "broadcast", "dynamic"}));
}

TEST(RandomKernelTest, ComesBackFromItsText) {
  for (uint64_t seed = 0; seed < kKernels; ++seed) {
    ASSERT_OK_AND_ASSIGN(const Kernel kernel, RandomKernel(seed));
    ASSERT_THAT(KernelFromProto(KernelToProto(kernel)), IsOkAndHolds(kernel));
    Workload workload;
    workload.name = "random";
    workload.entries.push_back({.kernel = kernel, .count = 3});
    const std::string text = PrintWorkload(workload);
    const auto back = ParseWorkload(text, "random.textproto");
    ASSERT_THAT(back, IsOk()) << text;
    ASSERT_EQ(back->entries, workload.entries) << text;
  }
}

TEST(RandomKernelTest, KeepsItsFingerprintUnderOtherNames) {
  for (uint64_t seed = 0; seed < kKernels; ++seed) {
    ASSERT_OK_AND_ASSIGN(const Kernel kernel, RandomKernel(seed));
    // Names in another alphabetic order than before.
    Kernel renamed = kernel;
    int names = 1000;
    std::map<std::string, std::string> symbols;
    VisitKernelFields(renamed, [&](const std::string&, const std::string& field, auto& value) {
      if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::string>) {
        if (field == "name") value = absl::StrCat("n", --names);
        if (field == "symbol" && !value.empty()) {
          const std::string fresh = absl::StrCat("s", --names);
          value = symbols.emplace(value, fresh).first->second;
        }
      }
    });
    ASSERT_THAT(ValidateKernel(renamed), IsOk());
    ASSERT_NE(renamed, kernel);
    ASSERT_EQ(KernelFingerprint(renamed), KernelFingerprint(kernel)) << seed;
  }
}

TEST(RandomKernelTest, DifferentKernelsHaveDifferentFingerprints) {
  std::map<std::string, Kernel> seen;
  for (uint64_t seed = 0; seed < kKernels; ++seed) {
    ASSERT_OK_AND_ASSIGN(Kernel kernel, RandomKernel(seed));
    kernel.name = "kernel";
    const auto [it, inserted] = seen.emplace(KernelFingerprint(kernel), kernel);
    if (!inserted) {
      EXPECT_EQ(it->second, kernel) << seed;
    }
  }
  EXPECT_GT(seen.size(), kKernels * 9 / 10);
}

TEST(RandomKernelTest, IsStaticAndValidOnceBound) {
  for (uint64_t seed = 0; seed < kKernels; ++seed) {
    ASSERT_OK_AND_ASSIGN(const Kernel kernel, RandomKernel(seed));
    std::map<std::string, int64_t> values;
    for (const Axis& axis : kernel.axes) {
      if (!axis.extent.is_static()) values[axis.extent.symbol] = 11;
    }
    const auto bound = BindSymbols(kernel, values);
    ASSERT_THAT(bound, IsOk()) << seed;
    for (const Axis& axis : bound->axes) EXPECT_TRUE(axis.extent.is_static());
    for (const Tensor& tensor : bound->tensors) {
      for (const TensorDim& dim : tensor.dims) EXPECT_TRUE(dim.size.is_static());
    }
    // Binding is done once and for all.
    EXPECT_THAT(BindSymbols(*bound, {}), IsOkAndHolds(*bound));
  }
}

// Whatever one number or list is changed to, the validator answers, and reads nothing that is not
// there (which the sanitizers would see).
TEST(RandomKernelTest, SurvivesAnyChangeOfOneField) {
  std::mt19937_64 random(7);
  constexpr int64_t kNumbers[] = {INT64_MIN, -2, -1, 0, 1, 2, 3, 77, INT32_MAX, INT64_MAX};
  int valid = 0;
  int invalid = 0;
  for (uint64_t seed = 0; seed < kKernels; ++seed) {
    ASSERT_OK_AND_ASSIGN(const Kernel kernel, RandomKernel(seed));
    Kernel counted = kernel;
    int fields = 0;
    VisitKernelFields(counted, [&](const std::string&, const char*, auto&) { ++fields; });
    for (int i = 0; i < 20; ++i) {
      Kernel changed = kernel;
      const int target = static_cast<int>(random() % fields);
      int at = 0;
      VisitKernelFields(changed, [&](const std::string&, const char*, auto& value) {
        if (at++ != target) return;
        using T = std::decay_t<decltype(value)>;
        const int64_t number = kNumbers[random() % std::size(kNumbers)];
        if constexpr (std::is_same_v<T, std::string>) {
          value = number == 0 ? "" : absl::StrCat(number);
        } else if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T>) {
          value = static_cast<T>(number);
        } else if constexpr (std::is_same_v<T, std::vector<int>>) {
          if (!value.empty() && random() % 2 == 0) {
            value[random() % value.size()] = static_cast<int>(number);
          } else {
            value.push_back(static_cast<int>(number));
          }
        } else if (!value.empty() && random() % 2 == 0) {
          value.pop_back();
        } else {
          value.emplace_back();
        }
      });
      const absl::Status status = ValidateKernel(changed);
      if (!status.ok()) {
        ++invalid;
        EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
        continue;
      }
      ++valid;
      // What it accepts, everything else can work with.
      ASSERT_THAT(KernelFromProto(KernelToProto(changed)), IsOkAndHolds(changed));
      const absl::Status bound = BindSymbols(changed, {}).status();
      EXPECT_TRUE(bound.ok() || bound.code() == absl::StatusCode::kInvalidArgument);
    }
  }
  EXPECT_GT(valid, 100);
  EXPECT_GT(invalid, 1000);
}

}  // namespace
}  // namespace seedtune
