#include "backends/cuda/matmul_check.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "backends/cuda/embedded_reference.h"
#include "util/embedded_file.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

constexpr int64_t kRedZoneBytes = 4096;
// The alignment from which on a tensor is placed as allocators place it.
constexpr int64_t kFullAlignment = 16;

// Reads as NaN in every float type, and is seldom what a matmul of integers yields.
constexpr uint8_t kFloatPoison = 0xff;
constexpr uint8_t kIntegerPoison = 0xa5;

// What tensor cores add in. Float sums are cut off rather than rounded, so a bit less than f32 has;
// of fp8 products, Hopper keeps about 14 bits (DeepSeek-V3 Technical Report, section 3.3.2).
double UnitOfAccumulation(DType accumulator, DType operand) {
  if (IsFp8(operand)) return 0x1p-13;
  switch (accumulator) {
    case DType::kF64:
      return 0x1p-52;
    case DType::kF16:
      return 0x1p-11;
    case DType::kBF16:
      return 0x1p-8;
    default:
      return 0x1p-23;
  }
}

// Half the distance of neighbours, relative to the number.
double UnitOfRounding(DType dtype) {
  switch (dtype) {
    case DType::kF64:
      return 0x1p-53;
    case DType::kF32:
      return 0x1p-24;
    case DType::kTF32:
    case DType::kF16:
      return 0x1p-11;
    case DType::kBF16:
      return 0x1p-8;
    case DType::kF8E4M3:
      return 0x1p-4;
    case DType::kF8E5M2:
      return 0x1p-3;
    case DType::kI8:
    case DType::kI32:
      return 0;
  }
  return 0;
}

// Half of the smallest number above 0.
double Underflow(DType dtype) {
  switch (dtype) {
    case DType::kF16:
      return 0x1p-25;
    case DType::kF8E4M3:
      return 0x1p-10;
    case DType::kF8E5M2:
      return 0x1p-17;
    default:
      return 0;
  }
}

// Results beyond are brought to it (infinity where the type has one).
double Greatest(DType dtype) {
  switch (dtype) {
    case DType::kF8E4M3:
      return 448;
    case DType::kF8E5M2:
      return 57344;
    case DType::kI8:
      return 127;
    case DType::kI32:
      return 2147483647;
    default:
      return std::numeric_limits<double>::max();
  }
}

bool IsInteger(DType dtype) { return !IsFloat(dtype); }

// Inputs in [-amplitude, amplitude]: of integers, as far as sums of k products fit into 31 bits,
// and, where the output is 8 bits, mostly into these.
double Amplitude(const SimpleMatmul& matmul) {
  if (!IsInteger(matmul.lhs.dtype)) return 1;
  const double k = static_cast<double>(matmul.k);
  double amplitude = std::min(127.0, std::floor(std::sqrt(0x1p31 / k)));
  // The sum's standard deviation is about amplitude^2 / 3 * sqrt(k).
  if (matmul.out.dtype == DType::kI8) {
    amplitude = std::min(amplitude, std::floor(std::sqrt(3 * 40 / std::sqrt(k))));
  }
  return std::max(1.0, amplitude);
}

// Elements from the tensor's first to one past the last that its dimensions reach.
int64_t SpanOf(const Tensor& tensor) {
  int64_t last = 0;
  for (const TensorDim& dim : tensor.dims) last += (dim.size.value - 1) * dim.stride;
  return last + 1;
}

CudaLaunchShape OverElements(int64_t count) {
  constexpr int64_t kThreads = 256;
  CudaLaunchShape shape;
  shape.block = {kThreads, 1, 1};
  shape.grid = {std::clamp<int64_t>((count + kThreads - 1) / kThreads, 1, 4096), 1, 1};
  return shape;
}

// As in reference.cu.
struct View {
  CuDevicePointer data = 0;
  int64_t row_stride = 0, column_stride = 0, batch_stride = 0;
};

struct ReferenceArguments {
  View lhs, rhs, residual;
  CuDevicePointer bias = 0, want = 0;
  int64_t m = 0, n = 0, k = 0, batch = 0;
};

