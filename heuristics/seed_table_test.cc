#include "heuristics/seed_table.h"

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "config/config_space.h"
#include "config/knob.h"
#include "gmock/gmock.h"
#include "google/protobuf/message.h"
#include "gtest/gtest.h"
#include "hardware/hardware_info.h"
#include "heuristics/autotuner_heuristic.h"
#include "heuristics/tuning_context.h"
#include "ir/kernel.h"
#include "ir/matmul.h"
#include "matmul_ops/matmul_fact.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

// All numbers are made up. Every field of the schema is set.
constexpr char kHead[] = R"pb(
  name: "made_up"
  backend: "cpu"
  target { device_kind: CPU arch: "znver4" }
  provenance {
    date: "2026-11-20"
    command: "seedtune seeds mine --db=made_up.db"
    commit: "0123456789abcdef"
    device: "a made-up machine"
    note: "nothing was measured"
  }
  promote: true
)pb";

constexpr char kNearest[] = "nearest_within: 1.5\n";

constexpr char kRule[] = R"pb(
  rules {
    when {
      pattern: MATMUL
      dtype: F32
      lhs_layout: ROW_MAJOR
      rhs_layout: ANY_LAYOUT
      m { min: 1 max: 16 }
      n { min: 256 max: 65536 }
      k { min: 256 max: 65536 }
      batch { min: 1 max: 1 }
    }
    seed {
      knob { name: "block_size[k]" int_value: 256 }
      knob { name: "pack[rhs]" bool_value: false }
    }
    measured {
      shape: "matmul:16x4096x4096:f32"
      median_ns: 41200
      reference: "nothing"
      reference_median_ns: 47800
    }
  }
)pb";

std::string Table() { return absl::StrCat(kHead, kNearest, kRule); }

std::string Replaced(const std::string& from, const std::string& to) {
  std::string text = Table();
  EXPECT_THAT(text, HasSubstr(from));
  return absl::StrReplaceAll(text, {{from, to}});
}

// A rule over square regions whose extents have these bounds.
std::string SquareRule(int min, int max, const std::string& rhs_layout = "ROW_MAJOR") {
  const std::string range = absl::StrCat("{ min: ", min, " max: ", max, " }");
  const std::string shape = absl::StrCat("matmul:", min, "x", min, "x", min, ":f32",
                                         rhs_layout == "COLUMN_MAJOR" ? ":nt" : "");
  return absl::StrCat(
      "rules { when { pattern: MATMUL dtype: F32 lhs_layout: ROW_MAJOR rhs_layout: ", rhs_layout,
      " m ", range, " n ", range, " k ", range,
      " batch { min: 1 max: 1 } } seed { knob { name: \"threads\" int_value: ", max,
      " } } measured { shape: \"", shape,
      "\" median_ns: 1 reference: \"nothing\" reference_median_ns: 1 } }");
}

std::string MessageOf(const absl::Status& status) { return std::string(status.message()); }

TEST(SeedTableTest, ReadsATable) {
  ASSERT_OK_AND_ASSIGN(const SeedTableProto table, ParseSeedTable(Table(), "t.textproto"));
  EXPECT_EQ(table.name(), "made_up");
  ASSERT_EQ(table.rules_size(), 1);
  EXPECT_EQ(table.rules(0).when().m().max(), 16);
}

TEST(SeedTableTest, PointsAtWhatIsNoField) {
  EXPECT_THAT(ParseSeedTable("name: \"x\"\nbackent: \"cpu\"", "t.textproto"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(StartsWith("t.textproto:2:"), HasSubstr("backent"))));
}

