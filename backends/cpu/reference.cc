#include "backends/cpu/reference.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "backends/cpu/gemm.h"

namespace seedtune {
namespace {

constexpr double kUnitRoundoff = 0x1p-24;
constexpr double kLambda = 8;
// An absolute error per operation where results are subnormal, flushed to 0 or not.
constexpr double kUnderflow = 0x1p-126;
// Results of full comparisons take 16 bytes each.
constexpr int64_t kMaxFullElements = int64_t{1} << 22;
// Columns of B are gathered so that about so many floats are in use at once.
constexpr int64_t kGatheredFloats = int64_t{1} << 22;
// The largest slope of GELU, at x = sqrt(2).
constexpr double kGeluSlope = 1.13;
// How far f32 GELU is off, in units of u |x|: a few roundings of 0.5 x (1 + erf), and erf itself.
constexpr double kGeluUlps = 8;

double Gelu(double x) { return 0.5 * x * std::erfc(-x / std::sqrt(2.0)); }

// `count` of [0, extent), or all: the first, the last, and one at random out of each of equal
// stripes of the rest.
std::vector<int64_t> Choose(int64_t extent, int64_t count, std::mt19937_64& random) {
  std::vector<int64_t> chosen;
  if (count >= extent) {
    for (int64_t i = 0; i < extent; ++i) chosen.push_back(i);
    return chosen;
  }
  const int64_t stripes = std::max<int64_t>(count - 2, 0);
  chosen.push_back(0);
  for (int64_t i = 0; i < stripes; ++i) {
    const int64_t begin = 1 + (extent - 2) * i / stripes;
    const int64_t end = 1 + (extent - 2) * (i + 1) / stripes;
    chosen.push_back(begin + static_cast<int64_t>(random() % static_cast<uint64_t>(end - begin)));
  }
  if (count > 1) chosen.push_back(extent - 1);
  return chosen;
}

// A matrix in place.
struct Matrix {
  const float* data;
  int64_t rows;
  int64_t columns;
  int64_t row_stride;
  int64_t column_stride;

  Matrix Transposed() const { return {data, columns, rows, column_stride, row_stride}; }

  // Calls visit(row, column, element) for all, along memory.
  template <typename Visit>
  void ForEach(Visit visit) const {
    if (row_stride == 1 && rows > 1) {
      for (int64_t j = 0; j < columns; ++j) {
        for (int64_t i = 0; i < rows; ++i) visit(i, j, double{data[i + j * column_stride]});
      }
    } else {
      for (int64_t i = 0; i < rows; ++i) {
        const float* row = data + i * row_stride;
        for (int64_t j = 0; j < columns; ++j) visit(i, j, double{row[j * column_stride]});
      }
    }
  }

  std::vector<double> Times(const double* x) const {
    std::vector<double> product(rows);
    ForEach([&](int64_t i, int64_t j, double value) { product[i] += value * x[j]; });
    return product;
  }

