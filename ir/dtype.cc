#include "ir/dtype.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "util/edit_distance.h"
#include "util/string_view.h"

namespace seedtune {
namespace {

struct DTypeInfo {
  const char* name;
  int bytes;
  bool is_float;
};

constexpr DType kAllDTypes[] = {
    DType::kF64,    DType::kF32,    DType::kTF32, DType::kBF16, DType::kF16,
    DType::kF8E4M3, DType::kF8E5M2, DType::kI8,   DType::kI32,
};

// A switch without default, so that the compiler names the dtype that somebody forgets here.
constexpr DTypeInfo Info(DType dtype) {
  switch (dtype) {
    case DType::kF64:
      return {"f64", 8, true};
    case DType::kF32:
      return {"f32", 4, true};
    case DType::kTF32:
      return {"tf32", 4, true};
    case DType::kBF16:
      return {"bf16", 2, true};
    case DType::kF16:
      return {"f16", 2, true};
    case DType::kF8E4M3:
      return {"f8e4m3", 1, true};
    case DType::kF8E5M2:
      return {"f8e5m2", 1, true};
    case DType::kI8:
      return {"i8", 1, false};
    case DType::kI32:
      return {"i32", 4, false};
  }
  return {"invalid", 0, false};
}

}  // namespace

std::span<const DType> AllDTypes() { return kAllDTypes; }

std::string_view DTypeName(DType dtype) { return Info(dtype).name; }

absl::StatusOr<DType> ParseDType(std::string_view name) {
  std::vector<std::string> names;
  for (const DType dtype : kAllDTypes) {
    if (DTypeName(dtype) == name) return dtype;
    names.emplace_back(DTypeName(dtype));
  }
  const std::optional<std::string> nearest = NearestName(name, names);
  return absl::InvalidArgumentError(
      absl::StrCat("no dtype named \"", ToAbsl(name), "\"",
                   nearest ? absl::StrCat(", did you mean \"", *nearest, "\"") : std::string(),
                   "; known: ", absl::StrJoin(names, ", ")));
}

int DTypeBytes(DType dtype) { return Info(dtype).bytes; }

bool IsFloat(DType dtype) { return Info(dtype).is_float; }

bool IsFp8(DType dtype) { return dtype == DType::kF8E4M3 || dtype == DType::kF8E5M2; }

DType DefaultAccumulator(DType operand) {
  if (operand == DType::kF64) return DType::kF64;
  return IsFloat(operand) ? DType::kF32 : DType::kI32;
}

}  // namespace seedtune
