// What a problem and a configuration must be: the part of gemm.h that computes nothing.

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "backends/cpu/gemm.h"
#include "backends/cpu/gemm_kernels.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

constexpr int kMaxThreads = 4096;
constexpr int kMaxPrefetchDistance = 4096;
constexpr int64_t kMaxExtent = int64_t{1} << 40;

// Whether rows are contiguous and do not overlap.
bool IsRowMajor(int64_t rows, int64_t columns, int64_t row_stride, int64_t column_stride) {
  return (columns == 1 || column_stride == 1) && (rows == 1 || row_stride >= columns);
}

absl::Status Bad(std::string_view field, int64_t value, std::string_view want) {
  return absl::InvalidArgumentError(
      absl::StrCat("cpu gemm: ", std::string(field), " is ", value, ", want ", std::string(want)));
}

// Whether the last element of an operand has an offset that an int64_t number of bytes can hold.
bool IsAddressable(int64_t rows, int64_t row_stride, int64_t columns, int64_t column_stride,
                   int64_t batch, int64_t batch_stride) {
  const auto last = static_cast<__int128>(rows - 1) * row_stride +
                    static_cast<__int128>(columns - 1) * column_stride +
                    static_cast<__int128>(batch - 1) * batch_stride;
  return last < std::numeric_limits<int64_t>::max() / static_cast<int64_t>(sizeof(float));
}

struct OperandNames {
  const char *row_stride, *column_stride, *batch_stride;
};

// Checks an operand that may have either layout.
absl::Status ValidateOperand(const OperandNames& names, int64_t rows, int64_t columns,
                             int64_t row_stride, int64_t column_stride, int64_t batch,
                             int64_t batch_stride) {
  const bool row_major = IsRowMajor(rows, columns, row_stride, column_stride);
  const bool column_major = IsRowMajor(columns, rows, column_stride, row_stride);
  if (!row_major && !column_major) {
    return absl::InvalidArgumentError(absl::StrCat(
        "cpu gemm: ", names.row_stride, " is ", row_stride, " and ", names.column_stride, " is ",
        column_stride, ", want 1 for one of them and at least ", columns, " (row-major) or ", rows,
        " (column-major) for the other; copy the operand into such a layout"));
  }
  if (batch > 1 && batch_stride < 0) return Bad(names.batch_stride, batch_stride, "at least 0");
  if (!IsAddressable(rows, rows == 1 ? 0 : row_stride, columns, columns == 1 ? 0 : column_stride,
                     batch, batch == 1 ? 0 : batch_stride)) {
    return absl::InvalidArgumentError(
        absl::StrCat("cpu gemm: the operand with ", names.row_stride, " ", row_stride, ", ",
                     names.column_stride, " ", column_stride, " and ", names.batch_stride, " ",
                     batch_stride, " spans more than 2^63 bytes, want less"));
  }
  return absl::OkStatus();
}

absl::Status ValidateProblem(const GemmProblem& problem) {
  const struct {
    const char* name;
    int64_t value;
  } extents[] = {{"m", problem.m}, {"n", problem.n}, {"k", problem.k}, {"batch", problem.batch}};
  for (const auto& [name, value] : extents) {
    if (value < 1 || value > kMaxExtent) return Bad(name, value, "1 to 2^40");
  }
  SEEDTUNE_RETURN_IF_ERROR(ValidateOperand(
      {"a_row_stride", "a_col_stride", "a_batch_stride"}, problem.m, problem.k,
      problem.a_row_stride, problem.a_col_stride, problem.batch, problem.a_batch_stride));
  SEEDTUNE_RETURN_IF_ERROR(ValidateOperand(
      {"b_row_stride", "b_col_stride", "b_batch_stride"}, problem.k, problem.n,
      problem.b_row_stride, problem.b_col_stride, problem.batch, problem.b_batch_stride));

  if (problem.m > 1 && problem.c_row_stride < problem.n) {
    return Bad("c_row_stride", problem.c_row_stride, absl::StrCat("at least n, ", problem.n));
  }
  const int64_t row_stride = problem.m == 1 ? 0 : problem.c_row_stride;
  if (!IsAddressable(problem.m, row_stride, problem.n, 1, 1, 0)) {
    return Bad("c_row_stride", row_stride, "a C of less than 2^63 bytes");
  }
  const int64_t matrix = (problem.m - 1) * row_stride + problem.n;
  if (problem.batch > 1 && problem.c_batch_stride < matrix) {
    return Bad("c_batch_stride", problem.c_batch_stride,
               absl::StrCat("at least the ", matrix, " elements of one C"));
  }
  if (problem.batch > 1 &&
      !IsAddressable(problem.m, row_stride, problem.n, 1, problem.batch, problem.c_batch_stride)) {
    return Bad("c_batch_stride", problem.c_batch_stride, "a C of less than 2^63 bytes");
  }

  const GemmEpilogue& epilogue = problem.epilogue;
  if (epilogue.activation < GemmActivation::kNone || epilogue.activation > GemmActivation::kGelu) {
    return Bad("epilogue.activation", static_cast<int64_t>(epilogue.activation),
               "a GemmActivation");
  }
  if (epilogue.residual < GemmResidual::kNone ||
      epilogue.residual > GemmResidual::kAfterActivation) {
    return Bad("epilogue.residual", static_cast<int64_t>(epilogue.residual), "a GemmResidual");
  }
  if (epilogue.residual == GemmResidual::kNone) return absl::OkStatus();
  if (problem.m > 1 && epilogue.residual_row_stride != 0 &&
      epilogue.residual_row_stride < problem.n) {
    return Bad("epilogue.residual_row_stride", epilogue.residual_row_stride,
               absl::StrCat("0 or at least n, ", problem.n));
  }
  if (problem.batch > 1 && epilogue.residual_batch_stride < 0) {
    return Bad("epilogue.residual_batch_stride", epilogue.residual_batch_stride, "at least 0");
  }
  if (!IsAddressable(problem.m, epilogue.residual_row_stride, problem.n, 1, problem.batch,
                     epilogue.residual_batch_stride)) {
    return Bad("epilogue.residual_row_stride", epilogue.residual_row_stride,
               "a residual of less than 2^63 bytes");
  }
  return absl::OkStatus();
}

