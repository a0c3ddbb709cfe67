#include "ir/matmul.h"

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "ir/builder.h"
#include "ir/dtype.h"
#include "ir/kernel.h"
#include "util/edit_distance.h"
#include "util/status_macros.h"
#include "util/string_view.h"

namespace seedtune {
namespace {

constexpr char kExample[] = "matmul:16x4096x4096:bf16";

std::string ExtentShortForm(const Extent& extent) {
  if (extent.is_static()) return absl::StrCat(extent.value);
  const auto number = [](int64_t value) {
    return value == 0 ? std::string("?") : absl::StrCat(value);
  };
  std::string text = absl::StrCat(extent.symbol, "=", number(extent.value));
  if (extent.min != 0 || extent.max != 0) {
    absl::StrAppend(&text, "[", number(extent.min), ",", number(extent.max), "]");
  }
  return text;
}

const char* ActivationName(Activation activation) {
  switch (activation) {
    case Activation::kNone:
      return "none";
    case Activation::kRelu:
      return "relu";
    case Activation::kGelu:
      return "gelu";
    case Activation::kSilu:
      return "silu";
  }
  return nullptr;
}

PointwiseKind ActivationOp(Activation activation) {
  if (activation == Activation::kGelu) return PointwiseKind::kGelu;
  if (activation == Activation::kSilu) return PointwiseKind::kSilu;
  return PointwiseKind::kRelu;
}

absl::Status CheckSpec(const MatmulSpec& spec, const std::string& name) {
  const auto error = [&](const char* field, auto value, const char* want) {
    return absl::InvalidArgumentError(
        absl::StrCat("kernel \"", name, "\": ", field, " is ", value, ", want ", want));
  };
  if (spec.batch < 1) return error("batch", spec.batch, "at least 1");
  for (const auto& [field, layout] :
       {std::pair("lhs_layout", spec.lhs_layout), std::pair("rhs_layout", spec.rhs_layout)}) {
    if (layout != MatrixLayout::kRowMajor && layout != MatrixLayout::kColumnMajor) {
      return error(field, static_cast<int>(layout), "row-major or column-major");
    }
  }
  if (!std::isfinite(spec.scale)) return error("scale", spec.scale, "a finite number");
  if (spec.scale != 1 && !IsFloat(spec.accumulator)) {
    return error("scale", spec.scale, "1: the accumulator is of integers");
  }
  if (ActivationName(spec.activation) == nullptr) {
    return error("activation", static_cast<int>(spec.activation), "none, relu, gelu or silu");
  }
  return absl::OkStatus();
}

// Reads one short form from left to right.
class ShortFormReader {
 public:
  explicit ShortFormReader(std::string_view text) : text_(text) {}

  absl::StatusOr<MatmulSpec> Read() {
    MatmulSpec spec;
    if (!Take("matmul:")) return Error("want it to start with \"matmul:\", as in ", kExample);
    SEEDTUNE_ASSIGN_OR_RETURN(spec.m, ReadExtent("m"));
    if (!Take("x")) return Error("want \"x\" and n after m, as in ", kExample, Rest());
    SEEDTUNE_ASSIGN_OR_RETURN(spec.n, ReadExtent("n"));
    if (!Take("x")) return Error("want \"x\" and k after n, as in ", kExample, Rest());
    SEEDTUNE_ASSIGN_OR_RETURN(spec.k, ReadExtent("k"));
    if (!Take(":")) return Error("want \":\" and a dtype after k, as in ", kExample, Rest());
    SEEDTUNE_ASSIGN_OR_RETURN(spec.lhs, ReadDType("", Segment()));
    while (Take(":")) SEEDTUNE_RETURN_IF_ERROR(ReadOption(Segment()));
    spec.rhs = rhs_.value_or(spec.lhs);
    spec.out = out_.value_or(spec.lhs);
    spec.accumulator = accumulator_.value_or(DefaultAccumulator(spec.lhs));
    spec.batch = batch_.value_or(1);
    const std::string layout = layout_.value_or("nn");
    if (layout[0] == 't') spec.lhs_layout = MatrixLayout::kColumnMajor;
    if (layout[1] == 't') spec.rhs_layout = MatrixLayout::kColumnMajor;
    spec.scale = scale_.value_or(1);
    spec.bias = bias_.has_value();
    spec.residual = residual_.has_value();
    spec.activation = activation_.value_or(Activation::kNone);
    return spec;
  }