  std::vector<double> RowNorms() const {
    std::vector<double> norms(rows);
    ForEach([&](int64_t i, int64_t, double value) { norms[i] += value * value; });
    for (double& norm : norms) norm = std::sqrt(norm);
    return norms;
  }
};

// Takes note of one comparison.
void Compare(double got, double want, double bound, int64_t row, int64_t column,
             CheckResult& result) {
  const double error = std::abs(got - want);
  // Not finite compares as false. An infinite reference cannot be checked, hence not passed.
  const double ratio =
      std::isfinite(error) ? error / bound : std::numeric_limits<double>::infinity();
  if (ratio <= result.worst) return;
  result.worst = ratio;
  result.row = row;
  result.column = column;
  result.got = got;
  result.want = want;
  result.bound = bound;
}

}  // namespace

struct GemmChecker::Operands {
  const float* a;
  const float* b;
  const float* bias;      // nullptr: none
  const float* residual;  // nullptr: none
};

GemmChecker::GemmChecker(const GemmProblem& problem, const float* a, const float* b,
                         const float* bias, const float* residual, const CheckOptions& options)
    : problem_(problem),
      options_(options),
      full_(static_cast<double>(problem.m) * problem.n * problem.k * problem.batch <=
                static_cast<double>(options.full_products) &&
            static_cast<double>(problem.m) * problem.n * problem.batch <= kMaxFullElements) {
  std::mt19937_64 random(options.seed);
  if (!full_ && problem.epilogue.activation == GemmActivation::kNone) {
    const auto sign = [&random] { return (random() & 1) != 0 ? 1.0 : -1.0; };
    x_.resize(options.projections * problem.n);
    y_.resize(options.projections * problem.m);
    std::generate(x_.begin(), x_.end(), sign);
    std::generate(y_.begin(), y_.end(), sign);
  }
  const GemmEpilogue& epilogue = problem.epilogue;
  for (int64_t e = 0; e < problem.batch; ++e) {
    const Operands operands = {
        .a = a + e * problem.a_batch_stride,
        .b = b + e * problem.b_batch_stride,
        .bias = epilogue.bias ? bias : nullptr,
        .residual = epilogue.residual != GemmResidual::kNone
                        ? residual + e * epilogue.residual_batch_stride
                        : nullptr,
    };
    Entry& entry = entries_.emplace_back();
    ChooseGrid(random, entry);
    FillGrid(operands, entry);
    if (!x_.empty()) FillProjections(operands, entry);
  }
}

void GemmChecker::ChooseGrid(std::mt19937_64& random, Entry& entry) const {
  int64_t rows = problem_.m;
  int64_t columns = problem_.n;
  if (!full_) {
    // One element for each patch of C that is four times as wide as it is high: register tiles are.
    const double elements =
        std::max(16.0, static_cast<double>(options_.grid_products) / problem_.batch / problem_.k);
    const double height = std::sqrt(static_cast<double>(problem_.m) * problem_.n / (4 * elements));
    const auto at_most = [](double count, int64_t extent) {
      return count < extent ? std::max<int64_t>(static_cast<int64_t>(count), 2) : extent;
    };
    rows = at_most(problem_.m / height, problem_.m);
    columns = at_most(elements / rows, problem_.n);
    rows = at_most(elements / columns, problem_.m);
  }
  entry.rows = Choose(problem_.m, rows, random);
  entry.columns = Choose(problem_.n, columns, random);
}

void GemmChecker::FillGrid(const Operands& operands, Entry& entry) const {
  const int64_t rows = entry.rows.size();
  const int64_t columns = entry.columns.size();
  const int64_t k = problem_.k;
  const GemmEpilogue& epilogue = problem_.epilogue;
  const double factor = RoundingFactor(k + 2);
  entry.want.resize(rows * columns);
  entry.bound.resize(rows * columns);

  // B is gathered by steps of k, so that the innermost loop runs along memory.
  const int64_t strip = std::clamp<int64_t>(kGatheredFloats / k, 1, columns);
  std::vector<float> gathered(strip * k);
  std::vector<double> sums(strip);
  std::vector<double> magnitudes(strip);
  for (int64_t begin = 0; begin < columns; begin += strip) {
    const int64_t width = std::min(strip, columns - begin);
    for (int64_t p = 0; p < k; ++p) {
      for (int64_t j = 0; j < width; ++j) {
        gathered[p * width + j] =
            operands
                .b[p * problem_.b_row_stride + entry.columns[begin + j] * problem_.b_col_stride];
      }
    }
    for (int64_t i = 0; i < rows; ++i) {
      std::fill(sums.begin(), sums.end(), 0.0);
      std::fill(magnitudes.begin(), magnitudes.end(), 0.0);
      const float* a = operands.a + entry.rows[i] * problem_.a_row_stride;
      for (int64_t p = 0; p < k; ++p) {
        const double a_ip = a[p * problem_.a_col_stride];
        const float* b = &gathered[p * width];
        for (int64_t j = 0; j < width; ++j) {
          const double product = a_ip * b[j];
          sums[j] += product;
          magnitudes[j] += std::abs(product);
        }
      }
      for (int64_t j = 0; j < width; ++j) {
        const int64_t column = entry.columns[begin + j];
        const double bias = operands.bias != nullptr ? operands.bias[column] : 0.0;
        const double residual =
            operands.residual != nullptr
                ? operands.residual[entry.rows[i] * epilogue.residual_row_stride + column]
                : 0.0;
        const bool before = epilogue.residual == GemmResidual::kBeforeActivation;
        const double x = sums[j] + bias + (before ? residual : 0.0);
        double bound =
            factor * (magnitudes[j] + std::abs(bias) + (before ? std::abs(residual) : 0.0)) +
            (k + 2) * kUnderflow;
        double y = x;
        if (epilogue.activation == GemmActivation::kRelu) y = std::max(x, 0.0);
        if (epilogue.activation == GemmActivation::kGelu) {
          y = Gelu(x);
          bound = kGeluSlope * bound + kGeluUlps * kUnitRoundoff * std::abs(x);
        }
        if (!before) {
          y += residual;
          bound += kUnitRoundoff * (std::abs(y) + bound);
        }
        const int64_t at = i * columns + begin + j;
        entry.want[at] = y;
        entry.bound[at] = bound;
      }
    }
  }
}

void GemmChecker::FillProjections(const Operands& operands, Entry& entry) const {
  const int64_t m = problem_.m;
  const int64_t n = problem_.n;
  const int64_t k = problem_.k;
  const Matrix a = {operands.a, m, k, problem_.a_row_stride, problem_.a_col_stride};
  const Matrix b = {operands.b, k, n, problem_.b_row_stride, problem_.b_col_stride};
  const auto addend = [&](int64_t i, int64_t j) {
    return (operands.bias != nullptr ? operands.bias[j] : 0.0) +
           (operands.residual != nullptr
                ? operands.residual[i * problem_.epilogue.residual_row_stride + j]
                : 0.0);
  };

  for (int q = 0; q < options_.projections; ++q) {
    const double* x = &x_[q * n];
    const double* y = &y_[q * m];
    std::vector<double> rows = a.Times(b.Times(x).data());
    std::vector<double> columns = b.Transposed().Times(a.Transposed().Times(y).data());
    for (int64_t i = 0; i < m; ++i) {
      for (int64_t j = 0; j < n; ++j) {
        const double value = addend(i, j);
        rows[i] += value * x[j];
        columns[j] += y[i] * value;
      }
    }
    entry.row_want.insert(entry.row_want.end(), rows.begin(), rows.end());
    entry.column_want.insert(entry.column_want.end(), columns.begin(), columns.end());
  }

  // |A||B| is not known in every element, but at most the product of a row's and a column's norms.
  const std::vector<double> row_norms = a.RowNorms();
  const std::vector<double> column_norms = b.Transposed().RowNorms();
  const double factor = RoundingFactor(k + 2);
  std::vector<double> row_sums(m), row_squares(m), column_sums(n), column_squares(n);
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      const double bias = operands.bias != nullptr ? std::abs(operands.bias[j]) : 0.0;
      const double residual =
          operands.residual != nullptr
              ? std::abs(operands.residual[i * problem_.epilogue.residual_row_stride + j])
              : 0.0;
      const double bound =
          factor * (row_norms[i] * column_norms[j] + bias + residual) + (k + 2) * kUnderflow;
      row_sums[i] += bound;
      row_squares[i] += bound * bound;
      column_sums[j] += bound;
      column_squares[j] += bound * bound;
    }
  }
  for (int64_t i = 0; i < m; ++i) {
    entry.row_bound.push_back(CombinedBound(row_sums[i], row_squares[i]));
  }
  for (int64_t j = 0; j < n; ++j) {
    entry.column_bound.push_back(CombinedBound(column_sums[j], column_squares[j]));
  }
}