absl::Status ValidateConfig(const GemmProblem& problem, const GemmConfig& config) {
  std::vector<std::string> tiles;
  bool compiled = false;
  for (const GemmRegisterTile& tile : SupportedRegisterTiles()) {
    tiles.push_back(absl::StrCat(tile.mr, "x", tile.nr_vectors));
    compiled |= tile.mr == config.mr && tile.nr_vectors == config.nr_vectors;
  }
  if (!compiled) {
    return absl::InvalidArgumentError(
        absl::StrCat("cpu gemm: the register tile mr x nr_vectors is ", config.mr, "x",
                     config.nr_vectors, ", want one of ", absl::StrJoin(tiles, " ")));
  }
  const struct {
    const char* name;
    int64_t value;
  } blocks[] = {{"mc", config.mc}, {"nc", config.nc}, {"kc", config.kc}};
  for (const auto& [name, value] : blocks) {
    if (value < 1) return Bad(name, value, "at least 1");
  }
  if (!config.pack_b && PackBRequired(problem, config.transpose)) {
    if (config.transpose) {
      return absl::InvalidArgumentError(
          absl::StrCat("cpu gemm: pack_b is false under transpose with a_row_stride ",
                       problem.a_row_stride, ", want true unless a_row_stride is 1; set pack_b"));
    }
    return absl::InvalidArgumentError(
        absl::StrCat("cpu gemm: pack_b is false with b_col_stride ", problem.b_col_stride,
                     ", want true unless b_col_stride is 1; set pack_b"));
  }
  if (std::find(cpu_gemm::kUnrolls.begin(), cpu_gemm::kUnrolls.end(), config.k_unroll) ==
      cpu_gemm::kUnrolls.end()) {
    return Bad("k_unroll", config.k_unroll, "1, 2, 4 or 8");
  }
  if (config.prefetch_distance < 0 || config.prefetch_distance > kMaxPrefetchDistance) {
    return Bad("prefetch_distance", config.prefetch_distance,
               absl::StrCat("0 to ", kMaxPrefetchDistance));
  }
  if (config.loop_order < GemmLoopOrder::kNkm || config.loop_order > GemmLoopOrder::kMnk) {
    return Bad("loop_order", static_cast<int64_t>(config.loop_order), "a GemmLoopOrder");
  }
  if (config.threads < 1 || config.threads > kMaxThreads) {
    return Bad("threads", config.threads, absl::StrCat("1 to ", kMaxThreads));
  }
  if (config.thread_split < GemmThreadSplit::kM || config.thread_split > GemmThreadSplit::kBatch) {
    return Bad("thread_split", static_cast<int64_t>(config.thread_split), "a GemmThreadSplit");
  }
  return absl::OkStatus();
}

}  // namespace

GemmProblem GemmProblem::RowMajor(int64_t m, int64_t n, int64_t k, int64_t batch) {
  GemmProblem problem;
  problem.m = m;
  problem.n = n;
  problem.k = k;
  problem.batch = batch;
  problem.a_row_stride = k;
  problem.a_col_stride = 1;
  problem.a_batch_stride = m * k;
  problem.b_row_stride = n;
  problem.b_col_stride = 1;
  problem.b_batch_stride = k * n;
  problem.c_row_stride = n;
  problem.c_batch_stride = m * n;
  return problem;
}

bool GemmProblem::a_is_row_major() const { return IsRowMajor(m, k, a_row_stride, a_col_stride); }
bool GemmProblem::b_is_row_major() const { return IsRowMajor(k, n, b_row_stride, b_col_stride); }

bool PackBRequired(const GemmProblem& problem, bool transpose) {
  if (!transpose) return !problem.b_is_row_major();
  return !IsRowMajor(problem.k, problem.m, problem.a_col_stride, problem.a_row_stride);
}

absl::Status ValidateGemm(const GemmProblem& problem, const GemmConfig& config) {
  SEEDTUNE_RETURN_IF_ERROR(ValidateProblem(problem));
  return ValidateConfig(problem, config);
}

}  // namespace seedtune
