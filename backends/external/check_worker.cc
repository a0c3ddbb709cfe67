#include "backends/external/check_worker.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "autotuner/outcome.h"
#include "backends/external/kernel_message.h"
#include "backends/external/line_worker.h"
#include "backends/external/messages.h"
#include "backends/external/run_reply.h"
#include "backends/external/worker_space.h"
#include "config/config_space.h"
#include "ir/load.h"
#include "matmul_ops/matmul_fact.h"

namespace seedtune {
namespace {

constexpr char kStream[] = "1. The stream", kHello[] = "2. Hello", kSpace[] = "3. Space",
               kCompile[] = "4. Compile", kRun[] = "5. Run", kRelease[] = "6. Release",
               kGoodbye[] = "7. Goodbye", kErrors[] = "8. Errors", kKernels[] = "9. Kernels";
// How many configurations besides the default are compiled and run.
constexpr int kMoreConfigurations = 3;
constexpr int kMinSamples = 3, kMaxSamples = 10;
constexpr double kTargetNs = 5e6;

const char* SectionOf(std::string_view kind) {
  if (kind == "hello") return kHello;
  if (kind == "space") return kSpace;
  if (kind == "compile") return kCompile;
  if (kind == "run") return kRun;
  return kind == "release" ? kRelease : kGoodbye;
}

class Checker {
 public:
  Checker(const CheckOptions& options, Clock& clock) : options_(options), clock_(clock) {}

  CheckReport Run() {
    if (Start() && Hello()) {
      const bool has_space = Space();
      if (has_space && Candidates()) {
        if (info_.max_compiles > 1 || info_.compiles_while_running) Overlap();
      }
      if (worker_) Goodbye();
      worker_.reset();
      EndOfInput();
    }
    return std::move(report_);
  }

 private:
  struct Pending {
    std::string kind;
    int64_t sent_ns = 0;
  };
  // A reply and the line that it stood in.
  struct Reply {
    ExternalReply message;
    std::string line;
    double elapsed_ns = 0;
  };

  void Complain(std::string what, std::string want, const char* section, std::string_view line) {
    AddComplaint(/*is_error=*/true, std::move(what), std::move(want), section, line);
  }
  void Advise(std::string what, std::string want, const char* section, std::string_view line) {
    AddComplaint(/*is_error=*/false, std::move(what), std::move(want), section, line);
  }
  void AddComplaint(bool is_error, std::string what, std::string want, const char* section,
                    std::string_view line) {
    report_.complaints.push_back({.is_error = is_error,
                                  .stage = stage_,
                                  .what = std::move(what),
                                  .want = std::move(want),
                                  .section = section,
                                  .line = std::string(line.substr(0, 1000))});
  }
  // Of a status whose message is "what, want want".
  void ComplainOf(const absl::Status& status, const char* section, std::string_view line) {
    const std::string message(status.message());
    const size_t comma = message.find(", want ");
    Complain(message.substr(0, comma),
             comma == std::string::npos ? "see there" : message.substr(comma + 7), section, line);
  }
  void Pass(std::string what) { report_.passed.push_back(std::move(what)); }

  bool Start() {
    absl::StatusOr<LineWorker> worker = LineWorker::Start(options_.command);
    if (!worker.ok()) {
      Complain(std::string(worker.status().message()), "a command that starts the worker", kStream,
               "");
      return false;
    }
    worker_.emplace(*std::move(worker));
    last_id_ = 0;
    pending_.clear();
    return true;
  }

  int32_t Send(ExternalRequest& request) {
    request.set_id(++last_id_);
    pending_[last_id_] = {std::string(KindName(request)), clock_.NowNs()};
    worker_->Send(RequestLine(request));
    return last_id_;
  }

