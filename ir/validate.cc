#include "ir/validate.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "ir/checked_math.h"
#include "ir/dtype.h"
#include "ir/kernel.h"
#include "ir/opaque.h"
#include "util/status_macros.h"
#include "util/string_view.h"

namespace seedtune {
namespace {

bool IsIdentifier(const std::string& name) {
  if (name.empty() || absl::ascii_isdigit(name[0]) || name[0] == '.') return false;
  return std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '_' || c == '.';
  });
}

bool IsAxisKind(AxisKind kind) { return AxisKindName(kind) != "invalid"; }
bool IsDType(DType dtype) { return DTypeBytes(dtype) > 0; }

bool IsFloatOnly(PointwiseKind kind) {
  switch (kind) {
    case PointwiseKind::kExp:
    case PointwiseKind::kGelu:
    case PointwiseKind::kSilu:
    case PointwiseKind::kTanh:
    case PointwiseKind::kSqrt:
      return true;
    default:
      return false;
  }
}

// The extent that sizes are checked at: the largest that is declared.
int64_t LargestKnown(const Extent& extent) {
  if (extent.is_static()) return extent.value;
  return std::max({extent.max, extent.value, extent.min, int64_t{1}});
}

std::string ExtentText(const Extent& extent) {
  return extent.is_static() ? absl::StrCat(extent.value) : absl::StrCat("\"", extent.symbol, "\"");
}

// constant + sum of coefficient * symbol; nothing once it has overflowed.
class AffineOfSymbols {
 public:
  void Add(std::optional<int64_t> constant) { constant_ = CheckedAdd(constant_, constant); }
  void AddScaled(const Extent& extent, int64_t factor) {
    if (extent.is_static()) {
      Add(CheckedMul(extent.value, factor));
      return;
    }
    Term& term = terms_[extent.symbol];
    term.extent = &extent;
    term.coefficient = CheckedAdd(term.coefficient, factor);
  }
  // The least value over all values the symbols may take. Nothing: no lower limit, or overflow.
  std::optional<int64_t> Minimum() const {
    std::optional<int64_t> sum = constant_;
    for (const auto& [symbol, term] : terms_) {
      if (!term.coefficient) return std::nullopt;
      if (*term.coefficient > 0) {
        sum = CheckedAdd(sum, CheckedMul(term.coefficient, std::max<int64_t>(term.extent->min, 1)));
      } else if (*term.coefficient < 0) {
        if (term.extent->max == 0) return std::nullopt;
        sum = CheckedAdd(sum, CheckedMul(term.coefficient, term.extent->max));
      }
    }
    return sum;
  }

 private:
  struct Term {
    const Extent* extent = nullptr;
    std::optional<int64_t> coefficient = 0;
  };
  std::optional<int64_t> constant_ = 0;
  std::map<std::string, Term> terms_;
};

class Validator {
 public:
  explicit Validator(const Kernel& kernel) : kernel_(kernel) {}

  absl::Status Run() {
    if (kernel_.name.empty()) return Error("name is empty, want a name");
    if (IsOpaque(kernel_) && absl::StartsWith(kernel_.name, kOpaquePrefix)) return CheckOpaque();
    SEEDTUNE_RETURN_IF_ERROR(CheckAxes());
    SEEDTUNE_RETURN_IF_ERROR(CheckTensors());
    SEEDTUNE_RETURN_IF_ERROR(CheckOps());
    SEEDTUNE_RETURN_IF_ERROR(CheckUse());
    return CheckWork();
  }

 private:
  template <typename... Parts>
  absl::Status Error(const Parts&... parts) const {
    return absl::InvalidArgumentError(
        absl::StrCat("kernel \"", kernel_.name, "\": ", absl::StrCat(parts...)));
  }

