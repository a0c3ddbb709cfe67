#include "ir/kernel.h"

#include <string_view>

namespace seedtune {

std::string_view AxisKindName(AxisKind kind) {
  switch (kind) {
    case AxisKind::kParallel:
      return "parallel";
    case AxisKind::kReduction:
      return "reduction";
    case AxisKind::kBatch:
      return "batch";
  }
  return "invalid";
}

std::string_view OpKindName(OpKind kind) {
  switch (kind) {
    case OpKind::kLoad:
      return "load";
    case OpKind::kStore:
      return "store";
    case OpKind::kDot:
      return "dot";
    case OpKind::kReduce:
      return "reduce";
    case OpKind::kPointwise:
      return "pointwise";
    case OpKind::kCast:
      return "cast";
    case OpKind::kConstant:
      return "constant";
  }
  return "invalid";
}

std::string_view ReduceKindName(ReduceKind kind) {
  switch (kind) {
    case ReduceKind::kSum:
      return "sum";
    case ReduceKind::kMax:
      return "max";
    case ReduceKind::kMin:
      return "min";
  }
  return "invalid";
}

std::string_view PointwiseKindName(PointwiseKind kind) {
  switch (kind) {
    case PointwiseKind::kAdd:
      return "add";
    case PointwiseKind::kSub:
      return "sub";
    case PointwiseKind::kMul:
      return "mul";
    case PointwiseKind::kDiv:
      return "div";
    case PointwiseKind::kMax:
      return "max";
    case PointwiseKind::kMin:
      return "min";
    case PointwiseKind::kNeg:
      return "neg";
    case PointwiseKind::kExp:
      return "exp";
    case PointwiseKind::kRelu:
      return "relu";
    case PointwiseKind::kGelu:
      return "gelu";
    case PointwiseKind::kSilu:
      return "silu";
    case PointwiseKind::kTanh:
      return "tanh";
    case PointwiseKind::kSqrt:
      return "sqrt";
  }
  return "invalid";
}

int PointwiseArity(PointwiseKind kind) {
  switch (kind) {
    case PointwiseKind::kAdd:
    case PointwiseKind::kSub:
    case PointwiseKind::kMul:
    case PointwiseKind::kDiv:
    case PointwiseKind::kMax:
    case PointwiseKind::kMin:
      return 2;
    case PointwiseKind::kNeg:
    case PointwiseKind::kExp:
    case PointwiseKind::kRelu:
    case PointwiseKind::kGelu:
    case PointwiseKind::kSilu:
    case PointwiseKind::kTanh:
    case PointwiseKind::kSqrt:
      return 1;
  }
  return 0;
}

}  // namespace seedtune