  // The next line, which has to be a reply to a pending request; there is one. nullopt: there is
  // none, and why has been complained of; the worker is gone.
  std::optional<Reply> Receive(double timeout_ns) {
    const int64_t give_up_ns = clock_.NowNs() + static_cast<int64_t>(timeout_ns);
    const std::string waiting_for = pending_.begin()->second.kind;
    while (true) {
      if (std::optional<std::string> line = worker_->NextLine()) {
        std::optional<Reply> reply = Take(*std::move(line));
        if (!reply) {
          worker_.reset();
          return std::nullopt;
        }
        return reply;
      }
      const absl::Status broken = worker_->Broken();
      const std::string rest(worker_->unfinished_line());
      if (absl::IsOutOfRange(broken)) {
        Complain("it sent a line of more than 1 MiB", "lines of at most 1 MiB", kStream, rest);
      } else if (!broken.ok()) {
        const std::string how = worker_->End();
        Complain(absl::StrCat("it ended in place of answering ", waiting_for, ": it was ", how),
                 "a reply", SectionOf(waiting_for), rest);
      } else if (clock_.NowNs() >= give_up_ns) {
        Complain(rest.empty() ? absl::StrFormat("no reply to %s within %.3g s", waiting_for,
                                                timeout_ns / 1e9)
                              : absl::StrFormat("the reply to %s has no line end, %.3g s later",
                                                waiting_for, timeout_ns / 1e9),
                 rest.empty() ? "one reply to every request; is standard output flushed?"
                              : "a line end after each reply",
                 rest.empty() ? SectionOf(waiting_for) : kStream, rest);
      } else {
        LineWorker* const worker = &*worker_;
        WaitAndExchange({&worker, 1},
                        static_cast<int>((give_up_ns - clock_.NowNs()) / 1'000'000 + 1));
        continue;
      }
      worker_.reset();
      return std::nullopt;
    }
  }

  std::optional<Reply> Take(std::string line) {
    absl::StatusOr<ExternalReply> message = ParseReply(line);
    if (!message.ok()) {
      std::string what = "its standard output is no reply";
      const std::string text(message.status().message());
      if (const size_t which = text.find(", which "); which != std::string::npos) {
        what = absl::StrCat("a line of its standard output ", text.substr(which + 8));
      }
      Complain(what, "one JSON object a line, and nothing else; print to standard error", kStream,
               line);
      return std::nullopt;
    }
    const auto pending = pending_.find(message->id());
    if (pending == pending_.end()) {
      Complain(message->id() > 0 && message->id() <= last_id_
                   ? absl::StrCat("a second reply with id ", message->id())
                   : absl::StrCat("a reply with id ", message->id(), ", which no request has"),
               absl::StrCat("a reply with id ", pending_.begin()->first), kStream, line);
      return std::nullopt;
    }
    const std::string kind = pending->second.kind;
    const auto elapsed_ns = static_cast<double>(clock_.NowNs() - pending->second.sent_ns);
    pending_.erase(pending);
    for (const std::string& field : UnknownReplyFields(line)) {
      Advise(absl::StrCat("field \"", field, "\" is unknown and passed over"),
             "a field of the protocol; is it misspelt?", SectionOf(kind), line);
    }
    if (message->has_error()) {
      if (const absl::Status status = CheckError(message->error(), kind); !status.ok()) {
        ComplainOf(status, kErrors, line);
        return std::nullopt;
      }
    } else if (KindName(*message) != kind) {
      Complain(absl::StrCat("a reply of kind \"", std::string(KindName(*message)),
                            "\" to a request of kind \"", kind, "\""),
               absl::StrCat("{\"id\": ", message->id(), ", \"", kind, "\": {...}}"), kStream, line);
      return std::nullopt;
    }
    return Reply{*std::move(message), std::move(line), elapsed_ns};
  }

  std::optional<Reply> Ask(ExternalRequest request) {
    Send(request);
    return Receive(options_.timeout_ns);
  }

  std::optional<Reply> AskHello() {
    ExternalRequest request;
    request.mutable_hello()->set_protocol_version(kExternalProtocolVersion);
    request.mutable_hello()->set_worker_count(1);
    request.mutable_hello()->set_device(options_.device);
    return Ask(std::move(request));
  }

