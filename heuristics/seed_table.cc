#include "heuristics/seed_table.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "config/config.pb.h"
#include "config/config_io.h"
#include "config/config_space.h"
#include "config/knob.h"
#include "hardware/arch.h"
#include "hardware/hardware_info.h"
#include "heuristics/tuning_context.h"
#include "ir/dtype.h"
#include "ir/dtype.pb.h"
#include "ir/kernel.h"
#include "ir/matmul.h"
#include "matmul_ops/matmul_fact.h"
#include "util/status_macros.h"
#include "util/textproto.h"

namespace seedtune {
namespace {

using Range = SeedTableProto::Range;
using Region = SeedTableProto::Region;
using Rule = SeedTableProto::Rule;
using Target = SeedTableProto::Target;

constexpr char kAnyArch[] = "any";

absl::Status Wrong(const std::string& place, const std::string& what, const std::string& want) {
  return absl::InvalidArgumentError(absl::StrCat(place, " is ", what, ", want ", want));
}

absl::Status RequireText(const std::string& place, const std::string& text,
                         const std::string& want) {
  if (absl::StripAsciiWhitespace(text).empty()) return Wrong(place, "not set", want);
  return absl::OkStatus();
}

std::string Quoted(const std::string& text) { return absl::StrCat("\"", text, "\""); }

bool IsLowerSnakeCase(const std::string& name) {
  return !name.empty() && absl::ascii_islower(name[0]) &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '_';
         });
}

bool IsDate(const std::string& text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  const auto number = [&](int begin, int size) {
    int value = -1;
    const char* const end = text.data() + begin + size;
    return std::from_chars(text.data() + begin, end, value).ptr == end ? value : -1;
  };
  const int year = number(0, 4), month = number(5, 2), day = number(8, 2);
  if (year < 0 || month < 0 || day < 0) return false;
  return std::chrono::year_month_day(std::chrono::year(year), std::chrono::month(month),
                                     std::chrono::day(day))
      .ok();
}

bool IsCommit(const std::string& text) {
  return text.size() >= 7 && text.size() <= 40 && std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isdigit(c) || (c >= 'a' && c <= 'f');
         });
}

absl::Status ValidateTarget(const SeedTableProto& table) {
  const Target& target = table.target();
  if (!table.has_target()) return Wrong("target", "not set", "device_kind and arch");
  if (!Target::DeviceKind_IsValid(target.device_kind()) ||
      target.device_kind() == Target::DEVICE_KIND_UNSPECIFIED) {
    return Wrong("target.device_kind", "not set", "CPU, CUDA or ROCM");
  }
  if (!target.family().empty()) {
    if (!target.arch().empty()) {
      return Wrong("target.family", Quoted(target.family()) + " beside an arch", "one of the two");
    }
    if (!IsKnownArchFamily(target.family())) {
      return Wrong("target.family", Quoted(target.family()),
                   "a family of hardware/arch_table.h such as \"hopper\"");
    }
    return absl::OkStatus();
  }
  const std::string want = "a base name such as \"znver5\", or \"any\"";
  SEEDTUNE_RETURN_IF_ERROR(RequireText("target.arch", target.arch(), want));
  if (target.arch() == kAnyArch) return absl::OkStatus();
  const absl::StatusOr<Arch> arch = Arch::Parse(target.arch());
  if (!arch.ok() || arch->base != target.arch()) {
    return Wrong("target.arch", Quoted(target.arch()), want + ", without features");
  }
  // A name that no table knows would silently match nothing but itself.
  if (ArchFamily(arch->base).empty()) {
    return Wrong("target.arch", Quoted(target.arch()), want + " of hardware/arch_table.h");
  }
  return absl::OkStatus();
}

