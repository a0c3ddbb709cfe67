#include "tools/mine_seeds.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "autotuner/database/database.h"
#include "autotuner/replay/recorded_run.h"
#include "autotuner/replay/recorded_space.h"
#include "config/config_io.h"
#include "config/knob.h"
#include "hardware/hardware_info.h"
#include "heuristics/seed_table.h"
#include "ir/dtype.h"
#include "ir/dtype.pb.h"
#include "ir/matmul.h"
#include "matmul_ops/matmul_fact.h"
#include "matmul_ops/simple_matmul.h"
#include "tools/subject.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

using Region = SeedTableProto::Region;

// A recorded answer with all that a rule needs.
struct Answer {
  const BestRecord* best = nullptr;
  const RunInfo* run = nullptr;
  HardwareInfo device;
};

// A shape that may get a rule.
struct Shape {
  size_t answer = 0;  // its place in MinedSeeds::answers
  MatmulSpec spec;
  std::string reference;
};

std::string Joined(const std::set<std::string>& names) { return absl::StrJoin(names, ", "); }

// The answers of one backend and one architecture; the fastest of each kernel, shape by shape.
absl::StatusOr<std::vector<Answer>> Choose(const std::string& path,
                                           const std::vector<RunInfo>& runs,
                                           const std::vector<BestRecord>& answers,
                                           const MineSeedsOptions& options) {
  const auto nothing = [&](const auto&... parts) {
    return absl::FailedPreconditionError(absl::StrCat(path, ": nothing to mine: ", parts...));
  };
  if (answers.empty()) {
    return nothing(runs.size(),
                   " runs, none of them finished, want finished ones; `seedtune tune` "
                   "makes them");
  }
  std::map<std::string, const RunInfo*> run_of;
  for (const RunInfo& run : runs) run_of[run.id] = &run;
  std::map<std::string, Answer> fastest;  // by all that makes a question
  std::set<std::string> backends, archs, devices;
  for (const BestRecord& best : answers) {
    backends.insert(best.key.backend);
    if (!options.backend.empty() && best.key.backend != options.backend) continue;
    const auto run = run_of.find(best.run_id);
    if (run == run_of.end()) continue;
    SEEDTUNE_ASSIGN_OR_RETURN(HardwareInfo device, DeviceOfRun(*run->second));
    devices.insert(absl::StrCat(device.arch.base, " (",
                                std::string(absl::StripAsciiWhitespace(device.name)), ")"));
    if (!options.device.empty() && device.arch.base != options.device &&
        device.name != options.device) {
      continue;
    }
    archs.insert(device.arch.base);
    Answer& kept = fastest[absl::StrCat(best.key.kernel_fingerprint, "/", best.key.space_id, "/",
                                        best.key.device_key)];
    if (kept.best == nullptr || best.outcome.objective_ns() < kept.best->outcome.objective_ns()) {
      kept = {&best, run->second, std::move(device)};
    }
  }
  if (options.backend.empty() && backends.size() > 1) {
    return nothing("answers of several backends (", Joined(backends), "), choose one by --backend");
  }
  if (fastest.empty()) {
    return nothing(
        answers.size(), " answers, none of ",
        devices.empty()
            ? absl::StrCat("backend \"", options.backend, "\", there are ", Joined(backends))
            : absl::StrCat("\"", options.device, "\", there are ", Joined(devices)));
  }
  if (archs.size() > 1) {
    return nothing("answers of several architectures (", Joined(devices),
                   "), choose one by --device");
  }
  std::vector<Answer> chosen;
  for (auto& [key, answer] : fastest) chosen.push_back(std::move(answer));
  // The order of the recordings: what the summary shows, and which of two equal shapes counts.
  std::sort(chosen.begin(), chosen.end(), [](const Answer& a, const Answer& b) {
    return std::pair(a.best->recorded_unix_micros, a.best->run_id) <
           std::pair(b.best->recorded_unix_micros, b.best->run_id);
  });
  return chosen;
}

MatrixLayout LayoutOf(const OperandFact& operand) {
  return operand.layout == OperandLayout::kColumnMajor ? MatrixLayout::kColumnMajor
                                                       : MatrixLayout::kRowMajor;
}

