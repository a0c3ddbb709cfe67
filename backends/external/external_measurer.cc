#include "backends/external/external_measurer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "backends/external/dispatcher.h"
#include "backends/external/kernel_message.h"
#include "backends/external/line_worker.h"
#include "backends/external/messages.h"
#include "backends/external/run_reply.h"
#include "hardware/hardware_info.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

constexpr int kMostFailedStarts = 3;

// A request that is not answered yet.
struct Pending {
  std::string_view kind;
  int64_t job = 0;        // compile, run
  int64_t candidate = 0;  // compile
  int64_t sent_ns = 0;
  int64_t deadline_ns = 0;
};

enum class State { kDown, kStarting, kUp, kRemoved };

struct Worker {
  std::string command;
  State state = State::kDown;
  std::optional<LineWorker> process;
  int32_t last_id = 0;
  std::map<int32_t, Pending> pending;     // by request id
  std::map<int64_t, int32_t> candidates;  // the ids of their compile requests
  std::shared_ptr<const Kernel> kernel;   // that it has made inputs for
  uint64_t data_seed = 0;
  int failed_starts = 0;  // in a row
  std::optional<ExternalReply> space_reply;
};

// A candidate under way.
struct Job {
  MeasureRequest request;
  double compile_ns = 0;
};

int32_t SmallSeed(uint64_t seed) {
  return static_cast<int32_t>((seed ^ (seed >> 31)) & 0x7fffffff);
}

class Session : public ExternalMeasurer {
 public:
  Session(ExternalOptions options, Clock& clock)
      : options_(std::move(options)), clock_(clock), compile_limit_(options_.compile_limit) {
    for (const std::string& command : options_.commands) workers_.emplace_back().command = command;
  }

  ~Session() override {
    std::vector<LineWorker*> leaving;
    for (Worker& worker : workers_) {
      if (!worker.process) continue;
      if (worker.state != State::kUp || !worker.pending.empty()) {
        worker.process->End();
        continue;
      }
      ExternalRequest request;
      request.mutable_goodbye();
      Send(worker, request, Pending{.kind = "goodbye"}, options_.goodbye_timeout_ns);
      leaving.push_back(&*worker.process);
    }
    // All at once, and no longer than it takes them.
    const int64_t give_up_ns = After(options_.goodbye_timeout_ns);
    while (!leaving.empty() && clock_.NowNs() < give_up_ns) {
      WaitAndExchange(leaving, MsUntil(give_up_ns));
      std::erase_if(leaving, [](LineWorker* worker) { return !worker->Broken().ok(); });
    }
    for (LineWorker* worker : leaving) worker->End(/*grace_ms=*/0);
  }

  // Until all have said hello, or one has failed to.
  absl::Status StartAll() {
    for (Worker& worker : workers_) SEEDTUNE_RETURN_IF_ERROR(Start(worker));
    while (true) {
      bool is_starting = false;
      for (Worker& worker : workers_) {
        if (worker.state == State::kDown) return start_failure_;
        is_starting = is_starting || worker.state == State::kStarting;
      }
      if (!is_starting) break;
      Turn(After(options_.start_timeout_ns));
    }
    std::vector<Dispatcher::Limits> limits(workers_.size(),
                                           {.max_compiles = info_->max_compiles,
                                            .compiles_while_running = info_->compiles_while_running,
                                            .max_candidates = info_->max_candidates});
    dispatcher_.emplace(limits);
    for (size_t i = 0; i < workers_.size(); ++i) dispatcher_->Up(static_cast<int>(i));
    return absl::OkStatus();
  }

  const MeasurerInfo& info() const override { return info_->info; }
  const ExternalWorkerInfo& worker() const override { return *info_; }
  int capacity() const override { return dispatcher_->capacity(); }

