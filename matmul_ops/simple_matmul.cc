#include "matmul_ops/simple_matmul.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "ir/checked_math.h"
#include "ir/dtype.h"
#include "ir/kernel.h"
#include "ir/matmul.h"
#include "util/status_macros.h"
#include "util/string_view.h"

namespace seedtune {
namespace {

std::optional<Activation> ActivationOf(const Op& op) {
  if (op.kind != OpKind::kPointwise) return std::nullopt;
  switch (op.pointwise) {
    case PointwiseKind::kRelu:
      return Activation::kRelu;
    case PointwiseKind::kGelu:
      return Activation::kGelu;
    case PointwiseKind::kSilu:
      return Activation::kSilu;
    default:
      return std::nullopt;
  }
}

class Matcher {
 public:
  explicit Matcher(const Kernel& kernel) : kernel_(kernel), users_(kernel.ops.size()) {
    for (ValueId id = 0; id < std::ssize(kernel.ops); ++id) {
      for (const ValueId operand : kernel.ops[id].operands) users_[operand].push_back(id);
    }
  }

  absl::StatusOr<SimpleMatmul> Match() {
    SEEDTUNE_RETURN_IF_ERROR(MatchDot());
    SEEDTUNE_RETURN_IF_ERROR(MatchExtents());
    const Op& dot = kernel_.ops[dot_];
    SEEDTUNE_ASSIGN_OR_RETURN(result_.lhs, MatchOperand(dot.operands[0], "lhs", row_, inner_));
    SEEDTUNE_ASSIGN_OR_RETURN(result_.rhs, MatchOperand(dot.operands[1], "rhs", inner_, column_));
    SEEDTUNE_RETURN_IF_ERROR(MatchEpilogue());
    SEEDTUNE_RETURN_IF_ERROR(CheckAllUsed());
    SEEDTUNE_RETURN_IF_ERROR(CheckOutput());
    return result_;
  }

 private:
  template <typename... Parts>
  absl::Status Unimplemented(const Parts&... parts) const {
    return absl::UnimplementedError(
        absl::StrCat("kernel \"", kernel_.name, "\": ", absl::StrCat(parts...)));
  }

  std::string OpName(ValueId id) const { return absl::StrCat("\"", kernel_.ops[id].name, "\""); }
  std::string AxisName(AxisId id) const { return absl::StrCat("\"", kernel_.axes[id].name, "\""); }

  absl::Status MatchDot() {
    int dots = 0;
    for (ValueId id = 0; id < std::ssize(kernel_.ops); ++id) {
      if (kernel_.ops[id].kind != OpKind::kDot) continue;
      ++dots;
      dot_ = id;
    }
    if (dots != 1) return Unimplemented(dots, " dots, want one");
    const DotAxes& axes = kernel_.ops[dot_].dot;
    const struct {
      const char* name;
      const std::vector<AxisId>& axes;
      AxisId& axis;
    } dims[] = {{"m", axes.m, row_}, {"n", axes.n, column_}, {"k", axes.k, inner_}};
    for (const auto& dim : dims) {
      if (dim.axes.size() != 1) {
        return Unimplemented("dot.", dim.name, " is made of ", dim.axes.size(), " axes, want one");
      }
      dim.axis = dim.axes[0];
    }
    if (axes.batch.size() > 1) {
      return Unimplemented("dot.batch is made of ", axes.batch.size(), " axes, want one at most");
    }
    if (!axes.batch.empty()) batch_ = axes.batch[0];
    return absl::OkStatus();
  }

  absl::Status MatchExtents() {
    const auto extent = [&](AxisId axis, int64_t& value) {
      const Extent& e = kernel_.axes[axis].extent;
      if (!e.is_static()) {
        return absl::FailedPreconditionError(absl::StrCat(
            "kernel \"", kernel_.name, "\": the extent of axis ", AxisName(axis),
            " is the symbol \"", e.symbol, "\", want a number; bind its symbols first"));
      }
      value = e.value;
      return absl::OkStatus();
    };
    SEEDTUNE_RETURN_IF_ERROR(extent(row_, result_.m));
    SEEDTUNE_RETURN_IF_ERROR(extent(column_, result_.n));
    SEEDTUNE_RETURN_IF_ERROR(extent(inner_, result_.k));
    if (batch_) SEEDTUNE_RETURN_IF_ERROR(extent(*batch_, result_.batch));
    result_.accumulator = kernel_.ops[dot_].dtype;
    return absl::OkStatus();
  }