  std::string AxisWhere(AxisId id) const {
    return absl::StrCat("axes[", id, "] (", kernel_.axes[id].name, ")");
  }
  std::string TensorWhere(TensorId id) const {
    return absl::StrCat("tensors[", id, "] (", kernel_.tensors[id].name, ")");
  }
  std::string OpWhere(ValueId id) const {
    return absl::StrCat("ops[", id, "] (", kernel_.ops[id].name, ")");
  }
  std::string AxisNames(const std::vector<AxisId>& axes) const {
    if (axes.empty()) return "no axis";
    return absl::StrJoin(axes, ", ", [this](std::string* out, AxisId id) {
      if (IsAxis(id)) {
        absl::StrAppend(out, kernel_.axes[id].name);
      } else {
        absl::StrAppend(out, id);
      }
    });
  }

  bool IsAxis(AxisId id) const { return id >= 0 && id < std::ssize(kernel_.axes); }

  // What says a wrong name: empty, or taken by an earlier one.
  static std::string NameProblem(const std::string& name, std::map<std::string, int>& seen, int id,
                                 std::string_view list) {
    if (name.empty()) return "name is empty, want a name";
    const auto [it, inserted] = seen.emplace(name, id);
    if (inserted) return "";
    return absl::StrCat("name is \"", name, "\", which ", ToAbsl(list), "[", it->second,
                        "] has already; want a unique name");
  }

  absl::Status CheckExtent(const std::string& where, const Extent& extent) {
    if (extent.is_static()) {
      if (extent.value < 1) return Error(where, " is ", extent.value, ", want at least 1");
      if (extent.min != 0) {
        return Error(where, ".min is ", extent.min, ", want 0: the extent is static");
      }
      if (extent.max != 0) {
        return Error(where, ".max is ", extent.max, ", want 0: the extent is static");
      }
      return absl::OkStatus();
    }
    if (!IsIdentifier(extent.symbol)) {
      return Error(where, ".symbol is \"", extent.symbol,
                   "\", want letters, digits, \"_\" or \".\", a letter or \"_\" first");
    }
    const std::string at = absl::StrCat(where, " (symbol \"", extent.symbol, "\")");
    if (extent.value < 0) {
      return Error(at, ".hint is ", extent.value, ", want at least 1, or 0 for no hint");
    }
    if (extent.min < 0) {
      return Error(at, ".min is ", extent.min, ", want at least 1, or 0 for unknown");
    }
    if (extent.max < 0) {
      return Error(at, ".max is ", extent.max, ", want at least 1, or 0 for unknown");
    }
    if (extent.max != 0 && extent.min > extent.max) {
      return Error(at, ".min is ", extent.min, ", want at most the max, ", extent.max);
    }
    if (extent.value != 0 && extent.value < extent.min) {
      return Error(at, ".hint is ", extent.value, ", want at least the min, ", extent.min);
    }
    if (extent.max != 0 && extent.value > extent.max) {
      return Error(at, ".hint is ", extent.value, ", want at most the max, ", extent.max);
    }
    const auto [it, inserted] = symbols_.emplace(extent.symbol, extent);
    if (!inserted && it->second != extent) {
      return Error(at, " has hint ", extent.value, ", min ", extent.min, " and max ", extent.max,
                   ", want ", it->second.value, ", ", it->second.min, " and ", it->second.max,
                   " as where the symbol was first used");
    }
    return absl::OkStatus();
  }

  absl::Status CheckOpaque() const {
    SEEDTUNE_ASSIGN_OR_RETURN(const OpaqueFunction function, ReadOpaqueKernel(kernel_));
    const std::string name = OpaqueShortForm(function);
    if (kernel_.name != name) return Error("name is no canonical one, want \"", name, "\"");
    return absl::OkStatus();
  }

  absl::Status CheckAxes() {
    std::map<std::string, int> names;
    for (AxisId id = 0; id < std::ssize(kernel_.axes); ++id) {
      const Axis& axis = kernel_.axes[id];
      const std::string where = AxisWhere(id);
      if (const std::string problem = NameProblem(axis.name, names, id, "axes"); !problem.empty()) {
        return Error("axes[", id, "].", problem);
      }
      if (!IsIdentifier(axis.name)) {
        return Error("axes[", id, "].name is \"", axis.name,
                     "\", want letters, digits, \"_\" or \".\", a letter or \"_\" first");
      }
      if (!IsAxisKind(axis.kind)) {
        return Error(where, ".kind is ", static_cast<int>(axis.kind),
                     ", want parallel, reduction or batch");
      }
      SEEDTUNE_RETURN_IF_ERROR(CheckExtent(absl::StrCat(where, ".extent"), axis.extent));
    }
    return absl::OkStatus();
  }

