#include "config/spaces/gpu_knobs.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "config/knob.h"
#include "hardware/arch.h"
#include "hardware/hardware_info.h"
#include "matmul_ops/matmul_fact.h"
#include "util/integer_math.h"

namespace seedtune {

int CudaArchNumber(const Arch& arch) {
  const std::string_view base = arch.base;
  int number = 0;
  if (base.substr(0, 2) != "sm") return 0;
  const char* const end = base.data() + base.size();
  const auto [rest, error] = std::from_chars(base.data() + 2, end, number);
  return error == std::errc() && rest == end ? number : 0;
}

absl::StatusOr<Knob> BlockSizeKnob(std::string_view axis, int64_t min, int64_t max, int64_t extent,
                                   int64_t near) {
  const int64_t largest = std::clamp(NextPowerOfTwo(std::min(extent, max)), min, max);
  return Knob::PowerOfTwo(absl::StrCat("block_size[", std::string(axis), "]"), min, largest,
                          std::clamp(near, min, largest));
}

absl::StatusOr<Knob> PidTypeKnob() {
  return Knob::Enum("pid_type", {"flat", "xyz", "persistent_blocked", "persistent_interleaved"},
                    "flat");
}

absl::StatusOr<Knob> L2GroupingKnob() { return Knob::PowerOfTwo("l2_grouping", 1, 64, 1); }

absl::StatusOr<Knob> IndexingKnob(int index, const OperandFact& operand,
                                  const HardwareInfo& device) {
  constexpr int64_t kTmaAlignmentBytes = 16;
  const bool contiguous =
      operand.layout == OperandLayout::kRowMajor || operand.layout == OperandLayout::kColumnMajor;
  const bool aligned =
      operand.alignment_bytes > 0 && operand.alignment_bytes % kTmaAlignmentBytes == 0;
  std::vector<std::string> values = {"pointer"};
  if (device.kind == DeviceKind::kCuda && CudaArchNumber(device.arch) >= 90 && contiguous &&
      aligned) {
    values.push_back("tensor_descriptor");
  }
  return Knob::Enum(absl::StrCat("indexing[", index, "]"), std::move(values), "pointer");
}

}  // namespace seedtune
