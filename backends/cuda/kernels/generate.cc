#include "backends/cuda/kernels/generate.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "backends/cuda/kernels/cuda_program.h"
#include "backends/cuda/kernels/cuda_templates.h"
#include "config/config_space.h"
#include "config/spaces/cuda/cuda_tile.h"
#include "config/spaces/gpu_knobs.h"
#include "hardware/hardware_info.h"
#include "ir/dtype.h"
#include "ir/kernel.h"
#include "ir/matmul.h"
#include "matmul_ops/matmul_fact.h"
#include "matmul_ops/simple_matmul.h"
#include "util/embedded_file.h"
#include "util/integer_math.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

constexpr int kMinArch = 80;
constexpr int kFp8Arch = 89;
constexpr int64_t kWorkspaceAlignment = 256;
constexpr int64_t kHelperThreads = 256;  // of the launches beside the matmul
constexpr int64_t kReduceSlices = 8;
constexpr int kOverlapArch = 90;
constexpr int64_t kMaxLeavingL2s = 5;  // times the L2 cache
constexpr int64_t kMaxGrid = std::numeric_limits<int32_t>::max();
constexpr int64_t kChunkBytes = 16;
constexpr int64_t kWarpgroupThreads = 128;
constexpr int64_t kWgmmaOtherRegisters = 32;  // beside sums and results that wait

std::string_view Template(std::string_view name) {
  for (const EmbeddedFile& file : CudaTemplates()) {
    if (file.name == name) return file.contents;
  }
  return "#error the template is missing\n";
}

std::string_view CudaTypeName(DType dtype) {
  switch (dtype) {
    case DType::kF64:
      return "double";
    case DType::kF32:
      return "float";
    case DType::kTF32:
      return "Tf32";
    case DType::kBF16:
      return "Bf16";
    case DType::kF16:
      return "F16";
    case DType::kF8E4M3:
      return "F8E4M3";
    case DType::kF8E5M2:
      return "F8E5M2";
    case DType::kI8:
      return "I8";
    case DType::kI32:
      return "int";
  }
  return "void";
}

std::string_view WgmmaTypeName(DType dtype) {
  switch (dtype) {
    case DType::kBF16:
      return "bf16";
    case DType::kF16:
      return "f16";
    case DType::kTF32:
      return "tf32";
    case DType::kF8E4M3:
      return "e4m3";
    case DType::kF8E5M2:
      return "e5m2";
    case DType::kI8:
      return "s8";
    case DType::kF64:
    case DType::kF32:
    case DType::kI32:
      break;
  }
  return "invalid";
}

// An operand as tiles are cut from it: rows along which it is contiguous, where it is at all.
struct Operand {
  std::string name;  // "Lhs"
  DType dtype = DType::kF32;
  TensorId tensor = -1;
  bool along_k = true;         // rows go along k
  int64_t rows = 0;            // m, n or k
  int64_t elements = 0;        // of a row
  int64_t row_stride = 0;      // elements
  int64_t element_stride = 0;  // 1 where contiguous
  int64_t batch_stride = 0;
  int64_t batches = 1;                   // that differ
  int64_t copy_bytes = 0;                // of one asynchronous copy; 0: none is possible
  std::optional<int64_t> packed_offset;  // in the workspace
};

// `outer` is m or n.
Operand MakeOperand(std::string name, const MatrixView& view, const OperandFact& fact, bool along_k,
                    int64_t outer, int64_t k, int64_t outer_stride, int64_t k_stride,
                    int64_t batch) {
  Operand operand;
  operand.name = std::move(name);
  operand.dtype = view.dtype;
  operand.tensor = view.tensor;
  operand.along_k = along_k;
  operand.rows = along_k ? outer : k;
  operand.elements = along_k ? k : outer;
  operand.row_stride = along_k ? outer_stride : k_stride;
  operand.element_stride = along_k ? k_stride : outer_stride;
  operand.batch_stride = view.batch_stride;
  operand.batches = view.batch_stride == 0 ? 1 : batch;
  if (operand.elements == 1) operand.element_stride = 1;
  if (operand.element_stride == 1 && fact.alignment_bytes >= 4) {
    operand.copy_bytes = std::min(kChunkBytes, fact.alignment_bytes & -fact.alignment_bytes);
  }
  return operand;
}

// The largest number of elements of one aligned access, 8 at most, that divides what `alignment`
// bytes hold.
int64_t AlignedElements(int64_t alignment, DType dtype) {
  int64_t elements = 1;
  while (elements < 8 && elements * 2 * DTypeBytes(dtype) <= std::min(alignment, kChunkBytes)) {
    elements *= 2;
  }
  return elements;
}

// Of the row starts of a matrix whose rows are contiguous; of one element otherwise.
int64_t RowAlignment(const Kernel& kernel, const MatrixView& view, int64_t m, int64_t n,
                     int64_t batch) {
  const int64_t bytes = DTypeBytes(view.dtype);
  if (view.column_stride != 1 && n > 1) return bytes;
  int64_t alignment = std::max(kernel.tensors[view.tensor].alignment_bytes, bytes);
  if (m > 1) alignment = std::gcd(alignment, view.row_stride * bytes);
  if (batch > 1) alignment = std::gcd(alignment, view.batch_stride * bytes);
  return alignment;
}