TEST(SeedTableTest, NamesThePlaceTheFaultAndWhatIsWanted) {
  const struct {
    const char *from, *to, *error;
  } kCases[] = {
      {"\"made_up\"\n", "\"Made-up\"\n", "name is \"Made-up\", want lower_snake_case"},
      {"\"cpu\"", "\"the cpu\"", "backend is \"the cpu\", want"},
      {"\"znver4\"", "\"znver4:sse+\"", "target.arch is \"znver4:sse+\", want"},
      {"\"znver4\"", "\"zenver4\"", "target.arch is \"zenver4\", want"},
      {"\"znver4\"", "\"any\"", "promote is true for any architecture, want"},
      {"2026-11-20", "2026-02-30", "provenance.date is \"2026-02-30\", want a day"},
      {"2026-11-20", "20 Nov 2026", "provenance.date is \"20 Nov 2026\", want a day"},
      {"2026-11-20", "2026-1-020", "provenance.date is \"2026-1-020\", want a day"},
      {"0123456789abcdef", "main", "provenance.commit is \"main\", want 7 to 40"},
      {"0123456789abcdef", "012345", "provenance.commit is \"012345\", want 7 to 40"},
      {"commit: \"0123456789abcdef\"", "code_generator: \" \"",
       "provenance.commit is not set, want 7 to 40 hexadecimal digits, or a code_generator"},
      {"commit: \"0123456789abcdef\"", "commit: \"main\" code_generator: \"cpu 3\"",
       "provenance.commit is \"main\", want 7 to 40"},
      {"\"a made-up machine\"", "\"  \"", "provenance.device is not set, want"},
      {"m { min: 1 max: 16 }", "m { min: 17 max: 16 }", "rules[0].when.m is 17..16, want min <="},
      {"m { min: 1 max: 16 }", "m { min: -1 max: 16 }", "rules[0].when.m.min is -1, want at least"},
      {"m { min: 1 max: 16 }", "m { min: 1 max: -1 }", "rules[0].when.m is 1..-1, want min <="},
      {"int_value: 256", "int_value: -4",
       "rules[0].seed.knob[0] \"block_size[k]\" is -4, want at least 0"},
      {"\"pack[rhs]\" bool_value: false", "\"block_size[k]\" int_value: 8",
       "rules[0].seed.knob[1] \"block_size[k]\" is there twice"},
      {"bool_value: false", "enum_value: \"\"", "rules[0].seed.knob[1] \"pack[rhs]\" is \"\""},
      {"bool_value: false", "permutation_value {}",
       "rules[0].seed.knob[1] \"pack[rhs]\".permutation_value.index is not set"},
      {"matmul:16x4096x4096:f32", "16x4096x4096", "rules[0].measured[0].shape: "},
      {"matmul:16x4096x4096:f32", "matmul:17x4096x4096:f32", "want a shape inside the rule's"},
      {"matmul:16x4096x4096:f32", "matmul:16x4096x4096:f32:tn", "want a shape inside the rule's"},
      {"matmul:16x4096x4096:f32", "matmul:16x4096x4096:f32:batch=2", "want a shape inside"},
      {"matmul:16x4096x4096:f32", "matmul:16x4096x4096:bf16", "want a shape inside the rule's"},
      {"matmul:16x4096x4096:f32", "matmul:M=16[1,64]x4096x4096:f32", "want known extents"},
      {"median_ns: 41200", "median_ns: -1", "rules[0].measured[0].median_ns is -1, want more"},
      {"median_ns: 41200", "median_ns: nan", "rules[0].measured[0].median_ns is nan, want more"},
      {"arch: \"znver4\"", "arch: \"znver4\" family: \"zen\"",
       "target.family is \"zen\" beside an arch, want one of the two"},
      {"arch: \"znver4\"", "family: \"zenith\"", "target.family is \"zenith\", want a family"},
      {"dtype: F32", "dtype: F32 dtype_family: HALF", "dtype_family is set beside a dtype"},
      {"dtype: F32", "dtype_family: HALF", "want a shape inside the rule's region"},
      {"nearest_within: 1.5", "nearest_within: -1", "nearest_within is -1, want more than 0"},
      {"nearest_within: 1.5", "nearest_within: 5", "nearest_within is 5, want more than 0 and at"},
      {"median_ns: 47800", "median_ns: -2", "measured[0].reference_median_ns is -2, want more"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.error);
    EXPECT_THAT(ParseSeedTable(Replaced(c.from, c.to), "t.textproto"),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(StartsWith("t.textproto: "), HasSubstr(c.error))));
  }
}

TEST(SeedTableTest, TakesTheCodeGeneratorsVersionInsteadOfACommit) {
  EXPECT_THAT(ParseSeedTable(Replaced("commit: \"0123456789abcdef\"", "code_generator: \"cpu 3\""),
                             "t.textproto"),
              IsOk());
}