  absl::StatusOr<WorkerSpace> SpaceOf(const Kernel& kernel,
                                      std::span<const MatmulFact> facts) override {
    ExternalRequest request;
    SEEDTUNE_ASSIGN_OR_RETURN(*request.mutable_space()->mutable_kernel(),
                              MakeExternalKernel(kernel));
    const auto error = [&](absl::StatusCode code, std::string_view what) {
      return absl::Status(code, absl::StrCat("worker ", info_->title, ", asked for the space of \"",
                                             kernel.name, "\": ", std::string(what)));
    };
    SEEDTUNE_ASSIGN_OR_RETURN(Worker* const up, AnyUp());
    up->space_reply.reset();
    Send(*up, request, Pending{.kind = "space"}, options_.space_timeout_ns);
    while (!up->space_reply) {
      if (up->state != State::kUp) return error(absl::StatusCode::kUnavailable, last_trouble_);
      Turn(After(options_.space_timeout_ns));
    }
    const ExternalReply reply = *std::exchange(up->space_reply, std::nullopt);
    if (reply.has_error()) {
      return error(absl::StatusCode::kUnimplemented, reply.error().message());
    }
    absl::StatusOr<WorkerSpace> space = ReadWorkerSpace(reply.space(), facts, info_->info.device);
    if (!space.ok()) return error(space.status().code(), std::string(space.status().message()));
    return space;
  }

  absl::Status Submit(MeasureRequest request) override {
    if (static_cast<int>(jobs_.size()) >= capacity()) {
      return absl::FailedPreconditionError(
          absl::StrCat("all ", capacity(), " places are taken, want a call of Wait first"));
    }
    SEEDTUNE_RETURN_IF_ERROR(Describe(request.kernel));
    const int64_t id = ++last_job_;
    dispatcher_->Add(id, absl::StrCat(kernel_fingerprint_, request.config.ToJson()));
    jobs_[id].request = std::move(request);
    Pump();
    return absl::OkStatus();
  }

  std::vector<int64_t> GiveUp(std::span<const int64_t> ids) override {
    std::vector<int64_t> given_up;
    std::erase_if(jobs_, [&](const auto& job) {
      const int64_t id = job.second.request.id;
      if (std::find(ids.begin(), ids.end(), id) == ids.end() || !dispatcher_->GiveUp(job.first)) {
        return false;
      }
      given_up.push_back(id);
      return true;
    });
    return given_up;
  }

  absl::StatusOr<std::vector<MeasureReply>> Wait(int64_t timeout_ns) override {
    const int64_t give_up_ns = After(static_cast<double>(timeout_ns));
    while (true) {
      Pump();
      if (!replies_.empty()) return std::exchange(replies_, {});
      if (jobs_.empty()) return std::vector<MeasureReply>();
      if (!dispatcher_->has_workers()) {
        return absl::UnavailableError(absl::StrCat("no worker is left: ", last_trouble_));
      }
      if (clock_.NowNs() >= give_up_ns) return std::vector<MeasureReply>();
      Turn(give_up_ns);
    }
  }

