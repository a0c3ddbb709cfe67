// Reads a buffer larger than the L2 cache. What the cache held before is gone then, and, unlike after
// writing the buffer, nothing is left that would have to be written to memory while the next kernel
// runs.

extern "C" __global__ void __launch_bounds__(256) read_all(const uint4* data, long long chunks) {
  unsigned all = 0;
#pragma unroll 4
  for (long long i = blockIdx.x * 256ll + threadIdx.x; i < chunks; i += gridDim.x * 256ll) {
    uint4 chunk;
    asm volatile("ld.global.cg.v4.u32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(chunk.x), "=r"(chunk.y), "=r"(chunk.z), "=r"(chunk.w)
                 : "l"(data + i));
    all |= chunk.x | chunk.y | chunk.z | chunk.w;
  }
  // So that what is loaded is needed.
  __shared__ volatile unsigned seen;
  if (all == 1) seen = all;
}
