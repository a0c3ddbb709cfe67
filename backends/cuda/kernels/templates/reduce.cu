// Adds up the parts of k that a split kernel left, and finishes: kThreads threads a block, runs of
// kRun columns each.

__device__ __forceinline__ void Run(const Arguments& arguments) {
  constexpr long long kPart = static_cast<long long>(kBatch) * kM * kN;
  const long long first = (static_cast<long long>(blockIdx.x) * kThreads + threadIdx.x) * kRun;
  if (first >= kPart) return;
  const Accumulator* from =
      reinterpret_cast<const Accumulator*>(arguments.workspace + kPartialsOffset) + first;
  Accumulator sums[kRun];
#pragma unroll
  for (int i = 0; i < kRun; ++i) sums[i] = 0;
#pragma unroll 8
  for (int s = 0; s < kSplits; ++s) {
    const auto part = *reinterpret_cast<const Vector<Accumulator, kRun>*>(from + s * kPart);
#pragma unroll
    for (int i = 0; i < kRun; ++i) sums[i] += part.at[i];
  }
  const long long row = first / kN;
  Finish(arguments, row / kM, static_cast<int>(row % kM), static_cast<int>(first % kN), sums);
}
