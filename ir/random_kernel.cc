#include "ir/random_kernel.h"

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "ir/builder.h"
#include "ir/dtype.h"
#include "ir/kernel.h"

namespace seedtune {
namespace {

class Generator {
 public:
  explicit Generator(uint64_t seed) : random_(seed), b_(absl::StrCat("random", seed)) {}

  absl::StatusOr<Kernel> Generate() {
    const bool integers = Chance(10);
    const DType operand_dtype =
        integers ? DType::kI8 : AllDTypes()[Below(static_cast<int>(AllDTypes().size()) - 2)];
    const DType accumulator = DefaultAccumulator(operand_dtype);

    // What the first dot leaves in n is either kept, or summed over by a reduce or a second dot.
    const bool second_dot = Chance(30);
    const bool reduce_n = !second_dot && Chance(25);
    const std::vector<AxisId> batch = AddAxes("batch", AxisKind::kBatch, Below(3));
    const std::vector<AxisId> m = AddAxes("m", AxisKind::kParallel, Several());
    const std::vector<AxisId> n =
        AddAxes("n", second_dot || reduce_n ? AxisKind::kReduction : AxisKind::kParallel,
                second_dot || reduce_n || plain_ ? Several() : Below(3));
    const std::vector<AxisId> k = AddAxes("k", AxisKind::kReduction, Several());

    const ValueId lhs = Operand(Join({batch, m, k}), operand_dtype);
    const ValueId rhs = Operand(Join({batch, k, n}), operand_dtype);
    ValueId value = b_.Dot(lhs, rhs, {.batch = batch, .m = m, .n = n, .k = k}, accumulator);
    MaybeName();
    std::vector<AxisId> axes = Join({batch, m, n});
    value = Epilogue(value, axes, accumulator);
    if (second_dot) {
      const std::vector<AxisId> p = AddAxes("p", AxisKind::kParallel, 1);
      value = Cast(value, accumulator, operand_dtype);
      const ValueId other = Operand(Join({batch, n, p}), operand_dtype);
      value = b_.Dot(value, other, {.batch = batch, .m = m, .n = p, .k = n}, accumulator);
      axes = Join({batch, m, p});
      value = Epilogue(value, axes, accumulator);
    } else if (reduce_n) {
      constexpr ReduceKind kKinds[] = {ReduceKind::kSum, ReduceKind::kMax, ReduceKind::kMin};
      value = b_.Reduce(kKinds[Below(3)], value, n);
      axes = Join({batch, m});
    }
    const DType out = Chance(50) ? accumulator : operand_dtype;
    value = Cast(value, accumulator, out);
    const auto [tensor, access] = Memory(axes, out, /*can_repeat=*/false);
    b_.StoreAffine(tensor, access, value);
    MaybeName();
    return std::move(b_).Build();
  }

 private:
  int Below(int limit) { return static_cast<int>(random_() % static_cast<uint64_t>(limit)); }
  int Several() { return plain_ ? 1 : 1 + Below(2); }
  bool Chance(int percent) { return Below(100) < percent; }

  static std::vector<AxisId> Join(const std::vector<std::vector<AxisId>>& lists) {
    std::vector<AxisId> all;
    for (const auto& list : lists) all.insert(all.end(), list.begin(), list.end());
    return all;
  }

  std::vector<AxisId> AddAxes(const std::string& name, AxisKind kind, int count) {
    // One symbol has the same hint and bounds wherever it stands.
    const Extent kSymbols[] = {
        Extent::Symbolic("M", 16, 1, 64),
        Extent::Symbolic("free", 0, 0, 0),
        Extent::Symbolic("low.bound", 7, 4, 0),
        Extent::Symbolic("high_bound", 0, 0, 100),
    };
    std::vector<AxisId> axes;
    for (int i = 0; i < count; ++i) {
      extents_.push_back(Chance(25) ? kSymbols[Below(4)] : Extent::Static(1 + Below(40)));
      axes.push_back(b_.AddAxis(absl::StrCat(name, i), kind, extents_.back(),
                                /*tunable=*/!Chance(15)));
    }
    return axes;
  }

  void MaybeName() {
    if (Chance(30)) b_.NameLast(absl::StrCat("named ", ++names_));
  }

