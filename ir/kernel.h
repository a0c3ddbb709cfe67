// What a kernel computes: axes, tensors, and operations in SSA order. Says nothing of how it is
// run.
//
// Axes are the loops of the mathematical definition. Tensors are memory. An operation yields one
// value, named by its index in Kernel::ops; a value spans a set of axes. Loads and stores say which
// tensor element each point of the axes touches, by one affine expression a tensor dimension.
//
// A kernel that came out of KernelBuilder::Build or KernelFromProto is valid (see validate.h); code
// that takes a `const Kernel&` may rely on that.
#ifndef SEEDTUNE_IR_KERNEL_H_
#define SEEDTUNE_IR_KERNEL_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ir/dtype.h"

namespace seedtune {

using AxisId = int;    // index into Kernel::axes
using TensorId = int;  // index into Kernel::tensors
using ValueId = int;   // index into Kernel::ops: the value that this operation yields

// A length: known, or a symbol with bounds and a typical value.
struct Extent {
  int64_t value = 0;  // static: the length. Symbolic: the hint, 0 if there is none
  std::string
      symbol;  // "" where static; one symbol has the same hint and bounds everywhere in a kernel
  int64_t min = 0;  // symbolic only, inclusive; 0: unknown
  int64_t max = 0;

  static Extent Static(int64_t length) { return Extent{length, "", 0, 0}; }
  static Extent Symbolic(std::string symbol, int64_t hint, int64_t min, int64_t max) {
    return Extent{hint, std::move(symbol), min, max};
  }
  bool is_static() const { return symbol.empty(); }
  friend bool operator==(const Extent&, const Extent&) = default;
};

// Reduction: some dot or reduce sums over it (it may be stored over as well, as softmax does).
enum class AxisKind { kParallel = 1, kReduction = 2, kBatch = 3 };
std::string_view AxisKindName(AxisKind kind);

struct Axis {
  std::string name;
  AxisKind kind = AxisKind::kParallel;
  Extent extent;
  // False where the compiler has fixed how the axis is traversed, so that no block size belongs to
  // it.
  bool tunable = true;
  friend bool operator==(const Axis&, const Axis&) = default;
};

struct TensorDim {
  static constexpr int64_t kDynamicStride = -1;
  Extent size;
  int64_t stride = 1;  // elements; 0 broadcasts; kDynamicStride: known only at run time
  friend bool operator==(const TensorDim&, const TensorDim&) = default;
};

struct Tensor {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<TensorDim> dims;  // outermost first
  int64_t alignment_bytes = 0;  // of the first element; 0: only that of the element type
  friend bool operator==(const Tensor&, const Tensor&) = default;
};

// offset + sum of coefficient * axis. Terms ascend by axis, one an axis, none with coefficient 0.
struct AffineIndex {
  struct Term {
    AxisId axis = 0;
    int64_t coefficient = 1;
    friend bool operator==(const Term&, const Term&) = default;
  };
  std::vector<Term> terms;
  int64_t offset = 0;
  friend bool operator==(const AffineIndex&, const AffineIndex&) = default;
};

enum class OpKind {
  kLoad = 1,
  kStore = 2,
  kDot = 3,
  kReduce = 4,
  kPointwise = 5,
  kCast = 6,
  kConstant = 7
};
std::string_view OpKindName(OpKind kind);

enum class ReduceKind { kSum = 1, kMax = 2, kMin = 3 };
enum class PointwiseKind {
  kAdd = 1,
  kSub = 2,
  kMul = 3,
  kDiv = 4,
  kMax = 5,
  kMin = 6,
  kNeg = 7,
  kExp = 8,
  kRelu = 9,
  kGelu = 10,  // exact: x/2 (1 + erf(x / sqrt 2))
  kSilu = 11,
  kTanh = 12,
  kSqrt = 13,
};
std::string_view ReduceKindName(ReduceKind kind);
std::string_view PointwiseKindName(PointwiseKind kind);
int PointwiseArity(PointwiseKind kind);

// The axes of a dot, in lists, as StableHLO's dot_general has them: batch axes stand in both
// operands and the result, m only in the left operand and the result, n only in the right operand
// and the result, k in both operands and not in the result. k names reduction axes, batch names
// batch axes, m and n parallel axes, or reduction axes that a later operation sums over (the keys
// of attention).
struct DotAxes {
  std::vector<AxisId> batch = {};  // "= {}" lets callers name only the lists they need
  std::vector<AxisId> m = {};
  std::vector<AxisId> n = {};
  std::vector<AxisId> k = {};
  friend bool operator==(const DotAxes&, const DotAxes&) = default;
};

// Fields of other kinds of operation keep their defaults.
struct Op {
  OpKind kind = OpKind::kLoad;
  std::string name;
  std::vector<ValueId> operands;  // each smaller than this op's own index
  DType dtype = DType::kF32;  // of the result; of a dot, the accumulator; of a store, the tensor's
  std::vector<AxisId> axes;   // that the result spans, ascending; of a store, that it writes over

  TensorId tensor = -1;                           // load, store
  std::vector<AffineIndex> access;                // load, store: one a tensor dimension
  DotAxes dot;                                    // dot: operands are lhs, rhs
  ReduceKind reduce = ReduceKind::kSum;           // reduce
  std::vector<AxisId> reduce_axes;                // reduce; ascending
  PointwiseKind pointwise = PointwiseKind::kAdd;  // pointwise
  double constant = 0;                            // constant
  friend bool operator==(const Op&, const Op&) = default;
};

// A value type; thread-compatible.
struct Kernel {
  std::string name;
  std::vector<Axis> axes;
  std::vector<Tensor> tensors;
  std::vector<Op> ops;
  friend bool operator==(const Kernel&, const Kernel&) = default;
};

// Named kernels and how often each runs: one forward pass of a model, say.
struct Workload {
  struct Entry {
    Kernel kernel;
    int64_t count = 1;
    friend bool operator==(const Entry&, const Entry&) = default;
  };
  std::string name;
  std::string description;
  std::vector<Entry> entries;
};

}  // namespace seedtune

#endif  // SEEDTUNE_IR_KERNEL_H_
