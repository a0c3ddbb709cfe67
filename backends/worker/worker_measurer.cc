#include "backends/worker/worker_measurer.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "backends/worker/dying_processes.h"
#include "backends/worker/framing.h"
#include "backends/worker/message_conversion.h"
#include "backends/worker/worker.pb.h"
#include "backends/worker/worker_process.h"
#include "hardware/hardware_proto.h"
#include "ir/kernel.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

// More than so many dying workers, for so long, say that something is wrong with the machine.
constexpr int kMaxDying = 8, kDyingTimeoutMs = 60'000;

// One worker process and what it is at.
struct Slot {
  std::optional<WorkerProcess> process;
  bool is_greeted = false;  // it has said hello
  MessageReader reader;
  std::optional<int64_t> request_id;  // under way
  // What the process has made inputs for.
  std::shared_ptr<const Kernel> kernel;
  uint64_t data_seed = 0;
  int64_t sent_ns = 0;
  int64_t deadline_ns = 0;
};

class WorkerMeasurer : public Measurer {
 public:
  WorkerMeasurer(WorkerOptions options, Clock& clock)
      : options_(std::move(options)), clock_(clock), slots_(options_.workers) {
    info_.backend = options_.backend;
    info_.device = options_.device;
  }

  ~WorkerMeasurer() override {
    for (Slot& slot : slots_) {
      if (slot.process) slot.process->End(WorkerProcess::kExitGraceMs, &dying_);
    }
  }

  absl::Status StartAll() {
    for (Slot& slot : slots_) SEEDTUNE_RETURN_IF_ERROR(Launch(slot));
    for (Slot& slot : slots_) SEEDTUNE_RETURN_IF_ERROR(Greet(slot));
    return absl::OkStatus();
  }

  const MeasurerInfo& info() const override { return info_; }
  int capacity() const override { return static_cast<int>(slots_.size()); }