  absl::Status CheckTensors() {
    std::map<std::string, int> names;
    std::optional<int64_t> total_bytes = 0;
    for (TensorId id = 0; id < std::ssize(kernel_.tensors); ++id) {
      const Tensor& tensor = kernel_.tensors[id];
      const std::string where = TensorWhere(id);
      if (const std::string problem = NameProblem(tensor.name, names, id, "tensors");
          !problem.empty()) {
        return Error("tensors[", id, "].", problem);
      }
      if (!IsDType(tensor.dtype)) {
        return Error(where, ".dtype is ", static_cast<int>(tensor.dtype), ", want a dtype");
      }
      const int64_t element_bytes = DTypeBytes(tensor.dtype);
      const int64_t alignment = tensor.alignment_bytes;
      if (alignment != 0 && (alignment < element_bytes || (alignment & (alignment - 1)) != 0)) {
        return Error(where, ".alignment_bytes is ", alignment,
                     ", want 0, or a power of two of at least the element's ", element_bytes);
      }
      std::optional<int64_t> elements = 1;
      std::optional<int64_t> span = 1;  // from the first element to the last, in elements
      for (int d = 0; d < std::ssize(tensor.dims); ++d) {
        const TensorDim& dim = tensor.dims[d];
        const std::string dim_where = absl::StrCat(where, ".dims[", d, "]");
        SEEDTUNE_RETURN_IF_ERROR(CheckExtent(absl::StrCat(dim_where, ".size"), dim.size));
        if (dim.stride < TensorDim::kDynamicStride) {
          return Error(dim_where, ".stride is ", dim.stride,
                       ", want at least 0, or -1 for a stride known at run time");
        }
        const int64_t size = LargestKnown(dim.size);
        elements = CheckedMul(elements, size);
        if (dim.stride != TensorDim::kDynamicStride) {
          span = CheckedAdd(span, CheckedMul(size - 1, dim.stride));
        }
      }
      if (!elements) return Error(where, ".dims: the number of elements overflows 64 bits");
      if (!span) return Error(where, ".dims: size times stride overflows 64 bits");
      const std::optional<int64_t> bytes = CheckedMul(std::max(*elements, *span), element_bytes);
      if (!bytes) return Error(where, ".dims: the size in bytes overflows 64 bits");
      total_bytes = CheckedAdd(total_bytes, bytes);
      if (!total_bytes) return Error(where, ": the bytes of all tensors overflow 64 bits");
    }
    return absl::OkStatus();
  }

  absl::Status CheckOps() {
    std::map<std::string, int> names;
    bool stores = false;
    for (ValueId id = 0; id < std::ssize(kernel_.ops); ++id) {
      const Op& op = kernel_.ops[id];
      if (const std::string problem = NameProblem(op.name, names, id, "ops"); !problem.empty()) {
        return Error("ops[", id, "].", problem);
      }
      if (OpKindName(op.kind) == "invalid") {
        return Error(OpWhere(id), ".kind is ", static_cast<int>(op.kind), ", want an op kind");
      }
      if (!IsDType(op.dtype)) {
        return Error(OpWhere(id), ".dtype is ", static_cast<int>(op.dtype), ", want a dtype");
      }
      SEEDTUNE_RETURN_IF_ERROR(CheckForeignFields(id));
      SEEDTUNE_RETURN_IF_ERROR(CheckOperands(id));
      switch (op.kind) {
        case OpKind::kLoad:
        case OpKind::kStore:
          SEEDTUNE_RETURN_IF_ERROR(CheckAccess(id));
          break;
        case OpKind::kDot:
          SEEDTUNE_RETURN_IF_ERROR(CheckDot(id));
          break;
        case OpKind::kReduce:
          SEEDTUNE_RETURN_IF_ERROR(CheckReduce(id));
          break;
        case OpKind::kPointwise:
          SEEDTUNE_RETURN_IF_ERROR(CheckPointwise(id));
          break;
        case OpKind::kCast:
          SEEDTUNE_RETURN_IF_ERROR(
              CheckAxesAre(id, kernel_.ops[op.operands[0]].axes, "its operand's"));
          break;
        case OpKind::kConstant:
          SEEDTUNE_RETURN_IF_ERROR(CheckConstant(id));
          break;
      }
      stores = stores || op.kind == OpKind::kStore;
    }
    if (!stores) return Error("ops hold no store, want at least one");
    return absl::OkStatus();
  }

