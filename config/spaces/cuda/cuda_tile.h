// A configuration of the cuda backend's matmul kernels as plain numbers, and what a kernel so
// configured takes of a multiprocessor. The space's constraints, the heuristics and the code
// generator all ask here, so that they cannot disagree.
#ifndef SEEDTUNE_CONFIG_SPACES_CUDA_CUDA_TILE_H_
#define SEEDTUNE_CONFIG_SPACES_CUDA_CUDA_TILE_H_

#include <cstdint>
#include <string_view>

#include "config/config_space.h"
#include "hardware/hardware_info.h"
#include "ir/dtype.h"
#include "matmul_ops/matmul_fact.h"

namespace seedtune {

// In the order of the knobs' choices.
enum class CudaFamily : int64_t {
  kMma,     // tensor cores by mma.sync, operands by asynchronous copies; sm80 and newer
  kSimt,    // ordinary instructions, any types and shapes
  kSkinny,  // at most 16 rows or columns: the large operand streams through registers
  kWgmma,   // tensor cores by wgmma, operands by the bulk tensor copy engine; sm90 alone
};
std::string_view CudaFamilyName(CudaFamily family);
enum class CudaReduction : int64_t { kLastBlock, kSecondLaunch };
enum class CudaSchedule : int64_t {
  kTiles,
  kStreamK,
  kCooperative,  // wgmma: warpgroups share each tile
  kPingPong,     // wgmma: two warpgroups take tiles in turns
};
std::string_view CudaScheduleName(CudaSchedule schedule);

inline constexpr int64_t kCudaEpilogueBytes = 256;  // the default: two buffers take turns

struct CudaTile {
  CudaFamily family = CudaFamily::kSimt;
  int64_t block_m = 0, block_n = 0, block_k = 0;  // elements of a thread block's tile
  int64_t warp_m = 0, warp_n = 0;                 // of a warp's part of it
  int64_t warps_k = 1;                            // warps that share such a part along k
  int64_t stages = 2;
  int64_t split_k = 1;
  CudaReduction reduction = CudaReduction::kLastBlock;
  CudaSchedule schedule = CudaSchedule::kTiles;
  bool stream_k = false;  // wgmma: the stages of the last tiles are dealt out evenly
  // wgmma: bytes of each row of the output that a warp has on their way through shared memory.
  int64_t epilogue_bytes = kCudaEpilogueBytes;
  int64_t l2_grouping = 1;
  int64_t cluster_m = 1, cluster_n = 1;     // tiles of a thread block cluster
  bool pack_lhs = false, pack_rhs = false;  // copied first, to where rows are aligned
};

// `config` is of CudaMatmulSpace.
CudaTile CudaTileOf(const Config& config);

// What of a matmul decides how much a tile takes.
struct CudaTypes {
  DType lhs = DType::kF32;
  DType rhs = DType::kF32;
  DType accumulator = DType::kF32;
  bool lhs_along_k = true;  // contiguous along k: row-major
  bool rhs_along_k = true;  // contiguous along k: column-major
  // The operand that wgmma takes from registers, since it lies the other way than elements of four
  // bytes have to in shared memory. One at most; another such has to be packed.
  bool lhs_by_registers = false;
  bool rhs_by_registers = false;  // the product is then transposed: this operand's columns are rows
  int64_t short_extent = 0;       // the lesser of m and n, to plan with
  bool long_is_n = true;          // whether the other one is n
};
CudaTypes CudaTypesOf(const MatmulFact& fact);

int64_t CudaThreads(const CudaTile& tile);

// Warpgroups of a wgmma kernel that multiply; one more brings operands.
int64_t CudaConsumers(const CudaTile& tile);

// What CudaTile::epilogue_bytes is best from the start: the default, or one buffer where three
// warpgroups' would take a stage's place.
int64_t CudaWgmmaEpilogueBytes(const CudaTile& tile);

// What the warpgroups of a wgmma kernel allot themselves (setmaxnreg): all threads start with the
// same share of the registers, which ptxas is held to; then who brings operands gives to those who
// multiply. 0: nothing is moved, with a single consumer.
struct CudaWgmmaAllotment {
  int64_t start = 0, producer = 0, consumer = 0;
};
CudaWgmmaAllotment CudaWgmmaAllotmentOf(const CudaTile& tile);

// Dynamic shared memory of a block. The kernels have no other.
int64_t CudaSharedBytes(const CudaTile& tile, const CudaTypes& types);

// Of it, the stages of the operands' tiles.
int64_t CudaRingBytes(const CudaTile& tile, const CudaTypes& types);

// Of a skinny kernel: steps of k that a warp takes at once, and the least that it takes of the long
// side. block_size[k] and warp_tile are multiples of them.
int64_t CudaSkinnyStep(const CudaTypes& types);
int64_t CudaSkinnyRows(const CudaTypes& types);

// An estimate of what ptxas gives a thread, from above within a few registers: 255 or less means
// that nothing spills.
int64_t CudaRegisters(const CudaTile& tile, const CudaTypes& types);

// Thread blocks that a multiprocessor holds at once, at least 1; what the device does not know
// limits nothing.
int64_t CudaBlocksPerUnit(const CudaTile& tile, const CudaTypes& types, const HardwareInfo& device);

// Of a wgmma kernel: the tile's extent that its warpgroups share, and of the other one what an
// instruction takes. fp8 sums are moved on in pieces.
int64_t CudaWgmmaRows(const CudaTile& tile, const CudaTypes& types);
int64_t CudaWgmmaColumns(const CudaTile& tile, const CudaTypes& types);

// Tiles of the output that a wgmma kernel's clusters take one after the other: those of a cluster
// count as one.
int64_t CudaWgmmaWork(const CudaTile& tile, int64_t m, int64_t n, int64_t batch);

// Whether stream_k has something to deal out on a device of so many multiprocessors (`units`): more
// than a round of large tiles, yet no whole rounds of them.
bool CudaWgmmaStreamsK(const CudaTile& tile, int64_t m, int64_t n, int64_t k_stages, int64_t batch,
                       int64_t units);

// Whether wgmma of architecture `arch` takes these operands.
bool CudaWgmmaTakes(const CudaTypes& types, int arch);

// Whether an operand can be read by the bulk tensor copy engine as it stands, and by wgmma once it
// is in shared memory.
bool CudaWgmmaReads(const OperandFact& operand, bool along_k, bool by_registers);

// Whether tensor cores of architecture `arch` (90 for sm90; at least 80) take these operands as
// mma.sync does.
bool CudaMmaTakes(const CudaTypes& types, int arch);

// The thinnest a skinny kernel's short side may be.
inline constexpr int64_t kCudaMaxSkinny = 16;

// Bytes of k that one mma.sync takes, whatever the type.
inline constexpr int64_t kCudaMmaStepBytes = 32;

// Bytes of k of a stage of a wgmma kernel: the swizzle's row.
inline constexpr int64_t kCudaWgmmaStageBytes = 128;

// What the warp_tile knobs are where there are none, as for wgmma.
inline constexpr int64_t kCudaNoWarpTile = 16;

// Rows that one wgmma multiplies, and a warp's of them.
inline constexpr int64_t kCudaWgmmaRows = 64;
inline constexpr int64_t kCudaWgmmaWarpRows = 16;

// The fewest stages of k that a product has for stream_k, and of a tile's that a block takes where
// stream_k deals them out: passing sums on takes about as long.
inline constexpr int64_t kCudaStreamKStages = 8;
inline constexpr int64_t kCudaWgmmaLeastStages = 3;

// Rows that a warpgroup reads together where they go through registers: of two such instructions.
inline constexpr int64_t kCudaWgmmaRegisterRows = 128;

}  // namespace seedtune

#endif  // SEEDTUNE_CONFIG_SPACES_CUDA_CUDA_TILE_H_
