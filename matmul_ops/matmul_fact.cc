#include "matmul_ops/matmul_fact.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "ir/checked_math.h"
#include "ir/dtype.h"
#include "ir/kernel.h"
#include "util/string_view.h"

namespace seedtune {
namespace {

// The extent to plan with; nothing where it is symbolic without a hint.
std::optional<int64_t> PlanningExtent(const Extent& extent) {
  if (!extent.is_static() && extent.value == 0) return std::nullopt;
  return extent.value;
}

DimFact DescribeDim(const Kernel& kernel, const std::vector<AxisId>& axes) {
  DimFact dim;
  if (axes.size() == 1 && kernel.axes[axes[0]].tunable) dim.axis = axes[0];
  bool is_static = true;
  std::optional<int64_t> extent = 1;
  int64_t min = 1;
  int64_t max = 1;
  for (const AxisId axis : axes) {
    const Extent& e = kernel.axes[axis].extent;
    is_static = is_static && e.is_static();
    if (const std::optional<int64_t> planned = PlanningExtent(e); planned && extent) {
      extent = SaturatingMul(*extent, *planned);
    } else {
      extent = std::nullopt;
    }
    min = SaturatingMul(min, e.is_static() ? e.value : e.min);
    max = SaturatingMul(max, e.is_static() ? e.value : e.max);
  }
  if (is_static) {
    dim.static_extent = extent;
  } else {
    dim.hint = extent;
    dim.min = min;
    dim.max = max;
  }
  return dim;
}

// How far apart in memory two neighbours along `axis` are, in elements; nothing where that is known
// at run time only.
std::optional<int64_t> StrideAlong(const Kernel& kernel, const Op& access, AxisId axis) {
  std::optional<int64_t> stride = 0;
  for (size_t d = 0; d < access.access.size(); ++d) {
    const int64_t dim_stride = kernel.tensors[access.tensor].dims[d].stride;
    for (const AffineIndex::Term& term : access.access[d].terms) {
      if (term.axis != axis) continue;
      if (dim_stride == TensorDim::kDynamicStride) return std::nullopt;
      stride = CheckedAdd(stride, CheckedMul(term.coefficient, dim_stride));
    }
  }
  return stride;
}

bool Contains(const std::vector<AxisId>& axes, AxisId axis) {
  return std::find(axes.begin(), axes.end(), axis) != axes.end();
}

// A matrix as a load or store touches it.
class MemoryView {
 public:
  MemoryView(const Kernel& kernel, const Op& access, const std::vector<AxisId>& batch,
             const std::vector<AxisId>& rows, const std::vector<AxisId>& columns)
      : kernel_(kernel), access_(access) {
    batch_ = Touched(batch);
    rows_ = Touched(rows);
    columns_ = Touched(columns);
  }

  void Fill(OperandFact& fact) const {
    const Tensor& tensor = kernel_.tensors[access_.tensor];
    fact.tensor = access_.tensor;
    fact.memory_dtype = tensor.dtype;
    fact.row_stride = OnlyStride(rows_);
    fact.column_stride = OnlyStride(columns_);
    if (!batch_.empty()) fact.batch_stride = StrideAlong(kernel_, access_, batch_.back());
    fact.layout = Layout();
    fact.alignment_bytes = Alignment(fact.layout);
  }

  // Of all elements touched, each once; nothing where an extent is unknown.
  std::optional<int64_t> Bytes() const {
    const Tensor& tensor = kernel_.tensors[access_.tensor];
    int64_t touched = 1;
    for (const AxisId axis : access_.axes) {
      const std::optional<int64_t> extent = PlanningExtent(kernel_.axes[axis].extent);
      if (!extent) return std::nullopt;
      touched = SaturatingMul(touched, *extent);
    }
    // Windows overlap and broadcasts repeat: no more moves than the tensor holds.
    int64_t held = 1;
    for (const TensorDim& dim : tensor.dims) {
      if (dim.stride == 0) continue;
      const std::optional<int64_t> size = PlanningExtent(dim.size);
      if (!size) return std::nullopt;
      held = SaturatingMul(held, *size);
    }
    return SaturatingMul(std::min(touched, held), DTypeBytes(tensor.dtype));
  }

