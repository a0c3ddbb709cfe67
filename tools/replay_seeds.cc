#include "tools/replay_seeds.h"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "autotuner/replay/portfolio.h"
#include "config/config_space.h"
#include "config/knob.h"
#include "config/spaces/spaces.h"
#include "hardware/hardware_info.h"
#include "hardware/specs.h"
#include "heuristics/consult.h"
#include "heuristics/tuning_context.h"
#include "ir/kernel.h"
#include "ir/load.h"
#include "matmul_ops/matmul_fact.h"
#include "tools/device.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

std::string NameOf(const RecordedSpace& record) {
  return absl::StrCat(record.kernel_name(), " on ", record.device_name());
}

absl::StatusOr<HardwareInfo> DeviceOf(const RecordedSpace& record, const std::string& device,
                                      const Environment& environment) {
  if (!device.empty()) return ReadSpec(device);
  for (const std::string& name : SpecNames()) {
    SEEDTUNE_ASSIGN_OR_RETURN(HardwareInfo info, FindSpec(name));
    if (info.name == record.device_name()) return info;
  }
  for (const std::string_view here : {"cpu", "cuda:0", "rocm:0"}) {
    absl::StatusOr<HardwareInfo> info = DetectDevice(here, environment.reader);
    if (info.ok() && info->name == record.device_name()) return info;
  }
  return absl::NotFoundError(
      absl::StrCat("\"", record.device_name(), "\" is no known device and is not here; --device ",
                   "names a spec (`seedtune hardware --specs` lists them) or a spec file"));
}

// The backend whose space of `facts` on `device` has the record's name and all of its knobs.
absl::StatusOr<std::string> BackendOf(const RecordedSpace& record,
                                      const std::vector<MatmulFact>& facts,
                                      const HardwareInfo& device) {
  const ConfigSpace& recorded = *record.space();
  for (const std::string_view backend : SpaceBackends()) {
    const auto space = BuildConfigSpace(backend, facts, device);
    if (!space.ok() || (*space)->name() != recorded.name()) continue;
    const bool has_all =
        std::all_of(recorded.knobs().begin(), recorded.knobs().end(),
                    [&](const Knob& knob) { return (*space)->FindKnob(knob.name()).has_value(); });
    if (has_all) return std::string(backend);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("no backend has a space \"", recorded.name(), "\" with these knobs for it on ",
                   device.name, ", want a record of `seedtune tune --output-t4` of this release"));
}

}  // namespace

std::vector<Candidate> SeedsFromRecords(const RecordedSpace& record, const Records& sources,
                                        int max_seeds, std::vector<std::string>& notes) {
  Records others;
  std::vector<std::string> names;
  for (const std::shared_ptr<const RecordedSpace>& source : sources) {
    const bool is_same_device = source->device_name() == record.device_name();
    if (source->space()->id() != record.space()->id() ||
        (is_same_device && source->kernel_name() == record.kernel_name())) {
      continue;
    }
    others.push_back(source);
    names.push_back(is_same_device ? source->kernel_name() : source->device_name());
  }
  std::vector<Candidate> mined;
  for (Config& config : MinePortfolio(others, static_cast<size_t>(max_seeds))) {
    // Another kernel's constraints may let through what this one's do not.
    if (record.Find(config) == nullptr) continue;
    mined.push_back({.config = std::move(config), .origin = "seed"});
  }
  notes.push_back(absl::StrCat(NameOf(record), ": ", mined.size(), " seeds",
                               names.empty() ? ": no other record of its space" : " from ",
                               absl::StrJoin(names, ", ")));
  return mined;
}

RecordHeuristics::RecordHeuristics(std::shared_ptr<const RecordedSpace> record, Kernel kernel,
                                   HardwareInfo device, std::string backend,
                                   const HeuristicRegistry& registry)
    : record_(std::move(record)),
      kernel_(std::move(kernel)),
      facts_(ExtractMatmulFacts(kernel_)),
      device_(std::move(device)),
      backend_(std::move(backend)),
      registry_(&registry) {}

absl::StatusOr<RecordHeuristics> RecordHeuristics::Create(
    std::shared_ptr<const RecordedSpace> record, const std::string& device,
    const Environment& environment) {
  const auto in = [name = NameOf(*record)](const absl::Status& status) {
    return absl::Status(status.code(),
                        absl::StrCat("--heuristics: ", name, ": ", std::string(status.message())));
  };
  absl::StatusOr<Workload> workload = LoadWorkload(record->kernel_name());
  if (!workload.ok()) return in(workload.status());
  Kernel& kernel = workload->entries.front().kernel;
  absl::StatusOr<HardwareInfo> info = DeviceOf(*record, device, environment);
  if (!info.ok()) return in(info.status());
  absl::StatusOr<std::string> backend = BackendOf(*record, ExtractMatmulFacts(kernel), *info);
  if (!backend.ok()) return in(backend.status());
  return RecordHeuristics(std::move(record), std::move(kernel), *std::move(info),
                          *std::move(backend), environment.heuristics);
}

std::vector<Candidate> RecordHeuristics::Recorded(const std::vector<Seed>& seeds,
                                                  const std::string& origin) const {
  std::vector<Candidate> recorded;
  for (const Seed& seed : seeds) {
    if (record_->Find(seed.config) == nullptr) continue;
    recorded.push_back({.config = seed.config, .origin = origin, .heuristic = seed.heuristic});
  }
  return recorded;
}

std::vector<Candidate> RecordHeuristics::Seeds(std::vector<std::string>& notes) const {
  const std::vector<Seed> planted = ConsultHeuristics(*registry_, backend_, Context(), {}).seeds;
  std::vector<Candidate> seeds = Recorded(planted, "seed");
  const size_t left_out = planted.size() - seeds.size();
  notes.push_back(
      absl::StrCat(NameOf(*record_), ": ", seeds.size(), " seeds from the heuristics of ", backend_,
                   left_out == 0 ? "" : absl::StrCat(", ", left_out, " more were not recorded")));
  return seeds;
}

std::vector<Candidate> RecordHeuristics::Neighbors(const Config& config) const {
  return Recorded(HeuristicNeighbors(*registry_, backend_, Context(), config), "neighbor");
}

}  // namespace seedtune
