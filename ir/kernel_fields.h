// All fields of a kernel, one after the other, for tests that change each in turn. A field added to
// a struct of ir/kernel.h does not compile here until it is visited.
#ifndef SEEDTUNE_IR_KERNEL_FIELDS_H_
#define SEEDTUNE_IR_KERNEL_FIELDS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ir/kernel.h"

namespace seedtune {
namespace internal_kernel_fields {

template <typename Visit>
class Walker {
 public:
  explicit Walker(Visit& visit) : visit_(visit) {}

  void Walk(Kernel& kernel) {
    auto& [name, axes, tensors, ops] = kernel;
    visit_("", "name", name);
    visit_("", "axes", axes);
    for (size_t i = 0; i < axes.size(); ++i) Walk(absl::StrCat("axes[", i, "]"), axes[i]);
    visit_("", "tensors", tensors);
    for (size_t i = 0; i < tensors.size(); ++i) {
      Walk(absl::StrCat("tensors[", i, "]"), tensors[i]);
    }
    visit_("", "ops", ops);
    for (size_t i = 0; i < ops.size(); ++i) Walk(absl::StrCat("ops[", i, "]"), ops[i]);
  }

 private:
  void Walk(const std::string& at, Extent& extent) {
    auto& [value, symbol, min, max] = extent;
    visit_(at, "value", value);
    visit_(at, "symbol", symbol);
    visit_(at, "min", min);
    visit_(at, "max", max);
  }

  void Walk(const std::string& at, Axis& axis) {
    auto& [name, kind, extent, tunable] = axis;
    visit_(at, "name", name);
    visit_(at, "kind", kind);
    Walk(at + ".extent", extent);
    visit_(at, "tunable", tunable);
  }

  void Walk(const std::string& at, Tensor& tensor) {
    auto& [name, dtype, dims, alignment_bytes] = tensor;
    visit_(at, "name", name);
    visit_(at, "dtype", dtype);
    visit_(at, "dims", dims);
    for (size_t d = 0; d < dims.size(); ++d) {
      auto& [size, stride] = dims[d];
      const std::string dim = absl::StrCat(at, ".dims[", d, "]");
      Walk(dim + ".size", size);
      visit_(dim, "stride", stride);
    }
    visit_(at, "alignment_bytes", alignment_bytes);
  }

  void Walk(const std::string& at, Op& op) {
    auto& [kind, name, operands, dtype, axes, tensor, access, dot, reduce, reduce_axes, pointwise,
           constant] = op;
    visit_(at, "kind", kind);
    visit_(at, "name", name);
    visit_(at, "operands", operands);
    visit_(at, "dtype", dtype);
    visit_(at, "axes", axes);
    visit_(at, "tensor", tensor);
    visit_(at, "access", access);
    for (size_t d = 0; d < access.size(); ++d) {
      auto& [terms, offset] = access[d];
      const std::string index = absl::StrCat(at, ".access[", d, "]");
      visit_(index, "terms", terms);
      for (size_t t = 0; t < terms.size(); ++t) {
        auto& [axis, coefficient] = terms[t];
        const std::string term = absl::StrCat(index, ".terms[", t, "]");
        visit_(term, "axis", axis);
        visit_(term, "coefficient", coefficient);
      }
      visit_(index, "offset", offset);
    }
    auto& [batch, m, n, k] = dot;
    visit_(at + ".dot", "batch", batch);
    visit_(at + ".dot", "m", m);
    visit_(at + ".dot", "n", n);
    visit_(at + ".dot", "k", k);
    visit_(at, "reduce", reduce);
    visit_(at, "reduce_axes", reduce_axes);
    visit_(at, "pointwise", pointwise);
    visit_(at, "constant", constant);
  }

  Visit& visit_;
};

}  // namespace internal_kernel_fields

// Calls visit(where, name, field) for each field that is no struct: `where` is "ops[2].dot", say,
// `name` "k", and `field` a reference, which `visit` may change (lists only in what their elements
// hold).
template <typename Visit>
void VisitKernelFields(Kernel& kernel, Visit visit) {
  internal_kernel_fields::Walker<Visit>(visit).Walk(kernel);
}

}  // namespace seedtune

#endif  // SEEDTUNE_IR_KERNEL_FIELDS_H_
