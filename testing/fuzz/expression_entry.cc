// Any text is an expression or an error; an expression has a value or an error, whatever its
// variables are; and its conjuncts together are true where it is.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "config/expression.h"
#include "testing/fuzz/check.h"

namespace seedtune {
namespace {

bool IsTrue(const absl::StatusOr<ExpressionValue>& value) {
  if (!value.ok()) return false;
  if (const auto* integer = std::get_if<int64_t>(&*value)) return *integer != 0;
  if (const auto* real = std::get_if<double>(&*value)) return *real != 0;
  return !std::get<std::string>(*value).empty();
}

void TestOne(std::string_view text) {
  const absl::StatusOr<Expression> expression = Expression::Parse(text);
  if (!expression.ok()) return;
  Check(expression->text() == text, "an expression keeps its text");
  const ExpressionValue kValues[] = {int64_t{3}, int64_t{0}, int64_t{-1}, INT64_MIN,
                                     INT64_MAX,  0.5,        -1e308,      std::string("row")};
  for (size_t shift = 0; shift < 8; ++shift) {
    const auto value_of = [&](const std::string& name) {
      return kValues[(name.size() + static_cast<unsigned char>(name[0]) + shift) % 8];
    };
    const auto evaluate = [&](const Expression& part) {
      std::vector<ExpressionValue> values;
      for (const std::string& name : part.names()) values.push_back(value_of(name));
      return part.Evaluate(values);
    };
    bool all = true;
    for (const Expression& conjunct : expression->Conjuncts()) {
      all = all && IsTrue(evaluate(conjunct));
    }
    Check(all == IsTrue(evaluate(*expression)), "all conjuncts are true where the whole is");
  }
}

}  // namespace
}  // namespace seedtune

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  seedtune::TestOne(std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