 private:
  std::vector<AxisId> Touched(const std::vector<AxisId>& axes) const {
    std::vector<AxisId> touched;
    for (const AxisId axis : axes) {
      if (Contains(access_.axes, axis)) touched.push_back(axis);
    }
    return touched;
  }

  std::optional<int64_t> OnlyStride(const std::vector<AxisId>& axes) const {
    if (axes.size() != 1) return std::nullopt;
    return StrideAlong(kernel_, access_, axes[0]);
  }

  OperandLayout Layout() const {
    bool unknown = false;
    const auto has_unit_stride = [&](const std::vector<AxisId>& axes) {
      bool unit = false;
      for (const AxisId axis : axes) {
        const std::optional<int64_t> stride = StrideAlong(kernel_, access_, axis);
        unit = unit || stride == 1;
        unknown = unknown || !stride;
      }
      return unit;
    };
    if (has_unit_stride(columns_)) return OperandLayout::kRowMajor;
    if (has_unit_stride(rows_)) return OperandLayout::kColumnMajor;
    return unknown ? OperandLayout::kUnknown : OperandLayout::kStrided;
  }

  int64_t Alignment(OperandLayout layout) const {
    const Tensor& tensor = kernel_.tensors[access_.tensor];
    const int64_t element = DTypeBytes(tensor.dtype);
    int64_t alignment = std::max(tensor.alignment_bytes, element);  // a power of two
    // gcd() with a power of two needs the lowest bits only, so that what overflows does no harm.
    const auto step = [&](int64_t a, int64_t b) {
      const uint64_t bytes =
          static_cast<uint64_t>(a) * static_cast<uint64_t>(b) * static_cast<uint64_t>(element);
      alignment = static_cast<int64_t>(std::gcd(static_cast<uint64_t>(alignment), bytes));
    };
    for (size_t d = 0; d < access_.access.size(); ++d) {
      const int64_t offset = access_.access[d].offset;
      if (offset == 0) continue;
      if (tensor.dims[d].stride == TensorDim::kDynamicStride) return element;
      step(offset, tensor.dims[d].stride);
    }
    std::vector<AxisId> starts = layout == OperandLayout::kColumnMajor ? columns_ : rows_;
    starts.insert(starts.end(), batch_.begin(), batch_.end());
    for (const AxisId axis : starts) {
      const Extent& extent = kernel_.axes[axis].extent;
      if (extent.is_static() && extent.value == 1) continue;  // never steps
      const std::optional<int64_t> stride = StrideAlong(kernel_, access_, axis);
      if (!stride) return element;
      step(*stride, 1);
    }
    return alignment;
  }

  const Kernel& kernel_;
  const Op& access_;
  std::vector<AxisId> batch_, rows_, columns_;
};

class FactExtractor {
 public:
  explicit FactExtractor(const Kernel& kernel)
      : kernel_(kernel), users_(kernel.ops.size()), after_dot_(kernel.ops.size()) {
    for (ValueId id = 0; id < std::ssize(kernel.ops); ++id) {
      const Op& op = kernel.ops[id];
      after_dot_[id] = op.kind == OpKind::kDot;
      for (const ValueId operand : op.operands) {
        users_[operand].push_back(id);
        after_dot_[id] = after_dot_[id] || after_dot_[operand];
      }
    }
  }

