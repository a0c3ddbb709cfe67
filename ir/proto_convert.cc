#include "ir/proto_convert.h"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "ir/builder.h"
#include "ir/checked_math.h"
#include "ir/dense.h"
#include "ir/dtype.h"
#include "ir/dtype.pb.h"
#include "ir/ir.pb.h"
#include "ir/kernel.h"
#include "ir/matmul.h"
#include "util/edit_distance.h"
#include "util/status_macros.h"
#include "util/string_view.h"

namespace seedtune {
namespace {

using Names = google::protobuf::RepeatedPtrField<std::string>;

// The numbers agree, so that converting an enum is a cast.
static_assert(static_cast<int>(DType::kF64) == F64 && static_cast<int>(DType::kI32) == I32);
static_assert(static_cast<int>(AxisKind::kParallel) == AxisProto::PARALLEL &&
              static_cast<int>(AxisKind::kReduction) == AxisProto::REDUCTION &&
              static_cast<int>(AxisKind::kBatch) == AxisProto::BATCH);
static_assert(static_cast<int>(ReduceKind::kSum) == OpProto::Reduce::SUM &&
              static_cast<int>(ReduceKind::kMax) == OpProto::Reduce::MAX &&
              static_cast<int>(ReduceKind::kMin) == OpProto::Reduce::MIN);
static_assert(static_cast<int>(PointwiseKind::kAdd) == OpProto::Pointwise::ADD &&
              static_cast<int>(PointwiseKind::kMax) == OpProto::Pointwise::MAX &&
              static_cast<int>(PointwiseKind::kGelu) == OpProto::Pointwise::GELU &&
              static_cast<int>(PointwiseKind::kSqrt) == OpProto::Pointwise::SQRT);
static_assert(static_cast<int>(Activation::kNone) == MatmulProto::NONE &&
              static_cast<int>(Activation::kSilu) == MatmulProto::SILU);
static_assert(static_cast<int>(MatrixLayout::kRowMajor) == MatmulProto::ROW_MAJOR &&
              static_cast<int>(MatrixLayout::kColumnMajor) == MatmulProto::COLUMN_MAJOR);

template <typename... Parts>
absl::Status Error(const Parts&... parts) {
  return absl::InvalidArgumentError(absl::StrCat(parts...));
}

std::string PrintIndex(const Kernel& kernel, const AffineIndex& index) {
  std::string text;
  const auto sign = [&text](bool negative) {
    if (!text.empty()) return negative ? " - " : " + ";
    return negative ? "-" : "";
  };
  // As unsigned, so that the smallest number has a magnitude.
  const auto magnitude = [](int64_t value) {
    return value < 0 ? uint64_t{0} - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  };
  for (const AffineIndex::Term& term : index.terms) {
    absl::StrAppend(&text, sign(term.coefficient < 0));
    if (magnitude(term.coefficient) != 1) absl::StrAppend(&text, magnitude(term.coefficient), "*");
    absl::StrAppend(&text, kernel.axes[term.axis].name);
  }
  if (index.offset != 0 || text.empty()) {
    absl::StrAppend(&text, sign(index.offset < 0), magnitude(index.offset));
  }
  return text;
}

ExtentProto ExtentToProto(const Extent& extent) {
  ExtentProto proto;
  if (extent.is_static()) {
    proto.set_static_(extent.value);
  } else {
    proto.set_symbol(extent.symbol);
  }
  return proto;
}

// Reads a kernel through KernelBuilder, which infers dtypes and axes and validates.
class KernelReader {
 public:
  explicit KernelReader(const KernelProto& proto) : proto_(proto), builder_(proto.name()) {}

  absl::StatusOr<Kernel> Read() {
    absl::Status status = ReadAll();
    if (!status.ok()) {
      return Error("kernel \"", proto_.name(), "\": ", status.message());
    }
    return std::move(builder_).Build();
  }

 private:
  using Ids = std::map<std::string, int>;