absl::Status ValidateProvenance(const SeedTableProto& table) {
  if (!table.has_provenance()) {
    return Wrong("provenance", "not set", "date, command, commit and device");
  }
  const SeedTableProto::Provenance& from = table.provenance();
  const std::string date = "a day such as \"2026-11-20\"";
  SEEDTUNE_RETURN_IF_ERROR(RequireText("provenance.date", from.date(), date));
  if (!IsDate(from.date())) return Wrong("provenance.date", Quoted(from.date()), date);
  SEEDTUNE_RETURN_IF_ERROR(RequireText("provenance.command", from.command(),
                                       "the command that measured, \"seedtune seeds mine ...\""));
  const std::string commit = "7 to 40 hexadecimal digits";
  if (absl::StripAsciiWhitespace(from.code_generator()).empty()) {
    SEEDTUNE_RETURN_IF_ERROR(
        RequireText("provenance.commit", from.commit(), commit + ", or a code_generator"));
  }
  if (!from.commit().empty() && !IsCommit(from.commit())) {
    return Wrong("provenance.commit", Quoted(from.commit()), commit);
  }
  return RequireText("provenance.device", from.device(), "the machine that was measured");
}

absl::Status ValidateRange(const std::string& place, bool is_set, const Range& range) {
  if (!is_set) return Wrong(place, "not set", "min and max");
  if (range.min() == 0) return Wrong(place + ".min", "not set", "at least 1");
  if (range.min() < 1) return Wrong(place + ".min", absl::StrCat(range.min()), "at least 1");
  if (range.max() != 0 && range.max() < range.min()) {
    return Wrong(place, absl::StrCat(range.min(), "..", range.max()), "min <= max");
  }
  return absl::OkStatus();
}

absl::Status ValidateRegion(const std::string& place, const Region& when) {
  if (!Region::Pattern_IsValid(when.pattern()) || when.pattern() == Region::PATTERN_UNSPECIFIED) {
    return Wrong(place + ".pattern", "not set", "MATMUL");
  }
  if (when.dtype_family() != Region::DTYPE_FAMILY_UNSPECIFIED) {
    if (!Region::DTypeFamily_IsValid(when.dtype_family())) {
      return Wrong(place + ".dtype_family", absl::StrCat(int{when.dtype_family()}), "HALF or FP8");
    }
    if (when.dtype() != DTYPE_UNSPECIFIED) {
      return Wrong(place + ".dtype_family", "set beside a dtype", "one of the two");
    }
  } else if (!DTypeProto_IsValid(when.dtype()) || when.dtype() == DTYPE_UNSPECIFIED) {
    return Wrong(place + ".dtype", "not set", "one such as F32 or BF16, or a dtype_family");
  }
  const struct {
    const char* name;
    Region::Layout layout;
  } layouts[] = {{".lhs_layout", when.lhs_layout()}, {".rhs_layout", when.rhs_layout()}};
  for (const auto& [name, layout] : layouts) {
    if (!Region::Layout_IsValid(layout) || layout == Region::LAYOUT_UNSPECIFIED) {
      return Wrong(place + name, "not set", "ANY_LAYOUT, ROW_MAJOR or COLUMN_MAJOR");
    }
  }
  SEEDTUNE_RETURN_IF_ERROR(ValidateRange(place + ".m", when.has_m(), when.m()));
  SEEDTUNE_RETURN_IF_ERROR(ValidateRange(place + ".n", when.has_n(), when.n()));
  SEEDTUNE_RETURN_IF_ERROR(ValidateRange(place + ".k", when.has_k(), when.k()));
  return ValidateRange(place + ".batch", when.has_batch(), when.batch());
}

absl::Status ValidateSeed(const std::string& place, const ConfigProto& seed) {
  if (seed.knob().empty()) return Wrong(place + ".knob", "not set", "at least one knob");
  std::set<std::string> names;
  for (int i = 0; i < seed.knob_size(); ++i) {
    const KnobProto& knob = seed.knob(i);
    const std::string at = absl::StrCat(place, ".knob[", i, "]");
    if (knob.name().empty()) {
      return Wrong(at + ".name", "not set", "a knob such as \"block_size[m]\"");
    }
    const std::string named = absl::StrCat(at, " ", Quoted(knob.name()));
    if (!names.insert(knob.name()).second) {
      return Wrong(named, "there twice", "each knob once");
    }
    if (knob.value_case() == KnobProto::VALUE_NOT_SET) {
      return Wrong(named + ".value", "not set",
                   "int_value, bool_value, enum_value or permutation_value");
    }
    if (knob.value_case() == KnobProto::kIntValue && knob.int_value() < 0) {
      return Wrong(named, absl::StrCat(knob.int_value()), "at least 0");
    }
    if (knob.value_case() == KnobProto::kEnumValue && knob.enum_value().empty()) {
      return Wrong(named, "\"\"", "the name of a choice");
    }
    if (knob.value_case() == KnobProto::kPermutationValue &&
        knob.permutation_value().index().empty()) {
      return Wrong(named + ".permutation_value.index", "not set", "0 to n-1 in some order");
    }
  }
  if (const absl::StatusOr<PartialConfig> partial = PartialConfigFromProto(seed); !partial.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(place, ": ", std::string(partial.status().message())));
  }
  return absl::OkStatus();
}