  // A tensor, and an access of it that uses all of `axes`.
  std::pair<TensorId, std::vector<AffineIndex>> Memory(std::vector<AxisId> axes, DType dtype,
                                                       bool can_repeat) {
    std::shuffle(axes.begin(), axes.end(), random_);
    std::vector<AffineIndex> access;
    Tensor tensor;
    tensor.name = absl::StrCat("tensor", tensors_++);
    tensor.dtype = dtype;
    if (Chance(50)) tensor.alignment_bytes = int64_t{16} << Below(4);
    for (size_t i = 0; i < axes.size(); ++i) {
      AffineIndex index;
      const Extent& extent = extents_[axes[i]];
      TensorDim dim;
      if (!extent.is_static()) {
        index.terms = {{.axis = axes[i], .coefficient = 1}};
        dim.size = extent;
      } else {
        // Either forwards from an offset or backwards to it.
        const int64_t step = plain_ ? 1 : 1 + Below(3);
        const int64_t offset = plain_ ? 0 : Below(3);
        const int64_t reach = step * (extent.value - 1);
        const bool backwards = !plain_ && Chance(10);
        index.terms = {{.axis = axes[i], .coefficient = backwards ? -step : step}};
        index.offset = backwards ? offset + reach : offset;
        int64_t size = offset + reach + 1 + (plain_ ? 0 : Below(3));
        // A window: two axes in one dimension.
        if (i + 1 < axes.size() && extents_[axes[i + 1]].is_static() && !plain_ && Chance(20)) {
          ++i;
          index.terms.push_back({.axis = axes[i], .coefficient = 1});
          size += extents_[axes[i]].value - 1;
        }
        dim.size = Extent::Static(size);
      }
      access.push_back(index);
      tensor.dims.push_back(dim);
    }
    int64_t stride = 1;
    bool dynamic = false;
    for (size_t d = tensor.dims.size(); d-- > 0;) {
      TensorDim& dim = tensor.dims[d];
      stride += !plain_ && Chance(15) ? Below(8) : 0;
      dim.stride = dynamic ? TensorDim::kDynamicStride : stride;
      if (!plain_ && Chance(5)) dim.stride = TensorDim::kDynamicStride;
      if (can_repeat && Chance(5)) dim.stride = 0;
      dynamic = dynamic || !dim.size.is_static();
      if (!dynamic) stride *= dim.size.value;
    }
    return {b_.AddStridedTensor(std::move(tensor)), std::move(access)};
  }

  ValueId Load(const std::vector<AxisId>& axes, DType dtype) {
    auto [tensor, access] = Memory(axes, dtype, /*can_repeat=*/true);
    const ValueId value = b_.LoadAffine(tensor, std::move(access));
    MaybeName();
    return value;
  }

  ValueId Cast(ValueId value, DType from, DType to) {
    return from == to ? value : b_.Cast(value, to);
  }

  ValueId Operand(const std::vector<AxisId>& axes, DType dtype) {
    const DType stored = !plain_ && Chance(20) ? DType::kI8 : dtype;
    ValueId value = Cast(Load(axes, stored), stored, dtype);
    if (!plain_ && Chance(20)) {  // a scale over some of the axes
      value = b_.Pointwise(PointwiseKind::kMul, {value, Load(SomeOf(axes), dtype)});
    }
    return value;
  }

  std::vector<AxisId> SomeOf(const std::vector<AxisId>& axes) {
    std::vector<AxisId> some;
    for (const AxisId axis : axes) {
      if (Chance(50)) some.push_back(axis);
    }
    return some;
  }

  ValueId Epilogue(ValueId value, const std::vector<AxisId>& axes, DType dtype) {
    constexpr PointwiseKind kBinary[] = {PointwiseKind::kAdd, PointwiseKind::kSub,
                                         PointwiseKind::kMul, PointwiseKind::kDiv,
                                         PointwiseKind::kMax, PointwiseKind::kMin};
    constexpr PointwiseKind kUnary[] = {
        PointwiseKind::kNeg,  PointwiseKind::kRelu, PointwiseKind::kExp, PointwiseKind::kGelu,
        PointwiseKind::kSilu, PointwiseKind::kTanh, PointwiseKind::kSqrt};
    for (int steps = Below(4); steps > 0; --steps) {
      if (Chance(40)) {
        value = b_.Pointwise(kUnary[Below(IsFloat(dtype) ? 7 : 2)], {value});
      } else {
        const ValueId other = Chance(30)   ? b_.Constant(Below(9) - 4, dtype)
                              : Chance(10) ? value
                                           : Load(SomeOf(axes), dtype);
        value = b_.Pointwise(kBinary[Below(6)], {value, other});
      }
      MaybeName();
    }
    return value;
  }

  std::mt19937_64 random_;
  KernelBuilder b_;
  const bool plain_ = Chance(30);  // one axis a dimension, dense tensors, no prologue
  std::vector<Extent> extents_;    // of the axes
  int tensors_ = 0;
  int names_ = 0;
};

}  // namespace

absl::StatusOr<Kernel> RandomKernel(uint64_t seed) { return Generator(seed).Generate(); }

}  // namespace seedtune
