#include "config/t1.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/numeric/int128.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "config/config_space.h"
#include "config/constraint.h"
#include "config/expression.h"
#include "config/json_text.h"
#include "config/knob.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Value = ExpressionValue;

constexpr char kConvolution[] = R"json({
  "General": {"BenchmarkName": "conv", "OutputFormat": "JSON"},
  "ConfigurationSpace": {
    "TuningParameters": [
      {"Name": "block_size_x", "Type": "int", "Values": "[128, 64, 32]", "Default": 64},
      {"Name": "tile", "Type": "int", "Values": "list(range(1, 5))"},
      {"Name": "padding", "Type": "bool", "Values": "[True, False]", "Default": true},
      {"Name": "layout", "Type": "string", "Values": "['row', \"a, b\"]", "Default": "row"},
      {"Name": "scale", "Type": "float", "Values": [0.5, 1.5, 1], "Default": 1.0}
    ],
    "Conditions": [
      {"Expression": "block_size_x * tile <= 256 and tile != 3", "Parameters": ["ignored"]},
      {"Expression": "not padding or layout == 'row'"},
      {"Expression": "scale * tile >= 1"}
    ]
  },
  "KernelSpecification": {"Language": "CUDA", "LocalSize": {"X": "block_size_x"}}
})json";

// A file of one parameter and some conditions.
std::string OneParameter(const std::string& parameter, const std::string& conditions = "") {
  return absl::StrCat(R"json({"ConfigurationSpace": {"TuningParameters": [)json", parameter,
                      R"json(], "Conditions": [)json", conditions, "]}}");
}

TEST(T1Test, ReadsParametersAndConditions) {
  ASSERT_OK_AND_ASSIGN(const T1Space t1, ReadT1(kConvolution));
  EXPECT_EQ(t1.name, "conv");
  ASSERT_EQ(t1.parameters.size(), 5u);
  EXPECT_THAT(t1.parameters[0].values,
              ElementsAre(Value(int64_t{128}), Value(int64_t{64}), Value(int64_t{32})));
  EXPECT_EQ(t1.parameters[0].default_value, Value(int64_t{64}));
  EXPECT_EQ(t1.parameters[1].values.size(), 4u);
  EXPECT_FALSE(t1.parameters[1].default_value.has_value());
  EXPECT_EQ(t1.parameters[2].type, "bool");
  EXPECT_THAT(t1.parameters[3].values,
              ElementsAre(Value(std::string("row")), Value(std::string("a, b"))));
  EXPECT_THAT(t1.parameters[4].values, ElementsAre(Value(0.5), Value(1.5), Value(int64_t{1})));
  EXPECT_THAT(t1.conditions, ElementsAre("block_size_x * tile <= 256 and tile != 3",
                                         "not padding or layout == 'row'", "scale * tile >= 1"));
}

TEST(T1Test, ABooleanMayHaveOneValue) {
  T1Space t1;
  t1.name = "one";
  t1.parameters.push_back(
      {.name = "b", .type = "bool", .values = {int64_t{1}}, .default_value = std::nullopt});
  ASSERT_OK_AND_ASSIGN(const auto space, MakeConfigSpace(t1));
  EXPECT_EQ(space->NumValid(), 1);
  EXPECT_TRUE(space->Default().GetBool("b"));
}

TEST(T1Test, BecomesASpace) {
  ASSERT_OK_AND_ASSIGN(const T1Space t1, ReadT1(kConvolution));
  ASSERT_OK_AND_ASSIGN(const auto space, MakeConfigSpace(t1));
  EXPECT_EQ(space->name(), "conv");
  EXPECT_EQ(space->CartesianSize(), 3u * 4 * 2 * 2 * 3);
  EXPECT_TRUE(space->knobs()[0].is_ordered());
  EXPECT_EQ(space->knobs()[2].kind(), KnobKind::kBoolean);
  EXPECT_EQ(space->knobs()[3].kind(), KnobKind::kEnum);
  uint64_t valid = 0;
  for (const int x : {32, 64, 128}) {
    for (const int tile : {1, 2, 4}) {
      for (const bool padding : {false, true}) {
        for (const bool row : {false, true}) {
          for (const double scale : {0.5, 1.5, 1.0}) {
            if (x * tile <= 256 && (!padding || row) && scale * tile >= 1) ++valid;
          }
        }
      }
    }
  }
  EXPECT_EQ(space->NumValid(), valid);
  const Config config = space->Default();
  EXPECT_EQ(config.GetInt("block_size_x"), 64);
  EXPECT_TRUE(config.GetBool("padding"));
  EXPECT_EQ(config.GetEnum("layout"), "row");
  EXPECT_EQ(config.GetEnum("scale"), "1");
  // A condition joined by `and` is checked in its parts.
  std::vector<std::string> names;
  for (const Constraint& constraint : space->constraints()) names.push_back(constraint.name);
  EXPECT_THAT(names, ElementsAre("condition_0_0", "condition_0_1", "condition_1", "condition_2"));
}