  absl::Status ReadAll() {
    for (int i = 0; i < proto_.symbols_size(); ++i) {
      const SymbolProto& symbol = proto_.symbols(i);
      if (symbol.name().empty()) return Error("symbols[", i, "].name is not set, want a name");
      const Extent extent =
          Extent::Symbolic(symbol.name(), symbol.hint(), symbol.min(), symbol.max());
      if (!symbols_.emplace(symbol.name(), extent).second) {
        return Error("symbols[", i, "].name is \"", symbol.name(),
                     "\", which an earlier symbol has already; want a unique name");
      }
    }
    for (int i = 0; i < proto_.axes_size(); ++i) SEEDTUNE_RETURN_IF_ERROR(ReadAxis(i));
    for (int i = 0; i < proto_.tensors_size(); ++i) SEEDTUNE_RETURN_IF_ERROR(ReadTensor(i));
    for (const auto& [name, extent] : symbols_) {
      if (used_symbols_.count(name) == 0) {
        return Error("symbol \"", name, "\" is used by no axis and no tensor; leave it out");
      }
    }
    for (int i = 0; i < proto_.ops_size(); ++i) SEEDTUNE_RETURN_IF_ERROR(ReadOp(i));
    return absl::OkStatus();
  }

  absl::StatusOr<Extent> ReadExtent(const std::string& where, const ExtentProto& proto) {
    switch (proto.extent_case()) {
      case ExtentProto::kStatic:
        return Extent::Static(proto.static_());
      case ExtentProto::kSymbol: {
        const auto it = symbols_.find(proto.symbol());
        if (it != symbols_.end()) {
          used_symbols_.insert(it->first);
          return it->second;
        }
        std::vector<std::string> known;
        for (const auto& [name, extent] : symbols_) known.push_back(name);
        return Error(where, ".symbol is \"", proto.symbol(), "\", no symbol",
                     Hint(proto.symbol(), known));
      }
      case ExtentProto::EXTENT_NOT_SET:
        break;
    }
    return Error(where, " is not set, want static or symbol");
  }

  absl::Status ReadAxis(int i) {
    const AxisProto& axis = proto_.axes(i);
    const std::string where = absl::StrCat("axes[", i, "] (", axis.name(), ")");
    if (axis.kind() == AxisProto::KIND_UNSPECIFIED) {
      return Error(where, ".kind is not set, want PARALLEL, REDUCTION or BATCH");
    }
    SEEDTUNE_ASSIGN_OR_RETURN(const Extent extent,
                              ReadExtent(absl::StrCat(where, ".extent"), axis.extent()));
    axes_.emplace(axis.name(), builder_.AddAxis(axis.name(), static_cast<AxisKind>(axis.kind()),
                                                extent, !axis.has_tunable() || axis.tunable()));
    return absl::OkStatus();
  }

  absl::Status ReadTensor(int i) {
    const TensorProto& proto = proto_.tensors(i);
    const std::string where = absl::StrCat("tensors[", i, "] (", proto.name(), ")");
    Tensor tensor;
    tensor.name = proto.name();
    SEEDTUNE_ASSIGN_OR_RETURN(tensor.dtype,
                              DTypeFromProto(proto.dtype(), absl::StrCat(where, ".dtype")));
    tensor.alignment_bytes = proto.alignment_bytes();
    tensor.dims.resize(proto.dims_size());
    DenseStride dense;
    for (int d = proto.dims_size() - 1; d >= 0; --d) {
      const TensorProto::Dim& dim = proto.dims(d);
      const std::string dim_where = absl::StrCat(where, ".dims[", d, "]");
      SEEDTUNE_ASSIGN_OR_RETURN(tensor.dims[d].size,
                                ReadExtent(absl::StrCat(dim_where, ".size"), dim.size()));
      switch (dim.stride_kind_case()) {
        case TensorProto::Dim::kStride:
          if (dim.stride() < 0) {
            return Error(dim_where, ".stride is ", dim.stride(), ", want at least 0");
          }
          tensor.dims[d].stride = dim.stride();
          break;
        case TensorProto::Dim::kDynamicStride:
          if (!dim.dynamic_stride()) {
            return Error(dim_where, ".dynamic_stride is false, want true, or a stride");
          }
          tensor.dims[d].stride = TensorDim::kDynamicStride;
          break;
        case TensorProto::Dim::STRIDE_KIND_NOT_SET:
          if (!dense.next()) return Error(dim_where, ".stride overflows 64 bits");
          tensor.dims[d].stride = *dense.next();
          break;
      }
      dense.Pass(tensor.dims[d]);
    }
    tensors_.emplace(tensor.name, builder_.AddStridedTensor(tensor));
    return absl::OkStatus();
  }

