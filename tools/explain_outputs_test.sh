#!/bin/bash
# explain answers "why did I get this configuration?" for each kind of kernel, with no device there.
set -u
seedtune="$1"
attention="$2"
failures=0

# expect KERNEL BACKEND DEVICE TEXT...: each text is in the explanation.
expect() {
  local kernel="$1" backend="$2" device="$3" output text
  shift 3
  if ! output="$("$seedtune" explain "$kernel" --backend="$backend" --device="$device" \
      --db=/nonexistent/tuning.db)"; then
    echo "explain $kernel on $device failed"
    failures=$((failures + 1))
    return
  fi
  for text in "$@" "untuned default, from"; do
    if [[ "$output" != *"$text"* ]]; then
      printf 'explain %s on %s: no "%s" in\n%s\n' "$kernel" "$device" "$text" "$output"
      failures=$((failures + 1))
    fi
  done
}

skinny='{"block_size[m]":64,"block_size[n]":64,"block_size[k]":256'
expect matmul:8192x512x4096:bf16 triton h100_sxm \
  "triton_skinny_gemm: seeded: aspect 16.0 on sm90" "$skinny" \
  "untuned default, from triton_hopper_matmul"
expect matmul:8192x512x4096:bf16 triton mi350x \
  "triton_skinny_gemm: seeded: aspect 16.0 on gfx950" "$skinny" "triton_cdna_matmul: seeded" \
  "untuned default, from space default, since nothing that seeded was validated on such a device"
expect matmul:4096x4096x4096:bf16 cute b200 \
  "cute_tcgen05_cluster_m2: seeded: full tiles" '"cluster_m":2,"two_cta":true' \
  "cute_wgmma_clusters: declined: architecture is sm100"
expect matmul:4096x4096x4096:f8e4m3:out=bf16 triton h100_sxm \
  "triton_hopper_matmul: declined: both operands are fp8" "triton_fp8_matmul: seeded"
expect "$attention" triton h100_sxm \
  "triton_hopper_matmul: declined: 2 matmuls, want one" "triton_several_dots: seeded: 2 matmuls"
expect matmul:128x128x128:bf16:batch=64 triton h100_sxm \
  "triton_batched_matmul: seeded: 128x128x128 bf16, batch 64" \
  "triton_skinny_gemm: declined: batch of 64, want none"
expect 'matmul:M=16[1,64]x8192x8192:bf16' triton h100_sxm \
  "triton_decode: seeded: 16 (hint)x8192x8192" \
  "m is symbolic, want a static extent (the hint of 16 is only a hint)"

exit "$((failures > 0))"
