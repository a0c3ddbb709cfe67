#include "config/spaces/cpu/cpu_space.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "config/config_space.h"
#include "config/constraint.h"
#include "config/knob.h"
#include "config/spaces/single_matmul.h"
#include "hardware/hardware_info.h"
#include "ir/dtype.h"
#include "matmul_ops/matmul_fact.h"
#include "util/integer_math.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

constexpr std::string_view kName = "cpu_matmul";
constexpr int kVersion = 3;
constexpr int64_t kFloatBytes = 4;

constexpr int kMaxTileVectors = 4;
constexpr std::array<int, 8> kTileRows = {1, 2, 4, 6, 8, 12, 14, 16};
constexpr std::array<int, kMaxTileVectors + 1> kMaxTileRows = {0, 16, 14, 8, 6};  // by width
// More rows than this use a packed right operand often enough.
constexpr int64_t kMaxTransposedRows = 64;
// Up to so many rows, and up to so many steps of k, the backend streams whole rows of a right
// operand past a block of C.
constexpr int64_t kMaxStreamRows = 4;
constexpr int64_t kLeastStreamDepth = 16;
// Steps of k to prefetch ahead: those of a right operand go row by row, those of a left one by
// lines of 64 bytes.
constexpr std::array<int64_t, 8> kPrefetchDistances = {0, 4, 8, 16, 32, 64, 128, 256};
constexpr int64_t kMaxRhsPrefetchDistance = 32;
constexpr int64_t kFloatsPerLine = 16;
// Of 512 bits, the widest that Highway's x86 and Arm targets have: for devices whose width is
// unknown.
constexpr int64_t kMaxLanes = 16;
// Below this, a thread's range of k is not worth adding up its partial results.
constexpr int64_t kMinThreadDepth = 32;

constexpr std::array<const char*, 6> kLoopOrders = {"nkm", "knm", "mkn", "kmn", "nmk", "mnk"};

// In the order of the knob's choices.
enum ThreadSplit : int64_t { kSplitM, kSplitN, kSplitMN, kSplitK, kSplitBatch };

bool ReadsRhsInPlace(const SingleMatmul& matmul) {
  // The micro kernel loads vectors along rows of the right operand.
  return matmul.n == 1 || matmul.fact->rhs.layout == OperandLayout::kRowMajor;
}

// Whether the product of the transposes may pay.
bool MayTranspose(const SingleMatmul& matmul) {
  return !ReadsRhsInPlace(matmul) && matmul.m <= kMaxTransposedRows && matmul.m <= matmul.n;
}

// What `transpose` exchanges: rows and columns of the product that is computed.
int64_t RowsOf(const SingleMatmul& matmul, bool transpose) {
  return transpose ? matmul.n : matmul.m;
}
int64_t ColumnsOf(const SingleMatmul& matmul, bool transpose) {
  return transpose ? matmul.m : matmul.n;
}

// A constraint that depends on `transpose`, which is false where the space has no such knob.
// `holds` is given the values of `knobs`.
Constraint OfProduct(const SingleMatmul& matmul, std::string name, std::string description,
                     std::vector<std::string> knobs,
                     std::function<bool(bool, std::span<const int64_t>)> holds) {
  if (!MayTranspose(matmul)) {
    return {std::move(name), std::move(description), std::move(knobs),
            [holds = std::move(holds)](std::span<const int64_t> v) { return holds(false, v); }};
  }
  knobs.push_back("transpose");
  return {std::move(name), std::move(description), std::move(knobs),
          [holds = std::move(holds)](std::span<const int64_t> v) {
            return holds(v.back() != 0, v.first(v.size() - 1));
          }};
}

// `first` times the powers of two, from `first_half` on (times 8) with one and a half of each
// between, up to two thirds of the extent, since a last block that is much smaller than the others
// divides the work badly; and the extent.
std::vector<int64_t> BlockChoices(int64_t first, int64_t first_half, int64_t extent) {
  const int64_t largest = extent / 3 * 2;
  std::vector<int64_t> choices;
  for (int64_t power = first; power <= largest; power *= 2) {
    choices.push_back(power);
    const int64_t half = power + power / 2;
    if (power >= first_half && power <= 8 * first_half && half <= largest) choices.push_back(half);
    if (power > largest / 2) break;  // before it overflows
  }
  choices.push_back(extent);
  return choices;
}