  // ", did you mean "x"; known: x, y".
  static std::string Hint(const std::string& name, const std::vector<std::string>& known) {
    const std::optional<std::string> nearest = NearestName(name, known);
    return absl::StrCat(
        nearest ? absl::StrCat(", did you mean \"", *nearest, "\"") : std::string(),
        "; known: ", known.empty() ? std::string("none") : absl::StrJoin(known, ", "));
  }

  static absl::StatusOr<int> Find(const std::string& where, const char* what,
                                  const std::string& name, const Ids& ids) {
    if (name.empty()) return Error(where, " is not set, want the name of an ", what);
    const auto it = ids.find(name);
    if (it != ids.end()) return it->second;
    std::vector<std::string> known;
    for (const auto& [candidate, id] : ids) known.push_back(candidate);
    return Error(where, " is \"", name, "\", no ", what, Hint(name, known));
  }

  absl::StatusOr<std::vector<AxisId>> FindAxes(const std::string& where, const Names& names) const {
    std::vector<AxisId> axes;
    for (int i = 0; i < names.size(); ++i) {
      SEEDTUNE_ASSIGN_OR_RETURN(const AxisId axis,
                                Find(absl::StrCat(where, "[", i, "]"), "axis", names[i], axes_));
      axes.push_back(axis);
    }
    return axes;
  }

  absl::StatusOr<ValueId> FindValue(const std::string& where, const std::string& name) const {
    return Find(where, "op before it", name, values_);
  }

  // "2*row + tap - 1": a sum of terms, each an axis, a number, or a number times an axis.
  absl::StatusOr<AffineIndex> ReadIndex(const std::string& where, const std::string& text) const {
    const auto error = [&](size_t at, const auto&... parts) {
      return Error(where, " is \"", text, "\", want ", absl::StrCat(parts...),
                   at < text.size() ? absl::StrCat(" at \"", text.substr(at), "\"")
                                    : std::string(" at the end"));
    };
    AffineIndex index;
    size_t at = 0;
    const auto skip_blanks = [&] {
      while (at < text.size() && absl::ascii_isspace(static_cast<unsigned char>(text[at]))) ++at;
    };
    const auto take_word = [&] {
      const size_t begin = at;
      while (at < text.size() && (absl::ascii_isalnum(static_cast<unsigned char>(text[at])) ||
                                  text[at] == '_' || text[at] == '.')) {
        ++at;
      }
      return text.substr(begin, at - begin);
    };
    for (bool first = true; first || at < text.size(); first = false) {
      skip_blanks();
      bool negative = false;
      if (at < text.size() && (text[at] == '+' || text[at] == '-')) {
        if (first && text[at] == '+') return error(at, "an axis or a number");
        negative = text[at] == '-';
        ++at;
        skip_blanks();
      } else if (!first) {
        return error(at, "\"+\" or \"-\"");
      }
      const size_t begin = at;
      std::string word = take_word();
      if (word.empty()) return error(begin, "an axis or a number");
      int64_t number = 1;
      bool is_term = true;
      if (absl::ascii_isdigit(static_cast<unsigned char>(word[0]))) {
        if (!absl::SimpleAtoi(absl::StrCat(negative ? "-" : "", word), &number)) {
          return error(begin, "a number that fits 64 bits");
        }
        skip_blanks();
        is_term = at < text.size() && text[at] == '*';
        if (is_term) {
          ++at;
          skip_blanks();
          const size_t axis_at = at;
          word = take_word();
          if (word.empty()) return error(axis_at, "an axis after \"*\"");
        }
      } else if (negative) {
        number = -1;
      }
      if (is_term) {
        SEEDTUNE_ASSIGN_OR_RETURN(const AxisId axis, Find(where, "axis", word, axes_));
        index.terms.push_back({.axis = axis, .coefficient = number});
      } else {
        const std::optional<int64_t> sum = CheckedAdd(index.offset, number);
        if (!sum) return error(begin, "numbers whose sum fits 64 bits");
        index.offset = *sum;
      }
      skip_blanks();
    }
    return index;
  }

