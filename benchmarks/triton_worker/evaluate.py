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
    parser.add_argument("--db", type=pathlib.Path, default=f"/tmp/seedtune-triton-{os.getpid()}.db", help="of the tuning runs")
    parser.add_argument("kernel", nargs="*", default=KERNELS, help="matmul:MxNxK:bf16")
    options = parser.parse_args()
    device, names = measuring.this_device(), list(options.kernel)
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}, triton {triton.__version__}", flush=True)

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
    pool.close()

    library = cublaslt.CublasLt()
    rows = {}

    def compare(name, configs):
        """Adds a row's times of these configurations beside the libraries', prints and writes what there is."""
        times = measuring.interleaved(name, list(configs.values()), benches, device, library, options.rounds)
        row = rows.setdefault(name, {"kernel": name, "of_torch": {}, "of_cublaslt": {}, "configs": {}})
        row["configs"].update(configs)
        row["torch_ns"], row["cublaslt_best_ns"] = times["torch"], times["cublaslt_best"]
        for way, nanoseconds in zip(configs, times["configs"]):
            row["of_torch"][way] = times["torch"] / nanoseconds
            row["of_cublaslt"][way] = times["cublaslt_best"] / nanoseconds
        shares = ", ".join(f"{way} {row['of_torch'][way]:.3f} {row['of_cublaslt'][way]:.3f}" for way in configs)
        print(f"{name[7:-5]:18} {times['torch'] / 1e3:8.1f} {times['cublaslt_best'] / 1e3:8.1f} | {shares}", flush=True)
        if options.output:
            options.output.write_text(json.dumps({"device": torch.cuda.get_device_name(), "rows": list(rows.values())}, indent=1),
                                      encoding="utf-8")

    print(f"{'M x N x K':18} {'mm us':>8} {'Lt us':>8} | speed as a share of torch.mm's and of cublasLt's", flush=True)
    for name in names:
        configs = {"untuned": seeds[name][0], "best seed": best[name][1] if name in best else seeds[name][0]}
        if options.autotune:
            configs["autotune"], seconds = autotune(benches.of(name), device)
            print(f"  autotune measured for {seconds:.1f} s, its kernels compiled before", flush=True)
        compare(name, configs)
    if options.tune_seconds:
        tuned = tune(options.seedtune, options.tune_seconds, options.db, names)
        for name, (config, evaluations, seconds) in tuned.items():
            print(f"  {evaluations} configurations in {seconds:.1f} s", flush=True)
            compare(name, {"tuned": config})
    for peer in ("of_torch", "of_cublaslt"):
        for way in ("untuned", "best seed", "autotune", "tuned"):
            shares = [row[peer][way] for row in rows.values() if way in row[peer]]
            if shares:
                print(f"{way} {peer}: geometric mean {measuring.geometric_mean(shares):.3f}, worst {min(shares):.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
