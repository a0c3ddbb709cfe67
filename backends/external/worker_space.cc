#include "backends/external/worker_space.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "config/constraint.h"
#include "config/expression.h"
#include "config/knob.h"
#include "config/spaces/spaces.h"
#include "config/t1.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

using google::protobuf::Value;

template <typename... Parts>
absl::Status Wrong(const Parts&... parts) {
  return absl::InvalidArgumentError(absl::StrCat("space.", parts...));
}

absl::StatusOr<ExpressionValue> ReadValue(const std::string& where, const Value& value) {
  switch (value.kind_case()) {
    case Value::kNumberValue: {
      const double number = value.number_value();
      if (!std::isfinite(number)) return Wrong(where, " is no finite number");
      if (number == std::floor(number) && std::abs(number) <= 0x1p53) {
        return ExpressionValue(static_cast<int64_t>(number));
      }
      return ExpressionValue(number);
    }
    case Value::kBoolValue:
      return ExpressionValue(int64_t{value.bool_value()});
    case Value::kStringValue:
      return ExpressionValue(value.string_value());
    default:
      return Wrong(where, " is no number, boolean or string");
  }
}

absl::StatusOr<T1Parameter> ReadParameter(const std::string& where,
                                          const ExternalParameter& message) {
  T1Parameter parameter;
  parameter.name = message.name();
  if (parameter.name.empty()) return Wrong(where, ".name is empty, want a name");
  const auto& values = message.values().values();
  if (values.empty()) return Wrong(where, ".values is empty, want a list of values");
  const auto booleans = std::count_if(values.begin(), values.end(), [](const Value& value) {
    return value.kind_case() == Value::kBoolValue;
  });
  const auto strings = std::count_if(values.begin(), values.end(), [](const Value& value) {
    return value.kind_case() == Value::kStringValue;
  });
  if (booleans != 0 && (booleans != values.size() || booleans != 2)) {
    return Wrong(where, ".values has booleans, want false and true, and nothing else");
  }
  if (strings != 0 && strings != values.size()) {
    return Wrong(where, ".values has strings and others, want values of one type");
  }
  parameter.type = booleans != 0 ? "bool" : strings != 0 ? "string" : "int";
  for (int i = 0; i < values.size(); ++i) {
    SEEDTUNE_ASSIGN_OR_RETURN(ExpressionValue value,
                              ReadValue(absl::StrCat(where, ".values[", i, "]"), values[i]));
    if (std::holds_alternative<double>(value)) parameter.type = "float";
    parameter.values.push_back(std::move(value));
  }
  if (message.has_default_()) {
    SEEDTUNE_ASSIGN_OR_RETURN(parameter.default_value,
                              ReadValue(absl::StrCat(where, ".default"), message.default_()));
  }
  return parameter;
}

absl::StatusOr<WorkerSpace> OwnSpace(const ExternalReply::Space& reply) {
  if (reply.name().empty()) return Wrong("name is empty, want a name, or \"use\"");
  if (reply.version() < 0) return Wrong("version is ", reply.version(), ", want at least 1");
  T1Space t1;
  t1.name = reply.name();
  for (int i = 0; i < reply.parameters_size(); ++i) {
    SEEDTUNE_ASSIGN_OR_RETURN(
        T1Parameter parameter,
        ReadParameter(absl::StrCat("parameters[", i, "]"), reply.parameters(i)));
    t1.parameters.push_back(std::move(parameter));
  }
  t1.conditions.assign(reply.constraints().begin(), reply.constraints().end());
  absl::StatusOr<std::shared_ptr<const ConfigSpace>> space = MakeConfigSpace(t1);
  if (!space.ok()) return absl::InvalidArgumentError(std::string(space.status().message()));
  if (reply.version() > 1) {
    ConfigSpace::Options options;
    options.name = (*space)->name();
    options.version = reply.version();
    options.knobs.assign((*space)->knobs().begin(), (*space)->knobs().end());
    options.constraints.assign((*space)->constraints().begin(), (*space)->constraints().end());
    SEEDTUNE_ASSIGN_OR_RETURN(*space, ConfigSpace::Create(std::move(options)));
  }
  return WorkerSpace{*std::move(space), ""};
}

// A knob as expressions see it: names as strings.
ExpressionKnob MeaningOf(const Knob& knob) {
  ExpressionKnob meaning{.name = knob.name(), .choices = {}};
  if (knob.kind() != KnobKind::kEnum && knob.kind() != KnobKind::kPermutation) return meaning;
  for (int choice = 0; choice < knob.num_choices(); ++choice) {
    const std::string* name = std::get_if<std::string>(&knob.choice(choice));
    meaning.choices.push_back(name != nullptr ? *name : KnobValueToString(knob.choice(choice)));
  }
  return meaning;
}

absl::StatusOr<WorkerSpace> OurSpace(const ExternalReply::Space& reply,
                                     std::span<const MatmulFact> facts,
                                     const HardwareInfo& device) {
  if (reply.parameters_size() > 0) {
    return Wrong("use and parameters are both set, want one of them");
  }
  const std::vector<std::string_view> known = SpaceBackends();
  if (std::find(known.begin(), known.end(), reply.use()) == known.end()) {
    std::vector<std::string> names(known.begin(), known.end());
    return Wrong("use is \"", reply.use(), "\", want one of ", absl::StrJoin(names, ", "));
  }
  SEEDTUNE_ASSIGN_OR_RETURN(std::shared_ptr<const ConfigSpace> space,
                            BuildConfigSpace(reply.use(), facts, device));
  if (reply.constraints().empty()) return WorkerSpace{std::move(space), reply.use()};
  ConfigSpace::Options options;
  options.name = space->name();
  options.version = space->version();
  options.knobs.assign(space->knobs().begin(), space->knobs().end());
  options.constraints.assign(space->constraints().begin(), space->constraints().end());
  std::vector<ExpressionKnob> meanings;
  for (const Knob& knob : options.knobs) meanings.push_back(MeaningOf(knob));
  for (int i = 0; i < reply.constraints_size(); ++i) {
    const auto at = [i](const absl::Status& status) {
      return Wrong("constraints[", i, "]: ", std::string(status.message()));
    };
    const absl::StatusOr<Expression> expression = Expression::Parse(reply.constraints(i));
    if (!expression.ok()) return at(expression.status());
    int part = 0;
    for (const Expression& conjunct : expression->Conjuncts()) {
      absl::StatusOr<Constraint> constraint = MakeExpressionConstraint(
          absl::StrCat("worker_condition_", i, "_", part++), conjunct, meanings);
      if (!constraint.ok()) return at(constraint.status());
      options.constraints.push_back(*std::move(constraint));
    }
  }
  SEEDTUNE_ASSIGN_OR_RETURN(space, ConfigSpace::Create(std::move(options)));
  return WorkerSpace{std::move(space), reply.use()};
}

}  // namespace

absl::StatusOr<WorkerSpace> ReadWorkerSpace(const ExternalReply::Space& reply,
                                            std::span<const MatmulFact> facts,
                                            const HardwareInfo& device) {
  return reply.use().empty() ? OwnSpace(reply) : OurSpace(reply, facts, device);
}

}  // namespace seedtune
