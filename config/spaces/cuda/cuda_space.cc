#include "config/spaces/cuda/cuda_space.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "config/config_space.h"
#include "config/constraint.h"
#include "config/knob.h"
#include "config/spaces/cuda/cuda_tile.h"
#include "config/spaces/gpu_knobs.h"
#include "config/spaces/single_matmul.h"
#include "hardware/hardware_info.h"
#include "ir/dtype.h"
#include "matmul_ops/matmul_fact.h"
#include "util/integer_math.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

constexpr std::string_view kName = "cuda_matmul";
constexpr int kVersion = 3;

constexpr char kBlockM[] = "block_size[m]", kBlockN[] = "block_size[n]";
constexpr int kMinArch = 80;
constexpr int64_t kMinBlock = 16;
constexpr int64_t kMaxBlock = 256;
constexpr int64_t kMaxWarpTile = 128;
constexpr int64_t kMinBlockKBytes = 32;
constexpr int64_t kMaxBlockKBytes = 256;
// Between powers of two, for wgmma: operands are read less often by larger tiles and 256 x 256 sums
// do not fit; and so that tiles are as many as multiprocessors, or a little less.
constexpr int64_t kWgmmaRowBlocks[] = {192};
constexpr int64_t kWgmmaColumnBlocks[] = {96, 160, 192};
constexpr int64_t kNearBlock = 128;  // the default, as near as the matmul has it
constexpr int64_t kMaxThreads = 512;
constexpr int64_t kMaxWarpsK = 16;
constexpr int64_t kMaxSimtSteps = 32;  // each has code of its own
// CUDA C++ Programming Guide, technical specifications per compute capability.
constexpr int64_t kThreadRegisters = 255;
constexpr int64_t kSplits[] = {1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128};
constexpr int64_t kCopyBytes = 16;  // the widest asynchronous copy; also what packing aligns to

// Whether mma cannot read the operand as it stands in memory.
bool MustPack(const OperandFact& operand, bool along_k) {
  // Transposing as fragments are read takes elements of 2 or 4 bytes.
  return DTypeBytes(operand.dtype) == 1 && !along_k;
}

std::vector<int64_t> PowersOfTwo(int64_t min, int64_t max) {
  std::vector<int64_t> powers;
  for (int64_t power = min; power <= max; power *= 2) powers.push_back(power);
  return powers;
}

// What a kernel's knobs and constraints are made from.
class Builder {
 public:
  Builder(const SingleMatmul& matmul, const HardwareInfo& device)
      : matmul_(matmul), device_(device), types_(CudaTypesOf(*matmul.fact)) {}

  absl::StatusOr<std::shared_ptr<const ConfigSpace>> Build() {
    options_.name = std::string(kName);
    options_.version = kVersion;
    options_.index_on_demand = true;
    FindFamilies();
    SEEDTUNE_RETURN_IF_ERROR(AddKnobs());
    AddTileConstraints();
    AddSplitConstraints();
    AddPackConstraints();
    if (Has(CudaFamily::kWgmma)) AddWgmmaConstraints();
    if (Has(CudaFamily::kSkinny)) AddSkinnyConstraints();
    return ConfigSpace::Create(std::move(options_));
  }

 private:
  bool Has(CudaFamily family) const {
    return std::find(families_.begin(), families_.end(), family) != families_.end();
  }

  void FindFamilies() {
    const int arch = CudaArchNumber(device_.arch);
    if (CudaMmaTakes(types_, arch)) families_.push_back(CudaFamily::kMma);
    families_.push_back(CudaFamily::kSimt);
    if (MayBeSkinny()) families_.push_back(CudaFamily::kSkinny);
    // Less than half an instruction's rows, or half a stage, is better left to the others.
    if (CudaWgmmaTakes(types_, arch) && std::min(matmul_.m, matmul_.n) > kCudaWgmmaRows / 2 &&
        FillsRegisterRows() && matmul_.k * DTypeBytes(types_.lhs) > kCudaWgmmaStageBytes / 2) {
      families_.push_back(CudaFamily::kWgmma);
    }
  }