class Generator {
 public:
  Generator(const Kernel& kernel, const SimpleMatmul& matmul, const MatmulFact& fact,
            const Config& config, const HardwareInfo& device)
      : kernel_(kernel),
        matmul_(matmul),
        fact_(fact),
        device_(device),
        types_(CudaTypesOf(fact)),
        tile_(CudaTileOf(config)),
        config_json_(config.ToJson()) {}

  absl::StatusOr<CudaProgram> Generate() {
    lhs_ = MakeOperand("Lhs", matmul_.lhs, fact_.lhs, types_.lhs_along_k, matmul_.m, matmul_.k,
                       matmul_.lhs.row_stride, matmul_.lhs.column_stride, matmul_.batch);
    rhs_ = MakeOperand("Rhs", matmul_.rhs, fact_.rhs, types_.rhs_along_k, matmul_.n, matmul_.k,
                       matmul_.rhs.column_stride, matmul_.rhs.row_stride, matmul_.batch);
    PlanWorkspace();
    if (tile_.pack_lhs) Pack(lhs_);
    if (tile_.pack_rhs) Pack(rhs_);
    absl::StrAppend(&text_, "// ", kernel_.name, "\n// ", config_json_, "\n// ",
                    std::string(kCudaCodeGenerator), "\n\n", std::string(Template("types")));
    WriteProblem();
    AppendPackLaunches();
    SEEDTUNE_RETURN_IF_ERROR(AppendMatmul());
    AppendReduction();
    program_.source = std::move(text_);
    program_.workspace_bytes = workspace_;
    for (const CudaLaunch& launch : program_.launches) {
      if (launch.grid[0] > kMaxGrid) {
        return absl::InvalidArgumentError(absl::StrCat(
            "kernel \"", kernel_.name, "\": ", launch.entry, " would run ", launch.grid[0],
            " blocks, want at most ", kMaxGrid, "; take larger tiles"));
      }
    }
    return std::move(program_);
  }

 private:
  int64_t TilesM() const { return CeilDiv(matmul_.m, tile_.block_m); }
  int64_t TilesN() const { return CeilDiv(matmul_.n, tile_.block_n); }
  int64_t Tiles() const { return TilesM() * TilesN() * matmul_.batch; }
  int64_t Steps() const { return CeilDiv(matmul_.k, tile_.block_k); }
  bool SecondLaunch() const {
    return tile_.split_k > 1 && tile_.reduction == CudaReduction::kSecondLaunch;
  }
  int64_t Blocks() const {
    if (tile_.schedule == CudaSchedule::kTiles) return Tiles() * tile_.split_k;
    // What runs at once, and a step for each.
    return std::min(
        std::max<int64_t>(device_.compute_units, 1) * CudaBlocksPerUnit(tile_, types_, device_),
        Tiles() * Steps());
  }

  int64_t Reserve(int64_t bytes) {
    const int64_t offset = workspace_;
    workspace_ += RoundUp(bytes, kWorkspaceAlignment);
    return offset;
  }

  // Counters stand first: of the workspace, they alone have to be 0.
  void PlanWorkspace() {
    const int64_t bytes = DTypeBytes(matmul_.accumulator);
    const int64_t tile_sums = tile_.block_m * tile_.block_n;
    if (AddsPartsInLaunch()) {
      program_.zeroed_workspace_bytes = Tiles() * 4;
      Reserve(Tiles() * 4);
      partials_ = Reserve(Tiles() * tile_.split_k * tile_sums * bytes);
    } else if (SecondLaunch()) {
      partials_ = Reserve(tile_.split_k * matmul_.batch * matmul_.m * matmul_.n * bytes);
    } else if (tile_.stream_k) {
      const int64_t blocks = WgmmaClusters() * tile_.cluster_m * tile_.cluster_n;
      program_.zeroed_workspace_bytes = blocks * 4;
      Reserve(blocks * 4);
      partials_ = Reserve(blocks * tile_sums * bytes);
    } else if (tile_.schedule == CudaSchedule::kStreamK) {
      program_.zeroed_workspace_bytes = Reserve(0) + Tiles() * 4;
      Reserve(Tiles() * 4);
      partials_ = Reserve(2 * Blocks() * tile_sums * bytes);
    } else if (tile_.split_k > 1) {
      program_.zeroed_workspace_bytes = Tiles() * 4;
      Reserve(Tiles() * 4);
      partials_ = Reserve(Blocks() * tile_sums * bytes);
    }
  }

  void Constant(std::string_view name, int64_t value) {
    const bool is_long = std::abs(value) > std::numeric_limits<int32_t>::max();
    absl::StrAppend(&text_, "constexpr ", is_long ? "long long " : "int ", std::string(name), " = ",
                    value, is_long ? "LL;\n" : ";\n");
  }
  void Long(std::string_view name, int64_t value) {
    absl::StrAppend(&text_, "constexpr long long ", std::string(name), " = ", value, ";\n");
  }
  void Type(std::string_view name, DType dtype) {
    absl::StrAppend(&text_, "typedef ", std::string(CudaTypeName(dtype)), " ", std::string(name),
                    ";\n");
  }

