#include "ir/builder.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "ir/checked_math.h"
#include "ir/dense.h"
#include "ir/dtype.h"
#include "ir/kernel.h"
#include "ir/validate.h"
#include "util/status_macros.h"
#include "util/string_view.h"

namespace seedtune {
namespace {

void SortUnique(std::vector<AxisId>& axes) {
  std::sort(axes.begin(), axes.end());
  axes.erase(std::unique(axes.begin(), axes.end()), axes.end());
}

// Terms in axis order, one an axis, none with coefficient 0.
void Normalize(AffineIndex& index) {
  std::stable_sort(index.terms.begin(), index.terms.end(),
                   [](const auto& a, const auto& b) { return a.axis < b.axis; });
  std::vector<AffineIndex::Term> merged;
  for (const AffineIndex::Term& term : index.terms) {
    if (!merged.empty() && merged.back().axis == term.axis) {
      // A sum that overflows stays two terms, which validation rejects.
      if (const auto sum = CheckedAdd(merged.back().coefficient, term.coefficient)) {
        merged.back().coefficient = *sum;
        continue;
      }
    }
    merged.push_back(term);
  }
  std::erase_if(merged, [](const AffineIndex::Term& term) { return term.coefficient == 0; });
  index.terms = std::move(merged);
}

std::vector<AxisId> AxesOf(const std::vector<AffineIndex>& access) {
  std::vector<AxisId> axes;
  for (const AffineIndex& index : access) {
    for (const AffineIndex::Term& term : index.terms) axes.push_back(term.axis);
  }
  SortUnique(axes);
  return axes;
}

std::vector<AffineIndex> PlainAccess(const std::vector<AxisId>& axes) {
  std::vector<AffineIndex> access;
  for (const AxisId axis : axes) access.push_back({.terms = {{.axis = axis}}, .offset = 0});
  return access;
}

}  // namespace

// Ids that do not exist are kept as they are and left for ValidateKernel to name: the methods below
// only take care not to follow them.

KernelBuilder::KernelBuilder(std::string_view name) { kernel_.name = std::string(name); }

AxisId KernelBuilder::AddAxis(std::string_view name, AxisKind kind, Extent extent, bool tunable) {
  kernel_.axes.push_back({std::string(name), kind, std::move(extent), tunable});
  return static_cast<AxisId>(kernel_.axes.size()) - 1;
}

TensorId KernelBuilder::AddTensor(std::string_view name, DType dtype, std::vector<Extent> sizes,
                                  int64_t alignment_bytes) {
  return AddStridedTensor({std::string(name), dtype, DenseDims(std::move(sizes)), alignment_bytes});
}

TensorId KernelBuilder::AddStridedTensor(Tensor tensor) {
  kernel_.tensors.push_back(std::move(tensor));
  return static_cast<TensorId>(kernel_.tensors.size()) - 1;
}

ValueId KernelBuilder::Load(TensorId tensor, const std::vector<AxisId>& axes) {
  return LoadAffine(tensor, PlainAccess(axes));
}

ValueId KernelBuilder::LoadAffine(TensorId tensor, std::vector<AffineIndex> access) {
  Op op;
  op.kind = OpKind::kLoad;
  op.tensor = tensor;
  op.access = std::move(access);
  return Add(std::move(op));
}

ValueId KernelBuilder::Constant(double value, DType dtype) {
  Op op;
  op.kind = OpKind::kConstant;
  op.constant = value;
  op.dtype = dtype;
  return Add(std::move(op));
}

ValueId KernelBuilder::Dot(ValueId lhs, ValueId rhs, DotAxes axes, DType accumulator) {
  Op op;
  op.kind = OpKind::kDot;
  op.operands = {lhs, rhs};
  op.dot = std::move(axes);
  op.dtype = accumulator;
  return Add(std::move(op));
}

ValueId KernelBuilder::Reduce(ReduceKind kind, ValueId operand, std::vector<AxisId> axes) {
  Op op;
  op.kind = OpKind::kReduce;
  op.operands = {operand};
  op.reduce = kind;
  op.reduce_axes = std::move(axes);
  SortUnique(op.reduce_axes);
  return Add(std::move(op));
}

ValueId KernelBuilder::Pointwise(PointwiseKind kind, std::vector<ValueId> operands) {
  Op op;
  op.kind = OpKind::kPointwise;
  op.operands = std::move(operands);
  op.pointwise = kind;
  return Add(std::move(op));
}

ValueId KernelBuilder::Cast(ValueId operand, DType dtype) {
  Op op;
  op.kind = OpKind::kCast;
  op.operands = {operand};
  op.dtype = dtype;
  return Add(std::move(op));
}

void KernelBuilder::Store(TensorId tensor, const std::vector<AxisId>& axes, ValueId value) {
  StoreAffine(tensor, PlainAccess(axes), value);
}

void KernelBuilder::StoreAffine(TensorId tensor, std::vector<AffineIndex> access, ValueId value) {
  Op op;
  op.kind = OpKind::kStore;
  op.operands = {value};
  op.tensor = tensor;
  op.access = std::move(access);
  Add(std::move(op));
}

void KernelBuilder::NameLast(std::string_view name) {
  if (!kernel_.ops.empty()) {
    kernel_.ops.back().name = std::string(name);
  } else if (status_.ok()) {
    status_ = absl::InvalidArgumentError(
        absl::StrCat("kernel \"", kernel_.name, "\": NameLast(\"", ToAbsl(name),
                     "\") comes before any op, want it right after the op that it names"));
  }
}

absl::StatusOr<Kernel> KernelBuilder::Build() && {
  SEEDTUNE_RETURN_IF_ERROR(status_);
  SEEDTUNE_RETURN_IF_ERROR(ValidateKernel(kernel_));
  return std::move(kernel_);
}

ValueId KernelBuilder::Add(Op op) {
  const auto id = static_cast<ValueId>(kernel_.ops.size());
  const auto operand = [&](size_t i) -> const Op* {
    if (i >= op.operands.size() || op.operands[i] < 0 || op.operands[i] >= id) return nullptr;
    return &kernel_.ops[op.operands[i]];
  };
  switch (op.kind) {
    case OpKind::kLoad:
    case OpKind::kStore:
      for (AffineIndex& index : op.access) Normalize(index);
      op.axes = AxesOf(op.access);
      if (op.tensor >= 0 && op.tensor < std::ssize(kernel_.tensors)) {
        op.dtype = kernel_.tensors[op.tensor].dtype;
      }
      break;
    case OpKind::kDot:
      op.axes = op.dot.batch;
      op.axes.insert(op.axes.end(), op.dot.m.begin(), op.dot.m.end());
      op.axes.insert(op.axes.end(), op.dot.n.begin(), op.dot.n.end());
      SortUnique(op.axes);
      break;
    case OpKind::kReduce:
    case OpKind::kPointwise:
      if (operand(0) != nullptr) op.dtype = operand(0)->dtype;
      [[fallthrough]];
    case OpKind::kCast:
      for (size_t i = 0; i < op.operands.size(); ++i) {
        if (operand(i) == nullptr) continue;
        op.axes.insert(op.axes.end(), operand(i)->axes.begin(), operand(i)->axes.end());
      }
      SortUnique(op.axes);
      std::erase_if(op.axes, [&](AxisId axis) {
        return std::find(op.reduce_axes.begin(), op.reduce_axes.end(), axis) !=
               op.reduce_axes.end();
      });
      break;
    case OpKind::kConstant:
      break;
  }
  op.name = absl::StrCat(ToAbsl(OpKindName(op.kind)), id);
  kernel_.ops.push_back(std::move(op));
  return id;
}

}  // namespace seedtune
