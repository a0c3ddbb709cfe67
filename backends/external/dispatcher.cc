#include "backends/external/dispatcher.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace seedtune {
namespace {

// A worker with nothing under way that dies is odd; a job that sees it happen this often is its
// cause.
constexpr int kMostIdleDeaths = 3;

}  // namespace

Dispatcher::Dispatcher(const std::vector<Limits>& workers) {
  for (const Limits& limits : workers) {
    workers_.emplace_back().limits = limits;
  }
}

int Dispatcher::capacity() const {
  int capacity = 0;
  for (const Worker& worker : workers_) {
    if (worker.is_removed) continue;
    // While one runs and one is ready to follow it, all compilers have something to do.
    capacity += worker.limits.max_compiles + (worker.limits.compiles_while_running ? 2 : 0);
  }
  return std::max(capacity, 1);
}

void Dispatcher::Add(int64_t job, std::string key) {
  jobs_[job].key = std::move(key);
  waiting_.push_back(job);
}

bool Dispatcher::MayRun(const Worker& worker, bool is_suspect) const {
  if (!worker.is_up || worker.running > 0) return false;
  if (is_suspect || !worker.limits.compiles_while_running) return worker.compiling == 0;
  return !worker.is_alone;
}

bool Dispatcher::MayCompile(const Worker& worker, bool is_suspect) const {
  if (!worker.is_up || worker.is_alone) return false;
  if (is_suspect) return IsIdle(worker) && worker.ready == 0;
  if (!worker.limits.compiles_while_running && worker.running > 0) return false;
  // One more than compile at once may stand ready, to follow the one that runs.
  const int ahead = worker.limits.max_compiles + (worker.limits.compiles_while_running ? 1 : 0);
  return worker.compiling < worker.limits.max_compiles && worker.compiling + worker.ready < ahead;
}

int Dispatcher::Home() const {
  for (size_t i = 0; i < workers_.size(); ++i) {
    if (!workers_[i].is_removed) return workers_[i].is_up ? static_cast<int>(i) : -1;
  }
  return -1;
}

int Dispatcher::LeastLoaded(bool is_suspect) const {
  int best = -1;
  const auto load = [](const Worker& worker) {
    return static_cast<double>(worker.compiling + worker.ready + worker.running) /
           worker.limits.max_compiles;
  };
  for (size_t i = 0; i < workers_.size(); ++i) {
    if (!MayCompile(workers_[i], is_suspect)) continue;
    if (workers_[i].held >= workers_[i].limits.max_candidates && !Victim(static_cast<int>(i))) {
      continue;
    }
    if (best < 0 || load(workers_[i]) < load(workers_[best])) best = static_cast<int>(i);
  }
  return best;
}

std::optional<int64_t> Dispatcher::Victim(int worker) const {
  std::optional<int64_t> victim;
  // Those that were timed again stay longest: they will be once more.
  const auto worth = [&](int64_t id) {
    const Candidate& candidate = candidates_.at(id);
    return std::pair(candidate.runs > 1 && std::isfinite(candidate.best_ns), -candidate.best_ns);
  };
  for (const auto& [id, candidate] : candidates_) {
    if (candidate.worker != worker || candidate.job) continue;
    if (!victim || worth(id) < worth(*victim)) victim = id;
  }
  return victim;
}

std::optional<int64_t> Dispatcher::IdleCandidate(int worker, const std::string& key) const {
  for (const auto& [id, candidate] : candidates_) {
    if (candidate.worker == worker && !candidate.job && candidate.is_compiled &&
        candidate.key == key && std::isfinite(candidate.best_ns)) {
      return id;
    }
  }
  return std::nullopt;
}