  // What does not depend on the configuration.
  void WriteProblem() {
    absl::StrAppend(&text_, "\n// The problem.\n");
    Type("Lhs", matmul_.lhs.dtype);
    Type("Rhs", matmul_.rhs.dtype);
    Type("Out", matmul_.out.dtype);
    Type("Accumulator", matmul_.accumulator);
    const DType bias = matmul_.bias ? kernel_.tensors[*matmul_.bias].dtype : matmul_.out.dtype;
    const DType residual = matmul_.residual ? matmul_.residual->dtype : matmul_.out.dtype;
    Type("Bias", bias);
    Type("Residual", residual);
    absl::StrAppend(&text_,
                    "struct Arguments {\n  const Lhs* lhs;\n  const Rhs* rhs;\n  Out* out;\n"
                    "  const Bias* bias;\n  const Residual* residual;\n"
                    "  unsigned char* workspace;\n};\n");
    Constant("kM", matmul_.m);
    Constant("kN", matmul_.n);
    Constant("kK", matmul_.k);
    Constant("kBatch", matmul_.batch);
    Long("kOutRowStride", matmul_.out.row_stride);
    Long("kOutColumnStride", matmul_.out.column_stride);
    Long("kOutBatchStride", matmul_.out.batch_stride);
    Constant("kOutAligned", AlignedElements(RowAlignment(kernel_, matmul_.out, matmul_.m, matmul_.n,
                                                         matmul_.batch),
                                            matmul_.out.dtype));
    Constant("kActivation", static_cast<int64_t>(matmul_.activation));
    absl::StrAppend(&text_, "constexpr bool kHasScale = ", matmul_.scale != 1 ? "true" : "false",
                    absl::StrFormat(";\nconstexpr double kScale = %.17g;\n", matmul_.scale),
                    "constexpr bool kHasBias = ", matmul_.bias ? "true" : "false",
                    ";\nconstexpr bool kHasResidual = ", matmul_.residual ? "true" : "false",
                    ";\n");
    int64_t bias_aligned = 1, residual_aligned = 1;
    if (matmul_.bias) {
      bias_aligned = AlignedElements(
          std::max<int64_t>(kernel_.tensors[*matmul_.bias].alignment_bytes, DTypeBytes(bias)),
          bias);
    }
    MatrixView view;
    if (matmul_.residual) {
      view = *matmul_.residual;
      residual_aligned = AlignedElements(
          RowAlignment(kernel_, view, matmul_.m, matmul_.n, matmul_.batch), residual);
    }
    Constant("kBiasAligned", bias_aligned);
    Long("kResidualRowStride", view.row_stride);
    Long("kResidualColumnStride", view.column_stride);
    Long("kResidualBatchStride", view.batch_stride);
    Constant("kResidualAligned", residual_aligned);
    absl::StrAppend(&text_, "\n", std::string(Template("epilogue")));
  }

  void Pack(Operand& operand) {
    const int64_t row_bytes = RoundUp(operand.elements * DTypeBytes(operand.dtype), kChunkBytes);
    Operand packed = operand;
    const int64_t bytes = DTypeBytes(operand.dtype);
    if (!operand.along_k && (bytes == 1 || (bytes == 4 && tile_.family == CudaFamily::kWgmma))) {
      // Fragments of bytes are read along k only; wgmma reads all but two bytes so.
      std::swap(operand.rows, operand.elements);
      std::swap(operand.row_stride, operand.element_stride);
      operand.along_k = true;
      packed = operand;
      packed.row_stride = RoundUp(operand.elements * DTypeBytes(operand.dtype), kChunkBytes) /
                          DTypeBytes(operand.dtype);
    } else {
      packed.row_stride = row_bytes / DTypeBytes(operand.dtype);
    }
    packed.packed_offset =
        Reserve(packed.batches * packed.rows * packed.row_stride * DTypeBytes(operand.dtype));
    packed.element_stride = 1;
    packed.batch_stride = packed.batches == 1 ? 0 : packed.rows * packed.row_stride;
    packed.copy_bytes = kChunkBytes;
    sources_.push_back(operand);
    sources_.back().packed_offset = packed.packed_offset;
    operand = packed;
  }

  // One launch for all that is packed.
  void AppendPackLaunches() {
    if (sources_.empty()) return;
    CudaLaunch launch;
    launch.entry = "pack";
    launch.grid[0] = 0;
    launch.block[0] = kHelperThreads;
    std::string parameters, calls;
    for (const Operand& source : sources_) {
      const std::string name = source.name == "Lhs" ? "lhs" : "rhs";
      const int64_t elements = kChunkBytes / DTypeBytes(source.dtype);
      const int64_t chunks = source.batches * source.rows * CeilDiv(source.elements, elements);
      const int64_t blocks = CeilDiv(chunks, kHelperThreads);
      absl::StrAppend(&text_, "\nnamespace pack_", name, "_parts {\n");
      Constant("kThreads", kHelperThreads);
      Long("kBatches", source.batches);
      Long("kRows", source.rows);
      Long("kElementsOfRow", source.elements);
      Long("kRowStride", source.row_stride);
      Long("kElementStride", source.element_stride);
      Long("kBatchStride", source.batch_stride);
      // The word before the first element is read where that starts inside one.
      const bool words = kernel_.tensors[source.tensor].alignment_bytes >= 4;
      absl::StrAppend(&text_, "constexpr bool kWordsExist = ", words ? "true" : "false", ";\n",
                      std::string(Template("pack")), "}  // namespace pack_", name, "_parts\n");
      absl::StrAppend(&parameters, parameters.empty() ? "" : ", ", "const ", source.name, "* ",
                      name, ", unsigned char* ", name, "_to");
      // Blocks of the first operand, then of the second.
      const std::string before =
          launch.grid[0] > 0 ? absl::StrCat(" - ", launch.grid[0], "u") : std::string();
      absl::StrAppend(&calls, "  if (blockIdx.x < ", launch.grid[0] + blocks, "u) {\n    pack_",
                      name, "_parts::Run(", name, ", ", name, "_to, blockIdx.x", before,
                      ");\n    return;\n  }\n");
      launch.grid[0] += blocks;
      launch.arguments.push_back(CudaTensorArgument{source.tensor});
      launch.arguments.push_back(CudaWorkspaceArgument{*source.packed_offset});
    }
    absl::StrAppend(&text_, "extern \"C\" __global__ void __launch_bounds__(", kHelperThreads,
                    ") pack(", parameters, ") {\n", calls, "}\n");
    program_.launches.push_back(std::move(launch));
  }

