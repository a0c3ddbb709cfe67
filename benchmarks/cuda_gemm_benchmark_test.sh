#!/usr/bin/env bash
# cuda_gemm_benchmark as it is carried to other machines: small once stripped, in need of nothing but the C library; and
# one small run where there is a GPU, else the reason why not.
set -eu
program=$1
stripped=$TEST_TMPDIR/cuda_gemm_benchmark
strip -o "$stripped" "$program"
bytes=$(stat -c %s "$stripped")
limit=$((64 << 20))
if [ "$bytes" -ge "$limit" ]; then
  echo "cuda_gemm_benchmark is $bytes bytes stripped, want under $limit"
  exit 1
fi
others=$(readelf -d "$stripped" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' |
  grep -vE '^(libc|libm|libdl|libpthread|librt|ld-linux.*)\.so\.[0-9]+$' || true)
if [ -n "$others" ]; then
  echo "cuda_gemm_benchmark needs shared libraries that another machine may not have:" $others
  exit 1
fi
cd "$TEST_TMPDIR"
export XDG_CACHE_HOME=$TEST_TMPDIR
status=0
output=$(./cuda_gemm_benchmark --shape=matmul:64x96x128:f32 --tune_budget=3evals --rounds=2 --json=result.json 2>&1) || status=$?
echo "$output"
if [ "$status" -eq 0 ]; then
  grep -q 'geometric mean' <<<"$output"
  grep -q '"schema_version"' result.json
  exit 0
fi
# Without a GPU or NVRTC, it says so in one line.
grep -qE '^cuda_gemm_benchmark: (no CUDA device here|NVIDIA.s run-time compiler is not here)' <<<"$output"
[ "$(wc -l <<<"$output")" -eq 1 ]
echo "skipped: no GPU to run on"