// ---------------------------------------------------------------------------------------------
// Regions.

int64_t Max(const Range& range) {
  return range.max() == 0 ? std::numeric_limits<int64_t>::max() : range.max();
}

bool Holds(const Range& range, int64_t value) {
  return range.min() <= value && value <= Max(range);
}

bool Holds(Region::Layout want, OperandLayout layout) {
  return want == Region::ANY_LAYOUT ||
         (want == Region::ROW_MAJOR && layout == OperandLayout::kRowMajor) ||
         (want == Region::COLUMN_MAJOR && layout == OperandLayout::kColumnMajor);
}

// What of a kernel a region asks about.
struct Shape {
  DType dtype = DType::kF32;
  OperandLayout lhs = OperandLayout::kUnknown;
  OperandLayout rhs = OperandLayout::kUnknown;
  int64_t m = 0, n = 0, k = 0, batch = 0;

  std::string ToString() const {
    return absl::StrCat(std::string(DTypeName(dtype)), " ", m, "x", n, "x", k,
                        batch == 1 ? "" : absl::StrCat(" batch ", batch), ", lhs ",
                        std::string(OperandLayoutName(lhs)), ", rhs ",
                        std::string(OperandLayoutName(rhs)));
  }
};

// The types that a region speaks of, one bit each.
uint64_t DTypesOf(const Region& when) {
  const auto bit = [](int dtype) { return uint64_t{1} << dtype; };
  switch (when.dtype_family()) {
    case Region::HALF:
      return bit(BF16) | bit(F16);
    case Region::FP8:
      return bit(F8E4M3) | bit(F8E5M2);
    default:
      return bit(when.dtype());
  }
}
std::string DTypeNameOf(const Region& when) {
  return when.dtype_family() == Region::DTYPE_FAMILY_UNSPECIFIED
             ? DTypeProto_Name(when.dtype())
             : Region::DTypeFamily_Name(when.dtype_family());
}

bool Holds(const Region& when, DType dtype) {
  return (DTypesOf(when) >> static_cast<int>(dtype) & 1) != 0;
}
bool Holds(const Region& when, const Shape& shape) {
  return Holds(when, shape.dtype) && Holds(when.lhs_layout(), shape.lhs) &&
         Holds(when.rhs_layout(), shape.rhs) && Holds(when.m(), shape.m) &&
         Holds(when.n(), shape.n) && Holds(when.k(), shape.k) && Holds(when.batch(), shape.batch);
}

bool Overlap(const Range& a, const Range& b) { return a.min() <= Max(b) && b.min() <= Max(a); }
bool Overlap(Region::Layout a, Region::Layout b) {
  return a == b || a == Region::ANY_LAYOUT || b == Region::ANY_LAYOUT;
}
bool Overlap(const Region& a, const Region& b) {
  return (DTypesOf(a) & DTypesOf(b)) != 0 && Overlap(a.lhs_layout(), b.lhs_layout()) &&
         Overlap(a.rhs_layout(), b.rhs_layout()) && Overlap(a.m(), b.m()) &&
         Overlap(a.n(), b.n()) && Overlap(a.k(), b.k()) && Overlap(a.batch(), b.batch());
}