  // Of the operand that wgmma takes from registers, if any.
  bool FillsRegisterRows() const {
    return (!types_.lhs_by_registers || matmul_.m > kCudaWgmmaRegisterRows / 2) &&
           (!types_.rhs_by_registers || matmul_.n > kCudaWgmmaRegisterRows / 2);
  }

  // Whether a skinny kernel's smallest tile is one of the knobs' choices.
  bool MayBeSkinny() const {
    const OperandFact& big = types_.long_is_n ? matmul_.fact->rhs : matmul_.fact->lhs;
    const int64_t narrower = std::min(DTypeBytes(types_.lhs), DTypeBytes(types_.rhs));
    const int64_t deepest = std::clamp(NextPowerOfTwo(std::min(matmul_.k, kMaxBlockKBytes)),
                                       kMinBlockKBytes / narrower, kMaxBlockKBytes / narrower);
    return types_.short_extent <= kCudaMaxSkinny && CudaSkinnyStep(types_) <= deepest &&
           CudaSkinnyRows(types_) <= MaxWarpTile(std::max(matmul_.m, matmul_.n)) &&
           (big.layout == OperandLayout::kRowMajor || big.layout == OperandLayout::kColumnMajor);
  }

  static int64_t MaxWarpTile(int64_t extent) {
    return std::clamp(NextPowerOfTwo(std::min(extent, kMaxWarpTile)), kMinBlock, kMaxWarpTile);
  }

  absl::Status Add(absl::StatusOr<Knob> knob) {
    if (knob.ok()) options_.knobs.push_back(*std::move(knob));
    return knob.status();
  }
  absl::Status AddIntegers(const char* name, const std::vector<int64_t>& values, int64_t near) {
    return Add(Knob::IntegerChoice(name, values, NearestOf(values, near)));
  }

