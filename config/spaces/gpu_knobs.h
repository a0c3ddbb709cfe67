// Knobs that the spaces of GPU backends share.
#ifndef SEEDTUNE_CONFIG_SPACES_GPU_KNOBS_H_
#define SEEDTUNE_CONFIG_SPACES_GPU_KNOBS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "config/knob.h"
#include "hardware/arch.h"
#include "hardware/hardware_info.h"
#include "matmul_ops/matmul_fact.h"

namespace seedtune {

// 90 for sm90, 100 for sm100; 0 for what is no CUDA architecture.
int CudaArchNumber(const Arch& arch);

// `block_size[<axis>]`: powers of two from `min` to the one that covers the extent, `max` at most
// and `min` at least; the default is the nearest to `near`.
absl::StatusOr<Knob> BlockSizeKnob(std::string_view axis, int64_t min, int64_t max, int64_t extent,
                                   int64_t near);

// `pid_type`: how program ids map to tiles. "flat": one program a tile, in one dimension; "xyz": in
// three; "persistent_blocked", "persistent_interleaved": one program a compute unit, which takes
// consecutive tiles or every so-manieth.
absl::StatusOr<Knob> PidTypeKnob();

// `l2_grouping`: rows of tiles that are walked together so that they share columns in the L2 cache;
// 1 to 64.
absl::StatusOr<Knob> L2GroupingKnob();

// `indexing[<index>]`: how an operand's elements are addressed, "pointer", or "tensor_descriptor"
// where the device and the operand's layout allow it: TMA (sm90 on) wants contiguous rows or
// columns that start at multiples of 16 bytes (CUDA Driver API, cuTensorMapEncodeTiled).
absl::StatusOr<Knob> IndexingKnob(int index, const OperandFact& operand,
                                  const HardwareInfo& device);

}  // namespace seedtune

#endif  // SEEDTUNE_CONFIG_SPACES_GPU_KNOBS_H_