// Whether `a` lies inside `b` or is equal to it.
bool Inside(const Range& a, const Range& b) { return a.min() >= b.min() && Max(a) <= Max(b); }
bool Inside(Region::Layout a, Region::Layout b) { return a == b || b == Region::ANY_LAYOUT; }
bool Inside(const Region& a, const Region& b) {
  return (DTypesOf(a) & ~DTypesOf(b)) == 0 && Inside(a.lhs_layout(), b.lhs_layout()) &&
         Inside(a.rhs_layout(), b.rhs_layout()) && Inside(a.m(), b.m()) && Inside(a.n(), b.n()) &&
         Inside(a.k(), b.k()) && Inside(a.batch(), b.batch());
}

absl::Status ValidateRegionsAreClear(const SeedTableProto& table) {
  for (int j = 1; j < table.rules_size(); ++j) {
    for (int i = 0; i < j; ++i) {
      const Region& a = table.rules(i).when();
      const Region& b = table.rules(j).when();
      if (!Overlap(a, b) || Inside(a, b) != Inside(b, a)) continue;
      if (Inside(a, b)) {
        return absl::InvalidArgumentError(absl::StrCat(
            "rules[", j, "].when is the region of rules[", i, "], want each region once"));
      }
      const auto both = [](const Range& x, const Range& y) { return std::max(x.min(), y.min()); };
      return absl::InvalidArgumentError(absl::StrCat(
          "rules[", j, "].when overlaps that of rules[", i, "] at ",
          DTypeNameOf((DTypesOf(a) & ~DTypesOf(b)) == 0 ? a : b), " ", both(a.m(), b.m()), "x",
          both(a.n(), b.n()), "x", both(a.k(), b.k()), " batch ", both(a.batch(), b.batch()),
          " and neither lies inside the other, want disjoint or nested regions; split one"));
    }
  }
  return absl::OkStatus();
}

// ---------------------------------------------------------------------------------------------

OperandLayout ToOperandLayout(MatrixLayout layout) {
  return layout == MatrixLayout::kRowMajor ? OperandLayout::kRowMajor : OperandLayout::kColumnMajor;
}

Shape ShapeOf(const MatmulSpec& spec) {
  return {spec.lhs,
          ToOperandLayout(spec.lhs_layout),
          ToOperandLayout(spec.rhs_layout),
          spec.m.value,
          spec.n.value,
          spec.k.value,
          spec.batch};
}

absl::Status ValidateMeasured(const std::string& place, const SeedTableProto::Measured& measured,
                              const Region& when) {
  const std::string shape_place = place + ".shape";
  SEEDTUNE_RETURN_IF_ERROR(
      RequireText(shape_place, measured.shape(), "the short form, \"matmul:16x4096x4096:f32\""));
  const absl::StatusOr<MatmulSpec> spec = ParseMatmulShortForm(measured.shape());
  if (!spec.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(shape_place, ": ", std::string(spec.status().message())));
  }
  if (!spec->m.is_static() || !spec->n.is_static() || !spec->k.is_static()) {
    return Wrong(shape_place, Quoted(measured.shape()), "known extents: one shape was measured");
  }
  const Shape shape = ShapeOf(*spec);
  if (spec->lhs != spec->rhs || !Holds(when, shape)) {
    return Wrong(shape_place, Quoted(measured.shape()), "a shape inside the rule's region");
  }
  if (measured.median_ns() == 0) return Wrong(place + ".median_ns", "not set", "a time");
  if (!(measured.median_ns() > 0)) {
    return Wrong(place + ".median_ns", absl::StrCat(measured.median_ns()), "more than 0");
  }
  SEEDTUNE_RETURN_IF_ERROR(
      RequireText(place + ".reference", measured.reference(), "what it was measured against"));
  if (measured.reference_median_ns() == 0) {
    return Wrong(place + ".reference_median_ns", "not set", "a time");
  }
  if (!(measured.reference_median_ns() > 0)) {
    return Wrong(place + ".reference_median_ns", absl::StrCat(measured.reference_median_ns()),
                 "more than 0");
  }
  return absl::OkStatus();
}

constexpr double kMaxNearest = 4;

// Of extents; see seed_table.proto.
double LogDistance(const Shape& a, const Shape& b) {
  double sum = 0;
  for (const auto& [x, y] : {std::pair(a.m, b.m), std::pair(a.n, b.n), std::pair(a.k, b.k),
                             std::pair(a.batch, b.batch)}) {
    const double log = std::log2(static_cast<double>(x) / static_cast<double>(y));
    sum += log * log;
  }
  return std::sqrt(sum);
}