  absl::Status Submit(MeasureRequest request) override {
    const auto free =
        std::find_if(slots_.begin(), slots_.end(), [](const Slot& s) { return !s.request_id; });
    if (free == slots_.end()) {
      return absl::FailedPreconditionError(
          absl::StrCat("all ", slots_.size(), " workers are busy, want a call of Wait first"));
    }
    Slot& slot = *free;
    dying_.WaitUntilAtMost(0, static_cast<int>(options_.settle_timeout_ns / 1e6));
    WorkerRequest message;
    *message.mutable_measure() = MeasureRequestToProto(request);
    if (slot.process && !slot.is_greeted && !Greet(slot).ok()) slot.process.reset();
    if (!slot.process || !SendMessage(slot.process->socket(), message).ok()) {
      // It has died since the last answer. One fresh start; a second failure is not the candidate's
      // doing.
      SEEDTUNE_RETURN_IF_ERROR(Launch(slot));
      SEEDTUNE_RETURN_IF_ERROR(Greet(slot));
      SEEDTUNE_RETURN_IF_ERROR(SendMessage(slot.process->socket(), message));
    }
    slot.request_id = request.id;
    slot.sent_ns = clock_.NowNs();
    double timeout_ns = request.timeout_ns;
    if (slot.kernel != request.kernel || slot.data_seed != request.data_seed) {
      timeout_ns += options_.setup_timeout_ns;
      slot.kernel = request.kernel;
      slot.data_seed = request.data_seed;
    }
    slot.deadline_ns = slot.sent_ns + static_cast<int64_t>(timeout_ns);
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<MeasureReply>> Wait(int64_t timeout_ns) override {
    const int64_t give_up_ns = clock_.NowNs() + timeout_ns;
    std::vector<MeasureReply> replies;
    while (true) {
      const bool under_way =
          std::any_of(slots_.begin(), slots_.end(), [](const Slot& s) { return s.request_id; });
      if (!under_way) return replies;
      // The time before looking: an answer that is there is no time-out, however late this process
      // gets to read it on a busy machine.
      const int64_t now_ns = clock_.NowNs();
      SEEDTUNE_RETURN_IF_ERROR(PollOnce(give_up_ns, replies));
      for (Slot& slot : slots_) {
        if (slot.request_id && now_ns >= slot.deadline_ns) replies.push_back(TimedOut(slot));
      }
      if (!replies.empty() || now_ns >= give_up_ns) return replies;
    }
  }

 private:
  // Starts a process, which then opens its device, and says hello to it.
  absl::Status Launch(Slot& slot) {
    if (slot.process) slot.process->End(/*grace_ms=*/0, &dying_);
    slot.process.reset();
    slot.is_greeted = false;
    slot.reader = MessageReader();
    slot.kernel.reset();
    if (const int left = dying_.WaitUntilAtMost(kMaxDying, kDyingTimeoutMs); left > kMaxDying) {
      return absl::UnavailableError(
          absl::StrCat("the ", options_.backend, " worker is not started: ", left,
                       " that were killed have not ended within ", kDyingTimeoutMs / 1000, " s"));
    }
    SEEDTUNE_ASSIGN_OR_RETURN(slot.process, WorkerProcess::Start(options_.argv));
    WorkerRequest request;
    WorkerRequest::Hello& hello = *request.mutable_hello();
    hello.set_protocol_version(kWorkerProtocolVersion);
    hello.set_backend(options_.backend);
    *hello.mutable_device() = ToProto(options_.device);
    SendMessage(slot.process->socket(), request).IgnoreError();  // Greet says how it ended
    return absl::OkStatus();
  }

  // Waits for the hello of a process that was launched.
  absl::Status Greet(Slot& slot) {
    WorkerReply reply;
    const absl::Status status =
        ReceiveBy(slot, clock_.NowNs() + static_cast<int64_t>(options_.start_timeout_ns), &reply);
    if (!status.ok() || !reply.has_hello()) {
      const std::string how = slot.process->End(WorkerProcess::kExitGraceMs, &dying_);
      slot.process.reset();
      return absl::UnavailableError(
          absl::StrCat("the ", options_.backend,
                       " worker did not start: ", std::string(status.message()), "; it was ", how));
    }
    if (!reply.hello().error().empty()) {
      slot.process->End(WorkerProcess::kExitGraceMs, &dying_);
      slot.process.reset();
      return absl::UnavailableError(
          absl::StrCat("the ", options_.backend, " worker cannot serve: ", reply.hello().error()));
    }
    info_.code_generator_version = reply.hello().code_generator_version();
    info_.compiler_version = reply.hello().compiler_version();
    slot.is_greeted = true;
    return absl::OkStatus();
  }

  // Waits for one message of a worker that has just been started.
  absl::Status ReceiveBy(Slot& slot, int64_t deadline_ns, WorkerReply* reply) {
    while (true) {
      SEEDTUNE_ASSIGN_OR_RETURN(const bool complete, slot.reader.Next(reply));
      if (complete) return absl::OkStatus();
      const int64_t left_ns = deadline_ns - clock_.NowNs();
      if (left_ns <= 0) {
        return absl::DeadlineExceededError(
            absl::StrFormat("no hello within %.0f s", options_.start_timeout_ns / 1e9));
      }
      pollfd ready[2] = {{slot.process->socket(), POLLIN, 0}, {slot.process->output(), POLLIN, 0}};
      poll(ready, 2, static_cast<int>(left_ns / 1'000'000) + 1);
      if (ready[1].revents != 0) slot.process->DrainOutput();
      if (ready[0].revents != 0)
        SEEDTUNE_RETURN_IF_ERROR(slot.reader.ReadSome(slot.process->socket()));
    }
  }

  absl::Status PollOnce(int64_t give_up_ns, std::vector<MeasureReply>& replies) {
    std::vector<pollfd> ready;
    std::vector<Slot*> busy;
    int64_t until_ns = give_up_ns;
    for (Slot& slot : slots_) {
      if (!slot.request_id) continue;
      busy.push_back(&slot);
      ready.push_back({slot.process->socket(), POLLIN, 0});
      ready.push_back({slot.process->output(), POLLIN, 0});
      until_ns = std::min(until_ns, slot.deadline_ns);
    }
    const int64_t left_ms =
        std::clamp<int64_t>((until_ns - clock_.NowNs()) / 1'000'000 + 1, 0, 60'000);
    if (poll(ready.data(), ready.size(), static_cast<int>(left_ms)) < 0 && errno != EINTR) {
      return absl::InternalError(absl::StrCat("poll: ", strerror(errno)));
    }
    for (size_t i = 0; i < busy.size(); ++i) {
      if (ready[2 * i + 1].revents != 0) busy[i]->process->DrainOutput();
      if (ready[2 * i].revents == 0) continue;
      if (std::optional<MeasureReply> reply = Read(*busy[i])) replies.push_back(*std::move(reply));
    }
    return absl::OkStatus();
  }

  // What a readable worker has to say; nothing yet if the message is still incomplete.
  std::optional<MeasureReply> Read(Slot& slot) {
    if (absl::Status status = slot.reader.ReadSome(slot.process->socket()); !status.ok()) {
      return Broken(slot, OutcomeKind::kCrash, "the worker was ");
    }
    WorkerReply message;
    absl::StatusOr<bool> complete = slot.reader.Next(&message);
    if (complete.ok() && !*complete) return std::nullopt;
    absl::Status fault = complete.status();
    if (fault.ok() && (!message.has_measured() || message.measured().id() != *slot.request_id)) {
      fault = absl::InvalidArgumentError("a reply to something that was not asked");
    }
    absl::StatusOr<Outcome> outcome = OutcomeFromProto(message.measured().outcome());
    if (fault.ok()) fault = outcome.status();
    if (!fault.ok()) {
      return Broken(
          slot, OutcomeKind::kCrash,
          absl::StrCat("the worker sent ", std::string(fault.message()), "; it was then "));
    }
    if (message.measured().last()) Replace(slot, /*grace_ms=*/0);  // it is about to end
    return MeasureReply{*std::exchange(slot.request_id, std::nullopt), *std::move(outcome)};
  }

  MeasureReply TimedOut(Slot& slot) {
    const double limit_s = static_cast<double>(slot.deadline_ns - slot.sent_ns) / 1e9;
    return Broken(slot, OutcomeKind::kTimeout,
                  absl::StrFormat("no answer within %.3g s; the worker was ", limit_s));
  }

  // Ends the worker and starts another; says how it ended. An error of the start shows when the
  // next candidate is sent.
  std::string Replace(Slot& slot, int grace_ms = WorkerProcess::kExitGraceMs) {
    std::string how = slot.process->End(grace_ms, &dying_);
    slot.process.reset();
    if (!Launch(slot).ok()) slot.process.reset();
    return how;
  }

  MeasureReply Broken(Slot& slot, OutcomeKind kind, std::string what) {
    Outcome outcome;
    outcome.kind = kind;
    outcome.measure_ns = static_cast<double>(clock_.NowNs() - slot.sent_ns);
    outcome.message = what + Replace(slot);
    return MeasureReply{*std::exchange(slot.request_id, std::nullopt), std::move(outcome)};
  }

  const WorkerOptions options_;
  Clock& clock_;
  MeasurerInfo info_;
  DyingProcesses dying_;  // before the slots, whose processes it may outlive
  std::vector<Slot> slots_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Measurer>> MakeWorkerMeasurer(WorkerOptions options, Clock& clock) {
  if (options.argv.empty() || options.workers < 1) {
    return absl::InvalidArgumentError("worker options: argv is empty or workers is below 1");
  }
  auto measurer = std::make_unique<WorkerMeasurer>(std::move(options), clock);
  SEEDTUNE_RETURN_IF_ERROR(measurer->StartAll());
  return measurer;
}

}  // namespace seedtune
