// Any bytes are results or an error, and results are read back as they were written. The space is
// fixed: x of 1, 2, 4 and mode of row, col.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "autotuner/replay/recorded_space.h"
#include "autotuner/replay/t4.h"
#include "config/config_space.h"
#include "config/t1.h"
#include "testing/fuzz/check.h"

namespace seedtune {
namespace {

void TestOne(std::string_view text) {
  static const auto* const space = new std::shared_ptr<const ConfigSpace>([] {
    T1Space t1;
    t1.name = "small";
    t1.parameters = {{"x", "int", {int64_t{1}, int64_t{2}, int64_t{4}}, {}},
                     {"mode", "string", {std::string("row"), std::string("col")}, {}}};
    return MakeConfigSpace(t1).value();
  }());
  std::vector<std::string> notes;
  const auto read = ReadT4(text, *space, {}, &notes);
  if (!read.ok()) return;
  const auto again = ReadT4(WriteT4(**read), *space);
  Check(again.ok(), "T4 that was written can be read");
  Check((*again)->kernel_name() == (*read)->kernel_name(), "the kernel's name is kept");
  Check((*again)->configs().size() == (*read)->configs().size(), "all results are kept");
  for (size_t i = 0; i < (*read)->configs().size(); ++i) {
    const RecordedConfig& a = (*read)->configs()[i];
    const RecordedConfig& b = (*again)->configs()[i];
    Check(a.config == b.config && a.outcome == b.outcome, "results are kept");
    Check(a.total_cost_ns() == b.total_cost_ns(), "costs are kept");
  }
}

}  // namespace
}  // namespace seedtune

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  seedtune::TestOne(std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