// The kernel as a short form would say it. Errors say what keeps a rule from speaking of it.
absl::StatusOr<MatmulSpec> SpecOf(const Subject& subject) {
  SEEDTUNE_ASSIGN_OR_RETURN(const SimpleMatmul matmul, MatchSimpleMatmul(*subject.kernel));
  const MatmulFact& fact = subject.facts[0];
  for (const OperandFact* operand : {&fact.lhs, &fact.rhs}) {
    if (operand->layout != OperandLayout::kRowMajor &&
        operand->layout != OperandLayout::kColumnMajor) {
      return absl::UnimplementedError("an operand is neither row-major nor column-major");
    }
  }
  if (matmul.lhs.dtype != matmul.rhs.dtype) {
    return absl::UnimplementedError("operands of two types");
  }
  MatmulSpec spec;
  spec.m = Extent::Static(matmul.m);
  spec.n = Extent::Static(matmul.n);
  spec.k = Extent::Static(matmul.k);
  spec.batch = matmul.batch;
  spec.lhs = matmul.lhs.dtype;
  spec.rhs = matmul.rhs.dtype;
  spec.out = matmul.out.dtype;
  spec.accumulator = matmul.accumulator;
  spec.lhs_layout = LayoutOf(fact.lhs);
  spec.rhs_layout = LayoutOf(fact.rhs);
  spec.scale = matmul.scale;
  spec.bias = matmul.bias.has_value();
  spec.activation = matmul.activation;
  spec.residual = matmul.residual.has_value();
  return spec;
}

std::string KindOf(const MatmulSpec& spec) {
  return absl::StrCat(std::string(DTypeName(spec.lhs)), " ", static_cast<int>(spec.lhs_layout), " ",
                      static_cast<int>(spec.rhs_layout));
}

void FillTarget(const HardwareInfo& device, SeedTableProto::Target& target) {
  target.set_arch(device.arch.base);
  switch (device.kind) {
    case DeviceKind::kCpu:
      return target.set_device_kind(SeedTableProto::Target::CPU);
    case DeviceKind::kCuda:
      return target.set_device_kind(SeedTableProto::Target::CUDA);
    case DeviceKind::kRocm:
      return target.set_device_kind(SeedTableProto::Target::ROCM);
    case DeviceKind::kUnknown:
      return;  // ValidateSeedTable() refuses it
  }
}

Region::Layout ToRegionLayout(MatrixLayout layout) {
  return layout == MatrixLayout::kColumnMajor ? Region::COLUMN_MAJOR : Region::ROW_MAJOR;
}

void FillProvenance(const std::vector<Answer>& answers, const MineSeedsOptions& options,
                    SeedTableProto::Provenance& provenance) {
  int64_t newest = 0;
  std::set<std::string> generators, devices, asked;
  for (const Answer& answer : answers) {
    newest = std::max(newest, answer.best->recorded_unix_micros);
    generators.insert(
        absl::StrCat(answer.best->key.backend, " ", answer.best->key.code_generator_version));
    devices.emplace(absl::StripAsciiWhitespace(answer.device.name));
    asked.insert(absl::StrCat(answer.run->settings.algorithm, " ", answer.best->evaluations,
                              " evaluations of ", answer.best->kernel_name));
  }
  provenance.set_date(
      absl::FormatTime("%Y-%m-%d", absl::FromUnixMicros(newest), absl::UTCTimeZone()));
  provenance.set_command(options.command);
  if (options.commit.empty()) {
    provenance.set_code_generator(Joined(generators));
  } else {
    provenance.set_commit(options.commit);
  }
  provenance.set_device(Joined(devices));
  provenance.set_note(absl::StrCat("medians of all samples of a tuning run; rules serve within ",
                                   options.cover.max_slowdown,
                                   "x of the best measured and beat the untuned default by ",
                                   options.cover.min_gain, "x; runs: ", Joined(asked)));
}

}  // namespace

