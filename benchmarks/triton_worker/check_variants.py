"""Runs every variant of the Triton worker's kernels on small, awkward problems and compares with float64.

    python3 benchmarks/triton_worker/check_variants.py
"""
import sys
import time

import measuring

TILE = {"block_size[m]": 64, "block_size[n]": 64, "block_size[k]": 32, "num_warps": 4, "num_stages": 3}
DESCRIPTORS = {f"indexing[{i}]": "tensor_descriptor" for i in range(3)}
BLOCK_POINTERS = {f"indexing[{i}]": "block_pointer" for i in range(3)}
PERSISTENT = {"pid_type": "persistent_interleaved"}
ODD, EVEN = "matmul:129x259x71", "matmul:320x384x448"

CASES = (
    *((f"{shape}:{dtype}", TILE) for shape in (ODD, EVEN) for dtype in ("bf16", "f16", "f32", "tf32", "f8e4m3", "f8e5m2")),
    *((f"{shape}:bf16:{layout}", {**TILE, **by}) for shape in (ODD, EVEN) for layout in ("nn", "nt", "tn", "tt")
      for by in ({}, BLOCK_POINTERS)),
    *((f"{EVEN}:{dtype}:{layout}", {**TILE, **DESCRIPTORS}) for layout in ("nn", "nt", "tn", "tt")
      for dtype in ("bf16", "tf32", "f8e4m3:out=bf16")),
    *((f"{ODD}:bf16:{epilogue}", {**TILE, "split_k": split}) for split in (1, 3)
      for epilogue in ("bias", "relu", "gelu", "silu", "residual", "scale=0.125:bias:gelu:residual")),
    *((f"{EVEN}:bf16:out=f32:bias:silu", {**TILE, **by, "split_k": split}) for by in (DESCRIPTORS, BLOCK_POINTERS)
      for split in (1, 2, 6, 14)),
    *((f"{shape}:bf16:batch=3", {**TILE, **by, **more}) for shape in (ODD, EVEN) for by in ({}, BLOCK_POINTERS)
      for more in ({}, {"split_k": 2}, {**PERSISTENT, "loop_order": [2, 0, 1]}, {"pid_type": "xyz", "loop_order": [1, 2, 0]})),
    *((f"{EVEN}:bf16:batch=3", {**TILE, **DESCRIPTORS, **more}) for more in ({}, {"split_k": 2}, PERSISTENT)),
    *((f"matmul:1024x1280x448:bf16", {**TILE, **by, **more, "l2_grouping": 4, "loop_order": order})
      for by in ({}, DESCRIPTORS) for order in ([0, 1], [1, 0])
      for more in ({}, PERSISTENT, {**PERSISTENT, "range_flatten[grid]": "true"}, {"pid_type": "persistent_blocked"},
                   {"pid_type": "persistent_blocked", "range_flatten[grid]": "true", "num_sm_multiplier": 2})),
    *((f"{EVEN}:bf16", {**TILE, **more}) for more in (
        {"range_unroll_factor[k]": 2}, {"range_num_stages[k]": 4}, {"range_multi_buffer[k]": "false"},
        {"load_eviction_policy[0]": "first", "load_eviction_policy[1]": "last"}, {"maxnreg": 128}, {"num_stages": 1},
        {"block_size[m]": 128, "block_size[n]": 256, "block_size[k]": 64, "num_warps": 8},
        {"block_size[m]": 16, "block_size[n]": 32, "block_size[k]": 512, "num_warps": 2},
        {**PERSISTENT, "range_num_stages[grid]": 2, "range_unroll_factor[grid]": 2, "range_multi_buffer[grid]": "false"})),
    *((f"{EVEN}:bf16", {**TILE, **DESCRIPTORS, **more}) for more in (
        {"range_warp_specialize[k]": "true"}, {**PERSISTENT, "range_warp_specialize[grid]": "true"})),
)


def main():
    device = measuring.this_device()
    pool = measuring.make_pool()
    begin = time.monotonic()
    right = refused = 0
    for kernel, config, _, message in measuring.measure_all(CASES, measuring.Benches(), device, pool, begin + 60, samples=3):
        right += message in ("", "dropped")
        refused += message.startswith("refused")
        if message not in ("", "dropped"):
            changed = {knob: value for knob, value in config.items() if TILE.get(knob) != value}
            print(f"{kernel} {changed}: {message[:300]}")
    print(f"{len(CASES)} variants: {right} right, {refused} refused, {len(CASES) - right - refused} failed or left out, "
          f"{time.monotonic() - begin:.1f} s")
    return 0 if right + refused == len(CASES) else 1


if __name__ == "__main__":
    sys.exit(main())
