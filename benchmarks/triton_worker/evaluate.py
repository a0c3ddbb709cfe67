"""What the `triton` seeds and the Triton worker are worth on this GPU, beside torch.mm, cublasLt and triton.autotune.

    python3 benchmarks/triton_worker/evaluate.py --seedtune=bazel-bin/tools/seedtune --tune_seconds=15 --output=evaluation.json

For each of twelve matmuls, in turns in one process (medians of cold runs, results checked before): the untuned default of
Seedtune's heuristics; the best of all their seeds; what `seedtune tune` found; what triton.autotune chose of the
configurations of Triton's matmul tutorial; torch.mm; the fastest of the first eight algorithms of cublasLt's heuristic.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

import torch
import triton

import cublaslt
import measuring
from measuring import KERNELS, kernels, launcher, plan_module, runner

# Triton's tutorial 03, `get_cuda_autotune_config`: block sizes of m, n, k, groups of 8 rows, stages, warps.
TUTORIAL = ((128, 256, 64, 3, 8), (64, 256, 32, 4, 4), (128, 128, 32, 4, 4), (128, 64, 32, 4, 4), (64, 128, 32, 4, 4),
            (128, 32, 32, 4, 4), (64, 32, 32, 5, 2), (32, 64, 32, 5, 2),
            (128, 256, 128, 3, 8), (256, 128, 128, 3, 8), (256, 64, 128, 4, 4), (64, 256, 128, 4, 4), (128, 128, 128, 4, 4),
            (128, 64, 64, 4, 4), (64, 128, 64, 4, 4), (128, 32, 64, 4, 4))


def tutorial_configs():
    """As configurations of the `triton` space."""
    return [{"block_size[m]": m, "block_size[n]": n, "block_size[k]": k, "l2_grouping": 8, "num_stages": stages,
             "num_warps": warps} for m, n, k, stages, warps in TUTORIAL]


def seeds_of(seedtune, kernel):
    """The untuned default, then all seeds, each once."""
    explained = json.loads(subprocess.run([seedtune, "explain", kernel, "--backend=triton", "--json", "--db=/nonexistent/none.db"],
                                          check=True, capture_output=True, text=True).stdout)["kernels"][0]
    seeds = [explained["untuned"]["config"]]
    for heuristic in explained["heuristics"]:
        seeds += [seed for seed in heuristic.get("seeds", []) if seed not in seeds]
    return seeds


def autotune(bench, device):
    """Triton's own choice among the tutorial's configurations, and the seconds that its measuring took. Shared memory that
    the device has not makes Triton leave one out."""
    constants = {**plan_module.make_plan(bench.problem, {}, device).constants, "OUT": launcher.triton_dtype(bench.problem.out)}
    for name in ("BLOCK_M", "BLOCK_N", "BLOCK_K", "GROUP", "K_STAGES"):
        del constants[name]
    configs = [triton.Config({"BLOCK_M": m, "BLOCK_N": n, "BLOCK_K": k, "GROUP": 8, "K_STAGES": stages}, num_stages=stages,
                             num_warps=warps) for m, n, k, stages, warps in TUTORIAL]

    def do_bench(run, quantiles):
        return triton.testing.do_bench(run, warmup=10, rep=40, quantiles=quantiles)

    tuner = triton.autotune(configs=configs, key=["M", "N", "K"], do_bench=do_bench)(kernels.matmul)
    begin = time.monotonic()
    tuner[lambda meta: (-(-bench.problem.m // meta["BLOCK_M"]) * -(-bench.problem.n // meta["BLOCK_N"]), )](
        bench.a, bench.b, bench.out, None, None, **constants)
    torch.cuda.synchronize()
    best = tuner.best_config
    return {"block_size[m]": best.kwargs["BLOCK_M"], "block_size[n]": best.kwargs["BLOCK_N"],
            "block_size[k]": best.kwargs["BLOCK_K"], "l2_grouping": 8, "num_warps": best.num_warps,
            "num_stages": best.num_stages}, time.monotonic() - begin


def tune(seedtune, seconds, database, names):
    """`seedtune tune` of all kernels with the Triton worker: kernel to (configuration, evaluations, seconds)."""
    worker = f"{sys.executable} {measuring.WORKER / 'triton_worker.py'}"
    finished = subprocess.run([seedtune, "tune", *names, "--backend=external", f"--worker={worker}", f"--db={database}",
                               f"--budget={seconds * len(names)}s", "--json"], capture_output=True, text=True, check=False)
    if finished.returncode != 0:
        print(f"seedtune tune failed: {finished.stderr[-600:]}", flush=True)
        return {}
    return {row["kernel"]: (row["best"]["config"], row["evaluations"], row["seconds"])
            for row in json.loads(finished.stdout)["kernels"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seedtune", type=pathlib.Path, required=True, help="the program")
    parser.add_argument("--tune_seconds", type=int, default=15, help="a kernel, compiling included; 0: no tuning")
    parser.add_argument("--autotune", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--rounds", type=int, default=40, help="of the comparison in turns")
    parser.add_argument("--output", type=pathlib.Path, help="everything, as JSON")
    parser.add_argument("kernel", nargs="*", default=KERNELS, help="matmul:MxNxK:bf16")
    options = parser.parse_args()
    device, names = measuring.this_device(), list(options.kernel)
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}, triton {triton.__version__}", flush=True)

    tuned = {}
    if options.tune_seconds:
        database = f"/tmp/seedtune-triton-{os.getpid()}.db"
        tuned = tune(options.seedtune, options.tune_seconds, database, names)
    seeds = {name: seeds_of(options.seedtune, name) for name in names}
    pool, benches = measuring.make_pool(), measuring.Benches()
    jobs = [(name, seed) for name in names for seed in seeds[name]]
    if options.autotune:
        jobs += [(name, config) for name in names for config in tutorial_configs()]
    best = {}
    for name, config, nanoseconds, message in measuring.measure_all(jobs, benches, device, pool, time.monotonic() + 120):
        if nanoseconds is None and config in seeds[name]:
            print(f"{name}: a seed failed: {message[:200]} {json.dumps(config)}", flush=True)
        if nanoseconds is not None and config in seeds[name] and nanoseconds < best.get(name, (float("inf"), ))[0]:
            best[name] = (nanoseconds, config)

    library = cublaslt.CublasLt()
    rows, ratios = [], {}
    print(f"{'M x N x K':18} {'mm us':>8} {'Lt us':>8} | of torch.mm: untuned, best seed, tuned (evaluations), autotune | of Lt")
    for name in names:
        bench = benches.of(name)
        configs = {"untuned": seeds[name][0], "seed": best[name][1] if name in best else seeds[name][0]}
        if name in tuned:
            configs["tuned"] = tuned[name][0]
        row = {"kernel": name, "evaluations": tuned[name][1] if name in tuned else 0}
        if options.autotune:
            configs["autotune"], row["autotune_seconds"] = autotune(bench, device)
        times = measuring.interleaved(name, list(configs.values()), benches, device, library, options.rounds)
        row.update({"configs": configs, "times_ns": dict(zip(configs, times["configs"])), "torch_ns": times["torch"],
                    "cublaslt_first_ns": times["cublaslt_first"], "cublaslt_best_ns": times["cublaslt_best"]})
        rows.append(row)
        shares = []
        for peer in ("torch_ns", "cublaslt_best_ns"):
            for way in ("untuned", "seed", "tuned", "autotune"):
                if way in configs:
                    share = row[peer] / row["times_ns"][way]
                    ratios.setdefault((peer, way), []).append(share)
                    shares.append(f"{share:.3f}" + (f" ({row['evaluations']})" if (peer, way) == ("torch_ns", "tuned") else ""))
            shares.append("|")
        print(f"{name[7:-5]:18} {row['torch_ns'] / 1e3:8.1f} {row['cublaslt_best_ns'] / 1e3:8.1f} | {' '.join(shares[:-1])}",
              flush=True)
        if options.output:
            options.output.write_text(json.dumps({"device": torch.cuda.get_device_name(), "rows": rows}, indent=1),
                                      encoding="utf-8")
    for (peer, way), values in ratios.items():
        print(f"{way} of {peer[:-3]}: geometric mean {measuring.geometric_mean(values):.3f}, worst {min(values):.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
