#include "backends/cuda/ptxas_log.h"

#include <set>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "util/string_view.h"

namespace seedtune {
namespace {

// The number right before `unit` in `line` ("Used 12 registers"), 0 if there is none.
int64_t NumberBefore(absl::string_view line, absl::string_view unit) {
  const size_t at = line.find(unit);
  if (at == absl::string_view::npos) return 0;
  size_t begin = at;
  while (begin > 0 && absl::ascii_isdigit(line[begin - 1])) --begin;
  int64_t number = 0;
  if (!absl::SimpleAtoi(line.substr(begin, at - begin), &number)) return 0;
  return number;
}

}  // namespace

std::vector<CudaKernelResources> ParsePtxasLog(std::string_view log) {
  std::vector<CudaKernelResources> kernels;
  std::set<std::string> serialized;  // functions
  bool of_entry = true;  // the properties that follow are not those of a function it calls
  for (const absl::string_view line : absl::StrSplit(ToAbsl(log), '\n')) {
    if (absl::StrContains(line, "wgmma.mma_async instructions are serialized")) {
      const std::vector<absl::string_view> quoted = absl::StrSplit(line, '\'');
      if (quoted.size() >= 2) serialized.insert(std::string(quoted[quoted.size() - 2]));
      continue;
    }
    if (absl::StrContains(line, "Compiling entry function '")) {
      const std::vector<absl::string_view> quoted = absl::StrSplit(line, '\'');
      kernels.emplace_back().entry = std::string(quoted[1]);
      continue;
    }
    if (kernels.empty()) continue;
    CudaKernelResources& kernel = kernels.back();
    if (absl::StrContains(line, "Function properties for ")) {
      of_entry = absl::EndsWith(absl::StripTrailingAsciiWhitespace(line), kernel.entry);
    } else if (of_entry && absl::StrContains(line, " bytes stack frame")) {
      kernel.stack_bytes = NumberBefore(line, " bytes stack frame");
      kernel.spill_store_bytes = NumberBefore(line, " bytes spill stores");
      kernel.spill_load_bytes = NumberBefore(line, " bytes spill loads");
    } else if (absl::StrContains(line, " registers")) {
      kernel.registers = static_cast<int>(NumberBefore(line, " registers"));
      kernel.barriers = static_cast<int>(NumberBefore(line, " barriers"));
      kernel.static_shared_bytes = NumberBefore(line, " bytes smem");
    }
  }
  for (CudaKernelResources& kernel : kernels) {
    kernel.wgmma_serialized = serialized.count(kernel.entry) > 0;
  }
  return kernels;
}

}  // namespace seedtune