  MatmulFact Extract(ValueId id) const {
    const Op& op = kernel_.ops[id];
    MatmulFact fact;
    fact.op = id;
    fact.m = DescribeDim(kernel_, op.dot.m);
    fact.n = DescribeDim(kernel_, op.dot.n);
    fact.k = DescribeDim(kernel_, op.dot.k);
    fact.batch_axes = op.dot.batch;
    for (const AxisId axis : op.dot.batch) {
      const Extent& extent = kernel_.axes[axis].extent;
      fact.batch_extents.push_back(extent.value);
      fact.batch_is_static = fact.batch_is_static && extent.is_static();
    }
    fact.accumulator = op.dtype;

    std::optional<int64_t> bytes = 0;
    const auto add_bytes = [&bytes](std::optional<int64_t> more) {
      bytes = bytes && more ? std::optional<int64_t>(SaturatingAdd(*bytes, *more)) : std::nullopt;
    };
    fact.lhs = Operand(op.operands[0], op.dot.batch, op.dot.m, op.dot.k, fact.prologue, add_bytes);
    fact.rhs = Operand(op.operands[1], op.dot.batch, op.dot.k, op.dot.n, fact.prologue, add_bytes);
    std::sort(fact.prologue.begin(), fact.prologue.end());
    fact.prologue.erase(std::unique(fact.prologue.begin(), fact.prologue.end()),
                        fact.prologue.end());
    fact.out = Result(id, fact.epilogue, add_bytes);

    std::optional<int64_t> flops = 2;
    for (const std::vector<AxisId>* axes : {&op.axes, &op.dot.k}) {
      for (const AxisId axis : *axes) {
        const std::optional<int64_t> extent = PlanningExtent(kernel_.axes[axis].extent);
        flops =
            flops && extent ? std::optional<int64_t>(SaturatingMul(*flops, *extent)) : std::nullopt;
      }
    }
    fact.flops = flops.value_or(0);
    fact.bytes = bytes.value_or(0);
    if (fact.bytes > 0) {
      fact.intensity = static_cast<double>(fact.flops) / static_cast<double>(fact.bytes);
    }
    return fact;
  }

 private:
  using AddBytes = std::function<void(std::optional<int64_t>)>;

  // What an operand is computed from.
  struct Sources {
    std::vector<ValueId> loads;
    std::vector<ValueId> prologue;
    bool after_dot = false;
  };

  Sources Trace(ValueId value) const {
    Sources sources;
    std::vector<bool> reached(value + 1);
    reached[value] = true;
    for (ValueId id = value; id >= 0; --id) {
      if (!reached[id]) continue;
      const Op& op = kernel_.ops[id];
      if (after_dot_[id]) {
        sources.after_dot = true;
      } else if (op.kind == OpKind::kLoad) {
        sources.loads.push_back(id);
      } else if (op.kind == OpKind::kPointwise || op.kind == OpKind::kCast) {
        sources.prologue.push_back(id);
        for (const ValueId operand : op.operands) reached[operand] = true;
      }
    }
    return sources;
  }

  OperandFact Operand(ValueId id, const std::vector<AxisId>& batch, const std::vector<AxisId>& rows,
                      const std::vector<AxisId>& columns, std::vector<ValueId>& prologue,
                      const AddBytes& add_bytes) const {
    const Op& value = kernel_.ops[id];
    OperandFact fact;
    fact.rank = static_cast<int>(value.axes.size());
    fact.dtype = value.dtype;
    fact.memory_dtype = value.dtype;
    Sources sources = Trace(id);
    prologue.insert(prologue.end(), sources.prologue.begin(), sources.prologue.end());
    std::erase_if(sources.loads,
                  [&](ValueId load) { return kernel_.ops[load].axes != value.axes; });
    if (sources.after_dot || sources.loads.size() != 1) return fact;
    const MemoryView view(kernel_, kernel_.ops[sources.loads[0]], batch, rows, columns);
    view.Fill(fact);
    add_bytes(view.Bytes());
    return fact;
  }

