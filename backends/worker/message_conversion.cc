#include "backends/worker/message_conversion.h"

#include <cmath>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "config/config_io.h"
#include "ir/proto_convert.h"

namespace seedtune {

OutcomeProto OutcomeToProto(const Outcome& outcome) {
  OutcomeProto proto;
  proto.set_kind(static_cast<int>(outcome.kind));
  proto.mutable_samples_ns()->Add(outcome.samples_ns.begin(), outcome.samples_ns.end());
  proto.set_lower_bound_ns(outcome.lower_bound_ns);
  proto.set_message(outcome.message);
  proto.set_compile_ns(outcome.compile_ns);
  proto.set_measure_ns(outcome.measure_ns);
  return proto;
}

absl::StatusOr<Outcome> OutcomeFromProto(const OutcomeProto& proto) {
  if (proto.kind() < static_cast<int>(OutcomeKind::kOk) ||
      proto.kind() > static_cast<int>(OutcomeKind::kOutOfResources)) {
    return absl::InvalidArgumentError(
        absl::StrCat("outcome.kind is ", proto.kind(), ", want 1 to 8"));
  }
  Outcome outcome;
  outcome.kind = static_cast<OutcomeKind>(proto.kind());
  outcome.samples_ns.assign(proto.samples_ns().begin(), proto.samples_ns().end());
  outcome.lower_bound_ns = proto.lower_bound_ns();
  outcome.message = proto.message();
  outcome.compile_ns = proto.compile_ns();
  outcome.measure_ns = proto.measure_ns();
  if (outcome.ok() && outcome.samples_ns.empty()) {
    return absl::InvalidArgumentError(
        "outcome.samples_ns is empty, want at least one for an ok outcome");
  }
  for (const double sample : outcome.samples_ns) {
    if (!std::isfinite(sample) || sample <= 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("outcome.samples_ns holds ", sample, ", want positive finite numbers"));
    }
  }
  return outcome;
}

WorkerRequest::Measure MeasureRequestToProto(const MeasureRequest& request) {
  WorkerRequest::Measure proto;
  proto.set_id(request.id);
  *proto.mutable_kernel() = KernelToProto(*request.kernel);
  *proto.mutable_config() = PartialConfigToProto(request.config.ToPartial());
  proto.set_space_id(request.config.space().whole_id());
  proto.set_check_result(request.check_result);
  proto.set_min_samples(request.min_samples);
  proto.set_max_samples(request.max_samples);
  proto.set_target_measure_ns(request.target_measure_ns);
  proto.set_drop_above_ns(request.drop_above_ns);
  proto.set_data_seed(request.data_seed);
  proto.set_timeout_ns(request.timeout_ns);
  return proto;
}

}  // namespace seedtune
