// Adds up the parts of k that a split kernel left, and finishes: kThreads threads a block, runs of
// kRun columns each. kSlices threads share the parts of a run, in order, and one of them adds their
// sums up, so that the result is the same every time.

__device__ __forceinline__ void Run(const Arguments& arguments) {
  constexpr long long kPart = static_cast<long long>(kBatch) * kM * kN;
  constexpr int kRuns = kThreads / kSlices;  // of a block
  const int slice = threadIdx.x / kRuns;
  const int run = threadIdx.x % kRuns;
  const long long first = (static_cast<long long>(blockIdx.x) * kRuns + run) * kRun;
  const Accumulator* from =
      reinterpret_cast<const Accumulator*>(arguments.workspace + kPartialsOffset) + first;
#if __CUDA_ARCH__ >= 900
  // Until the launch before this one has written the parts.
  asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
  Accumulator sums[kRun];
#pragma unroll
  for (int i = 0; i < kRun; ++i) sums[i] = 0;
  if (first < kPart) {
#pragma unroll 8
    for (int s = kSplits * slice / kSlices; s < kSplits * (slice + 1) / kSlices; ++s) {
      const auto part = *reinterpret_cast<const Vector<Accumulator, kRun>*>(from + s * kPart);
#pragma unroll
      for (int i = 0; i < kRun; ++i) sums[i] += part.at[i];
    }
  }
  if constexpr (kSlices > 1) {
    __shared__ Accumulator shared[kSlices][kRuns][kRun];
#pragma unroll
    for (int i = 0; i < kRun; ++i) shared[slice][run][i] = sums[i];
    __syncthreads();
    if (slice > 0) return;
#pragma unroll
    for (int other = 1; other < kSlices; ++other) {
#pragma unroll
      for (int i = 0; i < kRun; ++i) sums[i] += shared[other][run][i];
    }
  }
  if (first >= kPart) return;
  const long long row = first / kN;
  Finish(arguments, row / kM, static_cast<int>(row % kM), static_cast<int>(first % kN), sums);
}