  OperandFact Result(ValueId dot, std::vector<ValueId>& epilogue, const AddBytes& add_bytes) const {
    const Op& op = kernel_.ops[dot];
    std::vector<bool> follows(kernel_.ops.size());
    std::vector<ValueId> stores;
    follows[dot] = true;
    for (ValueId id = dot; id < std::ssize(kernel_.ops); ++id) {
      if (!follows[id]) continue;
      const Op& at = kernel_.ops[id];
      if (at.kind == OpKind::kStore) stores.push_back(id);
      if (id != dot && at.kind == OpKind::kDot) continue;
      if (id != dot && at.kind != OpKind::kStore) epilogue.push_back(id);
      for (const ValueId user : users_[id]) follows[user] = true;
    }
    OperandFact fact;
    fact.rank = static_cast<int>(op.axes.size());
    fact.dtype = op.dtype;
    fact.memory_dtype = op.dtype;
    if (stores.empty()) return fact;
    // Of several stores, the first that writes the whole result.
    ValueId store = stores[0];
    for (const ValueId candidate : stores) {
      if (kernel_.ops[candidate].axes == op.axes) {
        store = candidate;
        break;
      }
    }
    const Op& at = kernel_.ops[store];
    fact.rank = static_cast<int>(at.axes.size());
    fact.dtype = at.dtype;
    const MemoryView view(kernel_, at, op.dot.batch, op.dot.m, op.dot.n);
    view.Fill(fact);
    add_bytes(view.Bytes());
    return fact;
  }

