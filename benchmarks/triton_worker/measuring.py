"""Compiles many configurations at once and measures them as they come; interleaves the leaders with cuBLAS.

Needs a GPU, PyTorch and Triton; finds the worker's modules beside this folder.
"""
import os
import pathlib
import queue
import sys
import time

WORKER = pathlib.Path(os.environ.get("SEEDTUNE_TRITON_WORKER", pathlib.Path(__file__).parents[2] / "backends/external/triton"))
sys.path.insert(0, str(WORKER))
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(WORKER), os.environ.get("PYTHONPATH"))))  # of child processes

import torch  # noqa: E402

import compile_job  # noqa: E402
import kernels  # noqa: E402
import launcher  # noqa: E402
import plan as plan_module  # noqa: E402
import runner  # noqa: E402
from compile_pool import CompilePool  # noqa: E402
from problem import Unsupported, problem_of_short_form  # noqa: E402

SHAPES = ((4096, 4096, 4096), (8192, 8192, 8192), (16, 8192, 8192), (64, 28672, 8192), (8192, 128, 8192), (128, 128, 65536),
          (2048, 11008, 4096), (1024, 1024, 1024), (4096, 4096, 512), (512, 16384, 4096), (5120, 3200, 1024), (256, 256, 256))
KERNELS = tuple(f"matmul:{m}x{n}x{k}:bf16" for m, n, k in SHAPES)


def this_device():
    properties = torch.cuda.get_device_properties(0)
    return plan_module.Device(properties.multi_processor_count, properties.major * 10 + properties.minor)


def make_pool():
    return CompilePool(max(1, len(os.sched_getaffinity(0)) - 1), compile_job.Prepare(launcher.active_target()), compile_job.run,
                       preload=["launcher"])


class Benches:
    """One Bench a kernel, made when it is first asked for."""

    def __init__(self, seed=1):
        self._benches, self._seed = {}, seed

    def of(self, kernel):
        if kernel not in self._benches:
            self._benches[kernel] = runner.Bench(problem_of_short_form(kernel), self._seed)
        return self._benches[kernel]


def measure_all(jobs, benches, device, pool, deadline, samples=8, drop_factor=3.0):
    """`jobs`: (kernel, configuration) pairs, the most wanted first. Yields (kernel, configuration, median ns or None, what
    went wrong) as they are done; what the deadline (time.monotonic) leaves no time for is left out."""
    done = queue.Queue()
    waiting = 0
    for kernel, config in jobs:
        problem = problem_of_short_form(kernel)
        try:
            plan = plan_module.make_plan(problem, config, device)
        except (Unsupported, ValueError) as error:
            yield kernel, config, None, f"refused: {error}"
            continue
        pool.submit((problem, plan), lambda ok, result, seconds, of=(kernel, config, plan): done.put((*of, ok, result)))
        waiting += 1
    best = {}
    for _ in range(waiting):
        try:
            kernel, config, plan, ok, result = done.get(timeout=max(0.01, deadline - time.monotonic()))
        except queue.Empty:
            return
        if not ok:
            yield kernel, config, None, f"not compiled: {result}"
            continue
        bench = benches.of(kernel)
        try:
            launch = bench.launcher(plan)
            wrong = bench.check(launch)
            if wrong:
                yield kernel, config, None, f"wrong: {wrong}"
                continue
            timing = runner.time_candidate(bench, launch, 3, samples, 20e6, drop_factor * best.get(kernel, float("inf")))
        except Exception as error:  # pylint: disable=broad-except
            yield kernel, config, None, f"not run: {type(error).__name__}: {error}"
            continue
        nanoseconds = runner.median(timing.samples_ns)
        best[kernel] = min(best.get(kernel, nanoseconds), nanoseconds)
        yield kernel, config, nanoseconds, "dropped" if timing.dropped else ""


def interleaved(kernel, configs, benches, device, cublaslt, rounds=30):
    """Medians in ns of the configurations, torch.mm, cublasLt's first algorithm and its best of eight, in turns."""
    bench = benches.of(kernel)
    launches = [bench.launcher(plan_module.make_plan(bench.problem, config, device)) for config in configs]
    a, b, out = bench.a[0], bench.b[0], bench.out[0]
    library = cublaslt.launches(a, b, out)
    launches += [lambda: torch.mm(a, b, out=out)] + library
    for launch in launches:
        launch()
    medians = [runner.median(samples) for samples in bench.time(launches, rounds)]
    count = len(configs)
    return {"configs": medians[:count], "torch": medians[count], "cublaslt_first": medians[count + 1],
            "cublaslt_best": min(medians[count + 1:])}


def geometric_mean(values):
    product = 1.0
    for value in values:
        product *= value
    return product**(1.0 / len(values)) if values else float("nan")
