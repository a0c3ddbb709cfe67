// Two steps a candidate: many are prepared (compiled) at the same time while others are measured.
#ifndef SEEDTUNE_BACKENDS_PIPELINE_MEASURER_H_
#define SEEDTUNE_BACKENDS_PIPELINE_MEASURER_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "autotuner/clock.h"
#include "autotuner/measurer.h"
#include "backends/adaptive_limit.h"

namespace seedtune {

// `prepare` answers a request with kOk when what the candidate needs stands ready outside of it (a
// cache on disk), `measure` finds it there. A candidate that cannot be prepared is answered so; one
// that was is not prepared again. Its own time-out counts for measuring; preparing has a limit that
// follows what it takes.
class PipelineMeasurer : public Measurer {
 public:
  // `clock` must outlive it.
  PipelineMeasurer(std::unique_ptr<Measurer> prepare, std::unique_ptr<Measurer> measure,
                   Clock& clock, AdaptiveLimit::Options limit = {})
      : prepare_(std::move(prepare)), measure_(std::move(measure)), clock_(clock), limit_(limit) {}

  const MeasurerInfo& info() const override { return measure_->info(); }
  // As many as keep both steps busy.
  int capacity() const override { return prepare_->capacity() + 2 * measure_->capacity(); }
  absl::Status Submit(MeasureRequest request) override;
  absl::StatusOr<std::vector<MeasureReply>> Wait(int64_t timeout_ns) override;
  // What is being prepared is prepared to its end; its place for preparing is taken until then.
  std::vector<int64_t> GiveUp(std::span<const int64_t> ids) override;

 private:
  // A kernel and a configuration of it.
  using Key = std::pair<const Kernel*, std::string>;
  static Key KeyOf(const MeasureRequest& request) {
    return {request.kernel.get(), request.config.ToJson()};
  }

  absl::Status Pump();
  absl::Status CollectPrepared(int64_t timeout_ns, std::vector<MeasureReply>& replies);
  absl::Status CollectMeasured(int64_t timeout_ns, std::vector<MeasureReply>& replies);

  const std::unique_ptr<Measurer> prepare_, measure_;
  Clock& clock_;
  AdaptiveLimit limit_;
  std::deque<MeasureRequest> waiting_, ready_;  // for either step
  // By an id of its own: one that is given up can outlast its run, and the next run's ids begin
  // anew.
  std::map<int64_t, MeasureRequest> preparing_;
  std::set<int64_t> given_up_;  // of `preparing_`
  int64_t last_preparation_ = 0;
  std::map<int64_t, double> measuring_;   // by request id: what preparing took, in ns
  std::map<int64_t, double> prepare_ns_;  // of what is in `ready_`
  std::shared_ptr<const Kernel> kernel_;  // the last one: what `prepared_` is of
  std::set<Key> prepared_;
};

}  // namespace seedtune

#endif  // SEEDTUNE_BACKENDS_PIPELINE_MEASURER_H_
