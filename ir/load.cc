#include "ir/load.h"

#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "ir/ir.pb.h"
#include "ir/kernel.h"
#include "ir/matmul.h"
#include "ir/opaque.h"
#include "ir/proto_convert.h"
#include "util/file.h"
#include "util/status_macros.h"
#include "util/string_view.h"
#include "util/textproto.h"

namespace seedtune {
namespace {

constexpr char kShortFormPrefix[] = "matmul:";

// The fields at the outermost level of a textproto, as far as it can be read.
std::set<std::string> TopLevelFields(std::string_view text) {
  std::set<std::string> fields;
  int depth = 0;
  bool value = false;  // a value, not a field, comes next
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '#') {
      while (i < text.size() && text[i] != '\n') ++i;
    } else if (c == '"' || c == '\'') {
      for (++i; i < text.size() && text[i] != c; ++i) {
        if (text[i] == '\\') ++i;
      }
      value = false;
    } else if (c == '{' || c == '<' || c == '[') {
      ++depth;
      value = false;
    } else if (c == '}' || c == '>' || c == ']') {
      --depth;
    } else if (c == ':') {
      value = true;
    } else if (absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_') {
      const size_t begin = i;
      while (i + 1 < text.size() && (absl::ascii_isalnum(static_cast<unsigned char>(text[i + 1])) ||
                                     text[i + 1] == '_' || text[i + 1] == '.')) {
        ++i;
      }
      if (depth == 0 && !value) fields.insert(std::string(text.substr(begin, i + 1 - begin)));
      value = false;
    }
  }
  return fields;
}

// Whether the text is one kernel and no workload.
bool IsSingleKernel(std::string_view text) {
  const std::set<std::string> fields = TopLevelFields(text);
  return fields.count("kernels") == 0 &&
         (fields.count("axes") != 0 || fields.count("tensors") != 0 || fields.count("ops") != 0);
}

Workload WorkloadOfOne(Kernel kernel) {
  Workload workload;
  workload.name = kernel.name;
  workload.entries.push_back({.kernel = std::move(kernel), .count = 1});
  return workload;
}

// The status with the file's name before it.
absl::Status InFile(std::string_view file_name, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(ToAbsl(file_name), ": ", status.message()));
}

}  // namespace

absl::StatusOr<Workload> ParseWorkload(std::string_view text, std::string_view file_name) {
  if (text.find('\0') != std::string_view::npos) {
    return absl::InvalidArgumentError(
        absl::StrCat(ToAbsl(file_name),
                     ": binary data, want a textproto (proto-message: seedtune.WorkloadProto)"));
  }
  if (TopLevelFields(text).empty() && absl::StripAsciiWhitespace(ToAbsl(text)).empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        ToAbsl(file_name), ": empty, want a textproto (proto-message: seedtune.WorkloadProto)"));
  }
  if (IsSingleKernel(text)) {
    KernelProto proto;
    SEEDTUNE_RETURN_IF_ERROR(ParseTextProto(text, file_name, &proto));
    absl::StatusOr<Kernel> kernel = KernelFromProto(proto);
    if (!kernel.ok()) return InFile(file_name, kernel.status());
    return WorkloadOfOne(*std::move(kernel));
  }
  WorkloadProto proto;
  SEEDTUNE_RETURN_IF_ERROR(ParseTextProto(text, file_name, &proto));
  absl::StatusOr<Workload> workload = WorkloadFromProto(proto);
  if (!workload.ok()) return InFile(file_name, workload.status());
  return workload;
}

absl::StatusOr<Workload> LoadWorkload(std::string_view kernel_argument) {
  if (absl::StartsWith(ToAbsl(kernel_argument), kShortFormPrefix)) {
    SEEDTUNE_ASSIGN_OR_RETURN(const MatmulSpec spec, ParseMatmulShortForm(kernel_argument));
    SEEDTUNE_ASSIGN_OR_RETURN(Kernel kernel, BuildMatmul(spec));
    return WorkloadOfOne(std::move(kernel));
  }
  if (absl::StartsWith(ToAbsl(kernel_argument), kOpaquePrefix)) {
    SEEDTUNE_ASSIGN_OR_RETURN(const OpaqueFunction function, ParseOpaqueShortForm(kernel_argument));
    return WorkloadOfOne(BuildOpaqueKernel(function));
  }
  SEEDTUNE_ASSIGN_OR_RETURN(const std::string text, ReadFile(ResolveUserPath(kernel_argument)));
  return ParseWorkload(text, kernel_argument);
}

std::string PrintWorkload(const Workload& workload) {
  return absl::StrCat("# proto-message: seedtune.WorkloadProto\n",
                      PrintTextProto(WorkloadToProto(workload)));
}

}  // namespace seedtune