// What was measured, by rule.
struct MeasuredShape {
  int rule = 0;
  Shape shape;
};
std::vector<MeasuredShape> MeasuredShapes(const SeedTableProto& table) {
  std::vector<MeasuredShape> shapes;
  for (int i = 0; i < table.rules_size(); ++i) {
    for (const SeedTableProto::Measured& measured : table.rules(i).measured()) {
      const absl::StatusOr<MatmulSpec> spec = ParseMatmulShortForm(measured.shape());
      if (spec.ok()) shapes.push_back({i, ShapeOf(*spec)});
    }
  }
  return shapes;
}

absl::Status ValidateNearest(const SeedTableProto& table) {
  if (table.nearest_within() == 0) return absl::OkStatus();
  if (!(table.nearest_within() > 0) || table.nearest_within() > kMaxNearest) {
    return Wrong("nearest_within", absl::StrCat(table.nearest_within()),
                 absl::StrCat("more than 0 and at most ", kMaxNearest));
  }
  const std::vector<MeasuredShape> shapes = MeasuredShapes(table);
  for (size_t j = 0; j < shapes.size(); ++j) {
    for (size_t i = 0; i < j; ++i) {
      const Shape& a = shapes[i].shape;
      const Shape& b = shapes[j].shape;
      if (shapes[i].rule == shapes[j].rule || a.lhs != b.lhs || a.rhs != b.rhs ||
          LogDistance(a, b) != 0 ||
          (DTypesOf(table.rules(shapes[i].rule).when()) &
           DTypesOf(table.rules(shapes[j].rule).when())) == 0) {
        continue;
      }
      return absl::InvalidArgumentError(absl::StrCat(
          "rules[", shapes[j].rule, "].measured has ", b.ToString(), " as rules[", shapes[i].rule,
          "] does, want each shape once, so that the nearest one is clear"));
    }
  }
  return absl::OkStatus();
}

absl::Status ValidateRule(const std::string& place, const Rule& rule) {
  if (!rule.has_when()) return Wrong(place + ".when", "not set", "a region");
  SEEDTUNE_RETURN_IF_ERROR(ValidateRegion(place + ".when", rule.when()));
  if (!rule.has_seed()) return Wrong(place + ".seed", "not set", "at least one knob");
  SEEDTUNE_RETURN_IF_ERROR(ValidateSeed(place + ".seed", rule.seed()));
  if (rule.measured().empty()) {
    return Wrong(place + ".measured", "not set", "at least one measurement");
  }
  for (int i = 0; i < rule.measured_size(); ++i) {
    SEEDTUNE_RETURN_IF_ERROR(
        ValidateMeasured(absl::StrCat(place, ".measured[", i, "]"), rule.measured(i), rule.when()));
  }
  return absl::OkStatus();
}

// ---------------------------------------------------------------------------------------------

DeviceKind ToDeviceKind(Target::DeviceKind kind) {
  switch (kind) {
    case Target::CPU:
      return DeviceKind::kCpu;
    case Target::CUDA:
      return DeviceKind::kCuda;
    case Target::ROCM:
      return DeviceKind::kRocm;
    default:
      return DeviceKind::kUnknown;
  }
}

class SeedTableHeuristic : public AutotunerHeuristic {
 public:
  SeedTableHeuristic(SeedTableProto table, std::vector<PartialConfig> seeds)
      : table_(std::move(table)), seeds_(std::move(seeds)), measured_(MeasuredShapes(table_)) {}

  std::string_view name() const override { return table_.name(); }
  std::string_view backend() const override { return table_.backend(); }

