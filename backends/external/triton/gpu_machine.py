"""The machine that Triton and PyTorch make of this GPU."""
import os

import torch
import triton

import compile_job
import launcher
import runner
from compile_pool import CompilePool
from plan import Device, make_plan, space_constraints
from problem import Unsupported, problem_of_kernel
from protocol import Failure



def _device_index():
    """Which device `seedtune hardware` would call this, as far as CUDA_VISIBLE_DEVICES says."""
    first = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0]
    return int(first) if first.isdigit() else 0


class GpuMachine:

    def __init__(self, compile_timeout_s):
        if not torch.cuda.is_available():
            raise Failure("unsupported", "PyTorch sees no GPU")
        properties = torch.cuda.get_device_properties(0)
        self._is_rocm = torch.version.hip is not None
        self._device = Device(properties.multi_processor_count,
                              0 if self._is_rocm else properties.major * 10 + properties.minor)
        self._shared_limit = getattr(properties, "shared_memory_per_block_optin", 0)
        self._processes = max(1, len(os.sched_getaffinity(0)) - 2)
        self._pool = CompilePool(self._processes, compile_job.Prepare(launcher.active_target()), compile_job.run,
                                 compile_timeout_s, preload=["launcher"])
        self._bench, self._bench_of = None, None

    def hello(self):
        return {
            "name": "seedtune_triton", "version": "1", "code_generator": f"triton {triton.__version__}",
            "compiler": f"torch {torch.__version__}",
            "device": {"detect": f"{'rocm' if self._is_rocm else 'cuda'}:{_device_index()}"},
            "kernels": [{"name": "matmul", "dtypes": list(launcher.TORCH_DTYPES)}],
            "max_compiles": self._processes, "compiles_while_running": True, "checks_results": True,
            "max_candidates": 4 * self._processes,
        }

    def space(self, kernel):
        problem = problem_of_kernel(kernel)
        if problem.dtype.startswith("f8") and 0 < self._device.capability < 89:
            raise Unsupported(f"{problem.dtype} on sm{self._device.capability}, want sm89 or newer")
        return {"use": "triton", "constraints": space_constraints(self._device)}

    def plan(self, kernel, config):
        problem = problem_of_kernel(kernel)
        return problem, make_plan(problem, config, self._device)

    def compile(self, plan, timeout_s, done):

        def compiled(ok, result, seconds):
            del seconds
            if not ok:
                late = "compiling took longer" in result
                done(Failure("crash" if "crashed" in result else "timeout" if late else "compile_error", result))
            elif self._shared_limit and result > self._shared_limit:
                done(Failure("out_of_resources", f"{result} bytes of shared memory, want at most {self._shared_limit}"))
            else:
                done(None)

        # Seedtune kills a worker that is later than that, and the other candidates' compilers with it.
        self._pool.submit(plan, compiled, timeout_s - min(1.0, timeout_s / 4))

    def run(self, plan, request):
        problem, plan = plan
        if self._bench_of != (problem, request["data_seed"]):
            self._bench = self._bench_of = None  # its memory first
            self._bench = runner.Bench(problem, request["data_seed"])
            self._bench_of = (problem, request["data_seed"])
        try:
            launch = self._bench.launcher(plan)
            if request["check_result"]:
                wrong = self._bench.check(launch)
                if wrong:
                    raise Failure("wrong_result", wrong)
            else:
                launch()
            timing = runner.time_candidate(self._bench, launch, request["min_samples"], request["max_samples"],
                                           request["target_ns"], request["drop_above_ns"])
        except triton.runtime.errors.OutOfResources as error:
            raise Failure("out_of_resources", error) from error
        except torch.cuda.OutOfMemoryError as error:
            raise Failure("out_of_resources", error) from error
        except RuntimeError as error:
            # An error of the device stays with its context.
            raise Failure("launch_error", error, restart="CUDA" in str(error) or "HIP" in str(error)) from error
        reply = {"samples_ns": timing.samples_ns, "checked": bool(request["check_result"])}
        if timing.dropped:
            reply["lower_bound_ns"] = min(timing.samples_ns)
        return reply

    def close(self):
        self._pool.close()