  absl::StatusOr<std::vector<AffineIndex>> ReadAccess(const std::string& where,
                                                      const Names& texts) const {
    std::vector<AffineIndex> access;
    for (int i = 0; i < texts.size(); ++i) {
      SEEDTUNE_ASSIGN_OR_RETURN(AffineIndex index,
                                ReadIndex(absl::StrCat(where, ".index[", i, "]"), texts[i]));
      access.push_back(std::move(index));
    }
    return access;
  }

  absl::Status ReadOp(int i) {
    const OpProto& op = proto_.ops(i);
    const std::string at =
        absl::StrCat("ops[", i, "]", op.name().empty() ? "" : absl::StrCat(" (", op.name(), ")"));
    SEEDTUNE_RETURN_IF_ERROR(AddOp(at, op));
    if (!op.name().empty()) builder_.NameLast(op.name());
    // Unnamed ops go by the name that the builder gives them. Of a name that is there twice the
    // first counts here; validation rejects the second.
    static constexpr const char* kKinds[] = {"",       "",          "load", "store",   "dot",
                                             "reduce", "pointwise", "cast", "constant"};
    values_.emplace(
        op.name().empty() ? absl::StrCat(kKinds[static_cast<int>(op.kind_case())], i) : op.name(),
        i);
    return absl::OkStatus();
  }