  // Whether an operand that is read once should leave the L2 cache first: if that could not hold it
  // until the next time. But what others left there to be written slows a stream down for as long
  // as it stays, and a long one more than writing it does (H200: docs/results/h200-portable.md).
  bool LeavesFirst(const Operand& operand) const {
    const int64_t bytes =
        operand.batches * operand.rows * operand.elements * DTypeBytes(operand.dtype);
    return bytes > device_.l2_bytes / 2 && bytes <= kMaxLeavingL2s * device_.l2_bytes;
  }

  // An operand's constants and its TileCopy.
  void WriteOperand(const Operand& operand, int64_t block_outer, int64_t threads) {
    const std::string k = absl::StrCat("k", operand.name);
    absl::StrAppend(&text_, "constexpr bool ", k, "AlongK = ", operand.along_k ? "true" : "false",
                    ";\n");
    Long(k + "RowStride", operand.row_stride);
    Long(k + "ElementStride", operand.element_stride);
    Long(k + "BatchStride", operand.batch_stride);
    const int64_t rows = operand.along_k ? block_outer : tile_.block_k;
    const int64_t elements = operand.along_k ? tile_.block_k : block_outer;
    const char* chunks = tile_.family == CudaFamily::kSimt                    ? "kInOrder"
                         : !operand.along_k && DTypeBytes(operand.dtype) == 4 ? "kSwizzledByColumns"
                                                                              : "kSwizzled";
    const auto fits = [](int64_t extent, int64_t block) {
      return extent % block == 0 ? "true" : "false";
    };
    if (tile_.family == CudaFamily::kSimt && operand.along_k) {
      // Its shared memory has rows along m and n.
      absl::StrAppend(&text_, "using ", operand.name, "Copy = TurningCopy<", operand.name, ", ",
                      rows, ", ", elements, ", ", threads, ", ", fits(operand.rows, rows), ", ",
                      fits(operand.elements, elements), ">;\n");
      return;
    }
    // The word that holds the first element is read whole.
    const bool shifts = operand.copy_bytes == 0 && operand.element_stride == 1 &&
                        DTypeBytes(operand.dtype) < 4 &&
                        kernel_.tensors[operand.tensor].alignment_bytes >= 4;
    const bool once = (&operand == &lhs_ ? TilesN() : TilesM()) == 1 && LeavesFirst(operand);
    absl::StrAppend(&text_, "using ", operand.name, "Copy = TileCopy<", operand.name, ", ", rows,
                    ", ", elements, ", ", operand.copy_bytes, ", ", threads, ", ",
                    fits(operand.rows, rows), ", ", fits(operand.elements, elements),
                    ", Chunks::", chunks, ", ", shifts ? "true" : "false", ", ",
                    once ? "true" : "false", ">;\n");
  }

  // Which operand is the big one, and how both lie.
  void WriteSkinnyOperands() {
    const Operand& big = types_.long_is_n ? rhs_ : lhs_;
    const Operand& small = types_.long_is_n ? lhs_ : rhs_;
    const auto stride = [](const Operand& operand, bool of_k) {
      return operand.along_k == of_k ? operand.element_stride : operand.row_stride;
    };
    const auto flag = [&](const char* name, bool value) {
      absl::StrAppend(&text_, "constexpr bool ", name, " = ", value ? "true" : "false", ";\n");
    };
    const bool tensor = CudaMmaTakes(types_, CudaArchNumber(device_.arch));
    absl::StrAppend(&text_, "typedef ", big.name, " Big;\ntypedef ", small.name,
                    " Small;\n#define SEEDTUNE_TENSOR ", tensor ? 1 : 0, "\n");
    flag("kTensor", tensor);
    flag("kLongIsN", types_.long_is_n);
    flag("kBigAlongK", big.along_k);
    Constant("kLong", std::max(matmul_.m, matmul_.n));
    Constant("kShort", std::min(matmul_.m, matmul_.n));
    Constant("kWarpsK", tile_.warps_k);
    Long("kBigLongStride", stride(big, /*of_k=*/false));
    Long("kBigKStride", stride(big, /*of_k=*/true));
    Long("kBigBatchStride", big.batch_stride);
    Constant("kBigAligned", big.copy_bytes);
    Long("kSmallShortStride", stride(small, /*of_k=*/false));
    Long("kSmallKStride", stride(small, /*of_k=*/true));
    Long("kSmallBatchStride", small.batch_stride);
    Constant("kSmallAligned", small.along_k ? small.copy_bytes : 0);
    flag("kBigOnce", LeavesFirst(big));
  }