 private:
  template <typename... Parts>
  absl::Status Error(const Parts&... parts) const {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", ToAbsl(text_), "\": ", absl::StrCat(parts...)));
  }

  std::string_view rest() const { return text_.substr(at_); }
  std::string Rest() const {
    return rest().empty() ? std::string("; it ends there")
                          : absl::StrCat("; there stands \"", ToAbsl(rest()), "\"");
  }

  bool Take(std::string_view token) {
    if (rest().substr(0, token.size()) != token) return false;
    at_ += token.size();
    return true;
  }

  std::string_view Segment() {
    const std::string_view segment = rest().substr(0, rest().find(':'));
    at_ += segment.size();
    return segment;
  }

  template <typename Predicate>
  std::string_view TakeWhile(Predicate predicate) {
    const size_t begin = at_;
    while (at_ < text_.size() && predicate(static_cast<unsigned char>(text_[at_]))) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  absl::StatusOr<int64_t> ReadNumber(const std::string& field) {
    const size_t begin = at_;
    Take("-");
    TakeWhile(absl::ascii_isdigit);
    const std::string_view digits = text_.substr(begin, at_ - begin);
    int64_t value = 0;
    if (digits.empty() || digits == "-") {
      return Error(field, " is not a number, want one, as in ", kExample, Rest());
    }
    if (!absl::SimpleAtoi(ToAbsl(digits), &value)) {
      return Error(field, " is ", ToAbsl(digits), ", which does not fit 64 bits");
    }
    if (value < 1) return Error(field, " is ", value, ", want at least 1");
    return value;
  }

  // A number, or "?", which is 0.
  absl::StatusOr<int64_t> ReadNumberOrUnknown(const std::string& field) {
    if (Take("?")) return 0;
    return ReadNumber(field);
  }

  absl::StatusOr<Extent> ReadExtent(const std::string& field) {
    const unsigned char first = rest().empty() ? '\0' : static_cast<unsigned char>(rest()[0]);
    if (!absl::ascii_isalpha(first) && first != '_') {
      SEEDTUNE_ASSIGN_OR_RETURN(const int64_t value, ReadNumber(field));
      return Extent::Static(value);
    }
    const std::string symbol(
        TakeWhile([](unsigned char c) { return absl::ascii_isalnum(c) || c == '_' || c == '.'; }));
    const std::string where = absl::StrCat(field, " (symbol \"", symbol, "\")");
    if (!Take("=")) {
      return Error(where, " has no value, want a typical one, as in ", symbol, "=16 or ", symbol,
                   "=16[1,64]");
    }
    SEEDTUNE_ASSIGN_OR_RETURN(const int64_t hint, ReadNumberOrUnknown(where));
    int64_t min = 0;
    int64_t max = 0;
    if (Take("[")) {
      SEEDTUNE_ASSIGN_OR_RETURN(min, ReadNumberOrUnknown(absl::StrCat(where, ".min")));
      if (!Take(",")) return Error(where, ": want \"[min,max]\"", Rest());
      SEEDTUNE_ASSIGN_OR_RETURN(max, ReadNumberOrUnknown(absl::StrCat(where, ".max")));
      if (!Take("]")) return Error(where, ": want \"[min,max]\"", Rest());
    }
    return Extent::Symbolic(symbol, hint, min, max);
  }

  absl::StatusOr<DType> ReadDType(const std::string& where, std::string_view name) const {
    absl::StatusOr<DType> dtype = ParseDType(name);
    if (dtype.ok()) return dtype;
    return Error(where, dtype.status().message());
  }

  // Sets `slot` unless an earlier option has.
  template <typename T>
  absl::Status SetOnce(std::optional<T>& slot, T value, std::string_view option,
                       const char* what) const {
    if (slot.has_value()) {
      return Error("option \"", ToAbsl(option), "\" is the second that sets ", what,
                   ", want one at most");
    }
    slot = std::move(value);
    return absl::OkStatus();
  }

  absl::Status ReadOption(std::string_view option) {
    const size_t equals = option.find('=');
    if (equals != std::string_view::npos) {
      const std::string_view key = option.substr(0, equals);
      const std::string_view value = option.substr(equals + 1);
      const struct {
        std::string_view key;
        std::optional<DType>& slot;
        const char* what;
      } dtypes[] = {{"rhs", rhs_, "the dtype of rhs"},
                    {"out", out_, "the dtype of out"},
                    {"acc", accumulator_, "the accumulator"}};
      for (const auto& entry : dtypes) {
        if (entry.key != key) continue;
        SEEDTUNE_ASSIGN_OR_RETURN(const DType dtype,
                                  ReadDType(absl::StrCat(ToAbsl(key), ": "), value));
        return SetOnce(entry.slot, dtype, option, entry.what);
      }
      if (key == "batch") {
        int64_t batch = 0;
        if (!absl::SimpleAtoi(ToAbsl(value), &batch) || batch < 1) {
          return Error("batch is \"", ToAbsl(value), "\", want a number of at least 1");
        }
        return SetOnce(batch_, batch, option, "the batch");
      }
      if (key == "scale") {
        double scale = 0;
        if (!absl::SimpleAtod(ToAbsl(value), &scale) || !std::isfinite(scale)) {
          return Error("scale is \"", ToAbsl(value), "\", want a finite number");
        }
        return SetOnce(scale_, scale, option, "the scale");
      }
    }
    if (option == "nn" || option == "nt" || option == "tn" || option == "tt") {
      return SetOnce(layout_, std::string(option), option, "the layouts");
    }
    if (option == "bias") return SetOnce(bias_, true, option, "the bias");
    if (option == "residual") return SetOnce(residual_, true, option, "the residual");
    for (const Activation activation : {Activation::kRelu, Activation::kGelu, Activation::kSilu}) {
      if (option == ActivationName(activation)) {
        return SetOnce(activation_, activation, option, "the activation");
      }
    }
    const std::vector<std::string> known = {
        "batch=", "rhs=", "out=", "acc=", "scale=", "nn",   "nt",
        "tn",     "tt",   "bias", "relu", "gelu",   "silu", "residual"};
    const std::string_view key =
        equals == std::string_view::npos ? option : option.substr(0, equals + 1);
    const std::optional<std::string> nearest = NearestName(key, known);
    return Error("no option \"", ToAbsl(option), "\"",
                 nearest ? absl::StrCat(", did you mean \"", *nearest, "\"") : std::string(),
                 "; known: ", absl::StrJoin(known, ", "));
  }

  std::string_view text_;
  size_t at_ = 0;
  std::optional<DType> rhs_, out_, accumulator_;
  std::optional<int64_t> batch_;
  std::optional<double> scale_;
  std::optional<std::string> layout_;
  std::optional<bool> bias_, residual_;
  std::optional<Activation> activation_;
};

}  // namespace