  absl::Status AddKnobs() {
    std::vector<std::string> families;
    for (const CudaFamily family : families_) families.emplace_back(CudaFamilyName(family));
    SEEDTUNE_RETURN_IF_ERROR(Add(Knob::Enum("family", families, families[0])));
    const int64_t narrower = std::min(DTypeBytes(types_.lhs), DTypeBytes(types_.rhs));
    for (const auto& [name, extent] :
         {std::pair(kBlockM, matmul_.m), std::pair(kBlockN, matmul_.n)}) {
      const int64_t max =
          std::clamp(NextPowerOfTwo(std::min(extent, kMaxBlock)), kMinBlock, kMaxBlock);
      std::vector<int64_t> sizes = PowersOfTwo(kMinBlock, max);
      if (Has(CudaFamily::kWgmma)) {
        const std::span<const int64_t> between =
            name == kBlockN ? std::span<const int64_t>(kWgmmaColumnBlocks) : kWgmmaRowBlocks;
        for (const int64_t size : between) {
          if (size < max) sizes.insert(std::upper_bound(sizes.begin(), sizes.end(), size), size);
        }
      }
      SEEDTUNE_RETURN_IF_ERROR(AddIntegers(name, sizes, kNearBlock));
    }
    SEEDTUNE_RETURN_IF_ERROR(Add(BlockSizeKnob(
        "k", kMinBlockKBytes / narrower, kMaxBlockKBytes / narrower, matmul_.k, 64 / narrower)));
    for (const auto& [name, extent] :
         {std::pair("warp_tile[m]", matmul_.m), std::pair("warp_tile[n]", matmul_.n)}) {
      const int64_t max = MaxWarpTile(extent);
      SEEDTUNE_RETURN_IF_ERROR(AddIntegers(name, PowersOfTwo(kMinBlock, max), 64));
    }
    SEEDTUNE_RETURN_IF_ERROR(
        AddIntegers("warps[k]", PowersOfTwo(1, Has(CudaFamily::kSkinny) ? kMaxWarpsK : 1), 1));
    SEEDTUNE_RETURN_IF_ERROR(AddIntegers("num_stages", {2, 3, 4, 5, 6, 8, 10, 12}, 3));
    // As many parts as there are steps of k at most; more blocks than multiprocessors never help
    // one tile.
    const int64_t steps = CeilDiv(matmul_.k, kMinBlockKBytes / narrower);
    std::vector<int64_t> splits;
    for (const int64_t split : kSplits) {
      if (split == 1 ||
          (split <= steps && (device_.compute_units == 0 || split <= device_.compute_units))) {
        splits.push_back(split);
      }
    }
    SEEDTUNE_RETURN_IF_ERROR(AddIntegers("split_k", splits, 1));
    SEEDTUNE_RETURN_IF_ERROR(
        Add(Knob::Enum("reduction", {"last_block", "second_launch"}, "last_block")));
    std::vector<std::string> schedules = {"tiles", "stream_k"};
    std::vector<int64_t> clusters = {1};
    if (Has(CudaFamily::kWgmma)) {
      schedules.insert(schedules.end(), {"cooperative", "ping_pong"});
      clusters.push_back(2);
    }
    SEEDTUNE_RETURN_IF_ERROR(Add(Knob::Enum("schedule", schedules, "tiles")));
    SEEDTUNE_RETURN_IF_ERROR(Add(Knob::Boolean("stream_k", false)));
    SEEDTUNE_RETURN_IF_ERROR(AddIntegers("epilogue_tile",
                                         Has(CudaFamily::kWgmma)
                                             ? std::vector<int64_t>{128, 256, 512}
                                             : std::vector<int64_t>{kCudaEpilogueBytes},
                                         kCudaEpilogueBytes));
    SEEDTUNE_RETURN_IF_ERROR(AddIntegers("cluster[m]", clusters, 1));
    SEEDTUNE_RETURN_IF_ERROR(AddIntegers("cluster[n]", clusters, 1));
    // No more than the rows of tiles that the default block leaves: defaults that hold together
    // cost a space no search for the nearest that do.
    const int64_t rows_of_tiles =
        CeilDiv(matmul_.m, std::min(kNearBlock, NextPowerOfTwo(matmul_.m)));
    SEEDTUNE_RETURN_IF_ERROR(Add(Knob::PowerOfTwo(
        "l2_grouping", 1, 32, std::min<int64_t>(8, NextPowerOfTwo(rows_of_tiles)))));
    const MatmulFact& fact = *matmul_.fact;
    may_pack_lhs_ = Has(CudaFamily::kMma) && (MustPack(fact.lhs, types_.lhs_along_k) ||
                                              fact.lhs.alignment_bytes < kCopyBytes);
    may_pack_rhs_ = Has(CudaFamily::kMma) && (MustPack(fact.rhs, types_.rhs_along_k) ||
                                              fact.rhs.alignment_bytes < kCopyBytes);
    for (const auto& [name, may] :
         {std::pair("pack[lhs]", may_pack_lhs_), std::pair("pack[rhs]", may_pack_rhs_)}) {
      SEEDTUNE_RETURN_IF_ERROR(Add(Knob::Boolean(name, may)));
    }
    return absl::OkStatus();
  }

  void Constrain(std::string name, std::string description, std::vector<std::string> knobs,
                 std::function<bool(std::span<const int64_t>)> holds) {
    options_.constraints.push_back(
        {std::move(name), std::move(description), std::move(knobs), std::move(holds)});
  }