  // How far apart neighbours along `axis` are. Axes that the access leaves out have stride 0.
  absl::StatusOr<int64_t> StrideAlong(ValueId id, AxisId axis) const {
    const Op& op = kernel_.ops[id];
    const Tensor& tensor = kernel_.tensors[op.tensor];
    std::optional<int64_t> stride = 0;
    for (size_t d = 0; d < op.access.size(); ++d) {
      for (const AffineIndex::Term& term : op.access[d].terms) {
        if (term.axis != axis) continue;
        if (tensor.dims[d].stride == TensorDim::kDynamicStride) {
          return Unimplemented("tensor \"", tensor.name, "\".dims[", d,
                               "].stride is dynamic, want a number");
        }
        stride = CheckedAdd(stride, CheckedMul(term.coefficient, tensor.dims[d].stride));
      }
    }
    if (!stride || *stride < 0) {
      return Unimplemented(OpName(id), " walks backwards along axis ", AxisName(axis),
                           ", want a stride of at least 0");
    }
    return *stride;
  }

  absl::StatusOr<MatrixView> View(ValueId id, AxisId rows, AxisId columns) {
    const Op& op = kernel_.ops[id];
    for (const AffineIndex& index : op.access) {
      if (index.offset != 0) {
        return Unimplemented(OpName(id), " begins at an offset of ", index.offset, " in tensor \"",
                             kernel_.tensors[op.tensor].name, "\", want 0");
      }
    }
    MatrixView view;
    view.tensor = op.tensor;
    view.dtype = kernel_.tensors[op.tensor].dtype;
    SEEDTUNE_ASSIGN_OR_RETURN(view.row_stride, StrideAlong(id, rows));
    SEEDTUNE_ASSIGN_OR_RETURN(view.column_stride, StrideAlong(id, columns));
    if (batch_) {
      SEEDTUNE_ASSIGN_OR_RETURN(view.batch_stride, StrideAlong(id, *batch_));
    }
    used_.push_back(id);
    return view;
  }

  absl::StatusOr<MatrixView> MatchOperand(ValueId id, const char* what, AxisId rows,
                                          AxisId columns) {
    if (kernel_.ops[id].kind != OpKind::kLoad) {
      return Unimplemented(what, " is computed by ", OpName(id), ", want it loaded as it is");
    }
    return View(id, rows, columns);
  }

  // The only op that uses `id`.
  absl::StatusOr<ValueId> OnlyUser(ValueId id) const {
    if (users_[id].size() != 1) {
      return Unimplemented(OpName(id), " is used ", users_[id].size(), " times, want once");
    }
    return users_[id][0];
  }

  // The load behind what is added: as it is, or cast to the accumulator.
  std::optional<ValueId> LoadBehind(ValueId id) {
    const Op* op = &kernel_.ops[id];
    if (op->kind == OpKind::kCast && users_[id].size() == 1) {
      used_.push_back(id);
      id = op->operands[0];
      op = &kernel_.ops[id];
    }
    if (op->kind != OpKind::kLoad || users_[id].size() != 1) return std::nullopt;
    return id;
  }

  absl::Status MatchAdd(ValueId add, ValueId value) {
    const Op& op = kernel_.ops[add];
    const ValueId addend = op.operands[0] == value ? op.operands[1] : op.operands[0];
    const std::optional<ValueId> load = LoadBehind(addend);
    if (!load) {
      return Unimplemented(OpName(add), " adds ", OpName(addend),
                           ", want a tensor loaded for this alone");
    }
    const Op& source = kernel_.ops[*load];
    if (source.axes == std::vector<AxisId>{column_}) {
      if (result_.activation != Activation::kNone || result_.residual || result_.bias) {
        return Unimplemented(OpName(add),
                             " adds a bias after another part of the epilogue, want it first");
      }
      SEEDTUNE_ASSIGN_OR_RETURN(const MatrixView view, View(*load, row_, column_));
      if (view.column_stride != 1 && result_.n > 1) {
        return Unimplemented("the bias \"", kernel_.tensors[view.tensor].name, "\" has stride ",
                             view.column_stride, ", want 1");
      }
      result_.bias = view.tensor;
      return absl::OkStatus();
    }
    if (!std::binary_search(source.axes.begin(), source.axes.end(), row_) ||
        !std::binary_search(source.axes.begin(), source.axes.end(), column_)) {
      return Unimplemented(OpName(add), " adds ", OpName(*load),
                           ", which spans neither n alone (a bias) nor m and n (a residual)");
    }
    if (result_.residual) return Unimplemented(OpName(add), " adds a second residual, want one");
    SEEDTUNE_ASSIGN_OR_RETURN(result_.residual, View(*load, row_, column_));
    return absl::OkStatus();
  }

  // By a constant, before all else of the epilogue.
  absl::Status MatchScale(ValueId multiply, ValueId value) {
    const Op& op = kernel_.ops[multiply];
    const ValueId factor = op.operands[0] == value ? op.operands[1] : op.operands[0];
    if (kernel_.ops[factor].kind != OpKind::kConstant || factor == value) {
      return Unimplemented(OpName(multiply), " multiplies by ", OpName(factor),
                           ", want a constant");
    }
    if (result_.bias || result_.activation != Activation::kNone || result_.residual) {
      return Unimplemented(OpName(multiply),
                           " scales after another part of the epilogue, want it first");
    }
    if (!IsFloat(result_.accumulator)) {
      return Unimplemented(OpName(multiply), " scales integers, want floating-point sums");
    }
    used_.push_back(factor);
    result_.scale *= kernel_.ops[factor].constant;
    return absl::OkStatus();
  }

