#include "ir/bind.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "ir/dense.h"
#include "ir/kernel.h"
#include "ir/validate.h"
#include "util/edit_distance.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

template <typename... Parts>
absl::Status Error(const Kernel& kernel, const Parts&... parts) {
  return absl::InvalidArgumentError(
      absl::StrCat("kernel \"", kernel.name, "\": ", absl::StrCat(parts...)));
}

// The symbols of a kernel, each as it was first met.
std::map<std::string, Extent> SymbolsOf(const Kernel& kernel) {
  std::map<std::string, Extent> symbols;
  for (const Axis& axis : kernel.axes) {
    if (!axis.extent.is_static()) symbols.emplace(axis.extent.symbol, axis.extent);
  }
  for (const Tensor& tensor : kernel.tensors) {
    for (const TensorDim& dim : tensor.dims) {
      if (!dim.size.is_static()) symbols.emplace(dim.size.symbol, dim.size);
    }
  }
  return symbols;
}

absl::Status CheckBounds(const Kernel& kernel, const Extent& symbol, int64_t value) {
  const int64_t min = symbol.min > 0 ? symbol.min : 1;
  if (value >= min && (symbol.max == 0 || value <= symbol.max)) return absl::OkStatus();
  return Error(
      kernel, "symbol \"", symbol.symbol, "\" is ", value, ", want ",
      symbol.max == 0 ? absl::StrCat("at least ", min) : absl::StrCat(min, " to ", symbol.max));
}

}  // namespace

absl::StatusOr<Kernel> BindSymbols(const Kernel& kernel,
                                   const std::map<std::string, int64_t>& values) {
  const std::map<std::string, Extent> symbols = SymbolsOf(kernel);
  for (const auto& [name, value] : values) {
    if (symbols.count(name) != 0) continue;
    std::vector<std::string> known;
    for (const auto& [symbol, extent] : symbols) known.push_back(symbol);
    const std::optional<std::string> nearest = NearestName(name, known);
    return Error(kernel, "no symbol named \"", name, "\"",
                 nearest ? absl::StrCat(", did you mean \"", *nearest, "\"") : std::string(),
                 known.empty() ? std::string("; its shape is static")
                               : absl::StrCat("; known: ", absl::StrJoin(known, ", ")));
  }
  std::map<std::string, int64_t> bound;
  for (const auto& [name, extent] : symbols) {
    const auto given = values.find(name);
    if (given == values.end() && extent.value == 0) {
      return Error(kernel, "symbol \"", name, "\" has no value and no hint, want one of them");
    }
    const int64_t value = given == values.end() ? extent.value : given->second;
    SEEDTUNE_RETURN_IF_ERROR(CheckBounds(kernel, extent, value));
    bound[name] = value;
  }

  Kernel result = kernel;
  for (Axis& axis : result.axes) {
    if (!axis.extent.is_static()) axis.extent = Extent::Static(bound.at(axis.extent.symbol));
  }
  for (Tensor& tensor : result.tensors) {
    bool symbolic_inside = false;  // a dimension further in was symbolic
    DenseStride dense;
    for (size_t d = tensor.dims.size(); d-- > 0;) {
      TensorDim& dim = tensor.dims[d];
      if (dim.stride == TensorDim::kDynamicStride && symbolic_inside) {
        if (!dense.next()) {
          return Error(kernel, "tensor \"", tensor.name, "\".dims[", d,
                       "].stride overflows 64 bits with these values");
        }
        dim.stride = *dense.next();
      }
      if (!dim.size.is_static()) {
        symbolic_inside = true;
        dim.size = Extent::Static(bound.at(dim.size.symbol));
      }
      dense.Pass(dim);
    }
  }
  SEEDTUNE_RETURN_IF_ERROR(ValidateKernel(result));
  return result;
}

}  // namespace seedtune