  void AddTileConstraints() {
    const auto is_other = [families = families_](int64_t family) {
      return families[static_cast<size_t>(family)] == CudaFamily::kWgmma ||
             families[static_cast<size_t>(family)] == CudaFamily::kSkinny;
    };
    const auto divides = [](std::span<const int64_t> v) { return v[0] % v[1] == 0; };
    Constrain("warps_cover_m", "block_size[m] a multiple of warp_tile[m]",
              {"block_size[m]", "warp_tile[m]"}, divides);
    Constrain("warps_cover_n", "block_size[n] a multiple of warp_tile[n]",
              {"block_size[n]", "warp_tile[n]"}, divides);
    const int64_t most = device_.max_threads_per_block > 0
                             ? std::min<int64_t>(kMaxThreads, device_.max_threads_per_block)
                             : kMaxThreads;
    const auto threads = [](std::span<const int64_t> v) {
      return 32 * (v[0] / v[1]) * (v[2] / v[3]);
    };
    // The last knob says where this is not meant: wgmma and skinny have constraints of their own.
    const std::vector<std::string> tile = {"block_size[m]", "warp_tile[m]", "block_size[n]",
                                           "warp_tile[n]", "family"};
    Constrain("threads_fit_block", absl::StrCat("at most ", most, " threads a block"), tile,
              [is_other, threads, most](std::span<const int64_t> v) {
                return is_other(v[4]) || threads(v) <= most;
              });

    const auto registers = [families = families_, types = types_](int64_t family, int64_t warp_m,
                                                                  int64_t warp_n) {
      CudaTile tile;
      tile.family = families[static_cast<size_t>(family)];
      tile.warp_m = warp_m;
      tile.warp_n = warp_n;
      return CudaRegisters(tile, types);
    };
    Constrain("sums_fit_registers",
              absl::StrCat("at most ", kThreadRegisters, " registers a thread"),
              {"family", "warp_tile[m]", "warp_tile[n]"},
              [is_other, registers](std::span<const int64_t> v) {
                return is_other(v[0]) || registers(v[0], v[1], v[2]) <= kThreadRegisters;
              });
    if (device_.registers_per_unit > 0) {
      Constrain("block_fits_registers",
                absl::StrCat("all threads within ", device_.registers_per_unit, " registers"), tile,
                [is_other, registers, threads,
                 limit = device_.registers_per_unit](std::span<const int64_t> v) {
                  return is_other(v[4]) || threads(v) * registers(v[4], v[1], v[3]) <= limit;
                });
    }
    if (device_.shared_memory_per_block_bytes > 0) {
      const int64_t limit = device_.shared_memory_per_block_bytes;
      Constrain("stages_fit_shared_memory",
                absl::StrCat("the operands' tiles of all stages within ", limit, " bytes"),
                {"block_size[m]", "block_size[n]", "block_size[k]", "num_stages", "family"},
                [limit, families = families_, types = types_](std::span<const int64_t> v) {
                  CudaTile tile;
                  tile.family = families[static_cast<size_t>(v[4])];
                  tile.block_m = v[0];
                  tile.block_n = v[1];
                  tile.block_k = v[2];
                  tile.stages = v[3];
                  return tile.family == CudaFamily::kSkinny || CudaRingBytes(tile, types) <= limit;
                });
      Constrain("epilogue_fits_shared_memory",
                absl::StrCat("the rows that the epilogue passes through within ", limit, " bytes"),
                tile, [is_other, limit, types = types_](std::span<const int64_t> v) {
                  if (is_other(v[4])) return true;
                  CudaTile tile;
                  tile.family = CudaFamily::kMma;
                  tile.block_m = v[0];
                  tile.warp_m = v[1];
                  tile.block_n = v[2];
                  tile.warp_n = v[3];
                  return CudaSharedBytes(tile, types) <= limit;
                });
    }
    Constrain("simt_steps_are_unrolled",
              absl::StrCat("block_size[k] at most ", kMaxSimtSteps, " for simt"),
              {"family", "block_size[k]"}, [families = families_](std::span<const int64_t> v) {
                return families[static_cast<size_t>(v[0])] != CudaFamily::kSimt ||
                       v[1] <= kMaxSimtSteps;
              });
    Constrain("l2_group_has_rows", "groups no larger than what covers all rows of tiles",
              {"block_size[m]", "l2_grouping"}, [m = matmul_.m](std::span<const int64_t> v) {
                return v[1] <= NextPowerOfTwo(CeilDiv(m, v[0]));
              });
  }

