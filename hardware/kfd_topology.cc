#include "hardware/kfd_topology.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "hardware/arch.h"
#include "hardware/hardware_info.h"
#include "hardware/specs.h"
#include "hardware/system_reader.h"
#include "util/status_macros.h"
#include "util/string_view.h"

namespace seedtune {
namespace {

constexpr std::string_view kNodes = "/sys/class/kfd/kfd/topology/nodes";
// Marketing names, as libdrm installs them.
constexpr std::string_view kNamesFile = "/usr/share/libdrm/amdgpu.ids";

// Linux: include/uapi/linux/kfd_sysfs.h.
constexpr uint64_t kHeapTypeFrameBufferPublic = 1;
constexpr uint64_t kHeapTypeFrameBufferPrivate = 2;
constexpr uint64_t kCacheTypeData = 1;

// A file of "name value" lines.
class Properties {
 public:
  static Properties Parse(std::string_view text) {
    Properties result;
    for (const absl::string_view line : absl::StrSplit(ToAbsl(text), '\n')) {
      const std::vector<std::string> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
      uint64_t value = 0;
      if (words.size() == 2 && absl::SimpleAtoi(words[1], &value)) {
        result.values_[words[0]] = value;
      }
    }
    return result;
  }

  // 0 where there is none.
  uint64_t Get(std::string_view name) const {
    const auto it = values_.find(name);
    return it == values_.end() ? 0 : it->second;
  }
  // At most 2^20, which no property that counts something reaches: products of a few fit int64_t.
  int64_t GetCount(std::string_view name) const {
    return static_cast<int64_t>(std::min<uint64_t>(Get(name), uint64_t{1} << 20));
  }