// The error of a sum of so many rounded operations, relative to the sum of magnitudes.
double GemmChecker::RoundingFactor(int64_t operations) const {
  const double nu = static_cast<double>(operations) * kUnitRoundoff;
  const double worst = nu < 1 ? nu / (1 - nu) : std::numeric_limits<double>::infinity();
  if (options_.bound == RoundingBound::kWorstCase) return worst;
  return std::min(worst, kLambda * std::sqrt(static_cast<double>(operations)) * kUnitRoundoff);
}

// A bound on a randomly signed sum of errors, given the sum of their bounds and of its squares.
double GemmChecker::CombinedBound(double sum, double sum_of_squares) const {
  if (options_.bound == RoundingBound::kWorstCase) return sum;
  return std::min(sum, kLambda * std::sqrt(sum_of_squares));
}

CheckResult GemmChecker::Check(const float* c) const {
  CheckResult result;
  for (int64_t e = 0; e < problem_.batch; ++e) {
    const float* matrix = c + e * problem_.c_batch_stride;
    const double worst = result.worst;
    CheckGrid(entries_[e], matrix, result);
    if (!full_) CheckAll(entries_[e], matrix, result);
    if (result.worst > worst) result.batch = e;
  }
  result.ok = result.worst <= 1;
  if (!result.ok) {
    const std::string place =
        result.row < 0      ? absl::StrCat("a random combination of column ", result.column)
        : result.column < 0 ? absl::StrCat("a random combination of row ", result.row)
                            : absl::StrCat("element (", result.row, ", ", result.column, ")");
    if (!std::isfinite(result.got)) {
      result.message = absl::StrFormat("%s of batch entry %d is %g, want a finite number", place,
                                       result.batch, result.got);
      return result;
    }
    result.message = absl::StrFormat("%s of batch entry %d is %.9g, want %.9g +- %.2g", place,
                                     result.batch, result.got, result.want, result.bound);
  }
  return result;
}