struct CompareArguments {
  View out;
  CuDevicePointer want = 0;
  int64_t m = 0, n = 0, batch = 0;
  double absolute = 0, relative = 0, least = 0, greatest = 0;
  bool whole = false;
  CuDevicePointer result = 0;
};

View ViewOf(const MatrixView& matrix, std::span<const CuDevicePointer> tensors) {
  return {tensors[matrix.tensor], matrix.row_stride, matrix.column_stride, matrix.batch_stride};
}

constexpr int64_t kResultWords = 5;

}  // namespace

std::string CudaReferenceSource(const SimpleMatmul& matmul, const Kernel& kernel) {
  const auto define = [](const char* name, int value) {
    return absl::StrCat("#define ", name, " ", value, "\n");
  };
  const DType bias = matmul.bias ? kernel.tensors[*matmul.bias].dtype : DType::kF32;
  const DType residual = matmul.residual ? matmul.residual->dtype : DType::kF32;
  return absl::StrCat(define("LHS_TYPE", static_cast<int>(matmul.lhs.dtype)),
                      define("RHS_TYPE", static_cast<int>(matmul.rhs.dtype)),
                      define("OUT_TYPE", static_cast<int>(matmul.out.dtype)),
                      define("BIAS_TYPE", static_cast<int>(bias)),
                      define("RESIDUAL_TYPE", static_cast<int>(residual)),
                      define("ACTIVATION", static_cast<int>(matmul.activation)),
                      absl::StrFormat("#define SCALE %.17g\n", matmul.scale),
                      std::string(EmbeddedReference()[0].contents));
}

absl::StatusOr<std::unique_ptr<CudaMatmulCheck>> CudaMatmulCheck::Create(
    const CudaDevice& device, const CudaCompiler& compiler, const Arch& arch, const Kernel& kernel,
    uint64_t seed) {
  std::unique_ptr<CudaMatmulCheck> check(new CudaMatmulCheck(device));
  SEEDTUNE_RETURN_IF_ERROR(check->Init(compiler, arch, kernel, seed));
  return check;
}

absl::Status CudaMatmulCheck::Init(const CudaCompiler& compiler, const Arch& arch,
                                   const Kernel& kernel, uint64_t seed) {
  SEEDTUNE_ASSIGN_OR_RETURN(matmul_, MatchSimpleMatmul(kernel));
  SEEDTUNE_ASSIGN_OR_RETURN(const CompiledCuda compiled,
                            compiler.Compile(CudaReferenceSource(matmul_, kernel), arch));
  SEEDTUNE_ASSIGN_OR_RETURN(module_, device_.Load(compiled.cubin));
  SEEDTUNE_ASSIGN_OR_RETURN(fill_, module_.Function("fill_random"));
  SEEDTUNE_ASSIGN_OR_RETURN(reference_, module_.Function("reference"));
  SEEDTUNE_ASSIGN_OR_RETURN(compare_, module_.Function("compare"));
  SEEDTUNE_ASSIGN_OR_RETURN(count_, module_.Function("count_other_bytes"));

  const double amplitude = Amplitude(matmul_);
  poison_ = IsInteger(matmul_.out.dtype) ? kIntegerPoison : kFloatPoison;
  for (size_t i = 0; i < kernel.tensors.size(); ++i) {
    const Tensor& tensor = kernel.tensors[i];
    const int64_t element_bytes = DTypeBytes(tensor.dtype);
    const int64_t bytes = SpanOf(tensor) * element_bytes;
    const int64_t promised = std::max<int64_t>(tensor.alignment_bytes, element_bytes);
    const int64_t offset = kRedZoneBytes + (promised < kFullAlignment ? promised : 0);
    const bool is_out = static_cast<TensorId>(i) == matmul_.out.tensor;
    SEEDTUNE_ASSIGN_OR_RETURN(CudaMemory memory, device_.Allocate(offset + bytes + kRedZoneBytes));
    SEEDTUNE_RETURN_IF_ERROR(
        device_.Fill(memory.address(), is_out ? poison_ : kFloatPoison, memory.bytes()));
    tensors_.push_back(memory.address() + static_cast<CuDevicePointer>(offset));
    memory_.push_back(std::move(memory));
    if (is_out) {
      out_bytes_ = bytes;
      continue;
    }
    SEEDTUNE_RETURN_IF_ERROR(
        FillTensor(tensor, static_cast<TensorId>(i), SpanOf(tensor), amplitude, seed));
  }
  SEEDTUNE_ASSIGN_OR_RETURN(want_, device_.Allocate(matmul_.batch * matmul_.m * matmul_.n *
                                                    static_cast<int64_t>(sizeof(double))));
  SEEDTUNE_ASSIGN_OR_RETURN(result_, device_.Allocate(kResultWords * 8));
  SEEDTUNE_RETURN_IF_ERROR(CalculateReference());

  // Partial sums of random signs grow as the square root of k: rounding their k additions adds up
  // to about k times the unit, and cutting off, always towards 0, to sqrt(k) times that, of
  // which a tensor core, which adds many products at once, keeps a fraction. Eight times all that
  // is more than a billion elements meet by chance, and far less than one product lost.
  const double k = static_cast<double>(matmul_.k);
  const double unit = IsInteger(matmul_.accumulator)
                          ? 0
                          : UnitOfAccumulation(matmul_.accumulator, matmul_.lhs.dtype);
  const double scale = amplitude * amplitude / 3 * std::max(std::abs(matmul_.scale), 1.0);
  const double cut = std::max(1.0, std::sqrt(k) / (IsFp8(matmul_.lhs.dtype) ? 64 : 16));
  absolute_ = 8 * unit * (scale * k * cut + 2) + Underflow(matmul_.out.dtype);
  relative_ = 1.001 * UnitOfRounding(matmul_.out.dtype) + 8 * unit;
  return device_.Synchronize();
}