  bool Hello() {
    stage_ = "hello";
    const std::optional<Reply> reply = AskHello();
    if (!reply) return false;
    if (reply->message.has_error()) {
      Complain(absl::StrCat("it cannot serve here: ", reply->message.error().message()),
               "a hello, to check the rest", kHello, reply->line);
      return false;
    }
    hello_ = reply->message.hello();
    absl::StatusOr<ExternalWorkerInfo> info = ReadHello(hello_, options_.detect);
    if (!info.ok()) {
      ComplainOf(info.status(), kHello, reply->line);
      return false;
    }
    info_ = *std::move(info);
    report_.worker = info_.title;
    if (hello_.kernels().empty()) {
      Advise("hello.kernels is empty", "what it can build, for people and for this check", kHello,
             reply->line);
    }
    if (!info_.checks_results) {
      Advise("hello.checks_results is false: wrong results may win",
             "a worker that compares results with a reference", kHello, reply->line);
    }
    Pass(absl::StrCat("hello: ", info_.title, " on ", info_.info.device.name));
    return true;
  }

  // What to ask it about.
  absl::StatusOr<Kernel> ChooseKernel() const {
    if (options_.kernel) return *options_.kernel;
    for (const ExternalKernelSupport& support : hello_.kernels()) {
      if (support.name() != "matmul") continue;
      const std::string dtype = support.dtypes().empty() ? "f32" : support.dtypes(0);
      absl::StatusOr<Workload> workload = LoadWorkload(absl::StrCat("matmul:128x128x128:", dtype));
      if (!workload.ok()) return workload.status();
      return std::move(workload->entries[0].kernel);
    }
    return absl::InvalidArgumentError(
        "it builds no \"matmul\", want --kernel=external:FUNCTION:NAME=VALUE, since only its "
        "author "
        "knows its parameters");
  }

  bool Space() {
    stage_ = "space";
    absl::StatusOr<Kernel> kernel = ChooseKernel();
    if (!kernel.ok()) {
      ComplainOf(kernel.status(), kKernels, "");
      return false;
    }
    absl::StatusOr<ExternalKernel> message = MakeExternalKernel(*kernel);
    if (!message.ok()) {
      ComplainOf(message.status(), kKernels, "");
      return false;
    }
    kernel_ = *std::move(message);
    ExternalRequest request;
    *request.mutable_space()->mutable_kernel() = kernel_;
    const std::optional<Reply> reply = Ask(request);
    if (!reply) return false;
    if (reply->message.has_error()) {
      Complain(absl::StrCat("it cannot build \"", kernel->name,
                            "\": ", reply->message.error().message()),
               "a kernel that it can build; name one with --kernel", kSpace, reply->line);
      return false;
    }
    absl::StatusOr<WorkerSpace> space =
        ReadWorkerSpace(reply->message.space(), ExtractMatmulFacts(*kernel), info_.info.device);
    if (!space.ok()) {
      ComplainOf(space.status(), kSpace, reply->line);
      return false;
    }
    space_ = space->space;
    const std::optional<Reply> again = Ask(request);
    if (!again) return false;
    if (again->message.space().SerializeAsString() != reply->message.space().SerializeAsString()) {
      Complain("asked again for the same kernel, it gives another space",
               "the same space every time: records are filed under it", kSpace, again->line);
      return false;
    }
    Pass(absl::StrCat("space: ", space_->name(), ", ", space_->knobs().size(),
                      space_->knobs().size() == 1 ? " knob" : " knobs",
                      space->heuristics.empty()
                          ? ""
                          : absl::StrCat(", ours, with the heuristics of ", space->heuristics)));
    return true;
  }

  ExternalRequest CompileRequest(const Config& config) const {
    ExternalRequest request;
    *request.mutable_compile()->mutable_kernel() = kernel_;
    *request.mutable_compile()->mutable_config() = ConfigToStruct(config);
    request.mutable_compile()->set_timeout_ns(options_.timeout_ns);
    return request;
  }

  ExternalRequest RunRequest(int32_t candidate, double drop_above_ns = 0) const {
    ExternalRequest request;
    ExternalRequest::Run& run = *request.mutable_run();
    run.set_candidate(candidate);
    run.set_min_samples(kMinSamples);
    run.set_max_samples(kMaxSamples);
    run.set_target_ns(kTargetNs);
    run.set_drop_above_ns(drop_above_ns);
    run.set_check_result(true);
    run.set_data_seed(42);
    run.set_timeout_ns(options_.timeout_ns);
    return request;
  }