  // Fields that belong to other kinds of operation keep their defaults.
  absl::Status CheckForeignFields(ValueId id) const {
    const Op& op = kernel_.ops[id];
    const Op fresh;
    const bool memory = op.kind == OpKind::kLoad || op.kind == OpKind::kStore;
    const char* field = nullptr;
    if (!memory && op.tensor != fresh.tensor) field = "tensor";
    if (!memory && op.access != fresh.access) field = "access";
    if (op.kind != OpKind::kDot && op.dot != fresh.dot) field = "dot";
    if (op.kind != OpKind::kReduce && op.reduce != fresh.reduce) field = "reduce";
    if (op.kind != OpKind::kReduce && op.reduce_axes != fresh.reduce_axes) field = "reduce_axes";
    if (op.kind != OpKind::kPointwise && op.pointwise != fresh.pointwise) field = "pointwise";
    if (op.kind != OpKind::kConstant && op.constant != fresh.constant) field = "constant";
    if (field == nullptr) return absl::OkStatus();
    return Error(OpWhere(id), ".", field, " is set, want its default: the op is a ",
                 ToAbsl(OpKindName(op.kind)));
  }

  absl::Status CheckOperands(ValueId id) const {
    const Op& op = kernel_.ops[id];
    int want = 1;
    if (op.kind == OpKind::kLoad || op.kind == OpKind::kConstant) want = 0;
    if (op.kind == OpKind::kDot) want = 2;
    if (op.kind == OpKind::kPointwise) {
      if (PointwiseKindName(op.pointwise) == "invalid") {
        return Error(OpWhere(id), ".pointwise is ", static_cast<int>(op.pointwise),
                     ", want a pointwise kind");
      }
      want = PointwiseArity(op.pointwise);
    }
    if (std::ssize(op.operands) != want) {
      return Error(OpWhere(id), ".operands: there are ", op.operands.size(), ", want ", want);
    }
    for (int i = 0; i < want; ++i) {
      const ValueId operand = op.operands[i];
      if (operand < 0 || operand >= id) {
        return Error(OpWhere(id), ".operands[", i, "] is ", operand,
                     id == 0 ? ", but no op stands before it"
                             : absl::StrCat(", want an op before it, 0 to ", id - 1));
      }
      if (kernel_.ops[operand].kind == OpKind::kStore) {
        return Error(OpWhere(id), ".operands[", i, "] is ", OpWhere(operand),
                     ", a store, want an op that yields a value");
      }
    }
    return absl::OkStatus();
  }

  absl::Status CheckAxesAre(ValueId id, const std::vector<AxisId>& want,
                            const std::string& because) const {
    const Op& op = kernel_.ops[id];
    if (op.axes == want) return absl::OkStatus();
    return Error(OpWhere(id), ".axes is ", AxisNames(op.axes), ", want ", AxisNames(want), ", ",
                 because);
  }

