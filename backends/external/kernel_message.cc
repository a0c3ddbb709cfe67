#include "backends/external/kernel_message.h"

#include <cstdint>
#include <limits>
#include <string>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "ir/dtype.h"
#include "ir/fingerprint.h"
#include "ir/matmul.h"
#include "ir/opaque.h"
#include "ir/proto_convert.h"
#include "matmul_ops/simple_matmul.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

ExternalMatrix MakeMatrix(const MatrixView& view) {
  ExternalMatrix matrix;
  matrix.set_dtype(std::string(DTypeName(view.dtype)));
  matrix.set_layout(view.column_stride == 1 ? "row_major"
                    : view.row_stride == 1  ? "column_major"
                                            : "strided");
  matrix.set_row_stride(static_cast<double>(view.row_stride));
  matrix.set_column_stride(static_cast<double>(view.column_stride));
  matrix.set_batch_stride(static_cast<double>(view.batch_stride));
  return matrix;
}

absl::StatusOr<ExternalMatmul> MakeMatmul(const SimpleMatmul& matmul) {
  ExternalMatmul message;
  for (const int64_t extent : {matmul.m, matmul.n, matmul.k, matmul.batch}) {
    if (extent > std::numeric_limits<int32_t>::max()) {
      return absl::UnimplementedError(
          absl::StrCat("an extent is ", extent, ", want less than 2^31"));
    }
  }
  message.set_m(static_cast<int32_t>(matmul.m));
  message.set_n(static_cast<int32_t>(matmul.n));
  message.set_k(static_cast<int32_t>(matmul.k));
  message.set_batch(static_cast<int32_t>(matmul.batch));
  message.set_accumulator(std::string(DTypeName(matmul.accumulator)));
  *message.mutable_lhs() = MakeMatrix(matmul.lhs);
  *message.mutable_rhs() = MakeMatrix(matmul.rhs);
  *message.mutable_out() = MakeMatrix(matmul.out);
  message.set_scale(matmul.scale);
  if (matmul.scale != 1) message.add_epilogue("scale");
  if (matmul.bias) message.add_epilogue("bias");
  if (matmul.activation == Activation::kRelu) message.add_epilogue("relu");
  if (matmul.activation == Activation::kGelu) message.add_epilogue("gelu");
  if (matmul.activation == Activation::kSilu) message.add_epilogue("silu");
  if (matmul.residual) {
    message.add_epilogue("residual");
    *message.mutable_residual() = MakeMatrix(*matmul.residual);
  }
  return message;
}

void SetParameter(const OpaqueValue& value, google::protobuf::Value& out) {
  if (const int64_t* integer = std::get_if<int64_t>(&value)) {
    out.set_number_value(static_cast<double>(*integer));
  } else if (const double* number = std::get_if<double>(&value)) {
    out.set_number_value(*number);
  } else {
    out.set_string_value(std::get<std::string>(value));
  }
}

}  // namespace

absl::StatusOr<ExternalKernel> MakeExternalKernel(const Kernel& kernel) {
  const std::string where = absl::StrCat("kernel \"", kernel.name, "\": ");
  ExternalKernel message;
  message.set_name(kernel.name);
  message.set_fingerprint(KernelFingerprint(kernel));
  if (IsOpaque(kernel)) {
    SEEDTUNE_ASSIGN_OR_RETURN(const OpaqueFunction function, ReadOpaqueKernel(kernel));
    message.set_function(function.function);
    message.mutable_parameters();  // there even where it is empty
    for (const auto& [name, value] : function.parameters) {
      SetParameter(value, (*message.mutable_parameters()->mutable_fields())[name]);
    }
    return message;
  }
  for (const Axis& axis : kernel.axes) {
    if (!axis.extent.is_static()) {
      return absl::UnimplementedError(
          absl::StrCat(where, "axis \"", axis.name, "\" is symbolic, want a shape that is known"));
    }
  }
  *message.mutable_ir() = KernelToProto(kernel);
  message.set_function("ir");
  const absl::StatusOr<SimpleMatmul> matmul = MatchSimpleMatmul(kernel);
  if (matmul.ok()) {
    absl::StatusOr<ExternalMatmul> plain = MakeMatmul(*matmul);
    if (!plain.ok()) {
      return absl::Status(plain.status().code(),
                          absl::StrCat(where, std::string(plain.status().message())));
    }
    message.set_function("matmul");
    *message.mutable_matmul() = *std::move(plain);
  }
  return message;
}

}  // namespace seedtune