  // The compile request's id; 0: it does not compile, which is allowed. nullopt: the worker is
  // gone.
  std::optional<int32_t> CompileOne(const Config& config) {
    stage_ = "compile";
    const std::optional<Reply> reply = Ask(CompileRequest(config));
    if (!reply) return std::nullopt;
    const int32_t id = last_id_;
    if (reply->message.has_error()) {
      if (config == space_->Default()) {
        Advise(absl::StrCat("the space's default does not compile: ",
                            reply->message.error().message()),
               "a default that works: it is what others are compared with", kSpace, reply->line);
      }
      if (reply->message.error().restart()) return Restarted();
      return 0;
    }
    if (!(reply->message.compile().compile_ns() >= 0)) {
      Complain(absl::StrCat("compile.compile_ns is ", reply->message.compile().compile_ns()),
               "nanoseconds, or 0", kCompile, reply->line);
    }
    return id;
  }

  // It asked for a new start; it gets one. As CompileOne.
  std::optional<int32_t> Restarted() {
    worker_->End();
    if (!Start() || !AskHello()) return std::nullopt;
    return 0;
  }

  // Whether the worker is still there.
  bool RunOne(int32_t candidate, bool is_default) {
    stage_ = "run";
    const std::optional<Reply> reply = Ask(RunRequest(candidate));
    if (!reply) return false;
    if (reply->message.has_error()) {
      if (is_default) {
        Advise(absl::StrCat("the space's default does not run: ", reply->message.error().kind(),
                            ": ", reply->message.error().message()),
               "a default that works: it is what others are compared with", kSpace, reply->line);
      }
      return !reply->message.error().restart() || Restarted().has_value();
    }
    const ExternalReply::Run& run = reply->message.run();
    const absl::StatusOr<Outcome> outcome = ReadRun(run, {.drop_above_ns = 0,
                                                          .elapsed_ns = reply->elapsed_ns,
                                                          .want_check = info_.checks_results,
                                                          .simulated_time = info_.simulated_time});
    if (!outcome.ok()) {
      ComplainOf(outcome.status(), kRun, reply->line);
    } else if (run.samples_ns_size() < kMinSamples || run.samples_ns_size() > kMaxSamples) {
      Complain(absl::StrCat("run.samples_ns has ", run.samples_ns_size(), " samples"),
               absl::StrCat("min_samples to max_samples, ", kMinSamples, " to ", kMaxSamples), kRun,
               reply->line);
    } else if (std::adjacent_find(run.samples_ns().begin(), run.samples_ns().end(),
                                  std::not_equal_to<>()) == run.samples_ns().end()) {
      Advise("all samples are the same number", "each run's own time, not an average over them",
             kRun, reply->line);
    }
    return true;
  }

  // Asks for what it must refuse. Whether the worker is still there.
  bool RunOfNothing(int32_t candidate, const std::string& what) {
    stage_ = "run";
    const std::optional<Reply> reply = Ask(RunRequest(candidate));
    if (!reply) return false;
    if (!reply->message.has_error()) {
      Complain(absl::StrCat("it says that it ran ", what),
               "an error of kind \"launch_error\" for a candidate that it does not hold", kRun,
               reply->line);
    }
    return true;
  }

  bool ReleaseOne(int32_t candidate) {
    stage_ = "release";
    ExternalRequest request;
    request.mutable_release()->set_candidate(candidate);
    return Ask(std::move(request)).has_value();
  }

  bool Candidates() {
    const size_t complaints = report_.complaints.size();
    std::vector<Config> configs = {space_->Default()};
    std::mt19937_64 random(1);
    for (int i = 0; i < kMoreConfigurations; ++i) configs.push_back(space_->Sample(random));
    int compiled = 0;
    for (const Config& config : configs) {
      const std::optional<int32_t> candidate = CompileOne(config);
      if (!candidate) return false;
      if (*candidate == 0) continue;
      const bool is_default = config == space_->Default();
      if (!RunOne(*candidate, is_default) || !RunOne(*candidate, is_default)) return false;
      if (++compiled == 1) {
        if (!DropsEarly(*candidate) ||
            !RunOfNothing(1'000'000, "a candidate that nobody compiled")) {
          return false;
        }
      }
      if (!ReleaseOne(*candidate)) return false;
      if (compiled == 1 && !RunOfNothing(*candidate, "a candidate that was released")) return false;
    }
    if (compiled == 0) {
      stage_ = "compile";
      Complain(absl::StrCat("none of ", configs.size(), " configurations compiles"),
               "a space whose configurations mostly do", kCompile, "");
      return false;
    }
    if (report_.complaints.size() == complaints) {
      Pass(absl::StrCat("compile, run, release: ", compiled, " of ", configs.size(),
                        " configurations, each run twice"));
    }
    return true;
  }

