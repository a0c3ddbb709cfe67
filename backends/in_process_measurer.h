// Measures in the caller's own process, one candidate at a time: no isolation, no time-outs. For
// programs that cannot start processes, and for tests.
#ifndef SEEDTUNE_BACKENDS_IN_PROCESS_MEASURER_H_
#define SEEDTUNE_BACKENDS_IN_PROCESS_MEASURER_H_

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "autotuner/measurer.h"
#include "backends/backend.h"

namespace seedtune {

class InProcessMeasurer : public Measurer {
 public:
  explicit InProcessMeasurer(std::unique_ptr<Backend> backend) : backend_(std::move(backend)) {}

  const MeasurerInfo& info() const override { return backend_->info(); }
  int capacity() const override { return 1; }
  absl::Status Submit(MeasureRequest request) override;
  absl::StatusOr<std::vector<MeasureReply>> Wait(int64_t timeout_ns) override;

 private:
  std::unique_ptr<Backend> backend_;
  std::vector<MeasureReply> answered_;
};

}  // namespace seedtune

#endif  // SEEDTUNE_BACKENDS_IN_PROCESS_MEASURER_H_