absl::StatusOr<Kernel> BuildMatmul(const MatmulSpec& spec) {
  const std::string name = spec.name.empty() ? MatmulShortForm(spec) : spec.name;
  SEEDTUNE_RETURN_IF_ERROR(CheckSpec(spec, name));

  KernelBuilder b(name);
  // The batch, where there is one, stands before the rows and columns of every matrix.
  std::vector<Extent> batch_size;
  std::vector<AxisId> batch_axis;
  if (spec.batch > 1) {
    batch_size = {Extent::Static(spec.batch)};
    batch_axis = {b.AddAxis("batch", AxisKind::kBatch, batch_size[0])};
  }
  const AxisId m = b.AddAxis("m", AxisKind::kParallel, spec.m);
  const AxisId n = b.AddAxis("n", AxisKind::kParallel, spec.n);
  const AxisId k = b.AddAxis("k", AxisKind::kReduction, spec.k);

  struct Matrix {
    TensorId tensor;
    std::vector<AxisId> axes;
  };
  const auto add_matrix = [&](const char* tensor, DType dtype, std::pair<AxisId, Extent> rows,
                              std::pair<AxisId, Extent> columns, MatrixLayout layout) {
    if (layout == MatrixLayout::kColumnMajor) std::swap(rows, columns);
    std::vector<Extent> sizes = batch_size;
    sizes.insert(sizes.end(), {rows.second, columns.second});
    std::vector<AxisId> axes = batch_axis;
    axes.insert(axes.end(), {rows.first, columns.first});
    return Matrix{b.AddTensor(tensor, dtype, sizes, kMatmulAlignmentBytes), axes};
  };
  const Matrix lhs = add_matrix("lhs", spec.lhs, {m, spec.m}, {k, spec.k}, spec.lhs_layout);
  const Matrix rhs = add_matrix("rhs", spec.rhs, {k, spec.k}, {n, spec.n}, spec.rhs_layout);
  const Matrix out = add_matrix("out", spec.out, {m, spec.m}, {n, spec.n}, MatrixLayout::kRowMajor);

  const ValueId x = b.Load(lhs.tensor, lhs.axes);
  const ValueId w = b.Load(rhs.tensor, rhs.axes);
  ValueId value =
      b.Dot(x, w, {.batch = batch_axis, .m = {m}, .n = {n}, .k = {k}}, spec.accumulator);
  if (spec.scale != 1) {
    value = b.Pointwise(PointwiseKind::kMul, {value, b.Constant(spec.scale, spec.accumulator)});
  }
  const auto add = [&](ValueId addend) {
    if (spec.out != spec.accumulator) addend = b.Cast(addend, spec.accumulator);
    value = b.Pointwise(PointwiseKind::kAdd, {value, addend});
  };
  if (spec.bias) add(b.Load(b.AddTensor("bias", spec.out, {spec.n}, kMatmulAlignmentBytes), {n}));
  if (spec.activation != Activation::kNone) {
    value = b.Pointwise(ActivationOp(spec.activation), {value});
  }
  if (spec.residual) {
    const Matrix residual =
        add_matrix("residual", spec.out, {m, spec.m}, {n, spec.n}, MatrixLayout::kRowMajor);
    add(b.Load(residual.tensor, residual.axes));
  }
  if (spec.out != spec.accumulator) value = b.Cast(value, spec.out);
  b.Store(out.tensor, out.axes, value);
  return std::move(b).Build();
}