  bool DropsEarly(int32_t candidate) {
    stage_ = "run";
    const std::optional<Reply> reply = Ask(RunRequest(candidate, /*drop_above_ns=*/1));
    if (!reply) return false;
    if (!reply->message.has_error() && !reply->message.run().has_lower_bound_ns()) {
      Advise(
          "a candidate slower than drop_above_ns is timed to the end",
          "lower_bound_ns after two samples above drop_above_ns: it saves most of the time spent "
          "on slow ones",
          kRun, reply->line);
    }
    return true;
  }

  // As much at once as hello promises to take.
  void Overlap() {
    const size_t complaints = report_.complaints.size();
    stage_ = "compile";
    int32_t running = 0;
    if (info_.compiles_while_running) {
      const std::optional<int32_t> candidate = CompileOne(space_->Default());
      if (!candidate) return;
      running = *candidate;
    }
    std::mt19937_64 random(2);
    for (int i = 0; i < info_.max_compiles; ++i) {
      ExternalRequest request = CompileRequest(space_->Sample(random));
      Send(request);
    }
    if (running != 0) {
      ExternalRequest request = RunRequest(running);
      Send(request);
    }
    const size_t sent = pending_.size();
    while (!pending_.empty()) {
      if (!Receive(options_.timeout_ns)) return;
    }
    if (report_.complaints.size() == complaints) {
      Pass(absl::StrCat("at once: ", sent, " requests, each answered once"));
    }
  }

  void Goodbye() {
    stage_ = "goodbye";
    ExternalRequest request;
    request.mutable_goodbye();
    Send(request);
    const std::optional<Reply> reply = Receive(options_.goodbye_timeout_ns);
    if (reply) ExpectEnd("goodbye", /*want_status=*/true);
  }

  void EndOfInput() {
    stage_ = "end of input";
    if (!Start() || !AskHello()) return;
    ExpectEnd("the end of standard input", /*want_status=*/false);
  }

  // That it goes by itself, soon, and leaves nobody behind.
  void ExpectEnd(std::string_view after, bool want_status) {
    const char* section = want_status ? kGoodbye : kStream;
    const int grace_ms = static_cast<int>(options_.goodbye_timeout_ns / 1e6);
    const std::string how = worker_->End(grace_ms);
    worker_.reset();
    if (absl::StartsWith(how, "killed by signal 9")) {
      Complain(absl::StrFormat("it is still there %.3g s after %s",
                               options_.goodbye_timeout_ns / 1e9, after),
               "it to exit", section, "");
    } else if (want_status && !absl::StartsWith(how, "exited with status 0")) {
      Complain(absl::StrCat("after ", std::string(after), " it was ", how), "exit status 0",
               section, "");
    } else {
      Pass(absl::StrCat("exits after ", std::string(after)));
    }
  }

  const CheckOptions& options_;
  Clock& clock_;
  CheckReport report_;
  std::string stage_ = "start";
  std::optional<LineWorker> worker_;
  int32_t last_id_ = 0;
  std::map<int32_t, Pending> pending_;  // by request id
  ExternalReply::Hello hello_;
  ExternalWorkerInfo info_;
  ExternalKernel kernel_;
  std::shared_ptr<const ConfigSpace> space_;
};

}  // namespace

bool CheckReport::ok() const {
  return std::none_of(complaints.begin(), complaints.end(),
                      [](const Complaint& complaint) { return complaint.is_error; });
}

CheckReport CheckWorker(const CheckOptions& options, Clock& clock) {
  return Checker(options, clock).Run();
}

}  // namespace seedtune