// Choices that follow from the extents of the product that is computed.
struct ProductChoices {
  std::vector<int64_t> tile_rows;
  std::vector<int64_t> tile_vectors;
  std::vector<int64_t> row_blocks;
  std::vector<int64_t> column_blocks;
};

ProductChoices ChoicesFor(int64_t rows, int64_t columns, int64_t lanes) {
  ProductChoices choices;
  // No larger than the smallest that covers the extent.
  for (const int height : kTileRows) {
    if (choices.tile_rows.empty() || choices.tile_rows.back() < rows) {
      choices.tile_rows.push_back(height);
    }
  }
  for (int64_t width = 1; width <= kMaxTileVectors; ++width) {
    if ((width - 1) * lanes < columns) choices.tile_vectors.push_back(width);
  }
  // Apart by more than a register tile, so that rounding up to tiles makes no two of them one.
  choices.row_blocks = BlockChoices(32, 32, rows);
  choices.column_blocks =
      BlockChoices(kMaxTileVectors * lanes, 2 * kMaxTileVectors * lanes, columns);
  return choices;
}

// Of two ascending lists.
std::vector<int64_t> UnionOf(const std::vector<int64_t>& a, const std::vector<int64_t>& b) {
  std::vector<int64_t> both;
  std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  return both;
}

// A loop nest over blocks: the loops that run more than once, outermost first, and which of m and n
// is outside within a block. Nests that are equal here visit the same tiles in the same order.
std::string Traversal(std::string_view order, bool one_m, bool one_n, bool one_k) {
  std::string nest;
  for (const char axis : order) {
    const bool once = axis == 'm' ? one_m : axis == 'n' ? one_n : one_k;
    if (!once) nest += axis;
  }
  return nest + (order.find('m') < order.find('n') ? "/m" : "/n");
}

// Whether a loop order is the first with its traversal; the outer index has bit 0, 1, 2 set where
// m, n, k is one block.
using DistinctOrders = std::array<std::array<bool, kLoopOrders.size()>, 8>;

DistinctOrders FindDistinctOrders() {
  DistinctOrders distinct = {};
  for (size_t ones = 0; ones < distinct.size(); ++ones) {
    std::set<std::string> seen;
    for (size_t order = 0; order < kLoopOrders.size(); ++order) {
      distinct[ones][order] = seen.insert(Traversal(kLoopOrders[order], (ones & 1) != 0,
                                                    (ones & 2) != 0, (ones & 4) != 0))
                                  .second;
    }
  }
  return distinct;
}

// Whether the m loop is inside the n loop: then blocks of the left operand stream past a panel of
// the right one.
bool MInsideN(int64_t order) {
  const std::string_view name = kLoopOrders[static_cast<size_t>(order)];
  return name.find('m') > name.find('n');
}

// Divides, since products of extents may overflow.
bool BlockFits(int64_t rows, int64_t columns, int64_t bytes) {
  return rows <= bytes / kFloatBytes / columns;
}

void AddTileConstraints(const SingleMatmul& matmul, const HardwareInfo& device,
                        std::vector<Constraint>& constraints) {
  // A bit set of heights for each width.
  std::array<uint32_t, kMaxTileVectors + 1> compiled = {};
  for (const CpuRegisterTile& tile : CpuRegisterTiles()) {
    compiled[tile.vectors] |= uint32_t{1} << tile.rows;
  }
  const std::vector<std::string> tile = {"register_tile[m]", "register_tile[n]"};
  constraints.push_back(
      {"tile_is_compiled", "a register tile that the backend compiles", tile,
       [compiled](std::span<const int64_t> v) { return (compiled[v[1]] >> v[0] & 1) != 0; }});
  if (device.registers_per_unit > 0) {
    const int64_t registers = device.registers_per_unit;
    constraints.push_back(
        {"tile_fits_registers",
         absl::StrCat("accumulators, a row of the right operand and an element of the left one in ",
                      registers, " vector registers"),
         tile,
         [registers](std::span<const int64_t> v) { return v[0] * v[1] + v[1] + 1 <= registers; }});
  }
  // Fused multiply-adds take about 4 cycles and one or two start each cycle (Fog, "Instruction
  // tables"), so even with one a cycle fewer than 4 accumulators leave the unit idle. Fewer rows
  // than that may leave no choice.
  const auto least = [matmul](bool transpose) {
    return std::min<int64_t>(4, RowsOf(matmul, transpose));
  };
  constraints.push_back(OfProduct(
      matmul, "tile_hides_latency",
      absl::StrCat(
          "at least ", least(false), " accumulators",
          MayTranspose(matmul) ? absl::StrCat(" (", least(true), " under transpose)") : ""),
      tile, [least](bool transpose, std::span<const int64_t> v) {
        return v[0] * v[1] >= least(transpose);
      }));
}

