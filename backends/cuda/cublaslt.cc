// Prototypes and numbers are of the cuBLASLt documentation
// (https://docs.nvidia.com/cuda/cublas/#using-the-cublaslt-api), written down so that no toolkit is
// needed to build; toolkit_abi_test compares them with cublasLt.h where that is installed.
#include "backends/cuda/cublaslt.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "backends/cuda/cublaslt_abi.h"
#include "backends/cuda/cuda_libraries.h"
#include "hardware/dynamic_library.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

absl::StatusOr<int> LtType(DType dtype) {
  switch (dtype) {
    case DType::kF64:
      return kCudaR64F;
    case DType::kF32:
    case DType::kTF32:
      return kCudaR32F;
    case DType::kBF16:
      return kCudaR16BF;
    case DType::kF16:
      return kCudaR16F;
    case DType::kF8E4M3:
      return kCudaR8FE4M3;
    case DType::kF8E5M2:
      return kCudaR8FE5M2;
    case DType::kI8:
      return kCudaR8I;
    case DType::kI32:
      return kCudaR32I;
  }
  return absl::UnimplementedError("cublasLt has no such type");
}

absl::StatusOr<uint32_t> LtEpilogue(const SimpleMatmul& matmul) {
  const bool bias = matmul.bias.has_value();
  if (matmul.activation == Activation::kNone) return bias ? kLtEpilogueBias : kLtEpilogueDefault;
  if (matmul.activation == Activation::kRelu && !matmul.residual) {
    return bias ? kLtEpilogueReluBias : kLtEpilogueRelu;
  }
  // By the tanh formula, where ours is exact: near enough to compare times.
  if (matmul.activation == Activation::kGelu && !matmul.residual) {
    return bias ? kLtEpilogueGeluBias : kLtEpilogueGelu;
  }
  return absl::UnimplementedError("cublasLt has no such epilogue");
}

// How a matrix, row by row in memory or column by column, is a column-major one to the library.
struct ColumnMajor {
  bool rows_contiguous = false;
  int64_t leading = 0;
};
ColumnMajor ToColumnMajor(const MatrixView& view, int64_t rows, int64_t columns) {
  if (view.column_stride == 1) return {true, std::max(view.row_stride, columns)};
  return {false, std::max(view.column_stride, rows)};
}

class RealMatmul : public CublasLtMatmul {
 public:
  RealMatmul(const LtFunctions& f, LtHandle handle) : f_(f), handle_(handle) {}
  ~RealMatmul() override {
    if (desc != nullptr) f_.matmul_desc_destroy(desc);
    for (LtLayout layout : {a_layout, b_layout, d_layout}) {
      if (layout != nullptr) f_.layout_destroy(layout);
    }
  }

  int algorithms() const override { return static_cast<int>(found.size()); }

  absl::Status Launch(int algorithm, CuStream stream) const override {
    const LtStatus status =
        f_.matmul(handle_, desc, alpha.data(), a, a_layout, b, b_layout, beta.data(), c, d_layout,
                  d, d_layout, &found[algorithm].algorithm, workspace, workspace_bytes, stream);
    if (status == kLtSuccess) return absl::OkStatus();
    return absl::InternalError(absl::StrCat("cublasLtMatmul failed: ", f_.get_status_name(status)));
  }

  // What Plan() fills in.
  LtMatmulDesc desc = nullptr;
  LtLayout a_layout = nullptr, b_layout = nullptr, d_layout = nullptr;
  const void* a = nullptr;
  const void* b = nullptr;
  const void* c = nullptr;
  void* d = nullptr;
  void* workspace = nullptr;
  size_t workspace_bytes = 0;
  std::vector<unsigned char> alpha, beta;  // in the scale's type
  std::vector<LtHeuristicResult> found;

 private:
  const LtFunctions& f_;
  const LtHandle handle_;
};

template <typename T>
std::vector<unsigned char> BytesOf(T value) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(&value);
  return std::vector<unsigned char>(bytes, bytes + sizeof(value));
}

