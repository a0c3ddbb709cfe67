"""Checks and times launches on the GPU. Needs PyTorch and a GPU."""
import dataclasses
import random
import statistics

import torch

from launcher import TORCH_DTYPES, Launcher

FLUSH_BYTES = 256 << 20  # more than any L2 cache
_MOST_TRIES = 3  # to take samples that the host was not late for

# What an element may be off, for inputs from a normal distribution. As a share of its own size: a rounding of the output,
# and of the operands, which tf32 cuts off to one side.
_OWN_ERROR = {"f32": 2.0**-20, "tf32": 2.0**-8, "bf16": 2.0**-7, "f16": 2.0**-10, "f8e4m3": 2.0**-3, "f8e5m2": 2.0**-2}
# As a share of sqrt(k), the size that sums have: f32's roundings; those of tf32's operands; what Hopper keeps of products of
# fp8, 13 bits (DeepSeek-V3 technical report, section 3.3.2).
_SUM_ERROR = {"f32": 2.0**-17, "tf32": 2.0**-8, "bf16": 2.0**-15, "f16": 2.0**-15, "f8e4m3": 2.0**-7, "f8e5m2": 2.0**-7}
# And what tensor cores lose of each sum of 16 products: up to a unit in the last place, always to one side (measured on an
# H100, k 65536: kernels of three tiles agree on a result that is off by 0.023).
_CUT_OFF = 2.0**-23 / 16


def median(samples):
    return statistics.median(samples)


class Bench:
    """The operands and the reference of one problem on the current GPU. Not thread-safe."""

    def __init__(self, problem, seed):
        self.problem = problem
        generator = torch.Generator(device="cuda").manual_seed(seed)
        dtype, out = TORCH_DTYPES[problem.dtype], TORCH_DTYPES[problem.out]
        # Products in fp8 are kept near 1, which it has most digits for.
        self._spread = problem.k**-0.25 if problem.out.startswith("f8") else 1.0

        def normal(*shape, of):
            values = torch.randn(shape, generator=generator, device="cuda", dtype=torch.float32)
            return (values * self._spread).to(of)

        planes = (problem.batch, )
        a_shape = (problem.k, problem.m) if problem.lhs_column_major else (problem.m, problem.k)
        b_shape = (problem.n, problem.k) if problem.rhs_column_major else (problem.k, problem.n)
        self.a, self.b = normal(*planes, *a_shape, of=dtype), normal(*planes, *b_shape, of=dtype)
        self.bias = normal(problem.n, of=out) if problem.bias else None
        self.residual = normal(*planes, problem.m, problem.n, of=out) if problem.residual else None
        self.out = torch.empty((problem.batch, problem.m, problem.n), dtype=out, device="cuda")
        self._workspace = torch.empty(0, dtype=torch.float32, device="cuda")
        self._flush = torch.zeros(FLUSH_BYTES // 4, dtype=torch.float32, device="cuda")
        self._flushed = torch.empty((), dtype=torch.float32, device="cuda")
        self._reference, self._allowed = self._make_reference()

    def lhs(self):
        """As matrices of m x k."""
        return self.a.mT if self.problem.lhs_column_major else self.a

    def rhs(self):
        return self.b.mT if self.problem.rhs_column_major else self.b

    def _make_reference(self):
        problem = self.problem
        exact = torch.matmul(self.lhs().double(), self.rhs().double())
        cut_off = 0.0 if problem.dtype == "f32" else problem.k * _CUT_OFF
        slack = (_SUM_ERROR[problem.dtype] + cut_off) * problem.k**0.5 * self._spread**2
        own = max(_OWN_ERROR[problem.out], _OWN_ERROR["tf32"] if problem.dtype == "tf32" else 0.0)
        exact *= problem.scale
        if problem.bias:
            exact += self.bias.double()
        if problem.activation == "relu":
            exact = torch.relu(exact)
        elif problem.activation == "gelu":
            exact = torch.nn.functional.gelu(exact)
        elif problem.activation == "silu":
            exact = torch.nn.functional.silu(exact)
        if problem.residual:
            exact += self.residual.double()
        allowed = (exact.abs() * own + slack * max(1.0, abs(problem.scale))).float()
        return exact, allowed

    def workspace(self, planes):
        """A plan's, shared by all."""
        elements = planes * self.problem.m * self.problem.n
        if self._workspace.numel() < elements:
            self._workspace = torch.empty(elements, dtype=torch.float32, device="cuda")
        return self._workspace

    def launcher(self, plan):
        workspace = None
        if plan.add_parts:
            workspace = self.workspace(plan.matrices[2][2])
        return Launcher(plan, self.a, self.b, self.out, self.bias, self.residual, workspace)

    def check(self, launch):
        """Runs once on poisoned memory. Returns "" or what is wrong."""
        self.out.view(torch.uint8).fill_(0xff)  # NaN, whatever the dtype
        self._workspace.fill_(float("nan"))
        launch()
        torch.cuda.synchronize()
        error = (self.out.double() - self._reference).abs_().float()
        wrong = ~(error <= self._allowed)
        count = int(wrong.sum())
        if count == 0:
            return ""
        place = tuple(int(i) for i in wrong.nonzero()[0])
        return (f"{count} of {wrong.numel()} elements are wrong, the first at {list(place)}: "
                f"{float(self.out[place].float()):.6g}, want {float(self._reference[place]):.6g}")

    def _empty_caches(self):
        """Reads more than the L2 cache holds. Were it written instead, a kernel would pay for writing back what is not its
        own (backends/cuda/timer.h)."""
        torch.sum(self._flush, dim=0, out=self._flushed)

    def time(self, launches, rounds):
        """Cold times in ns, `rounds` of each launch, in turns, each turn in another order."""
        in_time, late = [[] for _ in launches], [[] for _ in launches]
        for _ in range(_MOST_TRIES):
            self._time_once(launches, rounds, in_time, late)
            if all(len(samples) >= rounds for samples in in_time):
                break
        return [(good + bad)[:rounds] for good, bad in zip(in_time, late)]

    def _time_once(self, launches, rounds, in_time, late):
        """Adds samples of each launch: those that the GPU came to before the host had enqueued them count its wait, too."""
        events = []
        # A launch from Python takes about as long as emptying the caches, and longer where compilers have the cores and other
        # threads the interpreter. Enough of these ahead keep the GPU busy meanwhile.
        for _ in range(10 + 2 * rounds * len(launches)):
            self._empty_caches()
        order = list(range(len(launches)))
        for _ in range(rounds):
            random.shuffle(order)
            for i in order:
                start, stop = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
                self._empty_caches()
                start.record()
                launches[i]()
                stop.record()
                events.append((late if start.query() else in_time, i, start, stop))
        torch.cuda.synchronize()
        for kind, i, start, stop in events:
            kind[i].append(start.elapsed_time(stop) * 1e6)


@dataclasses.dataclass
class Timing:
    samples_ns: list
    dropped: bool  # slower than it may be: the samples are a bound


def time_candidate(bench, launch, min_samples, max_samples, target_ns, drop_above_ns):
    samples = bench.time([launch], min(2, max_samples))[0]
    if drop_above_ns and min(samples) > drop_above_ns:
        return Timing(samples, True)
    affordable = int(target_ns / max(min(samples), 1.0))
    if affordable < min_samples and 10 * affordable < 2:
        return Timing(samples, False)
    count = max(min_samples, min(max_samples, affordable)) - len(samples)
    if count > 0:
        samples += bench.time([launch], count)[0]
    return Timing(samples, False)
