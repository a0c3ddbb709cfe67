#include "hardware/cpu_detector.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "hardware/cpu_arch.h"
#include "hardware/hardware_info.h"
#include "hardware/specs.h"
#include "hardware/system_reader.h"
#include "hardware/topology.h"
#include "util/status_macros.h"
#include "util/string_view.h"

namespace seedtune {
namespace {

// The first number in a file, nullopt if there is no file or no number.
std::optional<int64_t> ReadNumber(const SystemReader& reader, const std::string& path) {
  const absl::StatusOr<std::string> text = reader.ReadFile(path);
  if (!text.ok()) return std::nullopt;
  const std::vector<std::string> words =
      absl::StrSplit(absl::StripAsciiWhitespace(*text), absl::ByAnyChar(" \t\n"));
  int64_t number = 0;
  if (!absl::SimpleAtoi(words[0], &number)) return std::nullopt;
  return number;
}

// "MemTotal:       24684092 kB" of /proc/meminfo, 0 if it is not there.
int64_t MemoryBytes(const SystemReader& reader) {
  const absl::StatusOr<std::string> text = reader.ReadFile("/proc/meminfo");
  if (!text.ok()) return 0;
  for (const absl::string_view line : absl::StrSplit(*text, '\n')) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
    int64_t kib = 0;
    if (words.size() >= 2 && words[0] == "MemTotal:" && absl::SimpleAtoi(words[1], &kib)) {
      return kib * 1024;
    }
  }
  return 0;
}

// How many processors' time one cgroup's own quota pays for, nullopt if it sets none.
// cgroup v2: "max 100000" or "200000 100000" in cpu.max; v1: two files, quota -1 for none.
std::optional<double> QuotaOf(const SystemReader& reader, const std::string& folder, int version) {
  if (version == 2) {
    const absl::StatusOr<std::string> text = reader.ReadFile(folder + "/cpu.max");
    if (!text.ok()) return std::nullopt;
    const std::vector<std::string> words =
        absl::StrSplit(absl::StripAsciiWhitespace(*text), ' ', absl::SkipEmpty());
    int64_t quota = 0, period = 0;
    if (words.size() != 2 || !absl::SimpleAtoi(words[0], &quota) ||
        !absl::SimpleAtoi(words[1], &period) || quota <= 0 || period <= 0) {
      return std::nullopt;
    }
    return static_cast<double>(quota) / static_cast<double>(period);
  }
  const std::optional<int64_t> quota = ReadNumber(reader, folder + "/cpu.cfs_quota_us");
  const std::optional<int64_t> period = ReadNumber(reader, folder + "/cpu.cfs_period_us");
  if (!quota || !period || *quota <= 0 || *period <= 0) return std::nullopt;
  return static_cast<double>(*quota) / static_cast<double>(*period);
}

// The smallest quota of this process's cgroup and all that it stands in. A container may see its
// own cgroup as the root while /proc/self/cgroup tells the host's path: folders that are not there
// say nothing, and the root is always asked.
std::optional<double> CgroupCpuQuota(const SystemReader& reader) {
  const absl::StatusOr<std::string> groups = reader.ReadFile("/proc/self/cgroup");
  if (!groups.ok()) return std::nullopt;
  std::optional<double> smallest;
  for (const absl::string_view line : absl::StrSplit(*groups, '\n', absl::SkipEmpty())) {
    // "0::/user.slice" (v2), "4:cpu,cpuacct:/docker/1234" (v1).
    const std::vector<std::string> parts = absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (parts.size() != 3) continue;
    const std::vector<std::string> controllers = absl::StrSplit(parts[1], ',');
    const int version = parts[0] == "0" && parts[1].empty() ? 2 : 1;
    if (version == 1 &&
        std::find(controllers.begin(), controllers.end(), "cpu") == controllers.end()) {
      continue;
    }
    const std::string root = version == 2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/cpu";
    std::string path = parts[2] == "/" ? "" : parts[2];
    while (true) {
      const std::optional<double> quota = QuotaOf(reader, root + path, version);
      if (quota && (!smallest || *quota < *smallest)) smallest = quota;
      if (path.empty()) break;
      path.erase(std::min(path.rfind('/'), path.size()));
    }
  }
  return smallest;
}

// Bits of the widest vector register that processes may use, 0 if unknown.
int VectorBits(const std::vector<std::string>& isa, const SystemReader& reader) {
  if (HasIsa(isa, "avx512f")) return 512;
  if (HasIsa(isa, "avx")) return 256;
  if (HasIsa(isa, "sve")) {
    // Linux gives a process this length unless it asks for another.
    const std::optional<int64_t> bytes =
        ReadNumber(reader, "/proc/sys/abi/sve_default_vector_length");
    if (bytes && *bytes >= 16 && *bytes <= 256) return static_cast<int>(*bytes) * 8;
  }
  if (HasIsa(isa, "asimd") || HasIsa(isa, "sse4_2")) return 128;
  return 0;
}

// Architectural vector registers (x86: Intel SDM volume 1, 3.4 and 15.1; Arm: DDI 0487, B1.2).
int VectorRegisters(const std::vector<std::string>& isa) {
  if (HasIsa(isa, "avx512f") || HasIsa(isa, "asimd")) return 32;
  if (HasIsa(isa, "sse4_2")) return 16;
  return 0;
}

}  // namespace

absl::StatusOr<HardwareInfo> DetectCpu(const SystemReader& reader) {
  SEEDTUNE_ASSIGN_OR_RETURN(const std::string xml, reader.TopologyXml());
  SEEDTUNE_ASSIGN_OR_RETURN(const CpuTopology topology, ParseTopologyXml(xml));

  HardwareInfo info;
  info.kind = DeviceKind::kCpu;
  info.name = std::string(absl::StripAsciiWhitespace(topology.cpu_model));
  info.warp_size = 1;
  info.compute_units = topology.cores;
  if (const std::optional<double> quota = CgroupCpuQuota(reader)) {
    const double whole = std::ceil(*quota);
    if (whole < info.compute_units) info.compute_units = std::max(1, static_cast<int>(whole));
  }
  info.threads_per_unit = topology.threads_per_core;
  info.cache_line_bytes = topology.cache_line_bytes;
  info.l1_data_bytes = topology.l1_data_bytes;
  info.l2_bytes = topology.l2_bytes;
  info.l3_bytes = topology.l3_bytes;
  info.memory_bytes = MemoryBytes(reader);
  // kHz
  info.clock_hz =
      1000 *
      ReadNumber(reader, "/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq").value_or(0);

  if (const absl::StatusOr<CpuIdentity> identity = reader.ReadCpuIdentity(); identity.ok()) {
    if (info.name.empty()) info.name = identity->brand;
    info.arch.base = CpuArchName(*identity);
    info.isa = KernelIsa(*identity);
    info.vector_bits = VectorBits(info.isa, reader);
    info.registers_per_unit = VectorRegisters(info.isa);
    info.has_tensor_cores = (HasIsa(info.isa, "amx_tile") &&
                             (HasIsa(info.isa, "amx_bf16") || HasIsa(info.isa, "amx_int8"))) ||
                            HasIsa(info.isa, "sme");
  }
  if (info.name.empty()) info.name = info.arch.base;
  FillRatesFromSpec(std::max(1, topology.packages), &info);
  return info;
}

}  // namespace seedtune
