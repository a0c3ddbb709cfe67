#include "ir/fingerprint.h"

#include <algorithm>
#include <map>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ir/builder.h"
#include "ir/dtype.h"
#include "ir/kernel.h"
#include "ir/kernel_fields.h"
#include "ir/matmul.h"
#include "ir/test_kernels.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::MatchesRegex;

std::string FingerprintOfShortForm(const std::string& text) {
  const auto spec = ParseMatmulShortForm(text);
  EXPECT_THAT(spec, IsOk());
  const auto kernel = BuildMatmul(*spec);
  EXPECT_THAT(kernel, IsOk());
  return KernelFingerprint(*kernel);
}

// Records are filed under these. They may change only together with the format's number in
// fingerprint.cc.
TEST(FingerprintTest, StaysAsItWasWrittenDown) {
  const struct {
    const char* kernel;
    const char* fingerprint;
  } kCases[] = {
      {"matmul:16x4096x14336:f32", "fd6d9af140886b0b684170e145532f86"},
      {"matmul:4096x4096x4096:bf16:out=f32", "e419928e059c3bb6d4a79cc0f12e7ca4"},
      {"matmul:M=16[1,64]x6144x4096:f32:nt:bias:gelu:residual", "83e1e3b79607ed694e41886a2b6448f9"},
      {"matmul:384x384x64:i8:batch=12:tn:relu", "7d5f4e2a5159f12a11a71eb90079ad2e"},
  };
  for (const auto& c : kCases) {
    EXPECT_EQ(FingerprintOfShortForm(c.kernel), c.fingerprint) << c.kernel;
  }
  EXPECT_EQ(KernelFingerprint(RichKernel()), "445401b57c967eadb2ae8d14d07f6492");
}

TEST(FingerprintTest, Is32HexDigits) {
  EXPECT_THAT(KernelFingerprint(RichKernel()), MatchesRegex("[0-9a-f]{32}"));
  EXPECT_THAT(KernelFingerprint(Kernel{}), MatchesRegex("[0-9a-f]{32}"));
}

TEST(FingerprintTest, DoesNotDependOnNames) {
  Kernel renamed = RichKernel();
  VisitKernelFields(renamed, [](const std::string&, const std::string& name, auto& field) {
    if constexpr (std::is_same_v<std::decay_t<decltype(field)>, std::string>) {
      if (name == "name" || !field.empty()) field += "_renamed";
    }
  });
  ASSERT_NE(renamed, RichKernel());
  EXPECT_EQ(KernelFingerprint(renamed), KernelFingerprint(RichKernel()));
}

// A value that differs from `field`.
template <typename T>
T Changed(const T& field) {
  if constexpr (std::is_same_v<T, std::string>) {
    return field + "x";
  } else if constexpr (std::is_same_v<T, bool>) {
    return !field;
  } else if constexpr (std::is_enum_v<T>) {
    return static_cast<T>(static_cast<int>(field) + 1);
  } else if constexpr (std::is_arithmetic_v<T>) {
    return field + 1;
  } else if constexpr (std::is_same_v<T, std::vector<int>>) {
    T longer = field;
    longer.push_back(0);
    return longer;
  } else {
    T longer = field;
    longer.emplace_back();
    return longer;
  }
}

// Fields that mean something to an operation of this kind, of those that do not to all.
bool Belongs(const Op& op, const std::string& field) {
  const std::map<std::string, std::vector<OpKind>> kinds = {
      {"tensor", {OpKind::kLoad, OpKind::kStore}},
      {"access", {OpKind::kLoad, OpKind::kStore}},
      {"batch", {OpKind::kDot}},
      {"m", {OpKind::kDot}},
      {"n", {OpKind::kDot}},
      {"k", {OpKind::kDot}},
      {"reduce", {OpKind::kReduce}},
      {"reduce_axes", {OpKind::kReduce}},
      {"pointwise", {OpKind::kPointwise}},
      {"constant", {OpKind::kConstant}},
  };
  const auto it = kinds.find(field);
  if (it == kinds.end()) return true;
  return std::find(it->second.begin(), it->second.end(), op.kind) != it->second.end();
}