absl::StatusOr<MatmulSpec> ParseMatmulShortForm(std::string_view text) {
  return ShortFormReader(text).Read();
}

std::string MatmulShortForm(const MatmulSpec& spec) {
  const auto dtype = [](DType value) { return ToAbsl(DTypeName(value)); };
  std::string text = absl::StrCat("matmul:", ExtentShortForm(spec.m), "x", ExtentShortForm(spec.n),
                                  "x", ExtentShortForm(spec.k), ":", dtype(spec.lhs));
  if (spec.batch != 1) absl::StrAppend(&text, ":batch=", spec.batch);
  if (spec.rhs != spec.lhs) absl::StrAppend(&text, ":rhs=", dtype(spec.rhs));
  if (spec.out != spec.lhs) absl::StrAppend(&text, ":out=", dtype(spec.out));
  if (spec.accumulator != DefaultAccumulator(spec.lhs)) {
    absl::StrAppend(&text, ":acc=", dtype(spec.accumulator));
  }
  const bool lhs_t = spec.lhs_layout == MatrixLayout::kColumnMajor;
  const bool rhs_t = spec.rhs_layout == MatrixLayout::kColumnMajor;
  if (lhs_t || rhs_t) absl::StrAppend(&text, ":", lhs_t ? "t" : "n", rhs_t ? "t" : "n");
  // Enough digits to read back the same.
  if (spec.scale != 1) absl::StrAppend(&text, ":scale=", absl::StrFormat("%.17g", spec.scale));
  if (spec.bias) absl::StrAppend(&text, ":bias");
  if (spec.activation != Activation::kNone) {
    const char* const activation = ActivationName(spec.activation);
    absl::StrAppend(&text, ":", activation == nullptr ? "invalid" : activation);
  }
  if (spec.residual) absl::StrAppend(&text, ":residual");
  return text;
}

}  // namespace seedtune