const void* Pointer(CuDevicePointer address) { return reinterpret_cast<const void*>(address); }

class RealCublasLt : public CublasLt {
 public:
  explicit RealCublasLt(const LtFunctions& functions) : f_(functions) {}
  ~RealCublasLt() override {
    if (handle_ != nullptr) f_.destroy(handle_);
  }

  absl::Status Init() {
    SEEDTUNE_RETURN_IF_ERROR(Check("cublasLtCreate", f_.create(&handle_)));
    const size_t version = f_.get_version();  // 130100 for 13.1.0
    version_ =
        absl::StrCat("cublasLt ", version / 10000, ".", version / 100 % 100, ".", version % 100);
    return absl::OkStatus();
  }

  const std::string& version() const override { return version_; }

  // The library is column-major: it is given the transposed product, out' = rhs' lhs'.
  absl::StatusOr<std::unique_ptr<CublasLtMatmul>> Plan(
      const SimpleMatmul& matmul, const Kernel& kernel, std::span<const CuDevicePointer> tensors,
      CuDevicePointer workspace, int64_t workspace_bytes, int max_algorithms) override {
    if (matmul.out.column_stride != 1 && matmul.n > 1) {
      return absl::UnimplementedError("the output is not row-major");
    }
    auto plan = std::make_unique<RealMatmul>(f_, handle_);
    const bool f64 = matmul.accumulator == DType::kF64;
    const bool i32 = matmul.accumulator == DType::kI32;
    // Integers that come out as such are scaled as such.
    const int scale_type = f64 ? kCudaR64F : i32 ? kCudaR32I : kCudaR32F;
    const int compute = f64                                ? kLtCompute64F
                        : i32                              ? kLtCompute32I
                        : matmul.lhs.dtype == DType::kTF32 ? kLtCompute32FFastTF32
                                                           : kLtCompute32F;
    plan->alpha = f64   ? BytesOf(matmul.scale)
                  : i32 ? BytesOf(int32_t{1})
                        : BytesOf(static_cast<float>(matmul.scale));
    const bool residual = matmul.residual.has_value();
    plan->beta = f64   ? BytesOf(residual ? 1.0 : 0.0)
                 : i32 ? BytesOf(int32_t{residual})
                       : BytesOf(residual ? 1.0f : 0.0f);
    SEEDTUNE_RETURN_IF_ERROR(
        Check("cublasLtMatmulDescCreate", f_.matmul_desc_create(&plan->desc, compute, scale_type)));
    const ColumnMajor lhs = ToColumnMajor(matmul.lhs, matmul.m, matmul.k);
    const ColumnMajor rhs = ToColumnMajor(matmul.rhs, matmul.k, matmul.n);
    SEEDTUNE_RETURN_IF_ERROR(Set(plan->desc, kLtDescTransA, rhs.rows_contiguous ? kLtOpN : kLtOpT));
    SEEDTUNE_RETURN_IF_ERROR(Set(plan->desc, kLtDescTransB, lhs.rows_contiguous ? kLtOpN : kLtOpT));
    SEEDTUNE_ASSIGN_OR_RETURN(const uint32_t epilogue, LtEpilogue(matmul));
    SEEDTUNE_RETURN_IF_ERROR(Set(plan->desc, kLtDescEpilogue, epilogue));
    if (matmul.bias) {
      SEEDTUNE_RETURN_IF_ERROR(Set(plan->desc, kLtDescBiasPointer, Pointer(tensors[*matmul.bias])));
      SEEDTUNE_ASSIGN_OR_RETURN(const int32_t type, LtType(kernel.tensors[*matmul.bias].dtype));
      SEEDTUNE_RETURN_IF_ERROR(Set(plan->desc, kLtDescBiasDataType, type));
    }

    const auto layout = [&](const MatrixView& view, int64_t contiguous, int64_t other,
                            int64_t leading, LtLayout* to) -> absl::Status {
      SEEDTUNE_ASSIGN_OR_RETURN(const int type, LtType(view.dtype));
      SEEDTUNE_RETURN_IF_ERROR(Check("cublasLtMatrixLayoutCreate",
                                     f_.layout_create(to, type, static_cast<uint64_t>(contiguous),
                                                      static_cast<uint64_t>(other), leading)));
      if (matmul.batch == 1) return absl::OkStatus();
      const int32_t count = static_cast<int32_t>(matmul.batch);
      const int64_t stride = view.batch_stride;
      SEEDTUNE_RETURN_IF_ERROR(
          Check("cublasLtMatrixLayoutSetAttribute",
                f_.layout_set_attribute(*to, kLtLayoutBatchCount, &count, sizeof(count))));
      return Check(
          "cublasLtMatrixLayoutSetAttribute",
          f_.layout_set_attribute(*to, kLtLayoutStridedBatchOffset, &stride, sizeof(stride)));
    };
    const int64_t m = matmul.m, n = matmul.n, k = matmul.k;
    SEEDTUNE_RETURN_IF_ERROR(layout(matmul.rhs, rhs.rows_contiguous ? n : k,
                                    rhs.rows_contiguous ? k : n, rhs.leading, &plan->a_layout));
    SEEDTUNE_RETURN_IF_ERROR(layout(matmul.lhs, lhs.rows_contiguous ? k : m,
                                    lhs.rows_contiguous ? m : k, lhs.leading, &plan->b_layout));
    SEEDTUNE_RETURN_IF_ERROR(
        layout(matmul.out, n, m, std::max(matmul.out.row_stride, n), &plan->d_layout));
    if (matmul.residual && (matmul.residual->row_stride != matmul.out.row_stride ||
                            matmul.residual->column_stride != matmul.out.column_stride ||
                            matmul.residual->batch_stride != matmul.out.batch_stride ||
                            matmul.residual->dtype != matmul.out.dtype)) {
      return absl::UnimplementedError("the residual does not lie as the output does");
    }

    plan->a = Pointer(tensors[matmul.rhs.tensor]);
    plan->b = Pointer(tensors[matmul.lhs.tensor]);
    plan->d = const_cast<void*>(Pointer(tensors[matmul.out.tensor]));
    plan->c = matmul.residual ? Pointer(tensors[matmul.residual->tensor]) : plan->d;
    plan->workspace = const_cast<void*>(Pointer(workspace));
    plan->workspace_bytes = static_cast<size_t>(workspace_bytes);
    SEEDTUNE_RETURN_IF_ERROR(Ask(*plan, max_algorithms));
    return plan;
  }