  // One wgmma of 64 rows by `columns`, its rows' operand in registers or not, and what keeps the
  // compiler from moving its sums before they are there. (PTX ISA, wgmma.mma_async.)
  void WriteMultiplyAccumulate(int64_t columns, bool by_registers) {
    const int64_t sums = columns / 2;
    const bool integer = matmul_.accumulator == DType::kI32;
    const std::string constraint = integer ? "\"+r\"" : "\"+f\"";
    std::string registers, outputs;
    for (int64_t i = 0; i < sums; ++i) {
      absl::StrAppend(&registers, i == 0 ? "" : ", ", "%", i);
      absl::StrAppend(&outputs, i == 0 ? "" : ", ", constraint, "(d[", i, "])");
    }
    const bool turned = types_.rhs_by_registers;
    const std::string first = turned ? "rhs" : "lhs", second = turned ? "lhs" : "rhs";
    // The operands after the sums, and where they come from.
    int64_t next = sums;
    std::string parameter, operand, inputs;
    if (by_registers) {
      parameter = absl::StrCat("const unsigned (&", first, ")[4]");
      for (int i = 0; i < 4; ++i) {
        absl::StrAppend(&operand, i == 0 ? "{" : ", ", "%", next++);
        absl::StrAppend(&inputs, "\"r\"(", first, "[", i, "]), ");
      }
      absl::StrAppend(&operand, "}");
    } else {
      parameter = absl::StrCat("unsigned long long ", first);
      operand = absl::StrCat("%", next++);
      inputs = absl::StrCat("\"l\"(", first, "), ");
    }
    // Signs of the operands; and which of them lie along m and n, where the type allows it.
    std::string immediates = integer ? "" : ", 1, 1";
    if (DTypeBytes(matmul_.lhs.dtype) == 2) {
      absl::StrAppend(&immediates, lhs_.along_k ? ", 0" : ", 1", rhs_.along_k ? ", 0" : ", 1");
    }
    const DType first_type = turned ? matmul_.rhs.dtype : matmul_.lhs.dtype;
    const DType second_type = turned ? matmul_.lhs.dtype : matmul_.rhs.dtype;
    absl::StrAppend(&text_,
                    "__device__ __forceinline__ void MultiplyAccumulate(Accumulator (&d)[kSums],\n"
                    "    ",
                    parameter, ", unsigned long long ", second,
                    ", int accumulate) {\n  asm volatile(\n"
                    "      \"{\\n.reg .pred p;\\nsetp.ne.b32 p, %",
                    next + 1, ", 0;\\n\"\n      \"wgmma.mma_async.sync.aligned.m64n", columns, "k",
                    kCudaWgmmaStageBytes / 4 / DTypeBytes(matmul_.lhs.dtype), ".",
                    integer ? "s32" : "f32", ".", std::string(WgmmaTypeName(first_type)), ".",
                    std::string(WgmmaTypeName(second_type)), " {", registers, "}, ", operand, ", %",
                    next, ", p", immediates, ";\\n}\"\n      : ", outputs, "\n      : ", inputs,
                    "\"l\"(", second, "), \"r\"(accumulate));\n}\n");
    if (by_registers) return;
    absl::StrAppend(&text_,
                    "__device__ __forceinline__ void KeepInRegisters(Accumulator (&d)[kSums]) {\n"
                    "  asm volatile(\"\" : ",
                    outputs, " : : \"memory\");\n}\n");
  }