  void AddSplitConstraints() {
    Constrain("parts_have_steps", "a step of k for each part", {"block_size[k]", "split_k"},
              [k = matmul_.k](std::span<const int64_t> v) { return v[1] <= CeilDiv(k, v[0]); });
    Constrain("reduction_has_parts", "reduction \"last_block\" where nothing is split",
              {"split_k", "reduction"},
              [](std::span<const int64_t> v) { return v[0] > 1 || v[1] == 0; });
    Constrain("stream_k_splits_itself", "split_k 1 and reduction \"last_block\" under stream_k",
              {"schedule", "split_k", "reduction"},
              [](std::span<const int64_t> v) { return v[0] != 1 || (v[1] == 1 && v[2] == 0); });
    Constrain(
        "stream_k_has_rounds",
        absl::StrCat("stream_k for wgmma only, with two warpgroups or more that multiply, clusters "
                     "of two blocks at most, split_k 1, at least ",
                     kCudaStreamKStages, " stages of k, and more tiles than ",
                     device_.compute_units, " blocks, yet no whole rounds of them"),
        {"stream_k", "family", "split_k", "schedule", "block_size[m]", "block_size[n]",
         "cluster[m]", "cluster[n]"},
        [families = families_, m = matmul_.m, n = matmul_.n, batch = matmul_.batch,
         stages = CeilDiv(matmul_.k * DTypeBytes(types_.lhs), kCudaWgmmaStageBytes),
         units = device_.compute_units](std::span<const int64_t> v) {
          if (v[0] == 0) return true;
          CudaTile tile;
          tile.family = families[static_cast<size_t>(v[1])];
          tile.split_k = v[2];
          tile.schedule = static_cast<CudaSchedule>(v[3]);
          tile.block_m = v[4];
          tile.block_n = v[5];
          tile.cluster_m = v[6];
          tile.cluster_n = v[7];
          return CudaWgmmaStreamsK(tile, m, n, stages, batch, units);
        });
  }

  void AddPackConstraints() {
    const MatmulFact& fact = *matmul_.fact;
    const struct {
      const char* name;
      const char* knob;
      bool may, must, wgmma_reads;
    } kOperands[] = {
        {"lhs_packed_where_needed", "pack[lhs]", may_pack_lhs_,
         MustPack(fact.lhs, types_.lhs_along_k),
         CudaWgmmaReads(fact.lhs, types_.lhs_along_k, types_.lhs_by_registers)},
        {"rhs_packed_where_needed", "pack[rhs]", may_pack_rhs_,
         MustPack(fact.rhs, types_.rhs_along_k),
         CudaWgmmaReads(fact.rhs, types_.rhs_along_k, types_.rhs_by_registers)},
    };
    for (const auto& c : kOperands) {
      Constrain(c.name, "operands packed for tensor cores only, and there where it must be",
                {"family", c.knob}, [families = families_, c](std::span<const int64_t> v) {
                  const bool packs = v[1] != 0;
                  switch (families[static_cast<size_t>(v[0])]) {
                    case CudaFamily::kMma:
                      return packs ? c.may : !c.must;
                    case CudaFamily::kWgmma:
                      return packs != c.wgmma_reads;
                    case CudaFamily::kSimt:
                    case CudaFamily::kSkinny:
                      break;
                  }
                  return !packs;
                });
    }
  }

