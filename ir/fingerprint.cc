#include "ir/fingerprint.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ir/kernel.h"
#include "ir/opaque.h"
#include "util/stable_hash.h"

namespace seedtune {
namespace {

// Records of measurements are filed under fingerprints: a change of the bytes below takes a new
// number here, and strands every record made under the old one.
constexpr char kFormat[] = "seedtune kernel 1";

// Numbers symbols in order of their first use, which makes their names immaterial.
class KernelWriter {
 public:
  void Write(const Kernel& kernel) {
    bytes_.Add(kFormat);
    if (IsOpaque(kernel)) bytes_.Add(std::string_view(kernel.name));
    bytes_.Add(Size(kernel.axes));
    for (const Axis& axis : kernel.axes) {
      bytes_.Add(static_cast<int>(axis.kind)).Add(int64_t{axis.tunable});
      Write(axis.extent);
    }
    bytes_.Add(Size(kernel.tensors));
    for (const Tensor& tensor : kernel.tensors) {
      bytes_.Add(static_cast<int>(tensor.dtype)).Add(tensor.alignment_bytes);
      bytes_.Add(Size(tensor.dims));
      for (const TensorDim& dim : tensor.dims) {
        Write(dim.size);
        bytes_.Add(dim.stride);
      }
    }
    bytes_.Add(Size(kernel.ops));
    for (const Op& op : kernel.ops) Write(op);
  }

  const std::string& bytes() const { return bytes_.bytes(); }

 private:
  template <typename T>
  static int64_t Size(const std::vector<T>& list) {
    return static_cast<int64_t>(list.size());
  }

  void Write(const std::vector<int>& ids) {
    bytes_.Add(Size(ids));
    for (const int id : ids) bytes_.Add(id);
  }

  void Write(const Extent& extent) {
    bytes_.Add(extent.value);
    if (extent.is_static()) {
      bytes_.Add(-1);
      return;
    }
    const int next = static_cast<int>(symbols_.size());
    bytes_.Add(symbols_.emplace(extent.symbol, next).first->second);
    bytes_.Add(extent.min).Add(extent.max);
  }

  void Write(const Op& op) {
    bytes_.Add(static_cast<int>(op.kind)).Add(static_cast<int>(op.dtype));
    Write(op.operands);
    Write(op.axes);
    switch (op.kind) {
      case OpKind::kLoad:
      case OpKind::kStore:
        bytes_.Add(op.tensor).Add(Size(op.access));
        for (const AffineIndex& index : op.access) {
          bytes_.Add(index.offset).Add(Size(index.terms));
          for (const AffineIndex::Term& term : index.terms) {
            bytes_.Add(term.axis).Add(term.coefficient);
          }
        }
        break;
      case OpKind::kDot:
        Write(op.dot.batch);
        Write(op.dot.m);
        Write(op.dot.n);
        Write(op.dot.k);
        break;
      case OpKind::kReduce:
        bytes_.Add(static_cast<int>(op.reduce));
        Write(op.reduce_axes);
        break;
      case OpKind::kPointwise:
        bytes_.Add(static_cast<int>(op.pointwise));
        break;
      case OpKind::kConstant:
        bytes_.Add(op.constant);
        break;
      case OpKind::kCast:
        break;
    }
  }

  CanonicalBytes bytes_;
  std::map<std::string, int> symbols_;
};

}  // namespace

std::string KernelFingerprint(const Kernel& kernel) {
  KernelWriter writer;
  writer.Write(kernel);
  return ToHex(HashBytes(writer.bytes()));
}

}  // namespace seedtune