  absl::Status AddOp(const std::string& at, const OpProto& op) {
    switch (op.kind_case()) {
      case OpProto::kLoad: {
        const std::string where = absl::StrCat(at, ".load");
        SEEDTUNE_ASSIGN_OR_RETURN(
            const TensorId tensor,
            Find(absl::StrCat(where, ".tensor"), "tensor", op.load().tensor(), tensors_));
        SEEDTUNE_ASSIGN_OR_RETURN(auto access, ReadAccess(where, op.load().index()));
        builder_.LoadAffine(tensor, std::move(access));
        return absl::OkStatus();
      }
      case OpProto::kStore: {
        const std::string where = absl::StrCat(at, ".store");
        SEEDTUNE_ASSIGN_OR_RETURN(
            const TensorId tensor,
            Find(absl::StrCat(where, ".tensor"), "tensor", op.store().tensor(), tensors_));
        SEEDTUNE_ASSIGN_OR_RETURN(auto access, ReadAccess(where, op.store().index()));
        SEEDTUNE_ASSIGN_OR_RETURN(const ValueId value,
                                  FindValue(absl::StrCat(where, ".value"), op.store().value()));
        builder_.StoreAffine(tensor, std::move(access), value);
        return absl::OkStatus();
      }
      case OpProto::kDot: {
        const std::string where = absl::StrCat(at, ".dot");
        const OpProto::Dot& dot = op.dot();
        SEEDTUNE_ASSIGN_OR_RETURN(const ValueId lhs,
                                  FindValue(absl::StrCat(where, ".lhs"), dot.lhs()));
        SEEDTUNE_ASSIGN_OR_RETURN(const ValueId rhs,
                                  FindValue(absl::StrCat(where, ".rhs"), dot.rhs()));
        DotAxes axes;
        SEEDTUNE_ASSIGN_OR_RETURN(axes.batch, FindAxes(absl::StrCat(where, ".batch"), dot.batch()));
        SEEDTUNE_ASSIGN_OR_RETURN(axes.m, FindAxes(absl::StrCat(where, ".m"), dot.m()));
        SEEDTUNE_ASSIGN_OR_RETURN(axes.n, FindAxes(absl::StrCat(where, ".n"), dot.n()));
        SEEDTUNE_ASSIGN_OR_RETURN(axes.k, FindAxes(absl::StrCat(where, ".k"), dot.k()));
        SEEDTUNE_ASSIGN_OR_RETURN(
            const DType accumulator,
            DTypeFromProto(dot.accumulator(), absl::StrCat(where, ".accumulator")));
        builder_.Dot(lhs, rhs, std::move(axes), accumulator);
        return absl::OkStatus();
      }
      case OpProto::kReduce: {
        const std::string where = absl::StrCat(at, ".reduce");
        if (op.reduce().kind() == OpProto::Reduce::KIND_UNSPECIFIED) {
          return Error(where, ".kind is not set, want SUM, MAX or MIN");
        }
        SEEDTUNE_ASSIGN_OR_RETURN(const ValueId value,
                                  FindValue(absl::StrCat(where, ".value"), op.reduce().value()));
        SEEDTUNE_ASSIGN_OR_RETURN(std::vector<AxisId> axes,
                                  FindAxes(absl::StrCat(where, ".axes"), op.reduce().axes()));
        builder_.Reduce(static_cast<ReduceKind>(op.reduce().kind()), value, std::move(axes));
        return absl::OkStatus();
      }
      case OpProto::kPointwise: {
        const std::string where = absl::StrCat(at, ".pointwise");
        if (op.pointwise().kind() == OpProto::Pointwise::KIND_UNSPECIFIED) {
          return Error(where, ".kind is not set, want ADD, MUL, RELU or another");
        }
        std::vector<ValueId> values;
        for (int v = 0; v < op.pointwise().values_size(); ++v) {
          SEEDTUNE_ASSIGN_OR_RETURN(
              const ValueId value,
              FindValue(absl::StrCat(where, ".values[", v, "]"), op.pointwise().values(v)));
          values.push_back(value);
        }
        builder_.Pointwise(static_cast<PointwiseKind>(op.pointwise().kind()), std::move(values));
        return absl::OkStatus();
      }
      case OpProto::kCast: {
        const std::string where = absl::StrCat(at, ".cast");
        SEEDTUNE_ASSIGN_OR_RETURN(const ValueId value,
                                  FindValue(absl::StrCat(where, ".value"), op.cast().value()));
        SEEDTUNE_ASSIGN_OR_RETURN(const DType dtype,
                                  DTypeFromProto(op.cast().dtype(), absl::StrCat(where, ".dtype")));
        builder_.Cast(value, dtype);
        return absl::OkStatus();
      }
      case OpProto::kConstant: {
        SEEDTUNE_ASSIGN_OR_RETURN(
            const DType dtype,
            DTypeFromProto(op.constant().dtype(), absl::StrCat(at, ".constant.dtype")));
        builder_.Constant(op.constant().value(), dtype);
        return absl::OkStatus();
      }
      case OpProto::KIND_NOT_SET:
        break;
    }
    return Error(at, " is empty, want one of load, store, dot, reduce, pointwise, cast, constant");
  }

