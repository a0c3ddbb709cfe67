#!/usr/bin/env bash
# The example multiplies where there is a GPU, and says in one line why it cannot where there is none.
set -eu
export XDG_CACHE_HOME=$TEST_TMPDIR XDG_DATA_HOME=$TEST_TMPDIR
status=0
output=$("$1" matmul:300x200x100:f32 2>&1) || status=$?
echo "$output"
if [ "$status" -eq 0 ]; then
  grep -q '^out\[0\] = 50, want 50, on ' <<<"$output"
  exit 0
fi
[ "$status" -eq 1 ]
grep -qE '^cuda_matmul: (no CUDA device here|.*libcuda.*|NVIDIA.s run-time compiler is not here)' <<<"$output"
[ "$(wc -l <<<"$output")" -eq 1 ]
[ "$("$1" matmul:8x8x8:bf16 2>&1)" = "cuda_matmul: this example fills matrices of f32, want matmul:MxNxK:f32" ]
echo "skipped: no GPU to run on"