TEST(T1Test, IsReadBackAsItWasWritten) {
  ASSERT_OK_AND_ASSIGN(T1Space t1, ReadT1(kConvolution));
  T1Parameter odd;
  odd.name = "odd \"name\"";
  odd.type = "string";
  odd.values = {Value(std::string("it's \\ \"so\"\n\r\t")), Value(1e300), Value(2.0),
                Value(std::numeric_limits<int64_t>::min()), Value(0.1)};
  odd.default_value = Value(0.1);
  t1.parameters.push_back(odd);
  ASSERT_OK_AND_ASSIGN(const T1Space again, ReadT1(WriteT1(t1)));
  EXPECT_EQ(again, t1);
  const T1Space nothing{"empty", {}, {}};
  ASSERT_OK_AND_ASSIGN(const T1Space nothing_again, ReadT1(WriteT1(nothing)));
  EXPECT_EQ(nothing_again, nothing);
}

TEST(T1Test, ASpaceIsReadBackWithTheSameConfigurations) {
  ConfigSpace::Options options;
  options.name = "mixed";
  ASSERT_OK_AND_ASSIGN(Knob p, Knob::PowerOfTwo("block_size[m]", 1, 16, 4));
  ASSERT_OK_AND_ASSIGN(Knob b, Knob::Boolean("pack", true));
  ASSERT_OK_AND_ASSIGN(Knob e, Knob::Enum("order", {"mnk", "kmn"}, "kmn"));
  ASSERT_OK_AND_ASSIGN(Knob o, Knob::Permutation("loops", 2));
  options.knobs = {p, b, e, o};
  ASSERT_OK_AND_ASSIGN(const Expression expression,
                       Expression::Parse("block_size[m] > 2 or not pack"));
  const std::vector<ExpressionKnob> meanings = {{"block_size[m]", {}}, {"pack", {}}};
  ASSERT_OK_AND_ASSIGN(Constraint condition,
                       MakeExpressionConstraint("condition", expression, meanings));
  options.constraints = {condition,
                         {"in_cxx", "", {"order", "block_size[m]"}, [](std::span<const int64_t> v) {
                            return v[0] == 0 || v[1] < 16;
                          }}};
  ASSERT_OK_AND_ASSIGN(const auto space, ConfigSpace::Create(std::move(options)));

  std::vector<std::string> left_out;
  const T1Space t1 = MakeT1(*space, &left_out);
  EXPECT_THAT(left_out, IsEmpty());
  ASSERT_OK_AND_ASSIGN(const T1Space read, ReadT1(WriteT1(t1)));
  EXPECT_EQ(read, t1);
  ASSERT_OK_AND_ASSIGN(const auto again, MakeConfigSpace(read));
  EXPECT_EQ(again->NumValid(), space->NumValid());
  EXPECT_EQ(again->Default().ToPartial().values.at("order"), KnobValue(std::string("kmn")));
  EXPECT_EQ(again->Default().GetInt("block_size[m]"), 4);
  EXPECT_TRUE(again->Default().GetBool("pack"));
  EXPECT_THAT(MakeT1(*again).conditions,
              ElementsAre("block_size[m] > 2 or not pack",
                          "order == 'mnk' or order == 'kmn' and block_size[m] <= 8"));
}