void AddPackingConstraints(const SingleMatmul& matmul, const HardwareInfo& device,
                           std::vector<Constraint>& constraints) {
  // The operand of the inner loop stays in the L2 cache, the other one in what is behind it.
  const int64_t inner = device.l2_bytes;
  const int64_t outer = std::max(device.l2_bytes, device.l3_bytes);
  if (inner > 0) {
    const std::string want =
        absl::StrCat(inner, " bytes as the inner operand, ", outer, " bytes as the outer one");
    constraints.push_back({"packed_lhs_fits_cache",
                           absl::StrCat("a packed block of the left operand within ", want),
                           {"pack[lhs]", "block_size[m]", "block_size[k]", "loop_order"},
                           [inner, outer](std::span<const int64_t> v) {
                             return v[0] == 0 ||
                                    BlockFits(v[1], v[2], MInsideN(v[3]) ? inner : outer);
                           }});
    constraints.push_back({"packed_rhs_fits_cache",
                           absl::StrCat("a packed block of the right operand within ", want),
                           {"pack[rhs]", "block_size[n]", "block_size[k]", "loop_order"},
                           [inner, outer](std::span<const int64_t> v) {
                             return v[0] == 0 ||
                                    BlockFits(v[1], v[2], MInsideN(v[3]) ? outer : inner);
                           }});
  }
  if (!ReadsRhsInPlace(matmul)) {
    const bool lhs_by_columns = matmul.fact->lhs.layout == OperandLayout::kColumnMajor;
    constraints.push_back(OfProduct(
        matmul, "rhs_must_be_packed",
        "a right operand (under transpose: the left one's transpose) whose rows are not contiguous "
        "packed",
        {"pack[rhs]"}, [lhs_by_columns](bool transpose, std::span<const int64_t> v) {
          return v[0] != 0 || (transpose && lhs_by_columns);
        }));
  }
}

// Where `transpose` exchanges extents, knobs offer the choices of both.
void AddTransposeConstraints(const SingleMatmul& matmul, const ProductChoices& plain,
                             const ProductChoices& transposed,
                             std::vector<Constraint>& constraints) {
  const struct {
    const char* name;
    const char* knob;
    const std::vector<int64_t>& plain;
    const std::vector<int64_t>& transposed;
  } kExchanged[] = {
      {"tile_rows_suit_extent", "register_tile[m]", plain.tile_rows, transposed.tile_rows},
      {"tile_width_suits_extent", "register_tile[n]", plain.tile_vectors, transposed.tile_vectors},
      {"row_block_suits_extent", "block_size[m]", plain.row_blocks, transposed.row_blocks},
      {"column_block_suits_extent", "block_size[n]", plain.column_blocks,
       transposed.column_blocks}};
  for (const auto& c : kExchanged) {
    constraints.push_back(OfProduct(
        matmul, c.name,
        absl::StrCat(c.knob, " in ", absl::StrJoin(c.plain, " "), "; under transpose in ",
                     absl::StrJoin(c.transposed, " ")),
        {c.knob},
        [plain = c.plain, transposed = c.transposed](bool transpose, std::span<const int64_t> v) {
          const std::vector<int64_t>& choices = transpose ? transposed : plain;
          return std::binary_search(choices.begin(), choices.end(), v[0]);
        }));
  }
  constraints.push_back(
      OfProduct(matmul, "prefetch_suits_operand",
                absl::StrCat("a distance of at most ", kMaxRhsPrefetchDistance,
                             "; under transpose of whole lines of ", kFloatsPerLine,
                             ", and none where the left operand is packed"),
                {"pack[lhs]", "prefetch_distance"}, [](bool transpose, std::span<const int64_t> v) {
                  if (!transpose) return v[1] <= kMaxRhsPrefetchDistance;
                  return v[1] == 0 || (v[0] == 0 && v[1] % kFloatsPerLine == 0);
                }));
}

