#include "heuristics/builtin.h"

#include <cassert>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "heuristics/autotuner_heuristic.h"
#include "heuristics/cpu/blis_blocking.h"
#include "heuristics/cpu/cpu_seed_tables.h"
#include "heuristics/cpu/skinny_stream.h"
#include "heuristics/cuda/cuda_seed_tables.h"
#include "heuristics/cuda/skinny_stream.h"
#include "heuristics/cuda/tiles.h"
#include "heuristics/cuda/wgmma_tiles.h"
#include "heuristics/cute/cluster_tiles.h"
#include "heuristics/cute/tcgen05_cluster_m2.h"
#include "heuristics/seed_table.h"
#include "heuristics/triton/budget_matmul.h"
#include "heuristics/triton/modelled_matmul.h"
#include "heuristics/triton/several_dots.h"
#include "heuristics/triton/skinny_gemm.h"
#include "util/embedded_file.h"

namespace seedtune {
namespace {

// What is built in has a name of its own, and tables are checked when they are built in: failures
// here are our own bugs, which builtin_test finds.
void AddOrAssert(std::unique_ptr<const AutotunerHeuristic> heuristic, HeuristicRegistry& registry) {
  [[maybe_unused]] const absl::Status status = registry.Add(std::move(heuristic));
  assert(status.ok());
}

}  // namespace

std::vector<EmbeddedFile> BuiltinSeedTables() {
  std::vector<EmbeddedFile> tables;
  for (const auto files : {CpuSeedTables(), CudaSeedTables()}) {
    tables.insert(tables.end(), files.begin(), files.end());
  }
  return tables;
}

HeuristicRegistry BuiltinHeuristics() {
  HeuristicRegistry registry;
  // What was measured stands before what is computed, the special before the general.
  for (const EmbeddedFile& file : BuiltinSeedTables()) {
    absl::StatusOr<SeedTableProto> table = ParseSeedTable(file.contents, file.path);
    assert(table.ok());
    if (!table.ok()) continue;
    auto heuristic = MakeSeedTableHeuristic(*std::move(table));
    assert(heuristic.ok());
    if (heuristic.ok()) AddOrAssert(*std::move(heuristic), registry);
  }
  AddOrAssert(MakeCpuSkinnyStream(), registry);
  AddOrAssert(MakeCpuBlisBlocking(), registry);

  AddOrAssert(MakeCudaSkinnyStream(), registry);
  AddOrAssert(MakeCudaWgmmaTiles(), registry);
  AddOrAssert(MakeCudaMmaTiles(), registry);
  AddOrAssert(MakeCudaSimtTiles(), registry);

  AddOrAssert(MakeCuteTcgen05ClusterM2(), registry);
  AddOrAssert(MakeCuteTcgen05Tiles(), registry);
  AddOrAssert(MakeCuteWgmmaClusters(), registry);

  AddOrAssert(MakeTritonHopperMatmul(), registry);
  AddOrAssert(MakeTritonBlackwellMatmul(), registry);
  AddOrAssert(MakeTritonSkinnyGemm(), registry);
  AddOrAssert(MakeTritonDecode(), registry);
  AddOrAssert(MakeTritonSplitK(), registry);
  AddOrAssert(MakeTritonFp8Matmul(), registry);
  AddOrAssert(MakeTritonBatchedMatmul(), registry);
  AddOrAssert(MakeTritonFusedEpilogue(), registry);
  AddOrAssert(MakeTritonAmpereMatmul(), registry);
  AddOrAssert(MakeTritonCdnaMatmul(), registry);
  AddOrAssert(MakeTritonRdnaMatmul(), registry);
  AddOrAssert(MakeTritonSeveralDots(), registry);
  return registry;
}

}  // namespace seedtune
