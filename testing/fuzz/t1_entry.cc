// Any bytes are a T1 space or an error; a space is read back as it was written, and small ones
// become config spaces that keep their conditions, or an error.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/numeric/int128.h"
#include "absl/status/statusor.h"
#include "config/config_space.h"
#include "config/constraint.h"
#include "config/t1.h"
#include "testing/fuzz/check.h"

namespace seedtune {
namespace {

// The same space, its conditions in C++, is the same once T1 has said what they let through.
void CheckTabulation(const ConfigSpace& space) {
  ConfigSpace::Options options;
  options.name = space.name();
  options.knobs.assign(space.knobs().begin(), space.knobs().end());
  for (const Constraint& constraint : space.constraints()) {
    options.constraints.push_back(constraint);
    options.constraints.back().holds = [holds = constraint.holds](std::span<const int64_t> values) {
      return holds(values);
    };
  }
  const auto in_cxx = ConfigSpace::Create(std::move(options));
  Check(in_cxx.ok() && (*in_cxx)->NumValid() == space.NumValid(), "a copy is like its original");
  std::vector<std::string> left_out;
  const T1Space t1 = MakeT1(**in_cxx, &left_out);
  if (!left_out.empty()) return;
  const auto again = MakeConfigSpace(t1);
  // Numbers that were strings come back as numbers, and may then mean something else.
  if (!again.ok() || (*again)->id() != space.id()) return;
  Check((*again)->NumValid() == space.NumValid(), "a table lets through what the code does");
}

void TestOne(std::string_view text) {
  const absl::StatusOr<T1Space> space = ReadT1(text);
  if (!space.ok()) return;
  const absl::StatusOr<T1Space> again = ReadT1(WriteT1(*space));
  Check(again.ok() && *again == *space, "T1 is read back as it was written");
  double combinations = 1;
  for (const T1Parameter& parameter : space->parameters) {
    combinations *= static_cast<double>(parameter.values.size());
  }
  if (combinations > 1e4 || space->parameters.size() > 12 || space->conditions.size() > 12) return;
  const auto config_space = MakeConfigSpace(*space);
  if (!config_space.ok()) return;
  Check((*config_space)->NumValid() <= (*config_space)->CartesianSize(), "valid is a part of all");
  CheckTabulation(**config_space);
  const auto remade = MakeConfigSpace(MakeT1(**config_space));
  // Numbers that were strings come back as numbers, and may then not fit the conditions.
  if (remade.ok() && (*remade)->id() == (*config_space)->id()) {
    Check((*remade)->NumValid() == (*config_space)->NumValid(), "T1 says all there is to say");
  }
}

}  // namespace
}  // namespace seedtune

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  seedtune::TestOne(std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