  Eligibility IsEligible(const TuningContext& context) const override {
    const Target& target = table_.target();
    const DeviceKind want = ToDeviceKind(target.device_kind());
    if (context.device.kind != want) {
      return Eligibility::No(absl::StrCat("device is ",
                                          std::string(DeviceKindName(context.device.kind)),
                                          ", want ", std::string(DeviceKindName(want))));
    }
    std::string level = "device kind " + std::string(DeviceKindName(want));
    if (!target.family().empty()) {
      const std::string& base = context.device.arch.base;
      if (ArchFamily(base) != target.family()) {
        return Eligibility::No(absl::StrCat("architecture is ",
                                            base.empty() ? "unknown" : Quoted(base),
                                            ", want one of the family ", target.family()));
      }
      level = absl::StrCat("family ", target.family());
    } else if (target.arch() != kAnyArch) {
      const std::string& base = context.device.arch.base;
      const ArchMatch match = MatchArch(base, target.arch());
      if (match == ArchMatch::kNone) {
        return Eligibility::No(absl::StrCat("architecture is ",
                                            base.empty() ? "unknown" : Quoted(base), ", want \"",
                                            target.arch(), "\" or what follows it"));
      }
      level = match == ArchMatch::kExact
                  ? absl::StrCat("exact architecture ", base)
                  : absl::StrCat("architecture ", base, ", which follows ", target.arch());
    }
    std::string why_not;
    const std::optional<Hit> hit = FindRule(context, why_not);
    if (!hit) return Eligibility::No(std::move(why_not));
    return Eligibility::Yes(absl::StrCat(level, ", rules[", hit->rule, "]", hit->how));
  }

  absl::StatusOr<std::vector<PartialConfig>> SeedConfigs(
      const TuningContext& context) const override {
    const Eligibility eligibility = IsEligible(context);
    if (!eligibility.eligible) return absl::FailedPreconditionError(eligibility.reason);
    std::string why_not;
    return std::vector<PartialConfig>{seeds_[FindRule(context, why_not)->rule]};
  }

  bool PromotesPrimary(const TuningContext& context) const override {
    if (!table_.promote()) return false;
    const std::string& base = context.device.arch.base;
    const bool is_measured = table_.target().family().empty()
                                 ? MatchArch(base, table_.target().arch()) == ArchMatch::kExact
                                 : ArchFamily(base) == table_.target().family();
    std::string why_not;
    const std::optional<Hit> hit = FindRule(context, why_not);
    return is_measured && hit && hit->is_inside;
  }

 private:
  struct Hit {
    int rule = 0;
    bool is_inside = true;  // of its region; else near what it measured
    std::string how;        // for people: " (exact shape)", ""
  };

  // The narrowest rule that holds the kernel, else the nearest; valid tables leave no doubt which
  // that is.
  std::optional<Hit> FindRule(const TuningContext& context, std::string& why_not) const {
    if (context.facts.size() != 1) {
      why_not = absl::StrCat(context.facts.size(), " matmuls, want one");
      return std::nullopt;
    }
    const MatmulFact& fact = context.facts[0];
    const struct {
      const char* name;
      const DimFact& dim;
    } dims[] = {{"m", fact.m}, {"n", fact.n}, {"k", fact.k}};
    for (const auto& [name, dim] : dims) {
      if (!dim.is_symbolic()) continue;
      why_not = absl::StrCat(name, " is symbolic, want a static extent; bind it");
      return std::nullopt;
    }
    if (!fact.batch_is_static) {
      why_not = "batch is symbolic, want a static extent; bind it";
      return std::nullopt;
    }
    if (fact.lhs.dtype != fact.rhs.dtype) {
      why_not = absl::StrCat("operands are ", std::string(DTypeName(fact.lhs.dtype)), " and ",
                             std::string(DTypeName(fact.rhs.dtype)), ", want one type");
      return std::nullopt;
    }
    const Shape shape = {fact.lhs.dtype,        fact.lhs.layout,       fact.rhs.layout,
                         *fact.m.static_extent, *fact.n.static_extent, *fact.k.static_extent,
                         fact.batch()};
    std::optional<int> best;
    for (int i = 0; i < table_.rules_size(); ++i) {
      const Region& when = table_.rules(i).when();
      if (!Holds(when, shape)) continue;
      if (!best || Inside(when, table_.rules(*best).when())) best = i;
    }
    if (best) {
      const Region& when = table_.rules(*best).when();
      const bool is_exact = when.m().min() == when.m().max() && when.n().min() == when.n().max() &&
                            when.k().min() == when.k().max();
      return Hit{*best, /*is_inside=*/true, is_exact ? " (exact shape)" : ""};
    }
    why_not = absl::StrCat("no rule of ", table_.rules_size(), " holds ", shape.ToString());
    if (table_.nearest_within() == 0) return std::nullopt;
    return FindNearest(shape, why_not);
  }