TEST(T1Test, ReadsEveryFormOfValues) {
  const struct {
    const char* values;
    std::vector<Value> want;
  } kCases[] = {
      {R"json("[1,2,4]")json", {Value(int64_t{1}), Value(int64_t{2}), Value(int64_t{4})}},
      {R"json("  ( -1, +2, ) ")json", {Value(int64_t{-1}), Value(int64_t{2})}},
      {R"json("range(3)")json", {Value(int64_t{0}), Value(int64_t{1}), Value(int64_t{2})}},
      {R"json("range(8, 2, -3)")json", {Value(int64_t{8}), Value(int64_t{5})}},
      {R"json("list(range(2, 4))")json", {Value(int64_t{2}), Value(int64_t{3})}},
      {R"json("[2**4, 3*8]")json", {Value(int64_t{16}), Value(int64_t{24})}},
      {R"json("['a', 1, 0.5]")json", {Value(std::string("a")), Value(int64_t{1}), Value(0.5)}},
      {R"json(["a", 1, 2.0, false])json",
       {Value(std::string("a")), Value(int64_t{1}), Value(2.0), Value(int64_t{0})}},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.values);
    ASSERT_OK_AND_ASSIGN(
        const T1Space t1,
        ReadT1(OneParameter(absl::StrCat(R"json({"Name": "x", "Values": )json", c.values, "}"))));
    EXPECT_EQ(t1.parameters[0].values, c.want);
  }
}

TEST(T1Test, SaysWhereItIsWrong) {
  const struct {
    std::string text;
    const char* error;
  } kCases[] = {
      {"{", "the text ends too early"},
      {"[]", "want an object"},
      {"{}", "ConfigurationSpace is missing; is this a T1 file"},
      {R"json({"ConfigurationSpace": 1})json", "ConfigurationSpace is 1, want an object"},
      {R"json({"ConfigurationSpace": {}})json", "ConfigurationSpace.TuningParameters is missing"},
      {R"json({"ConfigurationSpace": {"TuningParameters": {}}})json",
       "is an object, want an array"},
      {OneParameter("3"), "TuningParameters[0] is 3, want an object"},
      {OneParameter(R"json({"Values": "[1]"})json"), "TuningParameters[0].Name is missing"},
      {OneParameter(R"json({"Name": 1, "Values": "[1]"})json"), "Name is 1, want a string"},
      {OneParameter(R"json({"Name": "x"})json"), "TuningParameters[0].Values is missing"},
      {OneParameter(R"json({"Name": "x", "Values": 3})json"), "Values is 3, want a list"},
      {OneParameter(R"json({"Name": "x", "Values": "3"})json"), "\"3\" is no list"},
      {OneParameter(R"json({"Name": "x", "Values": "[]"})json"), "Values is empty"},
      {OneParameter(R"json({"Name": "x", "Values": "[1, ,2]"})json"),
       "value 2: column 1: expected a value"},
      {OneParameter(R"json({"Name": "x", "Values": "[1, y]"})json"), "\"y\" is a name"},
      {OneParameter(R"json({"Name": "x", "Values": "range(1, 9, 0)"})json"), "step of 0"},
      {OneParameter(R"json({"Name": "x", "Values": "range(1.5)"})json"), "want integers"},
      {OneParameter(R"json({"Name": "x", "Values": "range(1, 2, 3, 4)"})json"), "want 1 to 3"},
      {OneParameter(R"json({"Name": "x", "Values": "range(99999999)"})json"),
       "more than 65535 values"},
      {OneParameter(R"json({"Name": "x", "Values": "[1 / 0]"})json"), "division by zero"},
      {OneParameter(R"json({"Name": "x", "Values": "[1e999]"})json"), "not a finite number"},
      {OneParameter(R"json({"Name": "x", "Values": [[1]]})json"), "Values: an array"},
      {OneParameter(R"json({"Name": "x", "Values": "[1]"})json", "1"), "Conditions[0] is 1"},
      {OneParameter(R"json({"Name": "x", "Values": "[1]"})json",
                    R"json({"Expression": "x >"})json"),
       "Conditions[0].Expression: column 4: expected a value, found the end"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.text);
    EXPECT_THAT(ReadT1(c.text), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.error)));
  }
}