void AddLoopConstraints(const SingleMatmul& matmul, std::vector<Constraint>& constraints) {
  constraints.push_back(OfProduct(
      matmul, "loop_order_is_distinct",
      "the first of the loop orders that visit the blocks in the same order",
      {"block_size[m]", "block_size[n]", "block_size[k]", "loop_order"},
      [distinct = FindDistinctOrders(), matmul](bool transpose, std::span<const int64_t> v) {
        const size_t ones = (v[0] >= RowsOf(matmul, transpose) ? 1 : 0) +
                            (v[1] >= ColumnsOf(matmul, transpose) ? 2 : 0) +
                            (v[2] >= matmul.k ? 4 : 0);
        return distinct[ones][static_cast<size_t>(v[3])];
      }));
}

void AddThreadConstraints(const SingleMatmul& matmul, int64_t lanes,
                          std::vector<Constraint>& constraints) {
  constraints.push_back({"one_thread_has_one_split",
                         "thread_split \"m\" where there is one thread",
                         {"threads", "thread_split"},
                         [](std::span<const int64_t> v) { return v[0] > 1 || v[1] == kSplitM; }});
  constraints.push_back(
      OfProduct(matmul, "each_thread_has_work",
                absl::StrCat("a register tile, a batch entry or ", kMinThreadDepth,
                             " steps of k for each thread"),
                {"register_tile[m]", "register_tile[n]", "threads", "thread_split"},
                [matmul, lanes](bool transpose, std::span<const int64_t> v) {
                  const int64_t threads = v[2];
                  if (threads == 1) return true;
                  // Tiles along the rows and columns of C.
                  int64_t rows = CeilDiv(RowsOf(matmul, transpose), v[0]);
                  int64_t columns = CeilDiv(ColumnsOf(matmul, transpose), v[1] * lanes);
                  if (transpose) std::swap(rows, columns);
                  switch (v[3]) {
                    case kSplitM:
                      return rows >= threads;
                    case kSplitN:
                      return columns >= threads;
                    case kSplitMN:
                      // With one row or column of tiles it is the same as splitting along the other
                      // dimension.
                      return rows > 1 && columns > 1 && rows >= CeilDiv(threads, columns);
                    case kSplitK:
                      return matmul.k / kMinThreadDepth >= threads;
                    default:
                      return matmul.batch >= threads;
                  }
                }));
}

}  // namespace

std::vector<CpuRegisterTile> CpuRegisterTiles() {
  std::vector<CpuRegisterTile> tiles;
  for (int vectors = 1; vectors <= kMaxTileVectors; ++vectors) {
    for (const int rows : kTileRows) {
      if (rows <= kMaxTileRows[vectors]) tiles.push_back({rows, vectors});
    }
  }
  return tiles;
}