absl::Status CudaMatmulCheck::FillTensor(const Tensor& tensor, TensorId id, int64_t elements,
                                         double amplitude, uint64_t seed) const {
  CuDevicePointer data = tensors_[id];
  int type = static_cast<int>(tensor.dtype);
  uint64_t tensor_seed = seed * 0x9e3779b97f4a7c15 + static_cast<uint64_t>(id) * 0xd1342543de82ef95;
  void* parameters[] = {&data, &elements, &type, &tensor_seed, &amplitude};
  return device_.Launch(fill_, OverElements(elements), parameters, device_.stream());
}

absl::Status CudaMatmulCheck::CalculateReference() const {
  constexpr int64_t kTile = 64;  // of reference.cu
  ReferenceArguments arguments;
  arguments.lhs = ViewOf(matmul_.lhs, tensors_);
  arguments.rhs = ViewOf(matmul_.rhs, tensors_);
  if (matmul_.residual) arguments.residual = ViewOf(*matmul_.residual, tensors_);
  if (matmul_.bias) arguments.bias = tensors_[*matmul_.bias];
  arguments.want = want_.address();
  arguments.m = matmul_.m;
  arguments.n = matmul_.n;
  arguments.k = matmul_.k;
  arguments.batch = matmul_.batch;
  CudaLaunchShape shape;
  shape.grid = {((matmul_.m + kTile - 1) / kTile) * ((matmul_.n + kTile - 1) / kTile),
                std::min<int64_t>(matmul_.batch, 65535), 1};
  shape.block = {256, 1, 1};
  void* parameters[] = {&arguments};
  return device_.Launch(reference_, shape, parameters, device_.stream());
}

absl::Status CudaMatmulCheck::PoisonOutput() const {
  const CudaMemory& memory = memory_[matmul_.out.tensor];
  return device_.Fill(memory.address(), poison_, memory.bytes());
}