TEST(T1Test, RejectsSpacesThatMeanNothing) {
  const struct {
    std::string text;
    const char* error;
  } kCases[] = {
      {OneParameter(R"json({"Name": "x", "Values": "[2, 1, 2]"})json"), "t1: x: 2 is listed twice"},
      {OneParameter(R"json({"Name": "x", "Values": "['a', 'a']"})json"), "listed twice"},
      {OneParameter(R"json({"Name": "x", "Values": "[1, 2]", "Default": 3})json"),
       "x: the default 3 is none of its values"},
      {OneParameter(R"json({"Name": "xy", "Values": "[1, 2]"})json",
                    R"json({"Expression": "xz == 1"})json"),
       "no knob named \"xz\""},
      {OneParameter(R"json({"Name": "x", "Values": "['a', 'b']"})json",
                    R"json({"Expression": "x + 1 == 2"})json"),
       "a string is calculated with"},
      {OneParameter(R"json({"Name": "x", "Values": "[1, 2]"})json",
                    R"json({"Expression": "x > 2"})json"),
       "no valid"},
      {OneParameter(""), "no knobs"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.text);
    ASSERT_OK_AND_ASSIGN(const T1Space t1, ReadT1(c.text));
    EXPECT_THAT(MakeConfigSpace(t1),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.error)));
  }
}

TEST(T1Test, KnobValuesGoToJsonAndBack) {
  ASSERT_OK_AND_ASSIGN(const Knob integer, Knob::IntegerChoice("i", {-2, 8}, 8));
  ASSERT_OK_AND_ASSIGN(const Knob boolean, Knob::Boolean("b", false));
  ASSERT_OK_AND_ASSIGN(const Knob word, Knob::Enum("w", {"a\"b", "1x", "2"}, "2"));
  ASSERT_OK_AND_ASSIGN(const Knob number, Knob::Enum("n", {"0.5", "2.0", "-3", "1e+20"}, "2.0"));
  ASSERT_OK_AND_ASSIGN(const Knob order, Knob::Permutation("o", 3));
  for (const Knob* knob : {&integer, &boolean, &word, &number, &order}) {
    for (int i = 0; i < knob->num_choices(); ++i) {
      const std::string text = KnobValueToJson(*knob, i);
      SCOPED_TRACE(absl::StrCat(knob->name(), ": ", text));
      ASSERT_OK_AND_ASSIGN(const JsonValue json, ParseJson(text));
      EXPECT_THAT(KnobValueFromJson(*knob, json), IsOkAndHolds(knob->choice(i)));
      EXPECT_EQ(json.is_number(), knob == &integer || knob == &number);
    }
  }
}

TEST(T1Test, KnobValuesAreReadAsOtherToolsWriteThem) {
  ASSERT_OK_AND_ASSIGN(const Knob integer, Knob::IntegerChoice("i", {1, 8}, 8));
  ASSERT_OK_AND_ASSIGN(const Knob boolean, Knob::Boolean("b", false));
  ASSERT_OK_AND_ASSIGN(const Knob number, Knob::Enum("n", {"0.5", "2.0"}, "2.0"));
  const struct {
    const Knob* knob;
    const char* json;
    const char* want;  // nullptr: an error
  } kCases[] = {
      {&integer, "8.0", "8"},    {&integer, "8.5", nullptr},   {&integer, "7", nullptr},
      {&integer, "true", "1"},   {&integer, "null", nullptr},  {&integer, "[8]", nullptr},
      {&boolean, "1", "true"},   {&boolean, "0.0", "false"},   {&boolean, "2", nullptr},
      {&number, "2", "\"2.0\""}, {&number, "0.50", "\"0.5\""}, {&number, "\"0.5\"", "\"0.5\""},
      {&number, "0.4", nullptr},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(absl::StrCat(c.knob->name(), ": ", c.json));
    ASSERT_OK_AND_ASSIGN(const JsonValue json, ParseJson(c.json));
    const auto value = KnobValueFromJson(*c.knob, json);
    if (c.want == nullptr) {
      EXPECT_THAT(value, StatusIs(absl::StatusCode::kInvalidArgument,
                                  HasSubstr(absl::StrCat(c.knob->name(), " is "))));
    } else {
      ASSERT_TRUE(value.ok()) << value.status();
      EXPECT_EQ(KnobValueToString(*value), c.want);
    }
  }
}

}  // namespace
}  // namespace seedtune