std::optional<Dispatcher::Action> Dispatcher::NextRun() {
  for (size_t i = 0; i < ready_.size(); ++i) {
    const int64_t id = ready_[i];
    Job& job = jobs_.at(id);
    Worker& worker = workers_[candidates_.at(job.candidate).worker];
    if (!MayRun(worker, job.is_suspect)) continue;
    ready_.erase(ready_.begin() + static_cast<std::ptrdiff_t>(i));
    job.stage = Stage::kRunning;
    --worker.ready;
    ++worker.running;
    worker.is_alone = job.is_suspect;
    return Action{.kind = Action::Kind::kRun,
                  .worker = candidates_.at(job.candidate).worker,
                  .candidate = job.candidate,
                  .job = id};
  }
  return std::nullopt;
}

// Finds a worker for a waiting job. An action: to compile, or to make room first. kWaiting no more
// and no action: it is ready.
std::optional<Dispatcher::Action> Dispatcher::Place(int64_t id, Job& job) {
  int at = -1;
  if (measured_.contains(job.key) && !job.is_suspect) {
    at = Home();
    if (at < 0) return std::nullopt;
    if (const std::optional<int64_t> candidate = IdleCandidate(at, job.key)) {
      candidates_.at(*candidate).job = id;
      job.candidate = *candidate;
      job.stage = Stage::kReady;
      ++workers_[at].ready;
      ready_.push_back(id);
      return std::nullopt;
    }
    if (!MayCompile(workers_[at], /*is_suspect=*/false)) return std::nullopt;
  } else {
    at = LeastLoaded(job.is_suspect);
    if (at < 0) return std::nullopt;
  }
  Worker& worker = workers_[at];
  if (worker.held >= worker.limits.max_candidates) {
    const std::optional<int64_t> victim = Victim(at);
    if (!victim) return std::nullopt;
    candidates_.erase(*victim);
    --worker.held;
    return Action{.kind = Action::Kind::kRelease, .worker = at, .candidate = *victim, .job = 0};
  }
  job.candidate = next_candidate_++;
  job.stage = Stage::kCompiling;
  candidates_[job.candidate] = {.key = job.key, .worker = at, .job = id};
  ++worker.held;
  ++worker.compiling;
  worker.is_alone = job.is_suspect;
  return Action{
      .kind = Action::Kind::kCompile, .worker = at, .candidate = job.candidate, .job = id};
}

std::optional<Dispatcher::Action> Dispatcher::Next() {
  if (std::optional<Action> run = NextRun()) return run;
  for (size_t i = 0; i < waiting_.size();) {
    const int64_t id = waiting_[i];
    Job& job = jobs_.at(id);
    const std::optional<Action> action = Place(id, job);
    if (job.stage == Stage::kWaiting) {
      if (action) return action;
      if (job.is_suspect) return std::nullopt;  // others would keep its worker busy for ever
      ++i;
      continue;
    }
    waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(i));
    if (action) return action;
    if (std::optional<Action> run = NextRun()) return run;
  }
  return std::nullopt;
}

void Dispatcher::Compiled(int64_t id) {
  Job& job = jobs_.at(id);
  Candidate& candidate = candidates_.at(job.candidate);
  candidate.is_compiled = true;
  Worker& worker = workers_[candidate.worker];
  --worker.compiling;
  if (job.is_given_up) return SetAside(id);
  job.stage = Stage::kReady;
  ++worker.ready;
  ready_.push_back(id);
}

void Dispatcher::SetAside(int64_t id) {
  const Job& job = jobs_.at(id);
  Candidate& candidate = candidates_.at(job.candidate);
  candidate.job.reset();
  candidate.best_ns = std::numeric_limits<double>::infinity();
  if (job.is_suspect) workers_[candidate.worker].is_alone = false;
  jobs_.erase(id);
}

bool Dispatcher::GiveUp(int64_t id) {
  Job& job = jobs_.at(id);
  switch (job.stage) {
    case Stage::kRunning:
      return false;
    case Stage::kCompiling:
      job.is_given_up = true;
      return true;
    case Stage::kReady:
      std::erase(ready_, id);
      --workers_[candidates_.at(job.candidate).worker].ready;
      SetAside(id);
      return true;
    case Stage::kWaiting:
      break;
  }
  std::erase(waiting_, id);
  jobs_.erase(id);
  return true;
}