absl::StatusOr<int64_t> CudaMatmulCheck::CountOtherBytes(CuDevicePointer at, int64_t bytes,
                                                         uint8_t value) const {
  SEEDTUNE_RETURN_IF_ERROR(device_.Fill(result_.address(), 0, 8));
  int expected = value;
  CuDevicePointer result = result_.address();
  void* parameters[] = {&at, &bytes, &expected, &result};
  SEEDTUNE_RETURN_IF_ERROR(
      device_.Launch(count_, OverElements(bytes), parameters, device_.stream()));
  int64_t count = 0;
  SEEDTUNE_RETURN_IF_ERROR(device_.ToHost(&count, result, sizeof(count)));
  return count;
}

absl::StatusOr<CudaCheckResult> CudaMatmulCheck::Check() const {
  const MatrixView& out = matmul_.out;
  CompareArguments arguments;
  arguments.out = ViewOf(out, tensors_);
  arguments.want = want_.address();
  arguments.m = matmul_.m;
  arguments.n = matmul_.n;
  arguments.batch = matmul_.batch;
  arguments.absolute = absolute_;
  arguments.relative = relative_;
  arguments.greatest = Greatest(out.dtype);
  arguments.whole = IsInteger(out.dtype);
  arguments.least = -arguments.greatest - (arguments.whole ? 1 : 0);
  arguments.result = result_.address();
  uint64_t result[kResultWords] = {0, std::numeric_limits<uint64_t>::max(), 0, 0, 0};
  SEEDTUNE_RETURN_IF_ERROR(device_.ToDevice(result_.address(), result, sizeof(result)));
  void* parameters[] = {&arguments};
  const int64_t elements = matmul_.batch * matmul_.m * matmul_.n;
  SEEDTUNE_RETURN_IF_ERROR(
      device_.Launch(compare_, OverElements(elements), parameters, device_.stream()));
  SEEDTUNE_RETURN_IF_ERROR(device_.ToHost(result, result_.address(), sizeof(result)));

  CudaCheckResult check;
  check.worst = std::bit_cast<float>(static_cast<uint32_t>(result[2]));
  const auto wanted = std::bit_cast<double>(result[4]);
  if (wanted > 0) check.relative_error = std::sqrt(std::bit_cast<double>(result[3]) / wanted);
  if (result[0] != 0) {
    const int64_t index = static_cast<int64_t>(result[1]);
    const int64_t column = index % matmul_.n, row = index / matmul_.n % matmul_.m,
                  batch = index / matmul_.n / matmul_.m;
    const int64_t at = batch * out.batch_stride + row * out.row_stride + column * out.column_stride;
    double want = 0;
    uint64_t got_bits = 0;
    const int64_t element_bytes = DTypeBytes(out.dtype);
    SEEDTUNE_RETURN_IF_ERROR(device_.ToHost(
        &want, want_.address() + static_cast<CuDevicePointer>(index) * sizeof(double),
        sizeof(want)));
    SEEDTUNE_RETURN_IF_ERROR(device_.ToHost(
        &got_bits, tensors_[out.tensor] + static_cast<CuDevicePointer>(at * element_bytes),
        element_bytes));
    check.message = absl::StrFormat(
        "%d of %d elements are wrong, the first at (%d, %d) of batch entry %d: its bits are %#x, "
        "want %.9g +- %.2g",
        result[0], elements, row, column, batch, got_bits, want,
        absolute_ + relative_ * std::abs(want));
    return check;
  }

  const CudaMemory& memory = memory_[out.tensor];
  const CuDevicePointer end = tensors_[out.tensor] + static_cast<CuDevicePointer>(out_bytes_);
  const int64_t before = static_cast<int64_t>(tensors_[out.tensor] - memory.address());
  const int64_t after = memory.bytes() - before - out_bytes_;
  SEEDTUNE_ASSIGN_OR_RETURN(const int64_t changed_before,
                            CountOtherBytes(memory.address(), before, poison_));
  SEEDTUNE_ASSIGN_OR_RETURN(const int64_t changed_after, CountOtherBytes(end, after, poison_));
  if (changed_before + changed_after > 0) {
    check.message = absl::StrFormat(
        "it writes outside of its output: %d bytes right before and %d right behind it",
        changed_before, changed_after);
    return check;
  }
  check.ok = true;
  return check;
}

}  // namespace seedtune