  absl::Status CheckAccess(ValueId id) {
    const Op& op = kernel_.ops[id];
    const std::string where = OpWhere(id);
    if (op.tensor < 0 || op.tensor >= std::ssize(kernel_.tensors)) {
      return Error(where, ".tensor is ", op.tensor, ", want a tensor, 0 to ",
                   std::ssize(kernel_.tensors) - 1);
    }
    const Tensor& tensor = kernel_.tensors[op.tensor];
    used_tensors_.insert(op.tensor);
    if (op.dtype != tensor.dtype) {
      return Error(where, ".dtype is ", ToAbsl(DTypeName(op.dtype)), ", want ",
                   ToAbsl(DTypeName(tensor.dtype)), ", that of ", TensorWhere(op.tensor));
    }
    if (op.access.size() != tensor.dims.size()) {
      return Error(where, ".access has ", op.access.size(), " dimensions, want ",
                   tensor.dims.size(), ", the rank of ", TensorWhere(op.tensor));
    }
    std::vector<AxisId> spanned;
    for (int d = 0; d < std::ssize(op.access); ++d) {
      SEEDTUNE_RETURN_IF_ERROR(
          CheckIndex(absl::StrCat(where, ".access[", d, "]"), op.access[d], op.tensor, d));
      for (const AffineIndex::Term& term : op.access[d].terms) spanned.push_back(term.axis);
    }
    std::sort(spanned.begin(), spanned.end());
    spanned.erase(std::unique(spanned.begin(), spanned.end()), spanned.end());
    SEEDTUNE_RETURN_IF_ERROR(CheckAxesAre(id, spanned, "the axes of its access"));
    if (op.kind == OpKind::kLoad) return absl::OkStatus();

    const Op& value = kernel_.ops[op.operands[0]];
    if (value.dtype != op.dtype) {
      return Error(where, ".operands[0] is ", OpWhere(op.operands[0]), " of dtype ",
                   ToAbsl(DTypeName(value.dtype)), ", want ", ToAbsl(DTypeName(op.dtype)),
                   ", that of ", TensorWhere(op.tensor), "; add a cast");
    }
    for (const AxisId axis : value.axes) {
      if (!std::binary_search(spanned.begin(), spanned.end(), axis)) {
        return Error(where, ".access does not use axis \"", kernel_.axes[axis].name, "\", which ",
                     OpWhere(op.operands[0]), " spans: its values would overwrite one another");
      }
    }
    for (int d = 0; d < std::ssize(tensor.dims); ++d) {
      if (tensor.dims[d].stride == 0 && !op.access[d].terms.empty()) {
        return Error(where, ".tensor is ", TensorWhere(op.tensor), ", whose dims[", d,
                     "].stride is 0: what repeats in memory cannot be stored to");
      }
    }
    return absl::OkStatus();
  }

  absl::Status CheckIndex(const std::string& where, const AffineIndex& index, TensorId tensor_id,
                          int d) const {
    const Extent& size = kernel_.tensors[tensor_id].dims[d].size;
    AffineOfSymbols first;  // the lowest element touched
    AffineOfSymbols slack;  // from the highest touched to the last there is
    first.Add(index.offset);
    slack.AddScaled(size, 1);
    slack.Add(-1);
    slack.Add(CheckedMul(index.offset, -1));
    AxisId previous = -1;
    for (int t = 0; t < std::ssize(index.terms); ++t) {
      const AffineIndex::Term& term = index.terms[t];
      const std::string term_where = absl::StrCat(where, ".terms[", t, "]");
      if (!IsAxis(term.axis)) {
        return Error(term_where, ".axis is ", term.axis, ", want an axis, 0 to ",
                     std::ssize(kernel_.axes) - 1);
      }
      if (term.axis <= previous) {
        return Error(term_where, ".axis is ", AxisNames({term.axis}), ", want one after ",
                     AxisNames({previous}), ": each axis once, in the order of the kernel's axes");
      }
      previous = term.axis;
      if (term.coefficient == 0) return Error(term_where, ".coefficient is 0, want another number");
      const Extent& extent = kernel_.axes[term.axis].extent;
      const std::optional<int64_t> negative = CheckedMul(term.coefficient, -1);
      if (!negative) return Error(where, " overflows 64 bits");
      if (term.coefficient < 0) {
        first.AddScaled(extent, term.coefficient);
        first.Add(negative);
      } else {
        slack.AddScaled(extent, *negative);
        slack.Add(term.coefficient);
      }
    }
    const std::optional<int64_t> lowest = first.Minimum();
    if (!lowest || *lowest < 0) {
      return Error(where, " reaches element ",
                   lowest ? absl::StrCat(*lowest) : std::string("minus any number"),
                   ", want at least 0 in dimension ", d, " of ", TensorWhere(tensor_id));
    }
    const std::optional<int64_t> room = slack.Minimum();
    if (!room || *room < 0) {
      return Error(where, " can pass the end of dimension ", d, " of ", TensorWhere(tensor_id),
                   room ? absl::StrCat(" by ", uint64_t{0} - static_cast<uint64_t>(*room))
                        : std::string(" by any number"),
                   ", want it inside ", ExtentText(size), " elements");
    }
    return absl::OkStatus();
  }