// The fields that may be left out. Every other one is missed.
const struct {
  const char *path, *why;
} kOptionalFields[] = {
    {"provenance.note", "there may be nothing more to say"},
    {"nearest_within", "no fallback"},
    {"rules[0].when.m.max", "no upper bound"},
    {"rules[0].when.n.max", "no upper bound"},
    {"rules[0].when.k.max", "no upper bound"},
    {"rules[0].when.batch.max", "no upper bound"},
};

// Fields that stand for another one of the table above, which has to be left out then.
const char* const kAlternatives[] = {"target.family", "rules.when.dtype_family",
                                     "provenance.code_generator"};

using Field = google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// From the table down to one message: fields, and indices where they are repeated (else -1).
using Route = std::vector<std::pair<const Field*, int>>;

Message& Follow(Message& table, const Route& route) {
  Message* at = &table;
  for (const auto& [field, index] : route) {
    at = index < 0 ? at->GetReflection()->MutableMessage(at, field)
                   : at->GetReflection()->MutableRepeatedMessage(at, field, index);
  }
  return *at;
}

// Clears each field of the message at `route` of `table` in turn, then goes on below it, and checks
// that the table is then refused by that field's name.
void ClearEachField(const SeedTableProto& table, const Route& route, const std::string& path,
                    std::set<std::string>& seen_optional) {
  SeedTableProto copy = table;
  Message& message = Follow(copy, route);
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  std::vector<const Field*> fields;
  reflection.ListFields(message, &fields);
  for (const Field* field : fields) {
    const std::string name = absl::StrCat(path, path.empty() ? "" : ".", field->name());
    SeedTableProto cleared = table;
    Message& at = Follow(cleared, route);
    at.GetReflection()->ClearField(&at, field);
    const absl::Status status = ValidateSeedTable(cleared);
    bool is_optional = false;
    for (const auto& optional : kOptionalFields) is_optional |= optional.path == name;
    if (is_optional) {
      seen_optional.insert(name);
      EXPECT_TRUE(status.ok()) << name << ": " << status;
    } else {
      // A knob's value is one of several fields; the error names the knob.
      const bool is_value = field->real_containing_oneof() != nullptr;
      EXPECT_THAT(MessageOf(status), HasSubstr(is_value ? absl::StrCat(path, " ") : name));
      EXPECT_THAT(MessageOf(status), HasSubstr(is_value ? "value is not set" : "is not set"));
    }
    if (field->cpp_type() != Field::CPPTYPE_MESSAGE) continue;
    const int size = field->is_repeated() ? reflection.FieldSize(message, field) : 1;
    for (int i = 0; i < size; ++i) {
      Route below = route;
      below.emplace_back(field, field->is_repeated() ? i : -1);
      ClearEachField(table, below, field->is_repeated() ? absl::StrCat(name, "[", i, "]") : name,
                     seen_optional);
    }
  }
}

// Every field of the schema below `type`, by path; a repeated one's elements share a path.
void AllFields(const google::protobuf::Descriptor& type, const std::string& path,
               std::set<std::string>& out) {
  for (int i = 0; i < type.field_count(); ++i) {
    const Field& field = *type.field(i);
    const std::string name = absl::StrCat(path, path.empty() ? "" : ".", field.name());
    out.insert(name);
    if (field.message_type() != nullptr &&
        field.message_type()->full_name() != "seedtune.ConfigProto") {
      AllFields(*field.message_type(), name, out);
    }
  }
}

void SetFields(const Message& message, const std::string& path, std::set<std::string>& out) {
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  std::vector<const Field*> fields;
  reflection.ListFields(message, &fields);
  for (const Field* field : fields) {
    const std::string name = absl::StrCat(path, path.empty() ? "" : ".", field->name());
    out.insert(name);
    if (field->message_type() == nullptr ||
        field->message_type()->full_name() == "seedtune.ConfigProto") {
      continue;
    }
    if (field->is_repeated()) {
      for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
        SetFields(reflection.GetRepeatedMessage(message, field, i), name, out);
      }
    } else {
      SetFields(reflection.GetMessage(message, field), name, out);
    }
  }
}

