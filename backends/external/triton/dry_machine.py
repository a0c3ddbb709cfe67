"""A machine without Triton and without a GPU: plans and refuses as the real one does, and makes its times up. For tests of
everything else, and to see what a session looks like."""
from plan import Device, make_plan, space_constraints
from problem import problem_of_kernel

_FLOPS_PER_NS = 500e3
_BYTES_PER_NS = 2e3


class DryMachine:
    """Thread-compatible: Session calls it as it may."""

    def __init__(self, compile_timeout_s=0.0):
        del compile_timeout_s

    def hello(self):
        return {
            "name": "seedtune_triton_dry", "version": "1", "code_generator": "none", "device": {"spec": "h100_sxm"},
            "kernels": [{"name": "matmul", "dtypes": ["bf16", "f16", "f32", "tf32", "f8e4m3", "f8e5m2"]}],
            "max_compiles": 4, "compiles_while_running": True, "checks_results": False, "simulated_time": True,
            "max_candidates": 64,
        }

    def space(self, kernel):
        problem_of_kernel(kernel)
        return {"use": "triton", "constraints": space_constraints(Device())}

    def plan(self, kernel, config):
        problem = problem_of_kernel(kernel)
        return problem, make_plan(problem, config, Device())

    def compile(self, plan, timeout_s, done):
        del plan, timeout_s
        done(None)

    def run(self, plan, request):
        problem, plan = plan
        # Waves of tiles, each tile as long as its loads or its products take: enough to tell configurations apart.
        constants = plan.constants
        m, n, k, split = (constants[name] for name in ("BLOCK_M", "BLOCK_N", "BLOCK_K", "SPLIT"))
        steps = -(-problem.k // k) / split
        tiles = -(-problem.m // m) * -(-problem.n // n) * problem.batch * split
        waves = -(-tiles // Device().compute_units)
        tile_ns = steps * max(2 * m * n * k / (_FLOPS_PER_NS / 132), 2 * (m + n) * k / (_BYTES_PER_NS / 132))
        sample = 2000.0 + waves * tile_ns + (1500.0 if plan.add_parts else 0.0)
        if request["drop_above_ns"] and sample > request["drop_above_ns"]:
            return {"samples_ns": [sample, sample], "lower_bound_ns": sample}
        return {"samples_ns": [sample * (1 + 0.001 * i) for i in range(request["min_samples"])]}

    def close(self):
        pass