  absl::Status CheckDot(ValueId id) {
    const Op& op = kernel_.ops[id];
    const std::string where = OpWhere(id);
    if (op.dot.k.empty()) return Error(where, ".dot.k is empty, want at least one axis");
    const struct {
      const char* name;
      const std::vector<AxisId>& axes;
    } lists[] = {{"batch", op.dot.batch}, {"m", op.dot.m}, {"n", op.dot.n}, {"k", op.dot.k}};
    std::map<AxisId, std::string> seen;
    for (const auto& list : lists) {
      for (int i = 0; i < std::ssize(list.axes); ++i) {
        const AxisId axis = list.axes[i];
        const std::string axis_where = absl::StrCat(where, ".dot.", list.name, "[", i, "]");
        if (!IsAxis(axis)) {
          return Error(axis_where, " is ", axis, ", want an axis, 0 to ",
                       std::ssize(kernel_.axes) - 1);
        }
        const auto [it, inserted] = seen.emplace(axis, absl::StrCat("dot.", list.name));
        if (!inserted) {
          return Error(axis_where, " is axis \"", kernel_.axes[axis].name, "\", which stands in ",
                       it->second, " already; want each axis once");
        }
        SEEDTUNE_RETURN_IF_ERROR(CheckDotRole(axis_where, list.name, axis));
      }
    }
    const auto join = [](const std::vector<AxisId>& a, const std::vector<AxisId>& b,
                         const std::vector<AxisId>& c) {
      std::vector<AxisId> all = a;
      all.insert(all.end(), b.begin(), b.end());
      all.insert(all.end(), c.begin(), c.end());
      std::sort(all.begin(), all.end());
      return all;
    };
    for (int i = 0; i < 2; ++i) {
      const std::vector<AxisId> want = join(op.dot.batch, i == 0 ? op.dot.m : op.dot.n, op.dot.k);
      const Op& operand = kernel_.ops[op.operands[i]];
      if (operand.axes != want) {
        return Error(where, ".operands[", i, "] is ", OpWhere(op.operands[i]), ", which spans ",
                     AxisNames(operand.axes), ", want ", AxisNames(want),
                     ", the axes of dot.batch, ", i == 0 ? "dot.m" : "dot.n", " and dot.k");
      }
    }
    reduced_.insert(reduced_.end(), op.dot.k.begin(), op.dot.k.end());
    SEEDTUNE_RETURN_IF_ERROR(CheckAccumulator(id));
    return CheckAxesAre(id, join(op.dot.batch, op.dot.m, op.dot.n),
                        "those of dot.batch, dot.m and dot.n");
  }

  absl::Status CheckDotRole(const std::string& where, std::string_view list, AxisId axis) const {
    const AxisKind kind = kernel_.axes[axis].kind;
    const char* want = nullptr;
    if (list == "k") {
      if (kind != AxisKind::kReduction) want = "reduction";
    } else if (list == "batch") {
      if (kind != AxisKind::kBatch) want = "batch";
    } else if (kind == AxisKind::kBatch) {
      want = "parallel (or reduction, where a later op reduces over it)";
    }
    if (want == nullptr) return absl::OkStatus();
    return Error(where, " is axis \"", kernel_.axes[axis].name, "\" of kind ",
                 ToAbsl(AxisKindName(kind)), ", want ", want);
  }

