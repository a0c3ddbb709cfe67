#include "autotuner/transfer.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "config/config_io.h"
#include "config/knob.h"
#include "hardware/arch.h"
#include "hardware/hardware_proto.h"
#include "hardware/hardware_spec.pb.h"
#include "ir/dtype.h"
#include "ir/ir.pb.h"
#include "ir/proto_convert.h"
#include "matmul_ops/matmul_fact.h"
#include "util/format.h"
#include "util/status_macros.h"
#include "util/textproto.h"

namespace seedtune {
namespace {

constexpr std::string_view kPrefix = "recorded: ";

// In octaves of a kernel's extents. Chosen, not measured: they only order what is then measured.
constexpr double kOtherType = 0.25;  // of the same size
constexpr double kOtherLayout = 1;
constexpr double kOtherEpilogue = 0.25;
constexpr double kUnknownExtent = 1;
constexpr double kSameArch = 0.5;
constexpr double kSameLineage = 1;
constexpr double kSameFamily = 1.5;
constexpr double kSameKind = 3;

double ExtentDistance(std::optional<int64_t> a, std::optional<int64_t> b) {
  if (a == b) return 0;
  if (!a.has_value() || !b.has_value() || *a < 1 || *b < 1) return kUnknownExtent;
  return std::abs(std::log2(static_cast<double>(*a)) - std::log2(static_cast<double>(*b)));
}

std::optional<double> OperandDistance(const OperandFact& a, const OperandFact& b) {
  if (DTypeBytes(a.dtype) != DTypeBytes(b.dtype) || IsFloat(a.dtype) != IsFloat(b.dtype)) {
    return std::nullopt;
  }
  return (a.dtype != b.dtype || a.memory_dtype != b.memory_dtype ? kOtherType : 0) +
         (a.layout != b.layout ? kOtherLayout : 0);
}

std::optional<double> FactDistance(const MatmulFact& a, const MatmulFact& b) {
  const std::optional<double> lhs = OperandDistance(a.lhs, b.lhs);
  const std::optional<double> rhs = OperandDistance(a.rhs, b.rhs);
  const std::optional<double> out = OperandDistance(a.out, b.out);
  if (!lhs.has_value() || !rhs.has_value()) return std::nullopt;
  return *lhs + *rhs + out.value_or(kOtherType) +
         ExtentDistance(a.m.planning_extent(), b.m.planning_extent()) +
         ExtentDistance(a.n.planning_extent(), b.n.planning_extent()) +
         ExtentDistance(a.k.planning_extent(), b.k.planning_extent()) +
         ExtentDistance(a.batch(), b.batch()) + (a.accumulator != b.accumulator ? kOtherType : 0) +
         (a.epilogue.size() != b.epilogue.size() ? kOtherEpilogue : 0);
}

bool HaveCommonAncestor(const std::string& a, const std::string& b) {
  const std::vector<std::string> of_a = ArchLineage(a);
  const std::vector<std::string> of_b = ArchLineage(b);
  return std::any_of(of_a.begin(), of_a.end(), [&](const std::string& ancestor) {
    return std::find(of_b.begin(), of_b.end(), ancestor) != of_b.end();
  });
}

absl::StatusOr<Kernel> ParseKernel(const std::string& text) {
  KernelProto proto;
  SEEDTUNE_RETURN_IF_ERROR(ParseTextProto(text, "recorded kernel", &proto));
  return KernelFromProto(proto);
}

absl::StatusOr<HardwareInfo> ParseDevice(const std::string& text) {
  HardwareSpecProto proto;
  SEEDTUNE_RETURN_IF_ERROR(ParseTextProto(text, "recorded device", &proto));
  return FromProto(proto);
}

std::string Octaves(double distance) {
  return distance == 0 ? "the same" : absl::StrFormat("%.1f octaves away", distance);
}

// One winner.
struct Near {
  double kernel = 0, device = 0;  // distances
  const BestRecord* best = nullptr;
  std::string device_name;
};

}  // namespace

std::optional<double> KernelDistance(const Kernel& a, const Kernel& b) {
  const std::vector<MatmulFact> of_a = ExtractMatmulFacts(a);
  const std::vector<MatmulFact> of_b = ExtractMatmulFacts(b);
  if (of_a.empty() || of_a.size() != of_b.size()) return std::nullopt;
  double sum = 0;
  for (size_t i = 0; i < of_a.size(); ++i) {
    const std::optional<double> distance = FactDistance(of_a[i], of_b[i]);
    if (!distance.has_value()) return std::nullopt;
    sum += *distance;
  }
  return sum / static_cast<double>(of_a.size());
}

std::optional<double> DeviceDistance(const HardwareInfo& a, const HardwareInfo& b) {
  if (a.kind != b.kind) return std::nullopt;
  if (DeviceKey(a) == DeviceKey(b)) return 0;
  if (a.arch.base == b.arch.base) return kSameArch;
  if (MatchArch(a.arch.base, b.arch.base) != ArchMatch::kNone ||
      MatchArch(b.arch.base, a.arch.base) != ArchMatch::kNone) {
    return kSameLineage;
  }
  const std::string_view family = ArchFamily(a.arch.base);
  if ((!family.empty() && family == ArchFamily(b.arch.base)) ||
      HaveCommonAncestor(a.arch.base, b.arch.base)) {
    return kSameFamily;
  }
  return kSameKind;
}

absl::StatusOr<std::vector<SeedSource>> FindRecordedSeeds(Database& database, const Kernel& kernel,
                                                          std::string_view backend,
                                                          const HardwareInfo& device,
                                                          const ConfigSpace& space,
                                                          const TransferOptions& options) {
  if (options.max_seeds < 1) return std::vector<SeedSource>();
  SEEDTUNE_ASSIGN_OR_RETURN(const std::vector<BestRecord> recorded, database.ListBest());
  SEEDTUNE_ASSIGN_OR_RETURN(const std::vector<RunInfo> runs, database.ListRuns());
  absl::flat_hash_map<std::string, const RunInfo*> run_of;
  for (const RunInfo& run : runs) run_of[run.id] = &run;

  // Each kernel and each device is read once; nullopt: not near, or not to be read.
  std::map<std::string, std::optional<double>> kernels, devices;
  std::map<std::string, std::string> device_names;
  // Of one kernel on one device, the fastest; of equals, the newest.
  std::map<std::pair<std::string, std::string>, Near> nearest;
  for (const BestRecord& best : recorded) {
    const auto run = run_of.find(best.run_id);
    if (best.key.backend != backend || run == run_of.end()) continue;
    const auto [of_kernel, is_new_kernel] =
        kernels.try_emplace(best.key.kernel_fingerprint, std::nullopt);
    if (is_new_kernel) {
      const absl::StatusOr<Kernel> other = ParseKernel(run->second->kernel_text);
      if (other.ok()) of_kernel->second = KernelDistance(kernel, *other);
    }
    const auto [of_device, is_new_device] = devices.try_emplace(best.key.device_key, std::nullopt);
    if (is_new_device) {
      const absl::StatusOr<HardwareInfo> other = ParseDevice(run->second->device_text);
      if (other.ok()) of_device->second = DeviceDistance(device, *other);
      if (other.ok()) device_names[best.key.device_key] = other->name;
    }
    if (!of_kernel->second.has_value() || !of_device->second.has_value()) continue;
    const Near near{.kernel = *of_kernel->second,
                    .device = *of_device->second,
                    .best = &best,
                    .device_name = device_names[best.key.device_key]};
    if (near.kernel + near.device > options.max_distance) continue;
    const auto [present, is_new] =
        nearest.try_emplace({best.key.kernel_fingerprint, best.key.device_key}, near);
    if (!is_new && best.outcome.objective_ns() < present->second.best->outcome.objective_ns()) {
      present->second = near;
    }
  }
  std::vector<Near> ranked;
  for (auto& [key, near] : nearest) ranked.push_back(std::move(near));
  std::sort(ranked.begin(), ranked.end(), [](const Near& a, const Near& b) {
    const auto place = [](const Near& near) {
      return std::tuple(near.kernel + near.device, -near.best->recorded_unix_micros,
                        std::string_view(near.best->run_id));
    };
    return place(a) < place(b);
  });

  std::vector<SeedSource> sources;
  absl::flat_hash_set<Config> planted;
  for (const Near& near : ranked) {
    if (static_cast<int>(planted.size()) == options.max_seeds) break;
    const absl::StatusOr<PartialConfig> partial = PartialConfigFromJson(near.best->config_json);
    if (!partial.ok()) continue;
    const absl::StatusOr<Config> config = space.Normalize(*partial, NormalizeMode::kRepair);
    if (!config.ok() || !planted.insert(*config).second) continue;
    const std::string name =
        absl::StrCat(std::string(kPrefix), near.best->kernel_name, " on ", near.device_name);
    const std::string detail =
        absl::StrCat("kernel ", Octaves(near.kernel), ", device ", Octaves(near.device), "; took ",
                     FormatNs(near.best->outcome.objective_ns()), " there");
    const auto same = std::find_if(sources.begin(), sources.end(),
                                   [&](const SeedSource& source) { return source.name == name; });
    if (same == sources.end()) {
      sources.push_back({.name = name, .seeds = {config->ToPartial()}, .detail = detail});
    } else {
      same->seeds.push_back(config->ToPartial());
      absl::StrAppend(&same->detail, "; ", detail);
    }
  }
  return sources;
}

bool IsRecordedSource(std::string_view source) {
  return source.substr(0, kPrefix.size()) == kPrefix;
}

bool HasOwnSeeds(std::span<const Candidate> first) {
  return std::any_of(first.begin(), first.end(), [](const Candidate& candidate) {
    return !candidate.heuristic.empty() && !IsRecordedSource(candidate.heuristic);
  });
}

}  // namespace seedtune
