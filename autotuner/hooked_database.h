// A database with somebody listening in, who may also make it fail.
#ifndef SEEDTUNE_AUTOTUNER_HOOKED_DATABASE_H_
#define SEEDTUNE_AUTOTUNER_HOOKED_DATABASE_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "autotuner/database/database.h"

namespace seedtune {

// Hands everything on to `real`, which it borrows. Not thread-safe.
class HookedDatabase final : public Database {
 public:
  struct Hooks {
    // An error is returned instead of appending, or after the event was appended all the same.
    std::function<absl::Status(const RunEvent&)> before_append = {};
    std::function<absl::Status(const RunEvent&)> after_append = {};
    std::function<absl::Status()> before_finish = {};
    std::function<absl::Status()> after_finish = {};
  };
  HookedDatabase(Database& real, Hooks hooks) : real_(real), hooks_(std::move(hooks)) {}

  const std::string& path() const override { return real_.path(); }
  absl::StatusOr<std::string> StartRun(RunInfo run) override {
    return real_.StartRun(std::move(run));
  }
  absl::Status Append(const std::string& run_id, const RunEvent& event) override {
    if (hooks_.before_append) {
      if (absl::Status status = hooks_.before_append(event); !status.ok()) return status;
    }
    if (absl::Status status = real_.Append(run_id, event); !status.ok()) return status;
    return hooks_.after_append ? hooks_.after_append(event) : absl::OkStatus();
  }
  absl::Status AddSeconds(const std::string& run_id, double seconds) override {
    return real_.AddSeconds(run_id, seconds);
  }
  absl::Status FinishRun(const std::string& run_id, const BestRecord& best) override {
    if (hooks_.before_finish) {
      if (absl::Status status = hooks_.before_finish(); !status.ok()) return status;
    }
    if (absl::Status status = real_.FinishRun(run_id, best); !status.ok()) return status;
    return hooks_.after_finish ? hooks_.after_finish() : absl::OkStatus();
  }
  absl::StatusOr<std::optional<RunInfo>> FindUnfinished(const RecordKey& key,
                                                        const RunSettings& settings) override {
    return real_.FindUnfinished(key, settings);
  }
  absl::StatusOr<std::vector<RunEvent>> Events(const std::string& run_id) override {
    return real_.Events(run_id);
  }
  absl::StatusOr<LookupResult> Lookup(const RecordKey& key) override { return real_.Lookup(key); }
  absl::StatusOr<LookupResult> LookupLoose(const RecordKey& key) override {
    return real_.LookupLoose(key);
  }
  absl::StatusOr<std::vector<RunInfo>> ListRuns() override { return real_.ListRuns(); }
  absl::StatusOr<std::vector<BestRecord>> ListBest() override { return real_.ListBest(); }
  absl::StatusOr<std::string> ExportJsonLines() override { return real_.ExportJsonLines(); }
  absl::StatusOr<int64_t> ImportJsonLines(std::string_view text) override {
    return real_.ImportJsonLines(text);
  }

 private:
  Database& real_;
  Hooks hooks_;
};

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_HOOKED_DATABASE_H_
