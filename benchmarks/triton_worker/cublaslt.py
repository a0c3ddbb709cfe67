"""cublasLt by ctypes, from the library that PyTorch has loaded: the fastest of the algorithms that its heuristic returns.

Prototypes and numbers are of the cuBLASLt documentation; backends/cuda/cublaslt_abi.h has them for C++.
"""
import ctypes

import torch

_CUDA_R_16BF, _CUDA_R_32F = 14, 0
_COMPUTE_32F = 68
_PREFERENCE_MAX_WORKSPACE_BYTES = 1
WORKSPACE_BYTES = 256 << 20


class _Algorithm(ctypes.Structure):
    _fields_ = [("data", ctypes.c_uint64 * 8)]


class _HeuristicResult(ctypes.Structure):
    _fields_ = [("algorithm", _Algorithm), ("workspace_bytes", ctypes.c_size_t), ("state", ctypes.c_int),
                ("waves", ctypes.c_float), ("reserved", ctypes.c_int * 4)]


def _loaded_library():
    torch.mm(torch.ones(16, 16, device="cuda"), torch.ones(16, 16, device="cuda"))
    with open("/proc/self/maps", encoding="utf-8") as maps:
        for line in maps:
            path = line.split(maxsplit=5)[-1].strip()
            if "libcublasLt.so" in path:
                return ctypes.CDLL(path)
    raise OSError("PyTorch has loaded no libcublasLt.so")


class CublasLt:

    def __init__(self):
        self._library = _loaded_library()
        self._handle = ctypes.c_void_p()
        self._check(self._library.cublasLtCreate(ctypes.byref(self._handle)), "cublasLtCreate")
        self._library.cublasLtGetVersion.restype = ctypes.c_size_t
        self.version = self._library.cublasLtGetVersion()
        self._workspace = torch.empty(WORKSPACE_BYTES, dtype=torch.uint8, device="cuda")

    @staticmethod
    def _check(status, what):
        if status != 0:
            raise RuntimeError(f"{what} failed with status {status}")

    def launches(self, a, b, out, algorithms=8):
        """Functions that each enqueue out = a b by another algorithm. Row-major bf16, one matrix each.

        The library is column-major: it is given the transposed product.
        """
        (m, k), n = a.shape, b.shape[1]
        lt = self._library
        description = ctypes.c_void_p()
        self._check(lt.cublasLtMatmulDescCreate(ctypes.byref(description), _COMPUTE_32F, _CUDA_R_32F), "cublasLtMatmulDescCreate")

        def layout(rows, columns):
            made = ctypes.c_void_p()
            self._check(lt.cublasLtMatrixLayoutCreate(ctypes.byref(made), _CUDA_R_16BF, ctypes.c_uint64(rows),
                                                      ctypes.c_uint64(columns), ctypes.c_int64(rows)), "cublasLtMatrixLayoutCreate")
            return made

        first, second, result = layout(n, k), layout(k, m), layout(n, m)
        preference = ctypes.c_void_p()
        self._check(lt.cublasLtMatmulPreferenceCreate(ctypes.byref(preference)), "cublasLtMatmulPreferenceCreate")
        limit = ctypes.c_uint64(WORKSPACE_BYTES)
        self._check(lt.cublasLtMatmulPreferenceSetAttribute(preference, _PREFERENCE_MAX_WORKSPACE_BYTES, ctypes.byref(limit),
                                                            ctypes.c_size_t(8)), "cublasLtMatmulPreferenceSetAttribute")
        found = (_HeuristicResult * algorithms)()
        count = ctypes.c_int()
        self._check(lt.cublasLtMatmulAlgoGetHeuristic(self._handle, description, first, second, result, result, preference,
                                                      algorithms, found, ctypes.byref(count)), "cublasLtMatmulAlgoGetHeuristic")
        one, zero = ctypes.c_float(1.0), ctypes.c_float(0.0)
        stream = ctypes.c_void_p(torch.cuda.current_stream().cuda_stream)

        def launch_of(algorithm):
            arguments = (self._handle, description, ctypes.byref(one), ctypes.c_void_p(b.data_ptr()), first,
                         ctypes.c_void_p(a.data_ptr()), second, ctypes.byref(zero), ctypes.c_void_p(out.data_ptr()), result,
                         ctypes.c_void_p(out.data_ptr()), result, ctypes.byref(algorithm),
                         ctypes.c_void_p(self._workspace.data_ptr()), ctypes.c_size_t(WORKSPACE_BYTES), stream)
            return lambda: self._check(lt.cublasLtMatmul(*arguments), "cublasLtMatmul")

        return [launch_of(found[i].algorithm) for i in range(count.value)]
