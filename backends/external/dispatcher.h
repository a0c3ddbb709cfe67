// Which worker compiles and runs which candidate, and when: a state machine without processes or
// clocks.
//
// A job is one request to measure a configuration; a candidate is a configuration that some worker
// holds compiled. A job waits until a worker has room to compile it, is run there when its turn
// comes (one run at a time in each worker), and the candidate stays for a while. A configuration
// that was measured before is being timed again beside other leaders, so all such go to one worker:
// leaders are compared on one device.
//
// When a worker dies with one thing under way, that is to blame. With several, each is tried again
// with nothing beside it, so that only the culprit pays.
#ifndef SEEDTUNE_BACKENDS_EXTERNAL_DISPATCHER_H_
#define SEEDTUNE_BACKENDS_EXTERNAL_DISPATCHER_H_

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"

namespace seedtune {

// Not thread-safe.
class Dispatcher {
 public:
  struct Limits {
    int max_compiles = 1;
    bool compiles_while_running = false;
    int max_candidates = 8;
  };
  explicit Dispatcher(const std::vector<Limits>& workers);

  // How many jobs keep all workers busy.
  int capacity() const;

  // `key`: equal for equal configurations of a kernel.
  void Add(int64_t job, std::string key);
  bool has_jobs() const { return !jobs_.empty(); }

  struct Action {
    enum class Kind { kCompile, kRun, kRelease };
    Kind kind = Kind::kCompile;
    int worker = 0;
    int64_t candidate = 0;
    int64_t job = 0;  // kCompile, kRun
  };
  // What is to be done next, as if it were done at once; nullopt: nothing for now.
  std::optional<Action> Next();

  // What became of it. `objective_ns` +infinity: it failed.
  void Compiled(int64_t job);
  void CompileFailed(int64_t job);             // answered
  void Ran(int64_t job, double objective_ns);  // answered

  // Nobody wants its answer any more. True: unless it runs, and then it goes on. One that is being
  // compiled stays at its worker until Compiled or CompileFailed, or until the worker ends.
  bool GiveUp(int64_t job);

  // A worker begins down. It takes work while it is up, and holds nothing when it comes up.
  void Up(int worker);
  // It died by what it was at. The jobs to blame, which are answered; all others wait again, but
  // for those given up.
  std::vector<int64_t> Died(int worker);
  // It was ended for reasons of one job, which is answered, or of none; all others wait again.
  void Ended(int worker, std::optional<int64_t> answered);
  // After it went down: it will not come back.
  void Remove(int worker);
  bool has_workers() const;

 private:
  enum class Stage { kWaiting, kCompiling, kReady, kRunning };
  struct Job {
    std::string key;
    Stage stage = Stage::kWaiting;
    int64_t candidate = 0;  // from kCompiling on
    bool is_given_up = false;
    bool is_suspect = false;  // was under way when a worker died, with others
    int idle_deaths = 0;      // workers that died with nothing under way, and this one ready
  };
  struct Candidate {
    std::string key;
    int worker = 0;
    std::optional<int64_t> job;  // that it is at the service of
    bool is_compiled = false;
    int runs = 0;
    double best_ns = 0;  // of its runs; +infinity: one failed
  };
  struct Worker {
    Limits limits;
    bool is_up = false;
    bool is_removed = false;
    // What it is at.
    int compiling = 0, ready = 0, running = 0, held = 0;
    bool is_alone = false;  // with a suspect
  };

  bool IsIdle(const Worker& worker) const { return worker.compiling + worker.running == 0; }
  bool MayCompile(const Worker& worker, bool is_suspect) const;
  bool MayRun(const Worker& worker, bool is_suspect) const;
  int Home() const;  // where leaders are timed again; -1: nowhere for now
  int LeastLoaded(bool is_suspect) const;
  std::optional<Action> NextRun();
  std::optional<Action> Place(int64_t id, Job& job);
  std::optional<int64_t> Victim(int worker) const;
  std::optional<int64_t> IdleCandidate(int worker, const std::string& key) const;
  // Of what was compiled and will not run: the candidate stays until its place is needed.
  void SetAside(int64_t id);
  void Requeue(int64_t id);
  // Forgets what a worker holds; its jobs by the stage that they were in.
  std::map<int64_t, Stage> Drop(int worker);

  std::vector<Worker> workers_;
  std::map<int64_t, Job> jobs_;
  std::deque<int64_t> waiting_, ready_;
  std::map<int64_t, Candidate> candidates_;
  int64_t next_candidate_ = 1;
  absl::flat_hash_set<std::string> measured_;  // keys
};

}  // namespace seedtune

#endif  // SEEDTUNE_BACKENDS_EXTERNAL_DISPATCHER_H_