void Dispatcher::CompileFailed(int64_t id) {
  const Job& job = jobs_.at(id);
  Worker& worker = workers_[candidates_.at(job.candidate).worker];
  --worker.compiling;
  --worker.held;
  if (job.is_suspect) worker.is_alone = false;
  candidates_.erase(job.candidate);
  jobs_.erase(id);
}

void Dispatcher::Ran(int64_t id, double objective_ns) {
  const Job& job = jobs_.at(id);
  Candidate& candidate = candidates_.at(job.candidate);
  candidate.job.reset();
  candidate.best_ns = candidate.runs == 0 || !std::isfinite(objective_ns)
                          ? objective_ns
                          : std::min(candidate.best_ns, objective_ns);
  ++candidate.runs;
  Worker& worker = workers_[candidate.worker];
  --worker.running;
  if (job.is_suspect) worker.is_alone = false;
  measured_.insert(job.key);
  jobs_.erase(id);
}

void Dispatcher::Up(int worker) { workers_[worker].is_up = true; }

void Dispatcher::Requeue(int64_t id) {
  Job& job = jobs_.at(id);
  if (job.is_given_up) {
    jobs_.erase(id);
    return;
  }
  job.stage = Stage::kWaiting;
  // They were first before.
  waiting_.push_front(id);
}

std::map<int64_t, Dispatcher::Stage> Dispatcher::Drop(int at) {
  std::map<int64_t, Stage> dropped;
  for (auto it = candidates_.begin(); it != candidates_.end();) {
    if (it->second.worker != at) {
      ++it;
      continue;
    }
    if (it->second.job) dropped[*it->second.job] = jobs_.at(*it->second.job).stage;
    it = candidates_.erase(it);
  }
  std::erase_if(ready_, [&](int64_t id) { return dropped.count(id) > 0; });
  Worker& worker = workers_[at];
  const Limits limits = worker.limits;
  worker = Worker();
  worker.limits = limits;
  return dropped;
}

std::vector<int64_t> Dispatcher::Died(int worker) {
  const std::map<int64_t, Stage> dropped = Drop(worker);
  const auto under_way = std::count_if(dropped.begin(), dropped.end(), [](const auto& job) {
    return job.second == Stage::kCompiling || job.second == Stage::kRunning;
  });
  std::vector<int64_t> to_blame;
  // From the last to the first, so that requeuing keeps their order.
  for (auto it = dropped.rbegin(); it != dropped.rend(); ++it) {
    Job& job = jobs_.at(it->first);
    const bool was_under_way = it->second != Stage::kReady;
    if (was_under_way && under_way == 1) {
      to_blame.push_back(it->first);
      jobs_.erase(it->first);
      continue;
    }
    if (was_under_way) job.is_suspect = true;
    if (under_way == 0 && ++job.idle_deaths == kMostIdleDeaths) {
      to_blame.push_back(it->first);
      jobs_.erase(it->first);
      continue;
    }
    Requeue(it->first);
  }
  return to_blame;
}

void Dispatcher::Ended(int worker, std::optional<int64_t> answered) {
  const std::map<int64_t, Stage> dropped = Drop(worker);
  for (auto it = dropped.rbegin(); it != dropped.rend(); ++it) {
    if (answered != it->first) Requeue(it->first);
  }
  if (answered) jobs_.erase(*answered);
}

void Dispatcher::Remove(int worker) { workers_[worker].is_removed = true; }

bool Dispatcher::has_workers() const {
  return std::any_of(workers_.begin(), workers_.end(),
                     [](const Worker& worker) { return !worker.is_removed; });
}

}  // namespace seedtune