  // What wgmma wants of the other knobs, and what the others want of those that only wgmma has.
  void AddWgmmaConstraints() {
    const auto is_wgmma = [families = families_](int64_t family) {
      return families[static_cast<size_t>(family)] == CudaFamily::kWgmma;
    };
    for (const char* knob : {"block_size[m]", "block_size[n]"}) {
      Constrain(absl::StrCat("wgmma_rows_", knob),
                absl::StrCat(knob, " at least ", kCudaWgmmaRows,
                             " for wgmma, and a power of two elsewhere"),
                {"family", knob}, [is_wgmma](std::span<const int64_t> v) {
                  return is_wgmma(v[0]) ? v[1] >= kCudaWgmmaRows : NextPowerOfTwo(v[1]) == v[1];
                });
    }
    Constrain("wgmma_stage",
              absl::StrCat("stages of ", kCudaWgmmaStageBytes, " bytes of k for wgmma"),
              {"family", "block_size[k]"},
              [is_wgmma, bytes = DTypeBytes(types_.lhs)](std::span<const int64_t> v) {
                return !is_wgmma(v[0]) || v[1] * bytes == kCudaWgmmaStageBytes;
              });
    Constrain("wgmma_has_no_warp_tile", "the least warp tile for wgmma, which has none",
              {"family", "warp_tile[m]", "warp_tile[n]"}, [is_wgmma](std::span<const int64_t> v) {
                return !is_wgmma(v[0]) || (v[1] == kCudaNoWarpTile && v[2] == kCudaNoWarpTile);
              });
    Constrain("wgmma_schedule",
              "schedule \"cooperative\" or \"ping_pong\" for wgmma, and only there",
              {"family", "schedule"}, [is_wgmma](std::span<const int64_t> v) {
                return is_wgmma(v[0]) == (v[1] >= static_cast<int64_t>(CudaSchedule::kCooperative));
              });
    // Blocks that wait for each other have to run at once: an H200 holds 30 clusters of four
    // blocks, not 33, and says so only when the kernel is launched.
    Constrain(
        "wgmma_reduction",
        absl::StrCat("reduction \"last_block\" for wgmma only where the parts of all tiles are at "
                     "most ",
                     device_.compute_units, " blocks in clusters of two at most"),
        {"family", "split_k", "reduction", "block_size[m]", "block_size[n]", "cluster[m]",
         "cluster[n]"},
        [is_wgmma, m = matmul_.m, n = matmul_.n, batch = matmul_.batch,
         units = device_.compute_units](std::span<const int64_t> v) {
          if (!is_wgmma(v[0]) || v[1] == 1 || v[2] == 1) return true;
          if (v[5] * v[6] > 2) return false;
          return RoundUp(CeilDiv(m, v[3]), v[5]) * RoundUp(CeilDiv(n, v[4]), v[6]) * batch * v[1] <=
                 units;
        });
    for (const auto& [name, cluster, block, extent] :
         {std::tuple("wgmma_cluster_m", "cluster[m]", "block_size[m]", matmul_.m),
          std::tuple("wgmma_cluster_n", "cluster[n]", "block_size[n]", matmul_.n)}) {
      Constrain(name, "clusters for wgmma, of no more tiles than there are",
                {"family", cluster, block},
                [is_wgmma, extent = extent](std::span<const int64_t> v) {
                  return v[1] == 1 || (is_wgmma(v[0]) && v[1] <= CeilDiv(extent, v[2]));
                });
    }
    const auto tile_of = [](int64_t schedule, int64_t block_m, int64_t block_n) {
      CudaTile tile;
      tile.family = CudaFamily::kWgmma;
      tile.schedule = static_cast<CudaSchedule>(schedule);
      tile.block_m = block_m;
      tile.block_n = block_n;
      return tile;
    };
    if (types_.lhs_by_registers || types_.rhs_by_registers) {
      Constrain("wgmma_rows_by_registers",
                absl::StrCat("a multiple of ", kCudaWgmmaRegisterRows,
                             " rows of the operand that goes through registers for each of wgmma's "
                             "warpgroups"),
                {"family", "schedule", "block_size[m]", "block_size[n]"},
                [is_wgmma, tile_of, types = types_](std::span<const int64_t> v) {
                  if (!is_wgmma(v[0])) return true;
                  const CudaTile tile = tile_of(v[1], v[2], v[3]);
                  const int64_t sharing =
                      tile.schedule == CudaSchedule::kPingPong ? 1 : CudaConsumers(tile);
                  return CudaWgmmaRows(tile, types) % (kCudaWgmmaRegisterRows * sharing) == 0;
                });
    }
    Constrain("wgmma_sums_fit_registers", "a wgmma tile's sums within its warpgroups' registers",
              {"family", "schedule", "block_size[m]", "block_size[n]"},
              [is_wgmma, tile_of, types = types_](std::span<const int64_t> v) {
                return !is_wgmma(v[0]) ||
                       CudaRegisters(tile_of(v[1], v[2], v[3]), types) <= kThreadRegisters;
              });
    if (device_.shared_memory_per_block_bytes > 0) {
      const int64_t limit = device_.shared_memory_per_block_bytes;
      Constrain(
          "wgmma_fits_shared_memory",
          absl::StrCat("wgmma's stages and epilogue_tile within ", limit, " bytes"),
          {"family", "schedule", "block_size[m]", "block_size[n]", "num_stages", "epilogue_tile"},
          [is_wgmma, tile_of, limit, types = types_](std::span<const int64_t> v) {
            if (!is_wgmma(v[0])) return true;
            CudaTile tile = tile_of(v[1], v[2], v[3]);
            tile.block_k = kCudaWgmmaStageBytes / DTypeBytes(types.lhs);
            tile.stages = v[4];
            tile.epilogue_bytes = v[5];
            return CudaSharedBytes(tile, types) <= limit;
          });
    }
    Constrain("wgmma_epilogue",
              "epilogue_tile, the bytes of each row of the output that a warp stages in shared "
              "memory, its default but for wgmma whose k is not split",
              {"family", "split_k", "schedule", "block_size[m]", "epilogue_tile"},
              [is_wgmma, tile_of](std::span<const int64_t> v) {
                if (!is_wgmma(v[0])) return v[4] == kCudaEpilogueBytes;
                return v[1] == 1 || v[4] == CudaWgmmaEpilogueBytes(tile_of(v[2], v[3], 0));
              });
  }

