"""Compiles and launches a plan with Triton. Importing this needs Triton and PyTorch, but no GPU."""
import torch
import triton
import triton.language as tl
from triton.tools.tensor_descriptor import TensorDescriptor

import kernels
import plan as plan_module

TORCH_DTYPES = {"f32": torch.float32, "tf32": torch.float32, "bf16": torch.bfloat16, "f16": torch.float16,
                "f8e4m3": torch.float8_e4m3fn, "f8e5m2": torch.float8_e5m2}
_TRITON_DTYPES = {"f32": tl.float32, "tf32": tl.float32, "bf16": tl.bfloat16, "f16": tl.float16, "f8e4m3": tl.float8e4nv,
                  "f8e5m2": tl.float8e5}


class _Placeholder:
    """Stands for a tensor where a kernel is compiled and not run: of tensors Triton reads the dtype and the alignment."""

    def __init__(self, dtype):
        self.dtype = dtype

    @staticmethod
    def data_ptr():
        return 0

    @staticmethod
    def ptr_range():
        return 0


def _operand(tensor, matrix):
    """The tensor, or a descriptor of it by the tile that programs load."""
    shape, tile, planes, by, _ = matrix
    if by != plan_module.DESCRIPTOR:
        return tensor
    shape, tile = list(shape), list(tile)
    strides = [shape[1], 1]
    if planes > 1:
        strides = [shape[0] * shape[1], *strides]
        shape, tile = [planes, *shape], [1, *tile]
    return TensorDescriptor(tensor, shape, strides, tile)


def triton_dtype(name):
    return _TRITON_DTYPES[name]


def _constants(constants):
    return {**constants, "OUT": triton_dtype(constants["OUT"])}


class Launcher:
    """A plan with its tensors: `a`, `b`, `out`, and `bias`, `residual`, `workspace` or None. Calling it enqueues one run."""

    def __init__(self, plan, a, b, out, bias, residual, workspace):
        self._grid = plan.grid
        self._options = {**_constants(plan.constants), **plan.options}
        c = workspace if plan.add_parts else out
        self._arguments = tuple(_operand(tensor, matrix) for tensor, matrix in zip((a, b, c), plan.matrices))
        self._arguments += (None, None) if plan.add_parts else (bias, residual)
        self._add_grid = plan.add_parts_grid
        self._add_arguments = (workspace, out, bias, residual)
        self._add_options = None
        if plan.add_parts:
            self._add_options = {**_constants(plan.add_parts), "num_warps": 4}
            if plan.add_parts["PDL"]:
                self._add_options["launch_pdl"] = True

    def __call__(self):
        kernels.matmul[self._grid](*self._arguments, **self._options)
        if self._add_options is not None:
            kernels.add_parts[self._add_grid](*self._add_arguments, **self._add_options)

    def compile(self):
        """Compiles, into Triton's cache on disk, what a call would run. Returns bytes of shared memory."""
        compiled = kernels.matmul.warmup(*self._arguments, grid=self._grid, **self._options)
        if self._add_options is not None:
            kernels.add_parts.warmup(*self._add_arguments, grid=self._add_grid, **self._add_options)
        return compiled.metadata.shared


def compile_plan(problem, plan):
    operand = _Placeholder(TORCH_DTYPES[problem.dtype])
    out = _Placeholder(TORCH_DTYPES[problem.out])
    return Launcher(plan, operand, operand, out, out if problem.bias else None, out if problem.residual else None,
                    _Placeholder(torch.float32)).compile()


def active_target():
    """What Triton would compile for here: (backend, architecture, warp size)."""
    target = triton.runtime.driver.active.get_current_target()
    return target.backend, target.arch, target.warp_size


class _TargetOnly:
    """In place of Triton's driver in processes that compile only, which then need no context on the GPU."""

    def __init__(self, target):
        from triton.backends.compiler import GPUTarget
        self._target = GPUTarget(*target)

    def get_current_target(self):
        return self._target

    @staticmethod
    def get_current_device():
        return 0

    @staticmethod
    def get_current_stream(device):
        del device
        return 0


def compile_only(target):
    triton.runtime.driver.set_active(_TargetOnly(target))
