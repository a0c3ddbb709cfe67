#ifndef SEEDTUNE_BACKENDS_CPU_REFERENCE_H_
#define SEEDTUNE_BACKENDS_CPU_REFERENCE_H_

// Whether a computed matrix product is right: compared with one in double precision, element by
// element, against a bound on the rounding errors of any order of summation.
//
// A sum of n products in f32 is off by at most gamma_n * sum |a_ip b_pj|, gamma_n = n u / (1 - n
// u), u = 2^-24 (Higham, "Accuracy and Stability of Numerical Algorithms", 2nd ed., section 3.5).
// That is certain and, for large n, so wide that a missing block of k hides in it. If rounding
// errors are independent with mean 0, gamma_n may be replaced by lambda sqrt(n) u, with a
// probability of failure of 2 n exp(-lambda^2 / 2) (Higham and Mary, "A New Approach to
// Probabilistic Rounding Error Analysis", SISC 41(5), 2019). Here lambda is 8, 3e-14 n: right for
// random inputs of either sign, which tuning uses.
//
// Small products are compared in every element. Of large ones, these are compared:
//   - a grid of elements: the first and last rows and columns, and one of each stripe of rows and
//   of
//     columns in between, at random places;
//   - all elements, for being finite: fill C with NaN before the run, and no gap stays hidden;
//   - without an activation, all elements at once, along random projections (Freivalds): C x
//   against
//     A (B x) and y^T C against (y^T A) B, for x and y of random signs. If each element of a row is
//     off by at most its bound t_j, then its projection is by more than lambda sqrt(sum t_j^2) with
//     a probability of at most 2 exp(-lambda^2 / 2) (Hoeffding). Any single element that is wrong
//     by more is found.

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "backends/cpu/gemm.h"

namespace seedtune {

enum class RoundingBound {
  kProbabilistic,  // The lesser of both bounds above.
  kWorstCase,      // gamma_n alone: for inputs whose rounding errors pull in one direction.
};

struct CheckOptions {
  uint64_t seed = 0;  // Of the elements and projections that large products are checked by.
  RoundingBound bound = RoundingBound::kProbabilistic;
  // Compare every element if that takes at most so many multiplications.
  int64_t full_products = int64_t{1} << 24;
  // Otherwise spend about so many on the grid. (About 1 ns each.)
  int64_t grid_products = int64_t{1} << 25;
  // Random vectors x, and as many y.
  int projections = 2;
};

struct CheckResult {
  bool ok = false;
  // Largest error, as a multiple of its bound: above 1 is wrong; infinite if something is not
  // finite.
  double worst = 0;
  // Where that is. A row or column of -1 stands for a random combination of all.
  int64_t batch = 0;
  int64_t row = 0;
  int64_t column = 0;
  double got = 0;
  double want = 0;
  double bound = 0;
  // Elements that were compared one by one.
  int64_t elements = 0;
  // If not ok, one line: "element (3, 17) of batch entry 0 is 1.5, want 2.5 +- 0.001".
  std::string message;
};

// The right answer to one problem on one set of operands, as far as checking needs it; to be made
// once for many candidates. Immutable, hence thread-safe.
class GemmChecker {
 public:
  // `problem` has passed ValidateGemm(); `bias` and `residual` are read only if it has them. Keeps
  // no reference to the operands.
  GemmChecker(const GemmProblem& problem, const float* a, const float* b, const float* bias,
              const float* residual, const CheckOptions& options = {});

  // Compares. Takes time in proportion to the size of C.
  CheckResult Check(const float* c) const;

 private:
  // What one batch entry has to be.
  struct Entry {
    // Elements (rows[i], columns[j]), and how far off they may be.
    std::vector<int64_t> rows;
    std::vector<int64_t> columns;
    std::vector<double> want;
    std::vector<double> bound;
    // Projection q of row i is at q * m + i, of column j at q * n + j.
    std::vector<double> row_want;
    std::vector<double> row_bound;
    std::vector<double> column_want;
    std::vector<double> column_bound;
  };

  // One batch entry of all operands.
  struct Operands;

  void ChooseGrid(std::mt19937_64& random, Entry& entry) const;
  void FillGrid(const Operands& operands, Entry& entry) const;
  void FillProjections(const Operands& operands, Entry& entry) const;
  double RoundingFactor(int64_t operations) const;
  double CombinedBound(double sum, double sum_of_squares) const;
  void CheckGrid(const Entry& entry, const float* c, CheckResult& result) const;
  void CheckAll(const Entry& entry, const float* c, CheckResult& result) const;

  const GemmProblem problem_;
  const CheckOptions options_;
  const bool full_;
  // Signs, +1 or -1: projection q of column j is x_[q * n + j], of row i y_[q * m + i]. Empty
  // without projections.
  std::vector<double> x_;
  std::vector<double> y_;
  std::vector<Entry> entries_;  // By batch entry.
};

// As GemmChecker, for a single candidate.
CheckResult CheckGemm(const GemmProblem& problem, const float* a, const float* b, const float* bias,
                      const float* residual, const float* c, const CheckOptions& options = {});

}  // namespace seedtune

#endif  // SEEDTUNE_BACKENDS_CPU_REFERENCE_H_