 private:
  int64_t After(double ns) const {
    // Far enough, and no overflow.
    return clock_.NowNs() + static_cast<int64_t>(std::clamp(ns, 0.0, 1e18));
  }
  int MsUntil(int64_t deadline_ns) const {
    return static_cast<int>(
        std::clamp<int64_t>((deadline_ns - clock_.NowNs()) / 1'000'000 + 1, 0, 60'000));
  }
  int IndexOf(const Worker& worker) const { return static_cast<int>(&worker - workers_.data()); }

  // Makes the kernel the one that is written down: a run asks about the same one again and again.
  absl::Status Describe(const std::shared_ptr<const Kernel>& kernel) {
    if (kernel == kernel_) return absl::OkStatus();
    SEEDTUNE_ASSIGN_OR_RETURN(const ExternalKernel message, MakeExternalKernel(*kernel));
    kernel_json_ = KernelJson(message);
    kernel_fingerprint_ = message.fingerprint();
    kernel_ = kernel;
    return absl::OkStatus();
  }

  // One that can be asked, started anew if it has to be.
  absl::StatusOr<Worker*> AnyUp() {
    for (Worker& worker : workers_) {
      if (worker.state == State::kDown) SEEDTUNE_RETURN_IF_ERROR(Start(worker));
      while (worker.state == State::kStarting) Turn(After(options_.start_timeout_ns));
      if (worker.state == State::kUp) return &worker;
    }
    return absl::UnavailableError(absl::StrCat("no worker is left: ", last_trouble_));
  }

  // A compile request has no kernel yet: it is the one that was described last.
  int32_t Send(Worker& worker, ExternalRequest& request, Pending pending, double timeout_ns) {
    const int32_t id = ++worker.last_id;
    request.set_id(id);
    pending.sent_ns = clock_.NowNs();
    pending.deadline_ns = After(timeout_ns);
    worker.pending[id] = pending;
    worker.process->Send(request.has_compile() ? CompileLine(request, kernel_json_)
                                               : RequestLine(request));
    return id;
  }

  absl::Status Start(Worker& worker) {
    SEEDTUNE_ASSIGN_OR_RETURN(worker.process, LineWorker::Start(worker.command));
    worker.last_id = 0;
    worker.pending.clear();
    worker.candidates.clear();
    worker.kernel.reset();
    worker.state = State::kStarting;
    ExternalRequest request;
    request.mutable_hello()->set_protocol_version(kExternalProtocolVersion);
    request.mutable_hello()->set_worker_index(IndexOf(worker));
    request.mutable_hello()->set_worker_count(static_cast<int32_t>(workers_.size()));
    request.mutable_hello()->set_device(options_.device);
    Send(worker, request, Pending{.kind = "hello"}, options_.start_timeout_ns);
    return absl::OkStatus();
  }

  // Brings up who is down and does what the dispatcher says.
  void Pump() {
    for (Worker& worker : workers_) {
      if (worker.state != State::kDown || !dispatcher_->has_jobs()) continue;
      if (const absl::Status status = Start(worker); !status.ok()) {
        FailedStart(worker, std::string(status.message()));
      }
    }
    while (const std::optional<Dispatcher::Action> action = dispatcher_->Next()) {
      Worker& worker = workers_[action->worker];
      switch (action->kind) {
        case Dispatcher::Action::Kind::kCompile:
          Compile(worker, *action);
          break;
        case Dispatcher::Action::Kind::kRun:
          Run(worker, *action);
          break;
        case Dispatcher::Action::Kind::kRelease: {
          ExternalRequest request;
          const auto candidate = worker.candidates.extract(action->candidate);
          request.mutable_release()->set_candidate(candidate.mapped());
          Send(worker, request, Pending{.kind = "release"}, options_.space_timeout_ns);
          break;
        }
      }
    }
  }

  void Compile(Worker& worker, const Dispatcher::Action& action) {
    const Job& job = jobs_.at(action.job);
    ExternalRequest request;
    ExternalRequest::Compile& compile = *request.mutable_compile();
    // Submit has done so once without an error.
    (void)Describe(job.request.kernel);
    *compile.mutable_config() = ConfigToStruct(job.request.config);
    compile.set_timeout_ns(compile_limit_.limit_ns());
    worker.candidates[action.candidate] =
        Send(worker, request,
             Pending{.kind = "compile", .job = action.job, .candidate = action.candidate},
             compile_limit_.limit_ns());
  }

  void Run(Worker& worker, const Dispatcher::Action& action) {
    const MeasureRequest& asked = jobs_.at(action.job).request;
    ExternalRequest request;
    ExternalRequest::Run& run = *request.mutable_run();
    run.set_candidate(worker.candidates.at(action.candidate));
    run.set_min_samples(asked.min_samples);
    run.set_max_samples(asked.max_samples);
    run.set_target_ns(asked.target_measure_ns);
    run.set_drop_above_ns(asked.drop_above_ns);
    run.set_check_result(asked.check_result);
    run.set_data_seed(SmallSeed(asked.data_seed));
    double timeout_ns = asked.timeout_ns;
    if (worker.kernel != asked.kernel || worker.data_seed != asked.data_seed) {
      timeout_ns += options_.setup_timeout_ns;
      worker.kernel = asked.kernel;
      worker.data_seed = asked.data_seed;
    }
    run.set_timeout_ns(timeout_ns);
    Send(worker, request, Pending{.kind = "run", .job = action.job}, timeout_ns);
  }

  // Sleeps until something happens, at most until then, and sees to it.
  void Turn(int64_t until_ns) {
    std::vector<LineWorker*> processes;
    for (Worker& worker : workers_) {
      if (!worker.process) continue;
      processes.push_back(&*worker.process);
      for (const auto& [id, pending] : worker.pending) {
        until_ns = std::min(until_ns, pending.deadline_ns);
      }
    }
    WaitAndExchange(processes, MsUntil(until_ns));
    for (Worker& worker : workers_) {
      while (worker.process) {
        const std::optional<std::string> line = worker.process->NextLine();
        if (!line) break;
        TakeLine(worker, *line);
      }
      if (worker.process) NoticeEnd(worker);
      if (worker.process) NoticeTimeout(worker);
    }
  }

  void TakeLine(Worker& worker, const std::string& line) {
    absl::StatusOr<ExternalReply> reply = ParseReply(line);
    if (!reply.ok()) {
      return Broke(worker, absl::StrCat("sent ", std::string(reply.status().message())));
    }
    const auto pending = worker.pending.find(reply->id());
    if (pending == worker.pending.end()) {
      return Broke(worker, absl::StrCat("sent ", Excerpt(line), ", whose id, ", reply->id(),
                                        ", no request has that waits for a reply"));
    }
    const Pending request = pending->second;
    worker.pending.erase(pending);
    absl::Status status;
    if (reply->has_error()) {
      status = CheckError(reply->error(), request.kind);
    } else if (KindName(*reply) != request.kind) {
      status = absl::InvalidArgumentError(
          absl::StrCat("a reply of kind \"", std::string(KindName(*reply)),
                       "\" to a request of kind \"", std::string(request.kind), "\""));
    }
    if (request.kind == "hello") {
      if (status.ok() && reply->has_error()) {
        status = absl::UnavailableError(absl::StrCat("cannot serve: ", reply->error().message()));
      } else if (status.ok()) {
        status = TakeHello(worker, reply->hello());
      }
      if (!status.ok()) FailedStart(worker, std::string(status.message()));
    } else if (!status.ok()) {
      Misbehaved(worker, request, status);
    } else if (request.kind == "space") {
      worker.space_reply = *std::move(reply);
    } else if (request.kind == "compile") {
      TakeCompiled(worker, request, *reply);
    } else if (request.kind == "run") {
      TakeRan(worker, request, *reply);
    }
  }

  absl::Status TakeHello(Worker& worker, const ExternalReply::Hello& hello) {
    SEEDTUNE_ASSIGN_OR_RETURN(ExternalWorkerInfo info, ReadHello(hello, options_.detect));
    if (!info_) {
      info_ = std::move(info);
    } else {
      SEEDTUNE_RETURN_IF_ERROR(CheckSame(info));
    }
    worker.state = State::kUp;
    worker.failed_starts = 0;
    if (dispatcher_) dispatcher_->Up(IndexOf(worker));
    return absl::OkStatus();
  }

  // The workers of one session measure for one record.
  absl::Status CheckSame(const ExternalWorkerInfo& info) const {
    const auto differs = [](std::string_view what, const std::string& here,
                            const std::string& first) {
      return absl::InvalidArgumentError(
          absl::StrCat("its ", std::string(what), " is \"", here, "\", the first worker's is \"",
                       first, "\", want the same; tune on unlike devices in runs of their own"));
    };
    const MeasurerInfo &here = info.info, &first = info_->info;
    if (DeviceKey(here.device) != DeviceKey(first.device)) {
      return differs("device", DeviceKey(here.device), DeviceKey(first.device));
    }
    if (here.device.driver_version != first.device.driver_version) {
      return differs("driver", here.device.driver_version, first.device.driver_version);
    }
    if (here.code_generator_version != first.code_generator_version) {
      return differs("code generator", here.code_generator_version, first.code_generator_version);
    }
    if (here.compiler_version != first.compiler_version) {
      return differs("compiler", here.compiler_version, first.compiler_version);
    }
    if (info.max_compiles != info_->max_compiles || info.max_candidates != info_->max_candidates ||
        info.compiles_while_running != info_->compiles_while_running) {
      return absl::InvalidArgumentError(
          "its max_compiles, max_candidates and compiles_while_running are not the first "
          "worker's, want the same");
    }
    return absl::OkStatus();
  }

  void TakeCompiled(Worker& worker, const Pending& request, const ExternalReply& reply) {
    const auto took_ns = static_cast<double>(clock_.NowNs() - request.sent_ns);
    if (reply.has_error()) {
      worker.candidates.erase(request.candidate);
      Outcome outcome = FailureOf(reply.error());
      outcome.compile_ns = took_ns;
      if (reply.error().restart()) return Restart(worker, request.job, std::move(outcome));
      dispatcher_->CompileFailed(request.job);
      return Answer(request.job, std::move(outcome));
    }
    const double said_ns = reply.compile().compile_ns();
    if (!std::isfinite(said_ns) || said_ns < 0) {
      return Misbehaved(worker, request,
                        absl::InvalidArgumentError(absl::StrCat("compile.compile_ns is ", said_ns,
                                                                ", want nanoseconds, or 0")));
    }
    compile_limit_.Took(took_ns);
    const auto job = jobs_.find(request.job);
    if (job != jobs_.end()) job->second.compile_ns = said_ns > 0 ? said_ns : took_ns;
    dispatcher_->Compiled(request.job);
  }

  void TakeRan(Worker& worker, const Pending& request, const ExternalReply& reply) {
    const Job& job = jobs_.at(request.job);
    const auto elapsed_ns = static_cast<double>(clock_.NowNs() - request.sent_ns);
    absl::StatusOr<Outcome> outcome = FailureOf(reply.error());
    if (!reply.has_error()) {
      outcome =
          ReadRun(reply.run(), {.drop_above_ns = job.request.drop_above_ns,
                                .elapsed_ns = elapsed_ns,
                                .want_check = job.request.check_result && info_->checks_results,
                                .simulated_time = info_->simulated_time});
      if (!outcome.ok()) return Misbehaved(worker, request, outcome.status());
    }
    outcome->compile_ns = job.compile_ns;
    outcome->measure_ns = elapsed_ns;
    if (reply.has_error() && reply.error().restart()) {
      return Restart(worker, request.job, *std::move(outcome));
    }
    dispatcher_->Ran(request.job, outcome->objective_ns());
    Answer(request.job, *std::move(outcome));
  }

  static Outcome FailureOf(const ExternalReply::Error& error) {
    Outcome outcome;
    // CheckError has seen to it that there is such a kind.
    outcome.kind = ParseOutcomeKind(error.kind()).value_or(OutcomeKind::kCrash);
    outcome.message = error.message();
    return outcome;
  }

  // Of a job that was given up nobody hears.
  void Answer(int64_t job, Outcome outcome) {
    const auto answered = jobs_.extract(job);
    if (answered.empty()) return;
    replies_.push_back({answered.mapped().request.id, std::move(outcome)});
  }

  // Ends the process and says how it ended.
  std::string Kill(Worker& worker) {
    std::string how = worker.process->End();
    worker.process.reset();
    worker.pending.clear();
    worker.candidates.clear();
    worker.state = State::kDown;
    return how;
  }

  // The worker said itself that it is of no more use, or one job made it so.
  void Restart(Worker& worker, int64_t job, Outcome outcome) {
    Kill(worker);
    dispatcher_->Ended(IndexOf(worker), job);
    Answer(job, std::move(outcome));
  }

  // It did to one request what it may not.
  void Misbehaved(Worker& worker, const Pending& request, const absl::Status& status) {
    const std::string how = Kill(worker);
    last_trouble_ =
        absl::StrCat("the worker sent ", std::string(status.message()), "; it was then ", how);
    if (request.job == 0) return BlameThoseUnderWay(worker);
    dispatcher_->Ended(IndexOf(worker), request.job);
    Answer(request.job, CrashOf(last_trouble_, request.sent_ns));
  }

  // It did something that is nobody's in particular.
  void Broke(Worker& worker, const std::string& what) {
    if (worker.state == State::kStarting) return FailedStart(worker, absl::StrCat("it ", what));
    const std::string how = Kill(worker);
    last_trouble_ = absl::StrCat("the worker ", what, "; it was then ", how);
    BlameThoseUnderWay(worker);
  }

  void BlameThoseUnderWay(Worker& worker) {
    for (const int64_t job : dispatcher_->Died(IndexOf(worker))) {
      Answer(job, CrashOf(last_trouble_, /*sent_ns=*/0));
    }
  }

  Outcome CrashOf(const std::string& message, int64_t sent_ns) const {
    Outcome outcome;
    outcome.kind = OutcomeKind::kCrash;
    outcome.message = message;
    if (sent_ns > 0) outcome.measure_ns = static_cast<double>(clock_.NowNs() - sent_ns);
    return outcome;
  }

  void NoticeEnd(Worker& worker) {
    const absl::Status broken = worker.process->Broken();
    if (broken.ok()) return;
    if (absl::IsOutOfRange(broken)) {
      return Broke(worker, absl::StrCat("sent ", std::string(broken.message())));
    }
    const std::string rest(worker.process->unfinished_line());
    const std::string also =
        rest.empty() ? "" : absl::StrCat(" after ", Excerpt(rest), " without an end of line");
    if (worker.state == State::kStarting) return FailedStart(worker, "no hello" + also);
    last_trouble_ = absl::StrCat("the worker ", Kill(worker), also);
    BlameThoseUnderWay(worker);
  }

  void NoticeTimeout(Worker& worker) {
    const int64_t now_ns = clock_.NowNs();
    const auto late =
        std::find_if(worker.pending.begin(), worker.pending.end(),
                     [&](const auto& pending) { return now_ns >= pending.second.deadline_ns; });
    if (late == worker.pending.end()) return;
    const Pending request = late->second;
    const double limit_s = static_cast<double>(request.deadline_ns - request.sent_ns) / 1e9;
    const std::string what =
        absl::StrFormat("no answer to %s within %.3g s", request.kind, limit_s);
    if (worker.state == State::kStarting) return FailedStart(worker, what);
    last_trouble_ = absl::StrCat(what, "; the worker was ", Kill(worker));
    if (request.job == 0) return BlameThoseUnderWay(worker);
    if (request.kind == "compile") compile_limit_.Cut();
    Outcome outcome = CrashOf(last_trouble_, request.sent_ns);
    outcome.kind = OutcomeKind::kTimeout;
    dispatcher_->Ended(IndexOf(worker), request.job);
    Answer(request.job, std::move(outcome));
  }

  // At first: all is over. Later: it is tried again, but not for ever.
  void FailedStart(Worker& worker, const std::string& what) {
    const std::string how = worker.process ? absl::StrCat("; it was ", Kill(worker)) : "";
    worker.state = State::kDown;
    last_trouble_ = absl::StrCat("worker ", IndexOf(worker) + 1, " of ", workers_.size(), " (`",
                                 worker.command, "`) did not start: ", what, how);
    start_failure_ = absl::UnavailableError(last_trouble_);
    if (!dispatcher_ || ++worker.failed_starts < kMostFailedStarts) return;
    worker.state = State::kRemoved;
    dispatcher_->Remove(IndexOf(worker));
  }

  const ExternalOptions options_;
  Clock& clock_;
  AdaptiveLimit compile_limit_;
  std::vector<Worker> workers_;
  std::optional<ExternalWorkerInfo> info_;  // of the first that said hello
  std::optional<Dispatcher> dispatcher_;    // once all have
  std::shared_ptr<const Kernel> kernel_;    // what the next two are of
  std::string kernel_json_, kernel_fingerprint_;
  int64_t last_job_ = 0;
  std::map<int64_t, Job> jobs_;  // those whose answer is waited for
  std::vector<MeasureReply> replies_;
  std::string last_trouble_;
  absl::Status start_failure_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ExternalMeasurer>> StartExternalMeasurer(ExternalOptions options,
                                                                        Clock& clock) {
  if (options.commands.empty()) {
    return absl::InvalidArgumentError("no worker is named, want the command that starts one");
  }
  auto session = std::make_unique<Session>(std::move(options), clock);
  SEEDTUNE_RETURN_IF_ERROR(session->StartAll());
  return session;
}

}  // namespace seedtune
