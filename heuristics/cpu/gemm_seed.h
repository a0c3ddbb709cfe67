// Seeds of the CPU backend's matmul as a struct, so that formulas speak of fields and one place
// knows the knobs.
#ifndef SEEDTUNE_HEURISTICS_CPU_GEMM_SEED_H_
#define SEEDTUNE_HEURISTICS_CPU_GEMM_SEED_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "config/config_space.h"
#include "config/knob.h"
#include "heuristics/cpu/blis_model.h"
#include "heuristics/tuning_context.h"
#include "matmul_ops/matmul_fact.h"

namespace seedtune {

// The matmul to plan for. Extents are hints where they are symbolic.
struct GemmShape {
  int64_t m = 0;
  int64_t n = 0;
  int64_t k = 0;
  int64_t batch = 1;
  bool by_hint = false;           // some extent is only a hint
  bool must_pack_rhs = false;     // its rows are not contiguous
  bool lhs_is_row_major = false;  // k contiguous
  int64_t lhs_stride = 0;         // elements from row to row (column to column); 0: unknown
  int64_t rhs_stride = 0;         // the same; 0: unknown
};

// What `context` asks for; else, in `why_not`, why that is nothing for these heuristics: "device is
// cuda, want cpu", "2 matmuls, want one", "operands are bf16, want f32". Thread-safe.
std::optional<GemmShape> GemmShapeOf(const TuningContext& context, std::string& why_not);

// The knobs of config/spaces/cpu. Blocks may be larger than the extents.
struct GemmSeed {
  // All that follows but thread_split is about the product that is computed, as the knobs are. Only
  // for spaces that have the knob.
  bool transpose = false;
  RegisterTile tile;
  CacheBlocks blocks;  // the largest that fit; the seed's are the even choices below
  bool pack_lhs = false;
  bool pack_rhs = false;
  int64_t unroll = 4;
  int64_t prefetch_distance = 0;
  std::string loop_order = "nkm";
  int64_t threads = 1;
  std::string thread_split = "m";
};

// The seed in `context`'s space, every number rounded to a choice. Thread-safe.
PartialConfig ToPartial(const GemmSeed& seed, const GemmShape& shape, const ConfigSpace& space);

// The product of the transposes, as GemmSeed::transpose computes it. Thread-safe.
GemmShape Transposed(const GemmShape& shape);

// Compiled tiles that the space offers and that fit the machine's registers, by rising modelled
// cycles on this shape (fewer registers first among equals). Thread-safe.
std::vector<RegisterTile> RankedTiles(const ConfigSpace& space, const CpuMachine& machine,
                                      const GemmShape& shape);

struct DivideOptions {
  int64_t max_threads = 1;  // see WorthwhileThreads()
  bool split_rows = true;   // false: every thread has all rows, so that B is read only once
};

// Divides the work of tiles as the seed's: sets threads and thread_split, 1 and "m" where more is
// not worth it. Thread-safe.
void DivideAmongThreads(const GemmShape& shape, const CpuMachine& machine,
                        const DivideOptions& options, const ConfigSpace& space, GemmSeed& seed);

// A list of seeds, best first, that the space takes and that differ. Not thread-safe.
class SeedList {
 public:
  // Borrows both; `limit` seeds at most.
  SeedList(const GemmShape& shape, const ConfigSpace& space, size_t limit)
      : shape_(shape), space_(space), limit_(limit) {}

  // Adds the plan for the first of `tiles` (not empty) whose plan the space takes; where it takes
  // none, that for the first, mended, since there has to be a primary. Returns the tile. kInternal:
  // it could not be mended.
  absl::StatusOr<RegisterTile> AddPrimary(std::span<const RegisterTile> tiles,
                                          absl::FunctionRef<GemmSeed(RegisterTile)> plan);
  // Adds `seed` if the space takes it, it is new and there is room, and says whether it did.
  bool Add(const GemmSeed& seed);
  bool is_full() const { return seeds_.size() >= limit_; }
  std::vector<PartialConfig> Take() && { return std::move(seeds_); }

 private:
  const GemmShape& shape_;
  const ConfigSpace& space_;
  const size_t limit_;
  std::vector<Config> configs_;
  std::vector<PartialConfig> seeds_;
};

}  // namespace seedtune

#endif  // SEEDTUNE_HEURISTICS_CPU_GEMM_SEED_H_