  absl::Status CheckAccumulator(ValueId id) const {
    const Op& op = kernel_.ops[id];
    const DType lhs = kernel_.ops[op.operands[0]].dtype;
    const DType rhs = kernel_.ops[op.operands[1]].dtype;
    const std::string operands =
        absl::StrCat(ToAbsl(DTypeName(lhs)), " and ", ToAbsl(DTypeName(rhs)));
    if (IsFloat(lhs) != IsFloat(rhs)) {
      return Error(OpWhere(id), ".operands are ", operands,
                   ", want both float or both integer; add a cast");
    }
    const DType acc = op.dtype;
    const int widest = std::max(DTypeBytes(lhs), DTypeBytes(rhs));
    const bool ok = IsFloat(lhs) ? IsFloat(acc) && acc != DType::kTF32 && !IsFp8(acc) &&
                                       DTypeBytes(acc) >= widest
                                 : acc == DType::kI32;
    if (ok) return absl::OkStatus();
    return Error(
        OpWhere(id), ".dtype (the accumulator) is ", ToAbsl(DTypeName(acc)), " for operands ",
        operands,
        IsFloat(lhs) ? ", want f16, bf16, f32 or f64, no narrower than they are" : ", want i32");
  }

  absl::Status CheckReduce(ValueId id) {
    const Op& op = kernel_.ops[id];
    const std::string where = OpWhere(id);
    const Op& operand = kernel_.ops[op.operands[0]];
    if (ReduceKindName(op.reduce) == "invalid") {
      return Error(where, ".reduce is ", static_cast<int>(op.reduce), ", want sum, max or min");
    }
    if (op.reduce_axes.empty())
      return Error(where, ".reduce_axes is empty, want at least one axis");
    AxisId previous = -1;
    for (int i = 0; i < std::ssize(op.reduce_axes); ++i) {
      const AxisId axis = op.reduce_axes[i];
      const std::string axis_where = absl::StrCat(where, ".reduce_axes[", i, "]");
      if (!IsAxis(axis)) {
        return Error(axis_where, " is ", axis, ", want an axis, 0 to ",
                     std::ssize(kernel_.axes) - 1);
      }
      if (axis <= previous) {
        return Error(axis_where, " is ", AxisNames({axis}), ", want one after ",
                     AxisNames({previous}), ": each axis once, in the order of the kernel's axes");
      }
      previous = axis;
      if (!std::binary_search(operand.axes.begin(), operand.axes.end(), axis)) {
        return Error(axis_where, " is axis \"", kernel_.axes[axis].name, "\", want one that ",
                     OpWhere(op.operands[0]), " spans: ", AxisNames(operand.axes));
      }
      if (kernel_.axes[axis].kind != AxisKind::kReduction) {
        return Error(axis_where, " is axis \"", kernel_.axes[axis].name, "\" of kind ",
                     ToAbsl(AxisKindName(kernel_.axes[axis].kind)), ", want reduction");
      }
    }
    SEEDTUNE_RETURN_IF_ERROR(CheckDTypeIs(id, op.operands[0]));
    reduced_.insert(reduced_.end(), op.reduce_axes.begin(), op.reduce_axes.end());
    std::vector<AxisId> want;
    std::set_difference(operand.axes.begin(), operand.axes.end(), op.reduce_axes.begin(),
                        op.reduce_axes.end(), std::back_inserter(want));
    return CheckAxesAre(id, want, "its operand's without reduce_axes");
  }

  absl::Status CheckDTypeIs(ValueId id, ValueId operand) const {
    const DType want = kernel_.ops[operand].dtype;
    const DType is = kernel_.ops[id].dtype;
    if (is == want) return absl::OkStatus();
    return Error(OpWhere(id), ".dtype is ", ToAbsl(DTypeName(is)), ", want ",
                 ToAbsl(DTypeName(want)), ", that of its operand ", OpWhere(operand));
  }

  absl::Status CheckPointwise(ValueId id) const {
    const Op& op = kernel_.ops[id];
    std::vector<AxisId> want;
    for (int i = 0; i < std::ssize(op.operands); ++i) {
      const Op& operand = kernel_.ops[op.operands[i]];
      const Op& first = kernel_.ops[op.operands[0]];
      if (operand.dtype != first.dtype) {
        return Error(OpWhere(id), ".operands[", i, "] is ", OpWhere(op.operands[i]), " of dtype ",
                     ToAbsl(DTypeName(operand.dtype)), ", want ", ToAbsl(DTypeName(first.dtype)),
                     ", that of operands[0]; add a cast");
      }
      want.insert(want.end(), operand.axes.begin(), operand.axes.end());
    }
    std::sort(want.begin(), want.end());
    want.erase(std::unique(want.begin(), want.end()), want.end());
    SEEDTUNE_RETURN_IF_ERROR(CheckDTypeIs(id, op.operands[0]));
    if (IsFloatOnly(op.pointwise) && !IsFloat(op.dtype)) {
      return Error(OpWhere(id), ".dtype is ", ToAbsl(DTypeName(op.dtype)),
                   ", want a float dtype for ", ToAbsl(PointwiseKindName(op.pointwise)));
    }
    return CheckAxesAre(id, want, "those of its operands");
  }