  // The operand's tensor map, of boxes of `box_rows` rows of 128 bytes.
  absl::StatusOr<CudaTensorMapArgument> TensorMapOf(const Operand& operand, int64_t box_rows) {
    const int64_t bytes = DTypeBytes(operand.dtype);
    const int64_t batch_stride =
        operand.batches > 1 ? operand.batch_stride : operand.rows * operand.row_stride;
    CudaTensorMapArgument map;
    map.tensor = operand.tensor;
    map.workspace_offset = operand.packed_offset;
    map.sizes = {operand.elements, operand.rows, operand.batches};
    map.stride_bytes = {operand.row_stride * bytes,
                        RoundUp(std::max<int64_t>(batch_stride * bytes, 1), kChunkBytes)};
    map.box = {kCudaWgmmaStageBytes / bytes, box_rows, 1};
    if (operand.element_stride != 1 || map.stride_bytes[0] < operand.elements * bytes ||
        map.stride_bytes[0] % kChunkBytes != 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("kernel \"", kernel_.name, "\": wgmma cannot read operand \"", operand.name,
                       "\" as it stands, want contiguous rows that start at multiples of ",
                       kChunkBytes, " bytes; set pack for it"));
    }
    return map;
  }

  // Whether the bulk tensor copy engine can write the output.
  bool WritesOutByTensorMap() const {
    const MatrixView& out = matmul_.out;
    const int64_t bytes = DTypeBytes(out.dtype);
    return tile_.split_k == 1 && (bytes == 2 || bytes == 4) && out.column_stride == 1 &&
           RowAlignment(kernel_, out, matmul_.m, matmul_.n, matmul_.batch) % kChunkBytes == 0 &&
           out.row_stride >= matmul_.n && (matmul_.batch == 1 || out.batch_stride > 0);
  }

  // Blocks, and tiles or parts of them, of a wgmma kernel; both by clusters.
  int64_t WgmmaClusters() const {
    // Tiles of which stream_k deals out the stages fill a multiprocessor (CudaWgmmaStreamsK).
    const int64_t per_unit = tile_.stream_k ? 1 : CudaBlocksPerUnit(tile_, types_, device_);
    const int64_t blocks = std::max<int64_t>(device_.compute_units, 1) * per_unit;
    return std::max<int64_t>(blocks / (tile_.cluster_m * tile_.cluster_n), 1);
  }
  int64_t WgmmaWork() const {
    return CeilDiv(TilesM(), tile_.cluster_m) * CeilDiv(TilesN(), tile_.cluster_n) * tile_.split_k *
           matmul_.batch;
  }

  // Whether the blocks that share a tile's k wait for each other, and add up the parts together.
  bool AddsPartsInLaunch() const {
    return tile_.family == CudaFamily::kWgmma && tile_.split_k > 1 && !SecondLaunch();
  }

  // Whether a tile's results wait in registers until the next one is being multiplied: where there
  // is a next one, warpgroups do not take turns anyway, and registers are left.
  bool DefersStores() const {
    const int64_t sums =
        CudaWgmmaRows(tile_, types_) / CudaConsumers(tile_) * tile_.block_n / kWarpgroupThreads;
    const int64_t chunks = sums * DTypeBytes(matmul_.out.dtype) / kChunkBytes / 2;
    const int64_t promoted = IsFp8(matmul_.lhs.dtype) ? CudaWgmmaColumns(tile_, types_) / 2 : 0;
    return WgmmaWork() > WgmmaClusters() && tile_.schedule == CudaSchedule::kCooperative &&
           DTypeBytes(matmul_.out.dtype) == 2 && chunks <= Steps() &&
           sums + sums / 2 + promoted + kWgmmaOtherRegisters <=
               CudaWgmmaAllotmentOf(tile_).consumer;
  }

  // The constants of the configuration that every family has.
  void WriteTile() {
    absl::StrAppend(&text_, "\n// The configuration.\n");
    Constant("kBlockM", tile_.block_m);
    Constant("kBlockN", tile_.block_n);
    Constant("kBlockK", tile_.block_k);
    Constant("kStages", tile_.stages);
    Constant("kTilesM", TilesM());
    Constant("kTilesN", TilesN());
    Constant("kStepsK", Steps());
    Constant("kGroup", tile_.l2_grouping);
    Constant("kSplits", tile_.split_k);
    Long("kPartialsOffset", partials_);
  }

  absl::Status AppendWgmma() {
    const int64_t threads = CudaThreads(tile_);
    const int64_t consumers = CudaConsumers(tile_);
    const int64_t cluster = tile_.cluster_m * tile_.cluster_n;
    const bool promote = IsFp8(matmul_.lhs.dtype);
    const bool by_registers = types_.lhs_by_registers || types_.rhs_by_registers;
    const bool by_tensor_map =
        WritesOutByTensorMap() && !by_registers &&
        tile_.block_n * DTypeBytes(matmul_.out.dtype) % kCudaWgmmaStageBytes == 0;
    WriteTile();
    Constant("kClusterM", tile_.cluster_m);
    Constant("kClusterN", tile_.cluster_n);
    const int64_t clusters = std::min(WgmmaWork(), WgmmaClusters());
    Constant("kClusters", clusters);
    Constant("kConsumers", consumers);
    Constant("kOutBuffers", tile_.epilogue_bytes / kCudaWgmmaStageBytes);
    const CudaWgmmaAllotment allotment = CudaWgmmaAllotmentOf(tile_);
    Constant("kProducerRegisters", allotment.producer);
    Constant("kConsumerRegisters", allotment.consumer);
    for (const auto& [name, value] :
         {std::pair("kPingPong", tile_.schedule == CudaSchedule::kPingPong),
          std::pair("kAddsParts", AddsPartsInLaunch()), std::pair("kStreamK", tile_.stream_k),
          std::pair("kDeferStores", by_tensor_map && DefersStores()),
          std::pair("kTurned", types_.rhs_by_registers), std::pair("kByRegisters", by_registers),
          std::pair("kLhsAlongK", lhs_.along_k), std::pair("kRhsAlongK", rhs_.along_k),
          std::pair("kLhsBatched", lhs_.batches > 1), std::pair("kRhsBatched", rhs_.batches > 1)}) {
      absl::StrAppend(&text_, "constexpr bool ", name, " = ", value ? "true" : "false", ";\n");
    }
    const int64_t columns = CudaWgmmaColumns(tile_, types_);
    absl::StrAppend(
        &text_, "#define SEEDTUNE_PROMOTE ", promote ? 1 : 0, "\n#define SEEDTUNE_BY_REGISTERS ",
        by_registers ? 1 : 0, "\n#define SEEDTUNE_TMA_STORE ", by_tensor_map ? 1 : 0,
        "\n#define SEEDTUNE_ADDS_PARTS ", AddsPartsInLaunch() ? 1 : 0,
        "\n#define SEEDTUNE_STREAM_K ", tile_.stream_k ? 1 : 0, "\n\nnamespace matmul_parts {\n");
    Constant("kLeastStages", kCudaWgmmaLeastStages);
    Constant("kInstructionColumns", columns);
    Constant("kSums", columns / 2);
    WriteMultiplyAccumulate(columns, /*by_registers=*/false);
    if (by_registers) WriteMultiplyAccumulate(columns, /*by_registers=*/true);
    for (const auto& [part, is_used] :
         {std::pair("wgmma_walk", true), std::pair("wgmma_parts", true),
          std::pair("wgmma_multiply", true), std::pair("wgmma_store", true),
          std::pair("wgmma_reduce", AddsPartsInLaunch()),
          std::pair("wgmma_stream_k", tile_.stream_k), std::pair("wgmma", true)}) {
      if (is_used) absl::StrAppend(&text_, std::string(Template(part)), "\n");
    }
    absl::StrAppend(&text_, "}  // namespace matmul_parts\n\n");

    CudaLaunch launch;
    launch.entry = "matmul";
    launch.grid[0] = clusters * cluster;
    launch.block[0] = threads;
    launch.cluster[0] = cluster;
    launch.dynamic_shared_bytes = CudaSharedBytes(tile_, types_);
    launch.runs_at_once = AddsPartsInLaunch() || tile_.stream_k;
    // Of a tile's rows, each block of the cluster that shares them brings its part.
    SEEDTUNE_ASSIGN_OR_RETURN(
        CudaTensorMapArgument lhs,
        TensorMapOf(lhs_, (lhs_.along_k ? tile_.block_m : tile_.block_k) / tile_.cluster_n));
    SEEDTUNE_ASSIGN_OR_RETURN(
        CudaTensorMapArgument rhs,
        TensorMapOf(rhs_, (rhs_.along_k ? tile_.block_n : tile_.block_k) / tile_.cluster_m));
    CudaTensorMapArgument out = lhs;  // any map, where none is used
    if (by_tensor_map) {
      const int64_t bytes = DTypeBytes(matmul_.out.dtype);
      out = CudaTensorMapArgument();
      out.tensor = matmul_.out.tensor;
      out.sizes = {matmul_.n, matmul_.m, matmul_.batch};
      const int64_t batch_stride =
          matmul_.batch > 1 ? matmul_.out.batch_stride : matmul_.m * matmul_.out.row_stride;
      // A single row's stride need not be aligned, but the map's has to be.
      out.stride_bytes = {RoundUp(matmul_.out.row_stride * bytes, kChunkBytes),
                          RoundUp(batch_stride * bytes, kChunkBytes)};
      out.box = {kCudaWgmmaStageBytes / bytes, kCudaWgmmaWarpRows, 1};
    }
    launch.arguments = {std::move(lhs), std::move(rhs), std::move(out)};
    AppendEntry("matmul", "matmul_parts", absl::StrCat(threads, ", 1"), /*reads_operands=*/false,
                launch, {"lhs_map", "rhs_map", "out_map"});
    return absl::OkStatus();
  }

  absl::Status AppendMatmul() {
    if (tile_.family == CudaFamily::kWgmma) return AppendWgmma();
    const bool skinny = tile_.family == CudaFamily::kSkinny;
    const int64_t threads = CudaThreads(tile_);
    absl::StrAppend(&text_, "\n", std::string(Template("tile_copy")));
    WriteTile();
    Constant("kThreads", threads);
    Constant("kWarpM", tile_.warp_m);
    Constant("kWarpN", tile_.warp_n);
    Constant("kReduction", static_cast<int64_t>(tile_.reduction));
    if (skinny) {
      WriteSkinnyOperands();
    } else {
      Constant("kSchedule", static_cast<int64_t>(tile_.schedule));
      WriteOperand(lhs_, tile_.block_m, threads);
      WriteOperand(rhs_, tile_.block_n, threads);
      absl::StrAppend(&text_, "constexpr int kStageBytes = LhsCopy::kBytes + RhsCopy::kBytes;\n");
    }
    const bool tensor =
        CudaMmaTakes(types_, CudaArchNumber(device_.arch)) && tile_.family != CudaFamily::kSimt;
    absl::StrAppend(
        &text_, "\nnamespace matmul_parts {\n", tensor ? std::string(Template("instructions")) : "",
        std::string(Template(std::string(CudaFamilyName(tile_.family)))), "\n",
        std::string(Template("parts")), "\n",
        std::string(Template(skinny ? "skinny_run" : "tiled")), "}  // namespace matmul_parts\n\n");
    CudaLaunch launch;
    launch.entry = "matmul";
    launch.grid[0] = Blocks();
    launch.block[0] = threads;
    launch.dynamic_shared_bytes = CudaSharedBytes(tile_, types_);
    // So that as many blocks share a multiprocessor as the model says.
    const int64_t blocks = CudaBlocksPerUnit(tile_, types_, device_);
    AppendEntry("matmul", "matmul_parts", absl::StrCat(threads, ", ", blocks),
                /*reads_operands=*/true, launch);
    return absl::OkStatus();
  }

  void AppendReduction() {
    if (!SecondLaunch()) return;
    const int64_t run = matmul_.n % 4 == 0 ? 4 : matmul_.n % 2 == 0 ? 2 : 1;
    absl::StrAppend(&text_, "\nnamespace reduce_parts {\n");
    // Where parts are many, the block's threads share them out, too.
    const int64_t slices = tile_.split_k >= kReduceSlices ? kReduceSlices : 1;
    Constant("kThreads", kHelperThreads);
    Constant("kRun", run);
    Constant("kSlices", slices);
    absl::StrAppend(&text_, std::string(Template("reduce")), "}  // namespace reduce_parts\n\n");
    CudaLaunch launch;
    launch.entry = "reduce";
    launch.grid[0] = CeilDiv(matmul_.batch * matmul_.m * matmul_.n, run * kHelperThreads / slices);
    launch.block[0] = kHelperThreads;
    launch.overlaps_previous = CudaArchNumber(device_.arch) >= kOverlapArch;
    AppendEntry("reduce", "reduce_parts", absl::StrCat(kHelperThreads), /*reads_operands=*/false,
                launch);
  }

  // The extern "C" function that gathers its parameters into Arguments, and its launch, to which
  // arguments for `tensor_maps` have been given already.
  void AppendEntry(const std::string& entry, const std::string& parts, const std::string& bounds,
                   bool reads_operands, CudaLaunch& launch,
                   const std::vector<std::string>& tensor_maps = {}) {
    std::vector<std::string> parameters;
    std::string first;  // arguments of Run before the structure
    for (const std::string& name : tensor_maps) {
      parameters.push_back(absl::StrCat("const __grid_constant__ ", parts, "::TensorMap ", name));
      absl::StrAppend(&first, name, ", ");
    }
    const auto tensor = [&](const char* type, const char* name, TensorId id) {
      parameters.push_back(absl::StrCat(type, "* ", name));
      launch.arguments.push_back(CudaTensorArgument{id});
      return std::string(name);
    };
    const auto operand = [&](const Operand& operand, const char* type, const char* name) {
      if (!reads_operands) return std::string("nullptr");
      if (!operand.packed_offset)
        return tensor(absl::StrCat("const ", type).c_str(), name, operand.tensor);
      return absl::StrCat("reinterpret_cast<const ", type, "*>(workspace + ",
                          *operand.packed_offset, "LL)");
    };
    const std::string lhs = operand(lhs_, "Lhs", "lhs");
    const std::string rhs = operand(rhs_, "Rhs", "rhs");
    const std::string out = tensor("Out", "out", matmul_.out.tensor);
    const std::string bias = matmul_.bias ? tensor("const Bias", "bias", *matmul_.bias) : "nullptr";
    const std::string residual =
        matmul_.residual ? tensor("const Residual", "residual", matmul_.residual->tensor)
                         : "nullptr";
    std::string workspace = "nullptr";
    if (workspace_ > 0) {
      parameters.push_back("unsigned char* workspace");
      launch.arguments.push_back(CudaWorkspaceArgument{0});
      workspace = "workspace";
    }
    std::string list;
    for (const std::string& parameter : parameters) {
      absl::StrAppend(&list, list.empty() ? "" : ", ", parameter);
    }
    absl::StrAppend(&text_, "extern \"C\" __global__ void __launch_bounds__(", bounds, ") ", entry,
                    "(", list, ") {\n  ", parts, "::Run(", first, "{", lhs, ", ", rhs, ", ", out,
                    ", ", bias, ", ", residual, ", ", workspace, "});\n}\n");
    program_.launches.push_back(std::move(launch));
  }

  const Kernel& kernel_;
  const SimpleMatmul& matmul_;
  const MatmulFact& fact_;
  const HardwareInfo& device_;
  const CudaTypes types_;
  const CudaTile tile_;
  const std::string config_json_;
  Operand lhs_, rhs_;             // as the matmul reads them
  std::vector<Operand> sources_;  // of what is packed
  int64_t workspace_ = 0;
  int64_t partials_ = 0;
  std::string text_;
  CudaProgram program_;
};