  const KernelProto& proto_;
  KernelBuilder builder_;
  std::map<std::string, Extent> symbols_;
  std::set<std::string> used_symbols_;
  Ids axes_, tensors_, values_;
};

absl::StatusOr<Extent> SymbolicExtent(const char* field, const SymbolProto& symbol) {
  if (symbol.name().empty()) {
    return Error("symbolic_", field, ".name is not set, want a name");
  }
  return Extent::Symbolic(symbol.name(), symbol.hint(), symbol.min(), symbol.max());
}

absl::StatusOr<Extent> StaticExtent(const char* field, int64_t value) {
  if (value < 1) return Error(field, " is ", value, ", want at least 1");
  return Extent::Static(value);
}

SymbolProto SymbolToProto(const Extent& extent) {
  SymbolProto proto;
  proto.set_name(extent.symbol);
  proto.set_hint(extent.value);
  proto.set_min(extent.min);
  proto.set_max(extent.max);
  return proto;
}

absl::StatusOr<Kernel> KernelFromEntry(const WorkloadProto::Entry& entry) {
  switch (entry.kernel_case()) {
    case WorkloadProto::Entry::kMatmul: {
      SEEDTUNE_ASSIGN_OR_RETURN(MatmulSpec spec, MatmulFromProto(entry.matmul()));
      spec.name = entry.name();
      return BuildMatmul(spec);
    }
    case WorkloadProto::Entry::kIr: {
      KernelProto ir = entry.ir();
      if (!ir.name().empty() && ir.name() != entry.name()) {
        return Error("ir.name is \"", ir.name(), "\", want it left out or the same");
      }
      ir.set_name(entry.name());
      return KernelFromProto(ir);
    }
    case WorkloadProto::Entry::KERNEL_NOT_SET:
      break;
  }
  return Error("no kernel is set, want matmul { ... } or ir { ... }");
}

}  // namespace

DTypeProto DTypeToProto(DType dtype) { return static_cast<DTypeProto>(dtype); }

absl::StatusOr<DType> DTypeFromProto(DTypeProto proto, std::string_view where) {
  if (proto == DTYPE_UNSPECIFIED) return Error(ToAbsl(where), " is not set, want a dtype, as F32");
  for (const DType dtype : AllDTypes()) {
    if (DTypeToProto(dtype) == proto) return dtype;
  }
  return Error(ToAbsl(where), " is ", static_cast<int>(proto), ", want a dtype, as F32");
}

KernelProto KernelToProto(const Kernel& kernel) {
  KernelProto proto;
  proto.set_name(kernel.name);
  std::set<std::string> symbols;
  const auto add_extent = [&](const Extent& extent) {
    if (!extent.is_static() && symbols.insert(extent.symbol).second) {
      *proto.add_symbols() = SymbolToProto(extent);
    }
    return ExtentToProto(extent);
  };
  const auto add_axes = [&](const std::vector<AxisId>& axes, Names* names) {
    for (const AxisId axis : axes) *names->Add() = kernel.axes[axis].name;
  };
  for (const Axis& axis : kernel.axes) {
    AxisProto& out = *proto.add_axes();
    out.set_name(axis.name);
    out.set_kind(static_cast<AxisProto::Kind>(axis.kind));
    *out.mutable_extent() = add_extent(axis.extent);
    if (!axis.tunable) out.set_tunable(false);
  }
  for (const Tensor& tensor : kernel.tensors) {
    TensorProto& out = *proto.add_tensors();
    out.set_name(tensor.name);
    out.set_dtype(DTypeToProto(tensor.dtype));
    out.set_alignment_bytes(tensor.alignment_bytes);
    for (const TensorDim& dim : tensor.dims) *out.add_dims()->mutable_size() = add_extent(dim.size);
    DenseStride dense;
    for (int d = out.dims_size() - 1; d >= 0; --d) {
      const TensorDim& dim = tensor.dims[d];
      if (dense.next() != dim.stride) {
        if (dim.stride == TensorDim::kDynamicStride) {
          out.mutable_dims(d)->set_dynamic_stride(true);
        } else {
          out.mutable_dims(d)->set_stride(dim.stride);
        }
      }
      dense.Pass(dim);
    }
  }
  for (const Op& op : kernel.ops) {
    OpProto& out = *proto.add_ops();
    out.set_name(op.name);
    const auto operand = [&](int i) { return kernel.ops[op.operands[i]].name; };
    switch (op.kind) {
      case OpKind::kLoad:
        out.mutable_load()->set_tensor(kernel.tensors[op.tensor].name);
        for (const AffineIndex& index : op.access) {
          out.mutable_load()->add_index(PrintIndex(kernel, index));
        }
        break;
      case OpKind::kStore:
        out.mutable_store()->set_tensor(kernel.tensors[op.tensor].name);
        for (const AffineIndex& index : op.access) {
          out.mutable_store()->add_index(PrintIndex(kernel, index));
        }
        out.mutable_store()->set_value(operand(0));
        break;
      case OpKind::kDot:
        out.mutable_dot()->set_lhs(operand(0));
        out.mutable_dot()->set_rhs(operand(1));
        add_axes(op.dot.batch, out.mutable_dot()->mutable_batch());
        add_axes(op.dot.m, out.mutable_dot()->mutable_m());
        add_axes(op.dot.n, out.mutable_dot()->mutable_n());
        add_axes(op.dot.k, out.mutable_dot()->mutable_k());
        out.mutable_dot()->set_accumulator(DTypeToProto(op.dtype));
        break;
      case OpKind::kReduce:
        out.mutable_reduce()->set_kind(static_cast<OpProto::Reduce::Kind>(op.reduce));
        out.mutable_reduce()->set_value(operand(0));
        add_axes(op.reduce_axes, out.mutable_reduce()->mutable_axes());
        break;
      case OpKind::kPointwise:
        out.mutable_pointwise()->set_kind(static_cast<OpProto::Pointwise::Kind>(op.pointwise));
        for (int i = 0; i < std::ssize(op.operands); ++i) {
          out.mutable_pointwise()->add_values(operand(i));
        }
        break;
      case OpKind::kCast:
        out.mutable_cast()->set_value(operand(0));
        out.mutable_cast()->set_dtype(DTypeToProto(op.dtype));
        break;
      case OpKind::kConstant:
        out.mutable_constant()->set_value(op.constant);
        out.mutable_constant()->set_dtype(DTypeToProto(op.dtype));
        break;
    }
  }
  return proto;
}

absl::StatusOr<Kernel> KernelFromProto(const KernelProto& proto) {
  return KernelReader(proto).Read();
}

MatmulProto MatmulToProto(const MatmulSpec& spec) {
  MatmulProto proto;
  if (spec.m.is_static()) {
    proto.set_m(spec.m.value);
  } else {
    *proto.mutable_symbolic_m() = SymbolToProto(spec.m);
  }
  if (spec.n.is_static()) {
    proto.set_n(spec.n.value);
  } else {
    *proto.mutable_symbolic_n() = SymbolToProto(spec.n);
  }
  if (spec.k.is_static()) {
    proto.set_k(spec.k.value);
  } else {
    *proto.mutable_symbolic_k() = SymbolToProto(spec.k);
  }
  if (spec.batch != 1) proto.set_batch(spec.batch);
  proto.set_dtype(DTypeToProto(spec.lhs));
  if (spec.rhs != spec.lhs) proto.set_rhs_dtype(DTypeToProto(spec.rhs));
  if (spec.out != spec.lhs) proto.set_out_dtype(DTypeToProto(spec.out));
  if (spec.accumulator != DefaultAccumulator(spec.lhs)) {
    proto.set_accumulator(DTypeToProto(spec.accumulator));
  }
  if (spec.lhs_layout != MatrixLayout::kRowMajor) proto.set_lhs_layout(MatmulProto::COLUMN_MAJOR);
  if (spec.rhs_layout != MatrixLayout::kRowMajor) proto.set_rhs_layout(MatmulProto::COLUMN_MAJOR);
  proto.set_bias(spec.bias);
  proto.set_activation(static_cast<MatmulProto::Activation>(spec.activation));
  proto.set_residual(spec.residual);
  return proto;
}

absl::StatusOr<MatmulSpec> MatmulFromProto(const MatmulProto& proto) {
  MatmulSpec spec;
  switch (proto.m_extent_case()) {
    case MatmulProto::kM: {
      SEEDTUNE_ASSIGN_OR_RETURN(spec.m, StaticExtent("m", proto.m()));
      break;
    }
    case MatmulProto::kSymbolicM: {
      SEEDTUNE_ASSIGN_OR_RETURN(spec.m, SymbolicExtent("m", proto.symbolic_m()));
      break;
    }
    case MatmulProto::M_EXTENT_NOT_SET:
      return Error("m is not set, want m or symbolic_m");
  }
  switch (proto.n_extent_case()) {
    case MatmulProto::kN: {
      SEEDTUNE_ASSIGN_OR_RETURN(spec.n, StaticExtent("n", proto.n()));
      break;
    }
    case MatmulProto::kSymbolicN: {
      SEEDTUNE_ASSIGN_OR_RETURN(spec.n, SymbolicExtent("n", proto.symbolic_n()));
      break;
    }
    case MatmulProto::N_EXTENT_NOT_SET:
      return Error("n is not set, want n or symbolic_n");
  }
  switch (proto.k_extent_case()) {
    case MatmulProto::kK: {
      SEEDTUNE_ASSIGN_OR_RETURN(spec.k, StaticExtent("k", proto.k()));
      break;
    }
    case MatmulProto::kSymbolicK: {
      SEEDTUNE_ASSIGN_OR_RETURN(spec.k, SymbolicExtent("k", proto.symbolic_k()));
      break;
    }
    case MatmulProto::K_EXTENT_NOT_SET:
      return Error("k is not set, want k or symbolic_k");
  }
  spec.batch = proto.has_batch() ? proto.batch() : 1;
  const auto dtype = [&](DTypeProto own, const char* field) {
    return own != DTYPE_UNSPECIFIED ? DTypeFromProto(own, field)
                                    : DTypeFromProto(proto.dtype(), "dtype");
  };
  SEEDTUNE_ASSIGN_OR_RETURN(spec.lhs, dtype(proto.lhs_dtype(), "lhs_dtype"));
  SEEDTUNE_ASSIGN_OR_RETURN(spec.rhs, dtype(proto.rhs_dtype(), "rhs_dtype"));
  SEEDTUNE_ASSIGN_OR_RETURN(spec.out, dtype(proto.out_dtype(), "out_dtype"));
  spec.accumulator = DefaultAccumulator(spec.lhs);
  if (proto.accumulator() != DTYPE_UNSPECIFIED) {
    SEEDTUNE_ASSIGN_OR_RETURN(spec.accumulator, DTypeFromProto(proto.accumulator(), "accumulator"));
  }
  if (proto.lhs_layout() != MatmulProto::LAYOUT_UNSPECIFIED) {
    spec.lhs_layout = static_cast<MatrixLayout>(proto.lhs_layout());
  }
  if (proto.rhs_layout() != MatmulProto::LAYOUT_UNSPECIFIED) {
    spec.rhs_layout = static_cast<MatrixLayout>(proto.rhs_layout());
  }
  spec.bias = proto.bias();
  spec.activation = static_cast<Activation>(proto.activation());
  spec.residual = proto.residual();
  return spec;
}

WorkloadProto WorkloadToProto(const Workload& workload) {
  WorkloadProto proto;
  proto.set_name(workload.name);
  proto.set_description(workload.description);
  for (const Workload::Entry& entry : workload.entries) {
    WorkloadProto::Entry& out = *proto.add_kernels();
    out.set_name(entry.kernel.name);
    if (entry.count != 1) out.set_count(entry.count);
    *out.mutable_ir() = KernelToProto(entry.kernel);
    out.mutable_ir()->clear_name();
  }
  return proto;
}

absl::StatusOr<Workload> WorkloadFromProto(const WorkloadProto& proto) {
  if (proto.name().empty()) return Error("name is not set, want a name for the workload");
  if (proto.kernels().empty()) return Error("kernels is empty, want at least one");
  Workload workload;
  workload.name = proto.name();
  workload.description = proto.description();
  std::map<std::string, int> seen;
  for (int i = 0; i < proto.kernels_size(); ++i) {
    const WorkloadProto::Entry& entry = proto.kernels(i);
    if (entry.name().empty()) return Error("kernels[", i, "].name is not set, want a name");
    const auto [it, inserted] = seen.emplace(entry.name(), i);
    if (!inserted) {
      return Error("kernels[", i, "].name is \"", entry.name(), "\", which kernels[", it->second,
                   "] has already; want a unique name");
    }
    const std::string where = absl::StrCat("kernels[", i, "] (\"", entry.name(), "\")");
    const int64_t count = entry.has_count() ? entry.count() : 1;
    if (count < 1) return Error(where, ".count is ", count, ", want at least 1");
    absl::StatusOr<Kernel> kernel = KernelFromEntry(entry);
    if (!kernel.ok()) return Error(where, ": ", kernel.status().message());
    workload.entries.push_back({.kernel = *std::move(kernel), .count = count});
  }
  return workload;
}

}  // namespace seedtune