TEST(SeedTableTest, MissesEveryFieldThatIsCleared) {
  ASSERT_OK_AND_ASSIGN(const SeedTableProto table, ParseSeedTable(Table(), "t.textproto"));
  std::set<std::string> all, set;
  AllFields(*SeedTableProto::descriptor(), "", all);
  SetFields(table, "", set);
  for (const char* alternative : kAlternatives) all.erase(alternative);
  ASSERT_EQ(set, all) << "the table of this test has to set every field of the schema";

  std::set<std::string> seen_optional;
  ClearEachField(table, {}, "", seen_optional);
  EXPECT_THAT(seen_optional, SizeIs(std::size(kOptionalFields)));
}

TEST(SeedTableTest, RefusesRulesBetweenWhichNothingDecides) {
  EXPECT_THAT(ParseSeedTable(kHead + SquareRule(1, 64) + SquareRule(32, 128), "t"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("rules[1].when overlaps that of rules[0] at F32 32x32x32")));
  EXPECT_THAT(ParseSeedTable(kHead + SquareRule(1, 64) + SquareRule(1, 64), "t"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("rules[1].when is the region of rules[0]")));
  // Narrower in the extents, wider in the layout.
  EXPECT_THAT(
      ParseSeedTable(kHead + SquareRule(1, 64) + SquareRule(2, 8, "ANY_LAYOUT"), "t"),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("neither lies inside the other")));
}

TEST(SeedTableTest, T3_RefusesOverlapsOfTypeFamiliesInsteadOfTakingTheFirst) {
  const auto rule = [](const std::string& dtypes, int max) {
    return absl::StrReplaceAll(SquareRule(8, max), {{"dtype: F32", dtypes}, {":f32", ":bf16"}});
  };
  EXPECT_THAT(
      ParseSeedTable(kHead + rule("dtype_family: HALF", 64) + rule("dtype: BF16", 128), "t"),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("neither lies inside")));
  EXPECT_THAT(
      ParseSeedTable(kHead + rule("dtype_family: HALF", 128) + rule("dtype: BF16", 64), "t"),
      IsOk());
  // One shape in two rules: which of them would be the nearest?
  EXPECT_THAT(ParseSeedTable(absl::StrCat(kHead, kNearest, rule("dtype_family: HALF", 128),
                                          rule("dtype: BF16", 64)),
                             "t"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("want each shape once")));
}

TEST(SeedTableTest, TakesDisjointAndNestedRules) {
  EXPECT_THAT(ParseSeedTable(kHead + SquareRule(1, 64) + SquareRule(65, 128), "t"), IsOk());
  EXPECT_THAT(ParseSeedTable(kHead + SquareRule(1, 64) + SquareRule(8, 64), "t"), IsOk());
  EXPECT_THAT(ParseSeedTable(kHead + SquareRule(8, 9) + SquareRule(1, 64) + SquareRule(8, 16), "t"),
              IsOk());
  // The same extents in another layout.
  EXPECT_THAT(ParseSeedTable(kHead + SquareRule(1, 64) + SquareRule(1, 64, "COLUMN_MAJOR"), "t"),
              IsOk());
}

// ---------------------------------------------------------------------------------------------

class SeedTableHeuristicTest : public ::testing::Test {
 protected:
  SeedTableHeuristicTest() {
    ConfigSpace::Options options;
    options.name = "made_up";
    options.knobs.push_back(*Knob::Integer("threads", 1, 256, 1, 1));
    space_ = *ConfigSpace::Create(std::move(options));
    device_.kind = DeviceKind::kCpu;
    device_.arch.base = "znver4";
  }

  // Of a table with these rules.
  std::unique_ptr<const AutotunerHeuristic> Make(const std::string& rules,
                                                 const std::string& head = kHead) {
    auto table = ParseSeedTable(head + rules, "t");
    EXPECT_TRUE(table.ok()) << table.status();
    auto heuristic = MakeSeedTableHeuristic(*std::move(table));
    EXPECT_TRUE(heuristic.ok()) << heuristic.status();
    return *std::move(heuristic);
  }

  // A context of `kernel`, valid until the next call.
  const TuningContext& Context(const std::string& kernel) {
    kernel_ = *BuildMatmul(*ParseMatmulShortForm(kernel));
    facts_ = ExtractMatmulFacts(kernel_);
    context_.reset(new TuningContext{kernel_, facts_, device_, *space_});
    return *context_;
  }