absl::StatusOr<MinedSeeds> MineSeedTable(Database& database, const MineSeedsOptions& options) {
  SEEDTUNE_ASSIGN_OR_RETURN(const std::vector<RunInfo> runs, database.ListRuns());
  SEEDTUNE_ASSIGN_OR_RETURN(const std::vector<BestRecord> recorded, database.ListBest());
  SEEDTUNE_ASSIGN_OR_RETURN(const std::vector<Answer> answers,
                            Choose(database.path(), runs, recorded, options));
  MinedSeeds mined;
  std::vector<CoverShape> cover_shapes;
  std::vector<Shape> shapes;
  std::map<std::pair<std::string, std::array<int64_t, 4>>, std::string> seen;
  for (const Answer& answer : answers) {
    MinedAnswer& told = mined.answers.emplace_back();
    told.kernel = answer.best->kernel_name;
    told.untuned_ns = answer.best->untuned_outcome.objective_ns();
    told.best_ns = answer.best->outcome.objective_ns();
    if (!answer.best->untuned_outcome.ok()) {
      told.fate = "its untuned default has no time to compare with";
      continue;
    }
    const absl::StatusOr<Subject> subject = SubjectOfRun(*answer.run, answer.device);
    if (!subject.ok()) {
      told.fate = std::string(subject.status().message());
      continue;
    }
    absl::StatusOr<MatmulSpec> spec = SpecOf(*subject);
    if (!spec.ok()) {
      told.fate = std::string(spec.status().message());
      continue;
    }
    CoverShape shape;
    shape.kind = KindOf(*spec);
    shape.extents = {spec->m.value, spec->n.value, spec->k.value, spec->batch};
    const auto [first, is_new] = seen.try_emplace({shape.kind, shape.extents}, told.kernel);
    if (!is_new) {
      told.fate = absl::StrCat("its shape is that of ", first->second);
      continue;
    }
    SEEDTUNE_ASSIGN_OR_RETURN(const std::vector<RunEvent> events, database.Events(answer.run->id));
    SEEDTUNE_ASSIGN_OR_RETURN(const std::vector<RecordedConfig> results,
                              ResultsOfRun(events, subject->space));
    for (const RecordedConfig& result : results) {
      if (!result.outcome.ok()) continue;
      const std::string config = result.config.ToJson();
      shape.times_ns[config] = result.outcome.objective_ns();
      if (config == answer.best->untuned_config_json) {
        shape.untuned_ns = result.outcome.objective_ns();
      }
    }
    if (shape.untuned_ns == 0) shape.untuned_ns = told.untuned_ns;
    told.untuned_ns = shape.untuned_ns;
    told.best_ns = shape.best_ns();
    told.fate =
        absl::StrCat("its untuned default is within ", options.cover.min_gain, "x of the best");
    if (told.best_ns * options.cover.min_gain <= told.untuned_ns) {
      told.fate = "no rule was left for it";
    }
    shapes.push_back({mined.answers.size() - 1, *std::move(spec),
                      absl::StrCat("untuned, ", answer.best->untuned_origin)});
    cover_shapes.push_back(std::move(shape));
  }

  const std::vector<CoverRule> rules = CoverShapes(cover_shapes, options.cover);
  if (rules.empty()) {
    std::set<std::string> fates;
    for (const MinedAnswer& answer : mined.answers) {
      fates.insert(absl::StrCat(answer.kernel, ": ", answer.fate));
    }
    return absl::FailedPreconditionError(
        absl::StrCat(database.path(), ": nothing to mine: ", absl::StrJoin(fates, "; ")));
  }

  SeedTableProto& table = mined.table;
  const Answer& any = answers.front();
  table.set_name(options.name.empty()
                     ? absl::StrCat(any.best->key.backend, "_", any.device.arch.base, "_mined")
                     : options.name);
  table.set_backend(any.best->key.backend);
  FillTarget(any.device, *table.mutable_target());
  FillProvenance(answers, options, *table.mutable_provenance());
  table.set_promote(false);
  table.set_nearest_within(options.nearest_within);
  for (const CoverRule& cover : rules) {
    const MatmulSpec& spec = shapes[cover.shapes.front()].spec;
    SeedTableProto::Rule& rule = *table.add_rules();
    Region& when = *rule.mutable_when();
    when.set_pattern(Region::MATMUL);
    when.set_dtype(static_cast<DTypeProto>(spec.lhs));
    when.set_lhs_layout(ToRegionLayout(spec.lhs_layout));
    when.set_rhs_layout(ToRegionLayout(spec.rhs_layout));
    SeedTableProto::Range* const ranges[] = {when.mutable_m(), when.mutable_n(), when.mutable_k(),
                                             when.mutable_batch()};
    for (size_t i = 0; i < cover.least.size(); ++i) {
      ranges[i]->set_min(cover.least[i]);
      ranges[i]->set_max(cover.most[i]);
    }
    SEEDTUNE_ASSIGN_OR_RETURN(const PartialConfig seed, PartialConfigFromJson(cover.config));
    *rule.mutable_seed() = PartialConfigToProto(seed);
    for (const size_t i : cover.shapes) {
      SeedTableProto::Measured& measured = *rule.add_measured();
      measured.set_shape(MatmulShortForm(shapes[i].spec));
      measured.set_median_ns(cover_shapes[i].times_ns.at(cover.config));
      measured.set_reference(shapes[i].reference);
      measured.set_reference_median_ns(cover_shapes[i].untuned_ns);
      mined.answers[shapes[i].answer].fate = absl::StrCat("rules[", table.rules_size() - 1, "]");
    }
  }
  SEEDTUNE_RETURN_IF_ERROR(ValidateSeedTable(table));
  return mined;
}

}  // namespace seedtune