TEST(FingerprintTest, DependsOnAllButNames) {
  const Kernel original = RichKernel();
  const std::string fingerprint = KernelFingerprint(original);
  Kernel kernel = original;
  int fields = 0;
  VisitKernelFields(kernel, [&](const std::string&, const char*, auto&) { ++fields; });
  int changed = 0;
  // Besides the original: no two changes may look the same, either.
  std::map<std::string, std::string> seen = {{fingerprint, "the original"}};
  for (int target = 0; target < fields; ++target) {
    kernel = original;
    int at = 0;
    std::string where;
    std::string name;
    VisitKernelFields(kernel, [&](const std::string& place, const char* field, auto& value) {
      if (at++ != target) return;
      where = place;
      name = field;
      value = Changed(value);
    });
    SCOPED_TRACE(absl::StrCat(where, ".", name));
    // What validation wants at its default is not written down.
    if (where.substr(0, 4) == "ops[") {
      const int op = std::stoi(where.substr(4));
      if (!Belongs(original.ops[op], name)) continue;
    }
    if (name == "symbol") continue;  // SymbolsCountByWhoSharesThem
    if (name == "name") {
      EXPECT_EQ(KernelFingerprint(kernel), fingerprint);
      continue;
    }
    const bool in_extent = name == "min" || name == "max";
    if (in_extent && where.find("axes[1]") == std::string::npos &&
        where != "tensors[0].dims[1].size" && where != "tensors[3].dims[1].size") {
      continue;  // of a static extent
    }
    const auto [it, inserted] =
        seen.emplace(KernelFingerprint(kernel), absl::StrCat(where, ".", name));
    EXPECT_TRUE(inserted) << "looks like " << it->second;
    ++changed;
  }
  EXPECT_GT(changed, 80);
}

TEST(FingerprintTest, SymbolsCountByWhoSharesThem) {
  // The same symbol in lhs and out, or another of the same bounds in each.
  const auto with_symbols = [](const std::string& lhs, const std::string& out) {
    Kernel kernel = RichKernel();
    kernel.tensors[0].dims[1].size.symbol = lhs;
    kernel.tensors[3].dims[1].size.symbol = out;
    return KernelFingerprint(kernel);
  };
  EXPECT_EQ(with_symbols("M", "M"), KernelFingerprint(RichKernel()));
  EXPECT_EQ(with_symbols("P", "Q"), with_symbols("Q", "P"));
  EXPECT_NE(with_symbols("M", "M"), with_symbols("M", "Q"));
  EXPECT_NE(with_symbols("M", "M"), with_symbols("Q", "M"));
  EXPECT_NE(with_symbols("M", "Q"), with_symbols("Q", "M"));
  EXPECT_NE(with_symbols("Q", "Q"), with_symbols("P", "Q"));
}

TEST(FingerprintTest, SymbolsDifferFromTheirHints) {
  EXPECT_NE(FingerprintOfShortForm("matmul:16x32x64:f32"),
            FingerprintOfShortForm("matmul:M=16x32x64:f32"));
}

TEST(FingerprintTest, OrderOfAxesAndOpsCounts) {
  const auto build = [](bool bias_first) {
    KernelBuilder b("order");
    const Extent extent = Extent::Static(8);
    const AxisId m = b.AddAxis("m", AxisKind::kParallel, extent);
    const TensorId x = b.AddTensor("x", DType::kF32, {extent});
    const TensorId y = b.AddTensor("y", DType::kF32, {extent});
    const TensorId out = b.AddTensor("out", DType::kF32, {extent});
    const ValueId first = b.Load(bias_first ? y : x, {m});
    const ValueId second = b.Load(bias_first ? x : y, {m});
    b.Store(out, {m}, b.Pointwise(PointwiseKind::kSub, {first, second}));
    return KernelFingerprint(*std::move(b).Build());
  };
  EXPECT_NE(build(false), build(true));
}

}  // namespace
}  // namespace seedtune
