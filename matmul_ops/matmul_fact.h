// Facts about each matmul of a kernel, read off its IR. Facts are recorded always and judge
// nothing: it is the heuristics that decline.
#ifndef SEEDTUNE_MATMUL_OPS_MATMUL_FACT_H_
#define SEEDTUNE_MATMUL_OPS_MATMUL_FACT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ir/dtype.h"
#include "ir/kernel.h"

namespace seedtune {

// One of the three dimensions of a matmul.
struct DimFact {
  // The axis whose block size a configuration may choose. Absent where the dimension is made of
  // several axes or none, or its one axis is not tunable.
  std::optional<AxisId> axis;
  std::optional<int64_t>
      static_extent;            // the product over the dot's axes; absent where one is symbolic
  std::optional<int64_t> hint;  // symbolic only: a typical extent, where every symbol gives one
  int64_t min = 0;              // symbolic only: bounds; 0: unknown
  int64_t max = 0;

  bool is_symbolic() const { return !static_extent.has_value(); }
  // The extent to plan with: static, else the hint, else nothing.
  std::optional<int64_t> planning_extent() const { return static_extent ? static_extent : hint; }
};

// Where a dimension is made of several axes, a unit stride along one of them is enough.
enum class OperandLayout {
  kRowMajor,     // unit stride along the last dimension (lhs: k, rhs and out: n)
  kColumnMajor,  // unit stride along the first (lhs and out: m, rhs: k)
  kStrided,      // neither
  kUnknown,      // not read straight from a tensor, or strides known only at run time
};
std::string_view OperandLayoutName(OperandLayout layout);

// An operand or the result, and how it stands in memory. An operand with a prologue stands in
// memory as the one tensor that its prologue reads over all of its axes.
struct OperandFact {
  int rank = 0;               // of the value (batch, rows, columns)
  DType dtype = DType::kF32;  // of an operand, as the dot takes it; of the result, as it is stored
  DType memory_dtype = DType::kF32;  // of the tensor; where there is none, that of the value
  OperandLayout layout = OperandLayout::kUnknown;
  std::optional<TensorId> tensor;     // absent where it is computed inside the kernel
  std::optional<int64_t> row_stride;  // elements; absent where dynamic or made of several axes
  std::optional<int64_t> column_stride;
  std::optional<int64_t> batch_stride;  // of the innermost batch axis; absent where there is none
  int64_t alignment_bytes = 0;  // guaranteed for the start of every row (column if column-major)
};

// One dot of a kernel.
struct MatmulFact {
  ValueId op = -1;  // the dot
  DimFact m, n, k;
  std::vector<int64_t> batch_extents;  // hints where symbolic (0: no hint); empty: no batch
  bool batch_is_static = true;
  std::vector<AxisId> batch_axes;
  OperandFact lhs, rhs, out;  // out: what is stored at the end of the epilogue, in its dtype
  DType accumulator = DType::kF32;
  // Pointwise and cast ops between a load and the dot's operands, SSA order; what another dot feeds
  // belongs to that one's epilogue.
  std::vector<ValueId> prologue;
  // Pointwise, cast and reduce ops between the dot and the stores (or the next dot), SSA order.
  std::vector<ValueId> epilogue;
  // Of one run at the planning extents: 2 m n k batch; each operand and result that stands in
  // memory moved once, what repeats in memory once in all. 0: unknown. The largest int64_t stands
  // for what does not fit.
  int64_t flops = 0;
  int64_t bytes = 0;
  double intensity = 0;  // flops / bytes

  int64_t batch()
      const;  // product of batch_extents; 1 where there is none, 0 where one is not known
};

// All matmuls of a valid kernel, in op order. Thread-safe.
std::vector<MatmulFact> ExtractMatmulFacts(const Kernel& kernel);

// For people, a few lines.
std::string DescribeMatmulFact(const Kernel& kernel, const MatmulFact& fact);

}  // namespace seedtune

#endif  // SEEDTUNE_MATMUL_OPS_MATMUL_FACT_H_
