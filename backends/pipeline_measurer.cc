#include "backends/pipeline_measurer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "autotuner/outcome.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

// How long one step is listened to while the other, too, may have something to say.
constexpr int64_t kTurnNs = 2'000'000, kGlanceNs = 1;

}  // namespace

absl::Status PipelineMeasurer::Submit(MeasureRequest request) {
  const size_t under_way =
      waiting_.size() + ready_.size() + preparing_.size() - given_up_.size() + measuring_.size();
  if (under_way >= static_cast<size_t>(capacity())) {
    return absl::FailedPreconditionError(
        absl::StrCat("all ", capacity(), " places are taken, want a call of Wait first"));
  }
  if (request.kernel != kernel_) {
    kernel_ = request.kernel;  // keeps it, so that no other kernel comes to its address
    prepared_.clear();
  }
  (prepared_.count(KeyOf(request)) > 0 ? ready_ : waiting_).push_back(std::move(request));
  return Pump();
}

absl::Status PipelineMeasurer::Pump() {
  while (!ready_.empty() && static_cast<int>(measuring_.size()) < measure_->capacity()) {
    MeasureRequest request = std::move(ready_.front());
    ready_.pop_front();
    const auto took = prepare_ns_.find(request.id);
    measuring_[request.id] = took == prepare_ns_.end() ? 0 : took->second;
    if (took != prepare_ns_.end()) prepare_ns_.erase(took);
    SEEDTUNE_RETURN_IF_ERROR(measure_->Submit(std::move(request)));
  }
  while (!waiting_.empty() && static_cast<int>(preparing_.size()) < prepare_->capacity()) {
    MeasureRequest request = std::move(waiting_.front());
    waiting_.pop_front();
    MeasureRequest preparation = request;
    preparation.timeout_ns = limit_.limit_ns();
    preparation.id = ++last_preparation_;
    preparing_.emplace(preparation.id, std::move(request));
    SEEDTUNE_RETURN_IF_ERROR(prepare_->Submit(std::move(preparation)));
  }
  return absl::OkStatus();
}

absl::Status PipelineMeasurer::CollectPrepared(int64_t timeout_ns,
                                               std::vector<MeasureReply>& replies) {
  SEEDTUNE_ASSIGN_OR_RETURN(std::vector<MeasureReply> prepared, prepare_->Wait(timeout_ns));
  for (MeasureReply& reply : prepared) {
    auto request = preparing_.extract(reply.id);
    if (request.empty()) return absl::InternalError("an answer to something that was not asked");
    if (reply.outcome.kind == OutcomeKind::kTimeout) {
      limit_.Cut();
    } else if (reply.outcome.ok()) {
      limit_.Took(reply.outcome.compile_ns);
    }
    if (given_up_.erase(reply.id) > 0) continue;
    reply.id = request.mapped().id;
    if (!reply.outcome.ok()) {
      // A worker that is cut off says how long it took, and no more: none of it was measuring.
      reply.outcome.compile_ns += std::exchange(reply.outcome.measure_ns, 0);
      replies.push_back(std::move(reply));
      continue;
    }
    if (request.mapped().kernel == kernel_) prepared_.insert(KeyOf(request.mapped()));
    prepare_ns_[reply.id] = reply.outcome.compile_ns;
    ready_.push_back(std::move(request.mapped()));
  }
  return absl::OkStatus();
}

absl::Status PipelineMeasurer::CollectMeasured(int64_t timeout_ns,
                                               std::vector<MeasureReply>& replies) {
  SEEDTUNE_ASSIGN_OR_RETURN(std::vector<MeasureReply> measured, measure_->Wait(timeout_ns));
  for (MeasureReply& reply : measured) {
    const auto prepare_ns = measuring_.extract(reply.id);
    if (prepare_ns.empty()) return absl::InternalError("an answer to something that was not asked");
    reply.outcome.compile_ns += prepare_ns.mapped();
    replies.push_back(std::move(reply));
  }
  return absl::OkStatus();
}

std::vector<int64_t> PipelineMeasurer::GiveUp(std::span<const int64_t> ids) {
  std::vector<int64_t> given_up;
  for (const int64_t id : ids) {
    const auto is_it = [id](const MeasureRequest& request) { return request.id == id; };
    if (std::erase_if(waiting_, is_it) + std::erase_if(ready_, is_it) > 0) {
      prepare_ns_.erase(id);
      given_up.push_back(id);
      continue;
    }
    for (const auto& [preparation, request] : preparing_) {
      if (request.id != id || !given_up_.insert(preparation).second) continue;
      given_up.push_back(id);
      break;
    }
  }
  return given_up;
}

absl::StatusOr<std::vector<MeasureReply>> PipelineMeasurer::Wait(int64_t timeout_ns) {
  const int64_t give_up_ns = clock_.NowNs() + timeout_ns;
  std::vector<MeasureReply> replies;
  while (true) {
    SEEDTUNE_RETURN_IF_ERROR(Pump());
    if (!replies.empty() ||
        (preparing_.size() == given_up_.size() && measuring_.empty() && waiting_.empty())) {
      return replies;
    }
    const int64_t left_ns = give_up_ns - clock_.NowNs();
    if (left_ns <= 0) return replies;
    if (measuring_.empty()) {
      SEEDTUNE_RETURN_IF_ERROR(CollectPrepared(left_ns, replies));
      continue;
    }
    const bool both = !preparing_.empty();
    if (both) SEEDTUNE_RETURN_IF_ERROR(CollectPrepared(kGlanceNs, replies));
    SEEDTUNE_RETURN_IF_ERROR(Pump());
    SEEDTUNE_RETURN_IF_ERROR(CollectMeasured(both ? std::min(left_ns, kTurnNs) : left_ns, replies));
  }
}

}  // namespace seedtune