 private:
  std::map<std::string, uint64_t, std::less<>> values_;
};

// The numbered entries of a folder, in the order of their numbers, each one's "properties".
std::vector<Properties> ReadEntries(const SystemReader& reader, const std::string& folder) {
  std::vector<std::pair<int, std::string>> entries;
  for (const std::string& name : reader.ListFolder(folder).value_or(std::vector<std::string>())) {
    int number = 0;
    if (absl::SimpleAtoi(name, &number)) entries.emplace_back(number, name);
  }
  std::sort(entries.begin(), entries.end());
  std::vector<Properties> result;
  for (const auto& [number, name] : entries) {
    const absl::StatusOr<std::string> text =
        reader.ReadFile(absl::StrCat(folder, "/", name, "/properties"));
    if (text.ok()) result.push_back(Properties::Parse(*text));
  }
  return result;
}

// "" if the file is not there or does not have the device. Its lines: "74A1,\t00,\tAMD Instinct
// MI300X".
std::string MarketingName(const SystemReader& reader, uint64_t device_id, uint64_t render_minor) {
  const absl::StatusOr<std::string> names = reader.ReadFile(kNamesFile);
  const absl::StatusOr<std::string> revision_text =
      reader.ReadFile(absl::StrCat("/sys/class/drm/renderD", render_minor, "/device/revision"));
  uint32_t revision = 0;
  if (!names.ok() || !revision_text.ok() ||
      !absl::SimpleHexAtoi(absl::StripAsciiWhitespace(*revision_text), &revision)) {
    return "";
  }
  for (const absl::string_view line : absl::StrSplit(*names, '\n')) {
    const std::vector<std::string> parts = absl::StrSplit(line, absl::MaxSplits(',', 2));
    uint32_t id = 0, rev = 0;
    if (parts.size() == 3 && absl::SimpleHexAtoi(absl::StripAsciiWhitespace(parts[0]), &id) &&
        absl::SimpleHexAtoi(absl::StripAsciiWhitespace(parts[1]), &rev) && id == device_id &&
        rev == revision) {
      return std::string(absl::StripAsciiWhitespace(parts[2]));
    }
  }
  return "";
}

void DescribeCaches(const std::vector<Properties>& caches, HardwareInfo* info) {
  int64_t l2_bytes = 0;
  int l2_count = 0;
  for (const Properties& cache : caches) {
    const int64_t size = 1024 * cache.GetCount("size");
    const uint64_t level = cache.Get("level");
    if ((cache.Get("type") & kCacheTypeData) == 0) continue;
    // The kernel lists the vector cache before the scalar one and those that several units share.
    if (level == 1 && info->l1_data_bytes == 0) info->l1_data_bytes = size;
    if (level == 3 && info->l3_bytes == 0) info->l3_bytes = size;
    if (level != 2) continue;
    l2_bytes += size;
    ++l2_count;
    if (info->cache_line_bytes == 0) {
      info->cache_line_bytes = cache.GetCount("cache_line_size");
    }
  }
  // Of several dies the kernel lists one die's second level (fill_in_l2_l3_pcache in the kernel's
  // kfd_topology.c).
  info->l2_bytes = l2_count == 1 ? l2_bytes * std::max(1, info->num_xcds) : l2_bytes;
}

KfdGpu DescribeNode(const SystemReader& reader, const std::string& node,
                    const Properties& properties) {
  KfdGpu gpu;
  gpu.pci_domain = static_cast<uint32_t>(properties.Get("domain"));
  gpu.pci_location = static_cast<uint32_t>(properties.Get("location_id"));

  HardwareInfo& info = gpu.info;
  info.kind = DeviceKind::kRocm;
  info.arch.base = GfxName(properties.Get("gfx_target_version"));
  info.name =
      MarketingName(reader, properties.Get("device_id"), properties.Get("drm_render_minor"));
  if (info.name.empty()) info.name = absl::StrCat("AMD ", info.arch.base);
  const int64_t simds_per_unit = properties.GetCount("simd_per_cu");
  if (simds_per_unit > 0) {
    info.compute_units = static_cast<int>(properties.GetCount("simd_count") / simds_per_unit);
  }
  info.warp_size = static_cast<int>(properties.GetCount("wave_front_size"));
  info.max_threads_per_block = 1024;  // of every AMD GPU: "hardware features" in HIP's reference
  info.threads_per_unit = static_cast<int>(std::min<int64_t>(
      properties.GetCount("max_waves_per_simd") * simds_per_unit * info.warp_size, INT32_MAX));
  info.shared_memory_per_unit_bytes = 1024 * properties.GetCount("lds_size_in_kb");
  info.shared_memory_per_block_bytes = info.shared_memory_per_unit_bytes;
  info.num_xcds = static_cast<int>(properties.GetCount("num_xcc"));
  info.clock_hz = 1'000'000 * properties.GetCount("max_engine_clk_fcompute");
  const std::string_view family = ArchFamily(info.arch.base);
  info.registers_per_unit = VectorRegistersPerComputeUnit(family);
  info.has_tensor_cores = HasMatrixUnits(family);
  DescribeCaches(ReadEntries(reader, node + "/caches"), &info);
  for (const Properties& bank : ReadEntries(reader, node + "/mem_banks")) {
    const uint64_t heap = bank.Get("heap_type");
    if (heap == kHeapTypeFrameBufferPublic || heap == kHeapTypeFrameBufferPrivate) {
      info.memory_bytes +=
          static_cast<int64_t>(std::min<uint64_t>(bank.Get("size_in_bytes"), uint64_t{1} << 50));
    }
  }
  FillRatesFromSpec(/*packages=*/1, &info);
  return gpu;
}

}  // namespace

std::string GfxName(uint64_t gfx_target_version) {
  return absl::StrFormat("gfx%d%x%x", gfx_target_version / 10000, gfx_target_version / 100 % 100,
                         gfx_target_version % 100);
}

// ROCm, "GPU hardware specifications": VGPR file of 256 KiB a compute unit up to GCN 5, 512 KiB in
// CDNA (in the first, half of it for accumulators). RDNA's differs from device to device.
int64_t VectorRegistersPerComputeUnit(std::string_view family) {
  if (absl::StartsWith(ToAbsl(family), "cdna")) return 512 * 1024 / 4;
  if (family == "vega") return 256 * 1024 / 4;
  return 0;
}

bool HasMatrixUnits(std::string_view family) {
  return absl::StartsWith(ToAbsl(family), "cdna") || family == "rdna3" || family == "rdna3.5" ||
         family == "rdna4";
}

absl::StatusOr<std::vector<KfdGpu>> ReadKfdTopology(const SystemReader& reader) {
  SEEDTUNE_ASSIGN_OR_RETURN(const std::vector<std::string> names, reader.ListFolder(kNodes));
  std::vector<int> numbers;
  for (const std::string& name : names) {
    int number = 0;
    if (absl::SimpleAtoi(name, &number)) numbers.push_back(number);
  }
  std::sort(numbers.begin(), numbers.end());
  std::vector<KfdGpu> gpus;
  for (const int number : numbers) {
    const std::string node = absl::StrCat(ToAbsl(kNodes), "/", number);
    const absl::StatusOr<std::string> text = reader.ReadFile(node + "/properties");
    if (!text.ok()) continue;
    const Properties properties = Properties::Parse(*text);
    // Processors are nodes too, without SIMDs.
    if (properties.Get("simd_count") == 0 || properties.Get("gfx_target_version") == 0) continue;
    gpus.push_back(DescribeNode(reader, node, properties));
  }
  return gpus;
}

}  // namespace seedtune