  std::optional<Hit> FindNearest(const Shape& shape, std::string& why_not) const {
    const MeasuredShape* nearest = nullptr;
    double least = 0;
    for (const MeasuredShape& measured : measured_) {
      const Region& when = table_.rules(measured.rule).when();
      if (!Holds(when, shape.dtype) || measured.shape.lhs != shape.lhs ||
          measured.shape.rhs != shape.rhs) {
        continue;
      }
      const double distance = LogDistance(shape, measured.shape);
      const auto order = [](const Shape& s) { return std::tie(s.m, s.n, s.k, s.batch); };
      if (nearest == nullptr || distance < least ||
          (distance == least && order(measured.shape) < order(nearest->shape))) {
        nearest = &measured;
        least = distance;
      }
    }
    if (nearest == nullptr) return std::nullopt;
    const std::string how = absl::StrFormat("nearest is %s at a log2 distance of %.2f",
                                            nearest->shape.ToString(), least);
    if (least > table_.nearest_within()) {
      absl::StrAppend(&why_not, "; ", how, ", want at most ", table_.nearest_within());
      return std::nullopt;
    }
    return Hit{nearest->rule, /*is_inside=*/false, absl::StrCat(" (", how, ")")};
  }

  const SeedTableProto table_;
  const std::vector<PartialConfig> seeds_;  // one a rule
  const std::vector<MeasuredShape> measured_;
};

}  // namespace

absl::Status ValidateSeedTable(const SeedTableProto& table) {
  SEEDTUNE_RETURN_IF_ERROR(RequireText("name", table.name(), "lower_snake_case"));
  if (!IsLowerSnakeCase(table.name())) {
    return Wrong("name", Quoted(table.name()), "lower_snake_case");
  }
  SEEDTUNE_RETURN_IF_ERROR(RequireText("backend", table.backend(), "one such as \"cpu\""));
  if (!IsLowerSnakeCase(table.backend())) {
    return Wrong("backend", Quoted(table.backend()), "lower_snake_case");
  }
  SEEDTUNE_RETURN_IF_ERROR(ValidateTarget(table));
  SEEDTUNE_RETURN_IF_ERROR(ValidateProvenance(table));
  if (!table.has_promote()) return Wrong("promote", "not set", "true or false");
  if (table.promote() && table.target().arch() == kAnyArch) {
    return Wrong("promote", "true for any architecture", "false, or the one that was measured");
  }
  if (table.rules().empty()) return Wrong("rules", "not set", "at least one rule");
  for (int i = 0; i < table.rules_size(); ++i) {
    SEEDTUNE_RETURN_IF_ERROR(ValidateRule(absl::StrCat("rules[", i, "]"), table.rules(i)));
  }
  SEEDTUNE_RETURN_IF_ERROR(ValidateRegionsAreClear(table));
  return ValidateNearest(table);
}

absl::StatusOr<SeedTableProto> ParseSeedTable(std::string_view text, std::string_view file_name) {
  SeedTableProto table;
  SEEDTUNE_RETURN_IF_ERROR(ParseTextProto(text, file_name, &table));
  if (const absl::Status status = ValidateSeedTable(table); !status.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(std::string(file_name), ": ", std::string(status.message())));
  }
  return table;
}

absl::StatusOr<std::unique_ptr<const AutotunerHeuristic>> MakeSeedTableHeuristic(
    SeedTableProto table) {
  SEEDTUNE_RETURN_IF_ERROR(ValidateSeedTable(table));
  std::vector<PartialConfig> seeds;
  for (const Rule& rule : table.rules()) {
    SEEDTUNE_ASSIGN_OR_RETURN(PartialConfig seed, PartialConfigFromProto(rule.seed()));
    seeds.push_back(std::move(seed));
  }
  return std::make_unique<const SeedTableHeuristic>(std::move(table), std::move(seeds));
}

}  // namespace seedtune