absl::StatusOr<std::shared_ptr<const ConfigSpace>> CpuMatmulSpace(std::span<const MatmulFact> facts,
                                                                  const HardwareInfo& device) {
  const auto precondition = [](const auto&... parts) {
    return absl::FailedPreconditionError(absl::StrCat(std::string(kName), ": ", parts...));
  };
  if (device.kind != DeviceKind::kCpu) {
    return precondition("the device is \"", device.name, "\" (",
                        std::string(DeviceKindName(device.kind)), "), want a cpu");
  }
  SEEDTUNE_ASSIGN_OR_RETURN(const SingleMatmul matmul, FindSingleMatmul(kName, facts));
  const struct {
    const char* name;
    DType dtype;
  } kDtypes[] = {{"left operand", matmul.fact->lhs.dtype},
                 {"right operand", matmul.fact->rhs.dtype},
                 {"accumulator", matmul.fact->accumulator},
                 {"output", matmul.fact->out.dtype}};
  for (const auto& [name, dtype] : kDtypes) {
    if (dtype != DType::kF32) {
      return precondition("the ", name, " is ", std::string(DTypeName(dtype)), ", want f32");
    }
  }

  const int64_t lanes = device.vector_bits > 0 ? std::max(device.vector_bits / 32, 1) : kMaxLanes;
  const bool may_transpose = MayTranspose(matmul);
  const ProductChoices plain = ChoicesFor(matmul.m, matmul.n, lanes);
  const ProductChoices transposed =
      may_transpose ? ChoicesFor(matmul.n, matmul.m, lanes) : ProductChoices();
  const std::vector<int64_t> k_blocks =
      BlockChoices(matmul.m <= kMaxStreamRows ? kLeastStreamDepth : 64, 64, matmul.k);
  std::vector<int64_t> unrolls;
  for (const int64_t steps : {1, 2, 4, 8}) {
    if (steps <= matmul.k) unrolls.push_back(steps);
  }
  std::vector<int64_t> distances;
  for (const int64_t steps : kPrefetchDistances) {
    if (steps < matmul.k && (may_transpose || steps <= kMaxRhsPrefetchDistance)) {
      distances.push_back(steps);
    }
  }
  std::vector<int64_t> threads;
  for (int64_t count = 1; count < device.compute_units; count *= 2) threads.push_back(count);
  threads.push_back(std::max(device.compute_units, 1));
  std::vector<std::string> splits = {"m", "n", "mn", "k"};
  if (matmul.batch > 1) splits.push_back("batch");

  ConfigSpace::Options options;
  options.name = std::string(kName);
  options.version = kVersion;
  options.index_on_demand = true;
  const auto add_integers = [&options](std::string name, const std::vector<int64_t>& values,
                                       int64_t near) {
    absl::StatusOr<Knob> knob =
        Knob::IntegerChoice(std::move(name), values, NearestOf(values, near));
    if (knob.ok()) options.knobs.push_back(*std::move(knob));
    return knob.status();
  };
  const auto add = [&options](absl::StatusOr<Knob> knob) {
    if (knob.ok()) options.knobs.push_back(*std::move(knob));
    return knob.status();
  };
  // The defaults are the tile and blocks of BLIS's haswell kernel, on one thread: good for many,
  // best for none.
  if (may_transpose) SEEDTUNE_RETURN_IF_ERROR(add(Knob::Boolean("transpose", false)));
  const auto add_exchanged = [&](std::string name, const std::vector<int64_t>& own,
                                 const std::vector<int64_t>& exchanged, int64_t near) {
    return add_integers(std::move(name), UnionOf(own, exchanged), NearestOf(own, near));
  };
  SEEDTUNE_RETURN_IF_ERROR(
      add_exchanged("register_tile[m]", plain.tile_rows, transposed.tile_rows, 6));
  SEEDTUNE_RETURN_IF_ERROR(
      add_exchanged("register_tile[n]", plain.tile_vectors, transposed.tile_vectors, 2));
  SEEDTUNE_RETURN_IF_ERROR(
      add_exchanged("block_size[m]", plain.row_blocks, transposed.row_blocks, 128));
  SEEDTUNE_RETURN_IF_ERROR(
      add_exchanged("block_size[n]", plain.column_blocks, transposed.column_blocks, 4096));
  SEEDTUNE_RETURN_IF_ERROR(add_integers("block_size[k]", k_blocks, 256));
  SEEDTUNE_RETURN_IF_ERROR(add(Knob::Boolean("pack[lhs]", true)));
  SEEDTUNE_RETURN_IF_ERROR(add(Knob::Boolean("pack[rhs]", true)));
  SEEDTUNE_RETURN_IF_ERROR(add_integers("unroll[k]", unrolls, 4));
  SEEDTUNE_RETURN_IF_ERROR(add_integers("prefetch_distance", distances, 0));
  SEEDTUNE_RETURN_IF_ERROR(
      add(Knob::Enum("loop_order", {kLoopOrders.begin(), kLoopOrders.end()}, kLoopOrders[0])));
  SEEDTUNE_RETURN_IF_ERROR(add_integers("threads", threads, 1));
  SEEDTUNE_RETURN_IF_ERROR(add(Knob::Enum("thread_split", splits, "m")));

  AddTileConstraints(matmul, device, options.constraints);
  AddPackingConstraints(matmul, device, options.constraints);
  AddLoopConstraints(matmul, options.constraints);
  AddThreadConstraints(matmul, lanes, options.constraints);
  if (may_transpose) AddTransposeConstraints(matmul, plain, transposed, options.constraints);
  return ConfigSpace::Create(std::move(options));
}

}  // namespace seedtune