  // What skinny wants of the other knobs, and what the others want of those that only it has.
  void AddSkinnyConstraints() {
    const auto is_skinny = [families = families_](int64_t family) {
      return families[static_cast<size_t>(family)] == CudaFamily::kSkinny;
    };
    const std::string block = types_.long_is_n ? "block_size[n]" : "block_size[m]";
    const std::string warp = types_.long_is_n ? "warp_tile[n]" : "warp_tile[m]";
    const int64_t step = CudaSkinnyStep(types_), rows = CudaSkinnyRows(types_);
    Constrain("skinny_takes_whole_steps",
              absl::StrCat("block_size[k] a multiple of ", step, " and ", warp, " of ", rows,
                           " for skinny"),
              {"family", "block_size[k]", warp},
              [is_skinny, step, rows](std::span<const int64_t> v) {
                return !is_skinny(v[0]) || (v[1] % step == 0 && v[2] % rows == 0);
              });
    // A tile of block_size `block` made of warp_tile `warp`, along the long side.
    const auto tile_of = [long_is_n = types_.long_is_n](int64_t block, int64_t warp,
                                                        int64_t block_k, int64_t warps_k,
                                                        int64_t stages) {
      CudaTile tile;
      tile.family = CudaFamily::kSkinny;
      tile.block_m = tile.warp_m = tile.block_n = tile.warp_n = kMinBlock;
      (long_is_n ? tile.block_n : tile.block_m) = block;
      (long_is_n ? tile.warp_n : tile.warp_m) = warp;
      tile.block_k = block_k;
      tile.warps_k = warps_k;
      tile.stages = stages;
      return tile;
    };
    Constrain("skinny_fits_registers",
              absl::StrCat("at most ", kThreadRegisters, " registers a thread"), {"family", warp},
              [is_skinny, tile_of, types = types_](std::span<const int64_t> v) {
                return !is_skinny(v[0]) ||
                       CudaRegisters(tile_of(v[1], v[1], 1, 1, 1), types) <= kThreadRegisters;
              });
    Constrain("skinny_fits_block",
              absl::StrCat("at most ", kMaxThreads, " threads, and what a multiprocessor has"),
              {"family", block, warp, "block_size[k]", "warps[k]", "num_stages"},
              [is_skinny, tile_of, types = types_, device = device_](std::span<const int64_t> v) {
                if (!is_skinny(v[0])) return v[4] == 1;
                if (v[1] % v[2] != 0) return false;
                const CudaTile tile = tile_of(v[1], v[2], v[3], v[4], v[5]);
                const auto fits = [](int64_t takes, int64_t limit) {
                  return limit == 0 || takes <= limit;
                };
                return CudaThreads(tile) <= kMaxThreads &&
                       fits(CudaThreads(tile) * CudaRegisters(tile, types),
                            device.registers_per_unit) &&
                       fits(CudaSharedBytes(tile, types), device.shared_memory_per_block_bytes);
              });
    Constrain("skinny_warps_have_steps", "a step of k for each warp of each part",
              {"block_size[k]", "split_k", "warps[k]"},
              [k = matmul_.k](std::span<const int64_t> v) {
                return v[2] == 1 || v[1] * v[2] <= CeilDiv(k, v[0]);
              });
    for (const auto& [knob, value] :
         {std::pair("schedule", int64_t{0}), std::pair("l2_grouping", int64_t{1})}) {
      Constrain(absl::StrCat("skinny_has_no_", knob),
                absl::StrCat("the first ", knob, " for skinny"), {"family", knob},
                [is_skinny, value = value](std::span<const int64_t> v) {
                  return !is_skinny(v[0]) || v[1] == value;
                });
    }
  }

