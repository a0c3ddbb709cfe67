// Reads a buffer larger than the L2 cache. What the cache held before is gone then, and, unlike after
// writing the buffer, nothing is left that would have to be written to memory while the next kernel
// runs.

extern "C" __global__ void __launch_bounds__(256) read_all(uint4* data, long long chunks) {
  unsigned all = 0;
  for (long long i = blockIdx.x * 256ll + threadIdx.x; i < chunks; i += gridDim.x * 256ll) {
    uint4 chunk;
    asm volatile("ld.global.cg.v4.u32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(chunk.x), "=r"(chunk.y), "=r"(chunk.z), "=r"(chunk.w)
                 : "l"(data + i));
    all |= chunk.x | chunk.y | chunk.z | chunk.w;
  }
  // Never: it is all zeros. So the loads are needed.
  if (all != 0) data[0].x = all;
}