absl::StatusOr<SimpleMatmul> Match(const Kernel& kernel, const HardwareInfo& device) {
  const int arch = CudaArchNumber(device.arch);
  if (device.kind != DeviceKind::kCuda || arch < kMinArch) {
    return absl::FailedPreconditionError(absl::StrCat("cuda kernels: the device is \"", device.name,
                                                      "\" (", device.arch.base,
                                                      "), want a CUDA device of sm80 or newer"));
  }
  SEEDTUNE_ASSIGN_OR_RETURN(const SimpleMatmul matmul, MatchSimpleMatmul(kernel));
  const DType accumulator = matmul.accumulator;
  if (accumulator != DType::kF32 && accumulator != DType::kF64 && accumulator != DType::kI32) {
    return absl::UnimplementedError(
        absl::StrCat("kernel \"", kernel.name, "\": the accumulator is ",
                     std::string(DTypeName(accumulator)), ", want f32, f64 or i32"));
  }
  for (const Tensor& tensor : kernel.tensors) {
    if (IsFp8(tensor.dtype) && arch < kFp8Arch) {
      return absl::FailedPreconditionError(
          absl::StrCat("kernel \"", kernel.name, "\": tensor \"", tensor.name, "\" is ",
                       std::string(DTypeName(tensor.dtype)), ", which needs sm89 or newer"));
    }
  }
  for (const auto& [name, extent] :
       {std::pair("m", matmul.m), std::pair("n", matmul.n), std::pair("k", matmul.k)}) {
    if (extent > kMaxGrid / 2) {
      return absl::UnimplementedError(absl::StrCat("kernel \"", kernel.name, "\": ", name, " is ",
                                                   extent, ", want at most ", kMaxGrid / 2));
    }
  }
  return matmul;
}

}  // namespace

absl::Status SupportsCudaKernel(const Kernel& kernel, const HardwareInfo& device) {
  return Match(kernel, device).status();
}

absl::StatusOr<CudaProgram> GenerateCudaProgram(const Kernel& kernel, const Config& config,
                                                const HardwareInfo& device) {
  SEEDTUNE_ASSIGN_OR_RETURN(const SimpleMatmul matmul, Match(kernel, device));
  const std::vector<MatmulFact> facts = ExtractMatmulFacts(kernel);
  return Generator(kernel, matmul, facts[0], config, device).Generate();
}

}  // namespace seedtune