  const SingleMatmul& matmul_;
  const HardwareInfo& device_;
  CudaTypes types_;
  bool may_pack_lhs_ = false, may_pack_rhs_ = false;
  std::vector<CudaFamily> families_;
  ConfigSpace::Options options_;
};

absl::Status CheckTypes(const MatmulFact& fact, int arch) {
  const auto precondition = [](const auto&... parts) {
    return absl::FailedPreconditionError(absl::StrCat(std::string(kName), ": ", parts...));
  };
  for (const auto& [name, operand] :
       {std::pair("left operand", &fact.lhs), std::pair("right operand", &fact.rhs),
        std::pair("output", &fact.out)}) {
    if (IsFp8(operand->dtype) && arch < 89) {
      return precondition("the ", name, " is ", std::string(DTypeName(operand->dtype)),
                          ", which needs sm89 or newer");
    }
  }
  const DType accumulator = fact.accumulator;
  if (accumulator != DType::kF32 && accumulator != DType::kF64 && accumulator != DType::kI32) {
    return precondition("the accumulator is ", std::string(DTypeName(accumulator)),
                        ", want f32, f64 or i32");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::shared_ptr<const ConfigSpace>> CudaMatmulSpace(
    std::span<const MatmulFact> facts, const HardwareInfo& device) {
  const int arch = CudaArchNumber(device.arch);
  if (device.kind != DeviceKind::kCuda || arch < kMinArch) {
    return absl::FailedPreconditionError(
        absl::StrCat(std::string(kName), ": the device is \"", device.name, "\" (",
                     std::string(DeviceKindName(device.kind)), ", ", device.arch.base,
                     "), want a CUDA device of sm80 or newer"));
  }
  SEEDTUNE_ASSIGN_OR_RETURN(const SingleMatmul matmul, FindSingleMatmul(kName, facts));
  SEEDTUNE_RETURN_IF_ERROR(CheckTypes(*matmul.fact, arch));
  return Builder(matmul, device).Build();
}

}  // namespace seedtune