 private:
  absl::Status Check(const char* call, LtStatus status) const {
    if (status == kLtSuccess) return absl::OkStatus();
    const std::string message = absl::StrCat(call, " failed: ", f_.get_status_name(status));
    if (status == kLtNotSupported) return absl::UnimplementedError(message);
    return absl::InternalError(message);
  }

  template <typename T>
  absl::Status Set(LtMatmulDesc desc, int attribute, const T& value) const {
    return Check("cublasLtMatmulDescSetAttribute",
                 f_.matmul_desc_set_attribute(desc, attribute, &value, sizeof(value)));
  }

  absl::Status Ask(RealMatmul& plan, int max_algorithms) const {
    LtPreference preference = nullptr;
    SEEDTUNE_RETURN_IF_ERROR(
        Check("cublasLtMatmulPreferenceCreate", f_.preference_create(&preference)));
    f_.preference_set_attribute(preference, kLtPreferenceMaxWorkspaceBytes, &plan.workspace_bytes,
                                sizeof(plan.workspace_bytes));
    const std::pair<int, const void*> alignments[] = {{kLtPreferenceMinAlignmentA, plan.a},
                                                      {kLtPreferenceMinAlignmentB, plan.b},
                                                      {kLtPreferenceMinAlignmentC, plan.c},
                                                      {kLtPreferenceMinAlignmentD, plan.d}};
    for (const auto& [attribute, pointer] : alignments) {
      const uint64_t address = reinterpret_cast<uint64_t>(pointer);
      const uint32_t alignment =
          static_cast<uint32_t>(std::min<uint64_t>(address & (~address + 1), 256));
      f_.preference_set_attribute(preference, attribute, &alignment, sizeof(alignment));
    }
    plan.found.resize(static_cast<size_t>(max_algorithms));
    int returned = 0;
    const LtStatus status = f_.algo_get_heuristic(handle_, plan.desc, plan.a_layout, plan.b_layout,
                                                  plan.d_layout, plan.d_layout, preference,
                                                  max_algorithms, plan.found.data(), &returned);
    f_.preference_destroy(preference);
    SEEDTUNE_RETURN_IF_ERROR(Check("cublasLtMatmulAlgoGetHeuristic", status));
    plan.found.resize(static_cast<size_t>(returned));
    plan.found.erase(std::remove_if(plan.found.begin(), plan.found.end(),
                                    [](const LtHeuristicResult& r) { return r.state != 0; }),
                     plan.found.end());
    if (plan.found.empty()) return absl::UnimplementedError("cublasLt has no algorithm for it");
    return absl::OkStatus();
  }

