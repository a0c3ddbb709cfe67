#include "backends/worker/worker_loop.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "backends/worker/framing.h"
#include "backends/worker/message_conversion.h"
#include "backends/worker/worker.pb.h"
#include "config/config_io.h"
#include "config/config_space.h"
#include "config/spaces/spaces.h"
#include "hardware/hardware_proto.h"
#include "ir/kernel.h"
#include "ir/proto_convert.h"
#include "matmul_ops/matmul_fact.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

// A kernel and its space, kept from one request to the next: a tuning run asks about the same one
// again and again.
struct Subject {
  std::string bytes;  // the kernel's message, serialised: what a request is compared by
  std::shared_ptr<const Kernel> kernel;
  std::shared_ptr<const ConfigSpace> space;
};

absl::StatusOr<Subject> MakeSubject(const KernelProto& proto, std::string bytes,
                                    const MeasurerInfo& info) {
  Subject subject;
  subject.bytes = std::move(bytes);
  SEEDTUNE_ASSIGN_OR_RETURN(Kernel kernel, KernelFromProto(proto));
  subject.kernel = std::make_shared<const Kernel>(std::move(kernel));
  const std::vector<MatmulFact> facts = ExtractMatmulFacts(*subject.kernel);
  SEEDTUNE_ASSIGN_OR_RETURN(subject.space, BuildConfigSpace(info.backend, facts, info.device));
  return subject;
}

absl::StatusOr<MeasureRequest> MakeRequest(const WorkerRequest::Measure& proto,
                                           const Subject& subject) {
  if (subject.space->id() != proto.space_id()) {
    return absl::FailedPreconditionError(absl::StrCat("the worker's config space is ",
                                                      subject.space->id(), ", the request's is ",
                                                      proto.space_id()));
  }
  MeasureRequest request;
  request.id = proto.id();
  request.kernel = subject.kernel;
  SEEDTUNE_ASSIGN_OR_RETURN(const PartialConfig partial, PartialConfigFromProto(proto.config()));
  SEEDTUNE_ASSIGN_OR_RETURN(request.config,
                            subject.space->Normalize(partial, NormalizeMode::kReject));
  request.check_result = proto.check_result();
  request.min_samples = proto.min_samples();
  request.max_samples = proto.max_samples();
  request.target_measure_ns = proto.target_measure_ns();
  request.drop_above_ns = proto.drop_above_ns();
  request.data_seed = proto.data_seed();
  request.timeout_ns = proto.timeout_ns();
  return request;
}

absl::StatusOr<Outcome> Serve(Backend& backend, Subject& subject,
                              const WorkerRequest::Measure& proto) {
  std::string bytes = proto.kernel().SerializeAsString();
  if (bytes != subject.bytes) {
    SEEDTUNE_ASSIGN_OR_RETURN(subject,
                              MakeSubject(proto.kernel(), std::move(bytes), backend.info()));
  }
  SEEDTUNE_ASSIGN_OR_RETURN(const MeasureRequest request, MakeRequest(proto, subject));
  return backend.Measure(request);
}

absl::StatusOr<std::unique_ptr<Backend>> Greet(int socket, MessageReader& reader,
                                               const BackendFactory& make_backend) {
  WorkerRequest request;
  SEEDTUNE_RETURN_IF_ERROR(ReceiveMessage(socket, reader, &request));
  if (!request.has_hello()) return absl::InvalidArgumentError("the first request is no hello");
  const WorkerRequest::Hello& hello = request.hello();

  WorkerReply reply;
  reply.mutable_hello()->set_protocol_version(kWorkerProtocolVersion);
  absl::StatusOr<std::unique_ptr<Backend>> backend =
      [&]() -> absl::StatusOr<std::unique_ptr<Backend>> {
    if (hello.protocol_version() != kWorkerProtocolVersion) {
      return absl::FailedPreconditionError(
          absl::StrCat("protocol version ", hello.protocol_version(), ", this worker speaks ",
                       kWorkerProtocolVersion));
    }
    SEEDTUNE_ASSIGN_OR_RETURN(const HardwareInfo device, FromProto(hello.device()));
    return make_backend(hello.backend(), device);
  }();
  if (backend.ok()) {
    reply.mutable_hello()->set_code_generator_version((*backend)->info().code_generator_version);
    reply.mutable_hello()->set_compiler_version((*backend)->info().compiler_version);
  } else {
    reply.mutable_hello()->set_error(std::string(backend.status().message()));
  }
  SEEDTUNE_RETURN_IF_ERROR(SendMessage(socket, reply));
  return backend;
}

absl::Status ServeAll(int socket, const BackendFactory& make_backend) {
  MessageReader reader;
  SEEDTUNE_ASSIGN_OR_RETURN(const std::unique_ptr<Backend> backend,
                            Greet(socket, reader, make_backend));
  Subject subject;
  while (true) {
    WorkerRequest request;
    if (const absl::Status status = ReceiveMessage(socket, reader, &request); !status.ok()) {
      return absl::IsUnavailable(status) ? absl::OkStatus() : status;
    }
    if (!request.has_measure())
      return absl::InvalidArgumentError("a request that is neither hello nor measure");
    absl::StatusOr<Outcome> outcome = Serve(*backend, subject, request.measure());
    if (!outcome.ok()) {
      // The request makes no sense to this backend: nothing was run.
      Outcome refused;
      refused.kind = OutcomeKind::kCompileError;
      refused.message = std::string(outcome.status().message());
      outcome = std::move(refused);
    }
    WorkerReply reply;
    reply.mutable_measured()->set_id(request.measure().id());
    *reply.mutable_measured()->mutable_outcome() = OutcomeToProto(*outcome);
    reply.mutable_measured()->set_last(backend->spent());
    SEEDTUNE_RETURN_IF_ERROR(SendMessage(socket, reply));
    if (backend->spent()) _exit(0);  // runs no destructors: see Backend::spent
  }
}

}  // namespace

int RunWorker(int socket, const BackendFactory& make_backend) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const absl::Status status = ServeAll(socket, make_backend);
  if (status.ok()) return 0;
  std::cerr << "seedtune worker: " << std::string(status.message()) << "\n";
  return 1;
}

}  // namespace seedtune