  absl::Status CheckConstant(ValueId id) const {
    const Op& op = kernel_.ops[id];
    if (std::isnan(op.constant)) {
      return Error(OpWhere(id), ".constant is not a number, want a number");
    }
    if (!IsFloat(op.dtype)) {
      const double limit = op.dtype == DType::kI8 ? 128 : 2147483648.0;
      if (op.constant != std::floor(op.constant) || op.constant < -limit || op.constant >= limit) {
        return Error(OpWhere(id), ".constant is ", op.constant, ", want an integer that fits ",
                     ToAbsl(DTypeName(op.dtype)));
      }
    }
    return CheckAxesAre(id, {}, "a constant spans none");
  }

  // What nothing uses is a mistake: a name misspelt, an axis that would only multiply the work.
  absl::Status CheckUse() const {
    std::vector<bool> axis_used(kernel_.axes.size());
    std::vector<bool> value_used(kernel_.ops.size());
    for (const Op& op : kernel_.ops) {
      for (const AxisId axis : op.axes) axis_used[axis] = true;
      for (const ValueId operand : op.operands) value_used[operand] = true;
    }
    for (AxisId id = 0; id < std::ssize(kernel_.axes); ++id) {
      if (!axis_used[id]) return Error(AxisWhere(id), " is used by no op; leave it out");
      if (kernel_.axes[id].kind == AxisKind::kReduction &&
          std::find(reduced_.begin(), reduced_.end(), id) == reduced_.end()) {
        return Error(AxisWhere(id),
                     ".kind is reduction, but no op reduces over it; want parallel or batch");
      }
    }
    for (TensorId id = 0; id < std::ssize(kernel_.tensors); ++id) {
      if (used_tensors_.count(id) == 0) {
        return Error(TensorWhere(id), " is neither loaded nor stored; leave it out");
      }
    }
    for (ValueId id = 0; id < std::ssize(kernel_.ops); ++id) {
      if (!value_used[id] && kernel_.ops[id].kind != OpKind::kStore) {
        return Error(OpWhere(id), " yields a value that no op uses; leave it out");
      }
    }
    return absl::OkStatus();
  }

  absl::Status CheckWork() const {
    std::optional<int64_t> total = 0;
    for (ValueId id = 0; id < std::ssize(kernel_.ops); ++id) {
      const Op& op = kernel_.ops[id];
      std::optional<int64_t> flops = op.kind == OpKind::kDot ? 2 : 1;
      for (const AxisId axis : op.axes) {
        flops = CheckedMul(flops, LargestKnown(kernel_.axes[axis].extent));
      }
      for (const AxisId axis : op.dot.k) {
        flops = CheckedMul(flops, LargestKnown(kernel_.axes[axis].extent));
      }
      for (const AxisId axis : op.reduce_axes) {
        flops = CheckedMul(flops, LargestKnown(kernel_.axes[axis].extent));
      }
      if (!flops) return Error(OpWhere(id), ": the number of its flops overflows 64 bits");
      total = CheckedAdd(total, flops);
      if (!total) return Error(OpWhere(id), ": the flops of all ops overflow 64 bits");
    }
    return absl::OkStatus();
  }

  const Kernel& kernel_;
  std::map<std::string, Extent> symbols_;  // as first used
  std::set<TensorId> used_tensors_;        // by a load or store
  std::vector<AxisId> reduced_;            // by a dot or reduce
};

}  // namespace

absl::Status ValidateKernel(const Kernel& kernel) { return Validator(kernel).Run(); }

}  // namespace seedtune