  const Kernel& kernel_;
  std::vector<std::vector<ValueId>> users_;
  std::vector<bool> after_dot_;  // the op is a dot, or uses what a dot yields
};

std::string DescribeDimFact(const Kernel& kernel, const std::vector<AxisId>& axes,
                            const DimFact& dim) {
  std::string text;
  if (dim.static_extent) {
    text = absl::StrCat(*dim.static_extent);
  } else {
    text = "symbolic (";
    absl::StrAppend(&text, dim.hint ? absl::StrCat("about ", *dim.hint) : "no hint");
    if (dim.min > 0) absl::StrAppend(&text, ", at least ", dim.min);
    if (dim.max > 0) absl::StrAppend(&text, ", at most ", dim.max);
    absl::StrAppend(&text, ")");
  }
  if (axes.empty()) {
    absl::StrAppend(&text, " (no axis)");
  } else if (axes.size() > 1) {
    absl::StrAppend(&text, " (",
                    absl::StrJoin(axes, " x ",
                                  [&](std::string* out, AxisId axis) {
                                    absl::StrAppend(out, kernel.axes[axis].name);
                                  }),
                    ")");
  } else if (!dim.axis) {
    absl::StrAppend(&text, " (not tunable)");
  }
  return text;
}

std::string DescribeOperand(const Kernel& kernel, const OperandFact& operand) {
  const auto dtype = [](DType value) { return ToAbsl(DTypeName(value)); };
  if (!operand.tensor) {
    return absl::StrCat(dtype(operand.dtype), ", not in memory");
  }
  std::string text = absl::StrCat(dtype(operand.dtype), " ", kernel.tensors[*operand.tensor].name);
  if (operand.memory_dtype != operand.dtype) {
    absl::StrAppend(&text, " (", dtype(operand.memory_dtype), " in memory)");
  }
  absl::StrAppend(&text, ", ", ToAbsl(OperandLayoutName(operand.layout)));
  const auto stride = [&](const char* what, const std::optional<int64_t>& value) {
    if (value && *value != 1) absl::StrAppend(&text, ", ", what, " stride ", *value);
  };
  stride("row", operand.row_stride);
  stride("column", operand.column_stride);
  stride("batch", operand.batch_stride);
  absl::StrAppend(&text, ", aligned to ", operand.alignment_bytes,
                  operand.alignment_bytes == 1 ? " byte" : " bytes");
  return text;
}

std::string DescribeOps(const Kernel& kernel, const std::vector<ValueId>& ops) {
  if (ops.empty()) return "none";
  return absl::StrJoin(ops, ", ", [&](std::string* out, ValueId id) {
    const Op& op = kernel.ops[id];
    const std::string_view what =
        op.kind == OpKind::kPointwise ? PointwiseKindName(op.pointwise) : OpKindName(op.kind);
    absl::StrAppend(out, ToAbsl(what));
    if (op.kind == OpKind::kCast) absl::StrAppend(out, " to ", ToAbsl(DTypeName(op.dtype)));
    if (op.kind == OpKind::kReduce) absl::StrAppend(out, " ", ToAbsl(ReduceKindName(op.reduce)));
  });
}

// "1.88 GFLOP".
std::string DescribeAmount(int64_t amount, const char* unit) {
  constexpr const char* kPrefixes[] = {"", "k", "M", "G", "T", "P", "E"};
  double value = static_cast<double>(amount);
  int prefix = 0;
  while (value >= 999.5 && prefix < 6) {
    value /= 1000;
    ++prefix;
  }
  return absl::StrFormat("%.3g %s%s", value, kPrefixes[prefix], unit);
}

}  // namespace

std::string_view OperandLayoutName(OperandLayout layout) {
  switch (layout) {
    case OperandLayout::kRowMajor:
      return "row-major";
    case OperandLayout::kColumnMajor:
      return "column-major";
    case OperandLayout::kStrided:
      return "strided";
    case OperandLayout::kUnknown:
      return "unknown layout";
  }
  return "invalid";
}

int64_t MatmulFact::batch() const {
  int64_t product = 1;
  for (const int64_t extent : batch_extents) product = SaturatingMul(product, extent);
  return product;
}

std::vector<MatmulFact> ExtractMatmulFacts(const Kernel& kernel) {
  const FactExtractor extractor(kernel);
  std::vector<MatmulFact> facts;
  for (ValueId id = 0; id < std::ssize(kernel.ops); ++id) {
    if (kernel.ops[id].kind == OpKind::kDot) facts.push_back(extractor.Extract(id));
  }
  return facts;
}

std::string DescribeMatmulFact(const Kernel& kernel, const MatmulFact& fact) {
  const DotAxes& axes = kernel.ops[fact.op].dot;
  std::string text = absl::StrCat(
      kernel.ops[fact.op].name, ": m ", DescribeDimFact(kernel, axes.m, fact.m), ", n ",
      DescribeDimFact(kernel, axes.n, fact.n), ", k ", DescribeDimFact(kernel, axes.k, fact.k));
  if (!fact.batch_extents.empty()) {
    absl::StrAppend(&text, ", batch ",
                    absl::StrJoin(fact.batch_extents, " x ",
                                  [](std::string* out, int64_t extent) {
                                    absl::StrAppend(out, extent == 0 ? "?" : absl::StrCat(extent));
                                  }),
                    fact.batch_is_static ? "" : " (symbolic)");
  }
  absl::StrAppend(&text, ", accumulates in ", ToAbsl(DTypeName(fact.accumulator)), "\n");
  absl::StrAppend(&text, "  lhs:      ", DescribeOperand(kernel, fact.lhs), "\n");
  absl::StrAppend(&text, "  rhs:      ", DescribeOperand(kernel, fact.rhs), "\n");
  absl::StrAppend(&text, "  out:      ", DescribeOperand(kernel, fact.out), "\n");
  if (!fact.prologue.empty()) {
    absl::StrAppend(&text, "  prologue: ", DescribeOps(kernel, fact.prologue), "\n");
  }
  absl::StrAppend(&text, "  epilogue: ", DescribeOps(kernel, fact.epilogue), "\n");
  absl::StrAppend(
      &text, "  work:     ", fact.flops == 0 ? "unknown FLOP" : DescribeAmount(fact.flops, "FLOP"),
      ", ", fact.bytes == 0 ? "unknown bytes" : DescribeAmount(fact.bytes, "B"));
  if (fact.intensity >= 1000) {
    absl::StrAppendFormat(&text, ", %.0f FLOP/B", fact.intensity);
  } else if (fact.intensity > 0) {
    absl::StrAppendFormat(&text, ", %.3g FLOP/B", fact.intensity);
  }
  absl::StrAppend(&text, "\n");
  return text;
}

}  // namespace seedtune
