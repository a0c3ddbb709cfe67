// A Gaussian process over points of up to a few dozen coordinates, for some hundred points at the
// most. Its kernel is the sum of three: of each coordinate alone, of each pair (a block's two sides
// are good or bad together), and Matern 5/2 of all. To the distance each coordinate adds twice: by
// how far the two points lie apart along it, and by whether they differ in it at all. Kernels'
// times are seldom smooth in a knob: 32 and 64 threads may be good and 48 bad. How much each counts
// is learnt, by the maximum a posteriori.
//
// Written here and not with a linear algebra library: what the search needs is a Cholesky factor
// that grows by a row, which is a dozen lines, and which Eigen does not have.
#ifndef SEEDTUNE_AUTOTUNER_SEARCH_GAUSSIAN_PROCESS_H_
#define SEEDTUNE_AUTOTUNER_SEARCH_GAUSSIAN_PROCESS_H_

#include <cstddef>
#include <numbers>
#include <span>
#include <vector>

namespace seedtune {

// Thread-compatible.
class GaussianProcess {
 public:
  // What to learn the lengths from.
  struct Data {
    std::span<const std::vector<float>> points;
    std::span<const double> values;  // of mean 0 and variance 1, about
  };

  // Of coordinates that are ordered from 0 to 1, or where only equality means something. What is
  // usual of kernels' knobs is known beforehand, and the logarithms of the lengths are expected
  // within `deviation` of it: a small one is right about most knobs at once, a large one learns
  // what is unusual.
  explicit GaussianProcess(std::vector<bool> is_ordered, double deviation = std::numbers::sqrt3);

  // Improves lengths and noise on `data` by at most `steps` steps, beginning from the present ones.
  // Points added before are forgotten.
  void Learn(const Data& data, int steps);

  // Adds a point, O(size()^2); it must have the coordinates that all have.
  void Add(const std::vector<float>& point);
  void Clear();
  size_t size() const { return points_.size(); }

  // Forgets the points that were added last, but for the first `size`. O(size()).
  void Shrink(size_t size);

  // The values of the points, or of the first of them, in the order in which they were added. The
  // others make nothing more expected, but will be known: what is like them is in less doubt.
  // O(size()^2).
  void SetValues(std::span<const double> values);

  // What is known about a point that was not added: the solution of L v = k, L the Cholesky factor
  // of the covariances and k those with the point. It grows by an entry with each point added.
  struct View {
    std::vector<float> v;
    float variance = 1;  // in units of the process's own

    // As the process is shrunk.
    void Shrink(size_t size);
  };
  void Extend(const std::vector<float>& point, View& view) const;
  // Of a view that is up to date.
  double Mean(const View& view) const;
  double StandardDeviation(const View& view) const;

 private:
  double Covariance(const std::vector<float>& a, const std::vector<float>& b) const;

  void SetWeights();
  // Of the lengths' logarithms, the jumps' after the others.
  std::vector<double> ExpectedLengths() const;

  std::vector<bool> is_ordered_;
  double deviation_;
  std::vector<double> parameters_;     // logarithms: lengths, jumps' lengths, noise's variance
  std::vector<float> smooth_, jumps_;  // by coordinate: what they add to the squared distance

  std::vector<std::vector<float>> points_;
  std::vector<std::vector<float>> rows_;  // of the Cholesky factor, lower
  std::vector<float> weights_;            // L^-1 values
  double amplitude_ = 1;                  // of the process, squared
};

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_SEARCH_GAUSSIAN_PROCESS_H_