void GemmChecker::CheckGrid(const Entry& entry, const float* c, CheckResult& result) const {
  size_t at = 0;
  for (const int64_t row : entry.rows) {
    for (const int64_t column : entry.columns) {
      Compare(c[row * problem_.c_row_stride + column], entry.want[at], entry.bound[at], row, column,
              result);
      ++at;
    }
  }
  result.elements += static_cast<int64_t>(at);
}

void GemmChecker::CheckAll(const Entry& entry, const float* c, CheckResult& result) const {
  const int64_t m = problem_.m;
  const int64_t n = problem_.n;
  const int projections = x_.empty() ? 0 : options_.projections;
  std::vector<double> columns(projections * n);
  for (int64_t i = 0; i < m; ++i) {
    const float* row = c + i * problem_.c_row_stride;
    for (int64_t j = 0; j < n; ++j) {
      if (std::isfinite(row[j])) continue;
      Compare(row[j], 0, 1, i, j, result);
      return;
    }
    for (int q = 0; q < projections; ++q) {
      const double* x = &x_[q * n];
      const double y = y_[q * m + i];
      double* column = &columns[q * n];
      double sum = 0;
      for (int64_t j = 0; j < n; ++j) {
        sum += row[j] * x[j];
        column[j] += y * row[j];
      }
      Compare(sum, entry.row_want[q * m + i], entry.row_bound[i], i, -1, result);
    }
  }
  for (int q = 0; q < projections; ++q) {
    for (int64_t j = 0; j < n; ++j) {
      Compare(columns[q * n + j], entry.column_want[q * n + j], entry.column_bound[j], -1, j,
              result);
    }
  }
}

CheckResult CheckGemm(const GemmProblem& problem, const float* a, const float* b, const float* bias,
                      const float* residual, const float* c, const CheckOptions& options) {
  return GemmChecker(problem, a, b, bias, residual, options).Check(c);
}

}  // namespace seedtune