  int64_t Threads(const AutotunerHeuristic& heuristic, const std::string& kernel) {
    const auto seeds = heuristic.SeedConfigs(Context(kernel));
    EXPECT_TRUE(seeds.ok()) << seeds.status();
    EXPECT_THAT(*seeds, SizeIs(1));
    return std::get<int64_t>(seeds->at(0).values.at("threads"));
  }

  Kernel kernel_;
  std::vector<MatmulFact> facts_;
  HardwareInfo device_;
  std::shared_ptr<const ConfigSpace> space_;
  std::unique_ptr<TuningContext> context_;
};

TEST_F(SeedTableHeuristicTest, RefusesAnInvalidTable) {
  EXPECT_THAT(MakeSeedTableHeuristic(SeedTableProto()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("name is not set")));
}

TEST_F(SeedTableHeuristicTest, TakesItsNameAndBackendFromTheTable) {
  const auto heuristic = Make(SquareRule(1, 64));
  EXPECT_EQ(heuristic->name(), "made_up");
  EXPECT_EQ(heuristic->backend(), "cpu");
}

TEST_F(SeedTableHeuristicTest, LetsTheNarrowestRuleWinInAnyOrder) {
  for (const std::string& rules : {SquareRule(1, 64) + SquareRule(4, 32) + SquareRule(8, 16),
                                   SquareRule(8, 16) + SquareRule(4, 32) + SquareRule(1, 64),
                                   SquareRule(4, 32) + SquareRule(8, 16) + SquareRule(1, 64)}) {
    const auto heuristic = Make(rules);
    EXPECT_EQ(Threads(*heuristic, "matmul:1x64x64:f32"), 64);
    EXPECT_EQ(Threads(*heuristic, "matmul:4x32x32:f32"), 32);
    EXPECT_EQ(Threads(*heuristic, "matmul:8x16x16:f32"), 16);
    EXPECT_EQ(Threads(*heuristic, "matmul:8x17x16:f32"), 32);
  }
}

TEST_F(SeedTableHeuristicTest, SaysWhichLevelAndRuleHit) {
  const auto heuristic = Make(SquareRule(65, 128) + SquareRule(1, 64));
  EXPECT_EQ(heuristic->IsEligible(Context("matmul:8x8x8:f32")).reason,
            "exact architecture znver4, rules[1]");
  EXPECT_TRUE(heuristic->PromotesPrimary(*context_));

  device_.arch.base = "znver5";
  const Eligibility family = heuristic->IsEligible(Context("matmul:8x8x8:f32"));
  EXPECT_TRUE(family.eligible);
  EXPECT_EQ(family.reason, "architecture znver5, which follows znver4, rules[1]");
  EXPECT_FALSE(heuristic->PromotesPrimary(*context_)) << "promoted where nothing was measured";

  const auto any = Make(
      SquareRule(1, 64),
      absl::StrReplaceAll(kHead, {{"\"znver4\"", "\"any\""}, {"promote: true", "promote: false"}}));
  EXPECT_EQ(any->IsEligible(Context("matmul:8x8x8:f32")).reason, "device kind cpu, rules[0]");
  EXPECT_FALSE(any->PromotesPrimary(*context_));
}

TEST_F(SeedTableHeuristicTest, PromotesOnlyWhereTheTableSaysSo) {
  const auto heuristic =
      Make(SquareRule(1, 64), absl::StrReplaceAll(kHead, {{"promote: true", "promote: false"}}));
  EXPECT_FALSE(heuristic->PromotesPrimary(Context("matmul:8x8x8:f32")));
}

TEST_F(SeedTableHeuristicTest, DeclinesWithTheReason) {
  const auto heuristic = Make(SquareRule(2, 64));
  const struct {
    const char *kernel, *reason;
  } kCases[] = {
      {"matmul:8x8x65:f32", "no rule of 1 holds f32 8x8x65"},
      {"matmul:1x8x8:f32", "no rule of 1 holds f32 1x8x8"},
      {"matmul:8x8x8:bf16", "no rule of 1 holds bf16 8x8x8"},
      {"matmul:8x8x8:f32:batch=2", "no rule of 1 holds f32 8x8x8 batch 2"},
      {"matmul:8x8x8:f32:nt", "no rule of 1 holds"},
      {"matmul:M=8[1,64]x8x8:f32", "m is symbolic, want a static extent"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.kernel);
    const Eligibility eligibility = heuristic->IsEligible(Context(c.kernel));
    EXPECT_FALSE(eligibility.eligible);
    EXPECT_THAT(eligibility.reason, HasSubstr(c.reason));
    EXPECT_FALSE(heuristic->SeedConfigs(*context_).ok());
  }
}