  // From the dot to the store: scale, bias, activation, residual, cast, each once at most (scales
  // multiply) and in this order.
  absl::Status MatchEpilogue() {
    used_.push_back(dot_);
    ValueId value = dot_;
    bool cast = false;
    while (true) {
      SEEDTUNE_ASSIGN_OR_RETURN(const ValueId next, OnlyUser(value));
      const Op& op = kernel_.ops[next];
      used_.push_back(next);
      if (op.kind == OpKind::kStore) {
        if (op.axes != kernel_.ops[dot_].axes) {
          return Unimplemented(OpName(next), " writes over other axes than those of the dot");
        }
        SEEDTUNE_ASSIGN_OR_RETURN(result_.out, View(next, row_, column_));
        return absl::OkStatus();
      }
      if (cast) return Unimplemented(OpName(next), " stands after a cast, want the cast last");
      if (op.kind == OpKind::kCast) {
        cast = true;
      } else if (op.kind == OpKind::kPointwise && op.pointwise == PointwiseKind::kAdd) {
        SEEDTUNE_RETURN_IF_ERROR(MatchAdd(next, value));
      } else if (op.kind == OpKind::kPointwise && op.pointwise == PointwiseKind::kMul) {
        SEEDTUNE_RETURN_IF_ERROR(MatchScale(next, value));
      } else if (const std::optional<Activation> activation = ActivationOf(op)) {
        if (result_.activation != Activation::kNone) {
          return Unimplemented(OpName(next), " is a second activation, want one");
        }
        if (result_.residual) {
          return Unimplemented(OpName(next),
                               " is an activation after the residual, want it before");
        }
        result_.activation = *activation;
      } else {
        const bool pointwise = op.kind == OpKind::kPointwise;
        return Unimplemented(
            OpName(next), " (",
            ToAbsl(pointwise ? PointwiseKindName(op.pointwise) : OpKindName(op.kind)),
            ") stands after the dot, want scale, bias, activation (relu, gelu, silu) and residual "
            "only");
      }
      value = next;
    }
  }

  absl::Status CheckAllUsed() const {
    for (ValueId id = 0; id < std::ssize(kernel_.ops); ++id) {
      if (std::find(used_.begin(), used_.end(), id) == used_.end()) {
        return Unimplemented(OpName(id), " is no part of the matmul, want nothing beside it");
      }
    }
    return absl::OkStatus();
  }

  // Each element of the output is written once, and by nobody read who has not computed it.
  absl::Status CheckOutput() const {
    struct Walk {
      int64_t stride, extent;
    };
    Walk walks[] = {{result_.out.batch_stride, result_.batch},
                    {result_.out.row_stride, result_.m},
                    {result_.out.column_stride, result_.n}};
    std::sort(std::begin(walks), std::end(walks),
              [](const Walk& a, const Walk& b) { return a.stride < b.stride; });
    const std::string& out = kernel_.tensors[result_.out.tensor].name;
    int64_t reach = 0;  // of the walks so far, in elements
    for (const Walk& walk : walks) {
      if (walk.extent == 1) continue;
      if (walk.stride <= reach) {
        return Unimplemented("tensor \"", out, "\" is written in overlapping strides, want each ",
                             "element written once");
      }
      reach += walk.stride * (walk.extent - 1);  // inside the tensor, so that it fits
    }
    const TensorId tensor = result_.out.tensor;
    const bool in_place = result_.residual && result_.residual->tensor == tensor;
    if (tensor == result_.lhs.tensor || tensor == result_.rhs.tensor || result_.bias == tensor ||
        (in_place && (result_.residual->row_stride != result_.out.row_stride ||
                      result_.residual->column_stride != result_.out.column_stride ||
                      result_.residual->batch_stride != result_.out.batch_stride))) {
      return Unimplemented("tensor \"", out, "\" is read and written, want that of a residual ",
                           "of the same strides only");
    }
    return absl::OkStatus();
  }

  const Kernel& kernel_;
  std::vector<std::vector<ValueId>> users_;
  ValueId dot_ = -1;
  AxisId row_ = -1;     // m
  AxisId column_ = -1;  // n
  AxisId inner_ = -1;   // k
  std::optional<AxisId> batch_;
  std::vector<ValueId> used_;  // ops that are accounted for
  SimpleMatmul result_;
};

}  // namespace

absl::StatusOr<SimpleMatmul> MatchSimpleMatmul(const Kernel& kernel) {
  return Matcher(kernel).Match();
}

}  // namespace seedtune