  const LtFunctions f_;
  LtHandle handle_ = nullptr;
  std::string version_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<CublasLt>> CublasLt::Open() {
  const absl::StatusOr<DynamicLibrary> library =
      DynamicLibrary::Open(CudaLibraryCandidates("cublasLt"));
  if (absl::IsNotFound(library.status())) {
    return absl::NotFoundError("libcublasLt.so is not here; `pip install nvidia-cublas` gets it");
  }
  SEEDTUNE_RETURN_IF_ERROR(library.status());
  LtFunctions f = {};
  SEEDTUNE_RETURN_IF_ERROR(library->Find("cublasLtCreate", &f.create));
  SEEDTUNE_RETURN_IF_ERROR(library->Find("cublasLtDestroy", &f.destroy));
  SEEDTUNE_RETURN_IF_ERROR(library->Find("cublasLtGetVersion", &f.get_version));
  SEEDTUNE_RETURN_IF_ERROR(library->Find("cublasLtGetStatusName", &f.get_status_name));
  SEEDTUNE_RETURN_IF_ERROR(library->Find("cublasLtMatmulDescCreate", &f.matmul_desc_create));
  SEEDTUNE_RETURN_IF_ERROR(library->Find("cublasLtMatmulDescDestroy", &f.matmul_desc_destroy));
  SEEDTUNE_RETURN_IF_ERROR(
      library->Find("cublasLtMatmulDescSetAttribute", &f.matmul_desc_set_attribute));
  SEEDTUNE_RETURN_IF_ERROR(library->Find("cublasLtMatrixLayoutCreate", &f.layout_create));
  SEEDTUNE_RETURN_IF_ERROR(library->Find("cublasLtMatrixLayoutDestroy", &f.layout_destroy));
  SEEDTUNE_RETURN_IF_ERROR(
      library->Find("cublasLtMatrixLayoutSetAttribute", &f.layout_set_attribute));
  SEEDTUNE_RETURN_IF_ERROR(library->Find("cublasLtMatmulPreferenceCreate", &f.preference_create));
  SEEDTUNE_RETURN_IF_ERROR(library->Find("cublasLtMatmulPreferenceDestroy", &f.preference_destroy));
  SEEDTUNE_RETURN_IF_ERROR(
      library->Find("cublasLtMatmulPreferenceSetAttribute", &f.preference_set_attribute));
  SEEDTUNE_RETURN_IF_ERROR(library->Find("cublasLtMatmulAlgoGetHeuristic", &f.algo_get_heuristic));
  SEEDTUNE_RETURN_IF_ERROR(library->Find("cublasLtMatmul", &f.matmul));
  auto lt = std::make_unique<RealCublasLt>(f);
  SEEDTUNE_RETURN_IF_ERROR(lt->Init());
  return lt;
}

}  // namespace seedtune