TEST_F(SeedTableHeuristicTest, FallsBackToTheNearestMeasuredShapeWithinTheLimit) {
  const auto heuristic = Make(std::string(kNearest) + SquareRule(8, 9) + SquareRule(64, 65));
  // Measured: 8 and 64 each way.
  EXPECT_EQ(Threads(*heuristic, "matmul:10x10x10:f32"), 9);
  EXPECT_THAT(heuristic->IsEligible(*context_).reason,
              HasSubstr("rules[0] (nearest is f32 8x8x8, lhs row-major, rhs row-major at a log2 "
                        "distance of 0.56)"));
  EXPECT_FALSE(heuristic->PromotesPrimary(*context_)) << "promoted what was not measured";
  EXPECT_EQ(Threads(*heuristic, "matmul:60x60x60:f32"), 65);
  EXPECT_THAT(heuristic->IsEligible(Context("matmul:22x22x22:f32")).reason,
              HasSubstr("want at most 1.5"));
  EXPECT_TRUE(heuristic->PromotesPrimary(Context("matmul:8x8x8:f32")));
  // Other types and layouts are not near, however alike the shapes.
  EXPECT_FALSE(heuristic->IsEligible(Context("matmul:10x10x10:bf16")).eligible);
  EXPECT_FALSE(heuristic->IsEligible(Context("matmul:10x10x10:f32:nt")).eligible);
}

TEST_F(SeedTableHeuristicTest, ServesAFamilyOfArchitecturesAndOfTypes) {
  const auto heuristic =
      Make(absl::StrReplaceAll(SquareRule(8, 64),
                               {{"dtype: F32", "dtype_family: HALF"}, {":f32", ":f16"}}),
           absl::StrReplaceAll(kHead, {{"arch: \"znver4\"", "family: \"zen\""}}));
  for (const char* base : {"znver3", "znver4", "znver5"}) {
    device_.arch.base = base;
    EXPECT_EQ(heuristic->IsEligible(Context("matmul:8x8x16:bf16")).reason, "family zen, rules[0]");
    EXPECT_TRUE(heuristic->PromotesPrimary(*context_));
  }
  EXPECT_TRUE(heuristic->IsEligible(Context("matmul:8x8x16:f16")).eligible);
  EXPECT_FALSE(heuristic->IsEligible(Context("matmul:8x8x16:f32")).eligible);
  device_.arch.base = "graniterapids";
  EXPECT_THAT(heuristic->IsEligible(Context("matmul:8x8x16:f16")).reason,
              HasSubstr("want one of the family zen"));
}

TEST_F(SeedTableHeuristicTest, DeclinesOtherDevices) {
  const auto heuristic = Make(SquareRule(1, 64));
  device_.arch.base = "znver3";  // the line runs the other way
  EXPECT_THAT(heuristic->IsEligible(Context("matmul:8x8x8:f32")).reason,
              HasSubstr("architecture is \"znver3\", want \"znver4\""));
  device_.arch.base = "";
  EXPECT_THAT(heuristic->IsEligible(Context("matmul:8x8x8:f32")).reason,
              HasSubstr("architecture is unknown"));
  device_.kind = DeviceKind::kCuda;
  EXPECT_EQ(heuristic->IsEligible(Context("matmul:8x8x8:f32")).reason, "device is cuda, want cpu");
}

TEST_F(SeedTableHeuristicTest, DeclinesWhatIsNotOneMatmul) {
  const auto heuristic = Make(SquareRule(1, 64));
  const TuningContext none{kernel_, {}, device_, *space_};
  EXPECT_EQ(heuristic->IsEligible(none).reason, "0 matmuls, want one");
}

}  // namespace
}  // namespace seedtune
