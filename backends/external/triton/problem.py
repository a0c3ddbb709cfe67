"""A matmul as this worker understands it. Nothing here needs Triton or PyTorch."""
import dataclasses
import re

DTYPE_BYTES = {"f32": 4, "tf32": 4, "bf16": 2, "f16": 2, "f8e4m3": 1, "f8e5m2": 1}
ACTIVATIONS = ("none", "relu", "gelu", "silu")


class Unsupported(Exception):
    """What was asked for exists, but this worker does not build it. The message names it."""


@dataclasses.dataclass(frozen=True)
class Problem:
    """out[z, m, n] = activation(scale * sum_k lhs[z, m, k] * rhs[z, k, n] + bias[n]) + residual[z, m, n]"""
    m: int
    n: int
    k: int
    batch: int = 1
    dtype: str = "bf16"  # of both operands
    out: str = "bf16"  # of the output, the bias and the residual
    lhs_column_major: bool = False
    rhs_column_major: bool = False
    scale: float = 1.0
    bias: bool = False
    activation: str = "none"
    residual: bool = False

    @property
    def flops(self):
        return 2 * self.m * self.n * self.k * self.batch


def _dtype(name):
    if name not in DTYPE_BYTES:
        raise Unsupported(f"dtype {name}, want one of {', '.join(DTYPE_BYTES)}")
    return name


def _is_column_major(role, matrix, rows, columns, batch):
    """Dense matrices one after the other are all that the kernels read."""
    row_stride, column_stride = int(matrix["row_stride"]), int(matrix["column_stride"])
    if batch > 1 and int(matrix["batch_stride"]) != rows * columns:
        raise Unsupported(f"{role} with a batch stride of {matrix['batch_stride']}, want {rows * columns}")
    # The stride of a dimension of one element says nothing.
    if (column_stride == 1 or columns == 1) and (row_stride == columns or rows == 1):
        return False
    if (row_stride == 1 or rows == 1) and (column_stride == rows or columns == 1):
        return True
    raise Unsupported(f"{role} with strides of {row_stride} and {column_stride}, want a dense matrix")


def problem_of_kernel(kernel):
    """Of a kernel as the worker protocol describes it (docs/worker-protocol.md, section 9). Raises Unsupported."""
    if kernel.get("function") != "matmul":
        raise Unsupported(f"function {kernel.get('function')}, want matmul")
    matmul = kernel["matmul"]
    m, n, k, batch = (int(matmul[field]) for field in ("m", "n", "k", "batch"))
    if matmul["accumulator"] != "f32":
        raise Unsupported(f"an accumulator of {matmul['accumulator']}, want f32")
    lhs, rhs, out = matmul["lhs"], matmul["rhs"], matmul["out"]
    if lhs["dtype"] != rhs["dtype"]:
        raise Unsupported(f"operands of {lhs['dtype']} and {rhs['dtype']}, want one dtype")
    if _is_column_major("out", out, m, n, batch):
        raise Unsupported("a column-major output")
    epilogue = matmul.get("epilogue", [])
    unknown = sorted(set(epilogue) - {"scale", "bias", "residual", *ACTIVATIONS})
    if unknown:
        raise Unsupported(f"an epilogue of {unknown[0]}")
    if "residual" in epilogue:
        residual = matmul["residual"]
        if residual["dtype"] != out["dtype"]:
            raise Unsupported(f"a residual of {residual['dtype']} for an output of {out['dtype']}")
        if _is_column_major("residual", residual, m, n, batch):
            raise Unsupported("a column-major residual")
    return Problem(
        m=m, n=n, k=k, batch=batch, dtype=_dtype(lhs["dtype"]), out=_dtype(out["dtype"]),
        lhs_column_major=_is_column_major("lhs", lhs, m, k, batch), rhs_column_major=_is_column_major("rhs", rhs, k, n, batch),
        scale=float(matmul.get("scale", 1)), bias="bias" in epilogue,
        activation=next((step for step in epilogue if step in ACTIVATIONS), "none"), residual="residual" in epilogue)


_SHORT_FORM = re.compile(r"matmul:(\d+)x(\d+)x(\d+):(\w+)((?::[\w=.]+)*)$")


def problem_of_short_form(text):
    """`matmul:MxNxK:dtype` with options as in ir/matmul.h, for scripts beside the worker. ValueError: it is none."""
    match = _SHORT_FORM.match(text)
    if not match:
        raise ValueError(f"\"{text}\" is no matmul:MxNxK:dtype")
    m, n, k = (int(match.group(i)) for i in (1, 2, 3))
    fields = {"dtype": _dtype(match.group(4)), "out": _dtype(match.group(4))}
    for option in filter(None, match.group(5).split(":")):
        name, _, value = option.partition("=")
        if name in ("nn", "nt", "tn", "tt"):
            fields["lhs_column_major"], fields["rhs_column_major"] = name[0] == "t", name[1] == "t"
        elif name in ("bias", "residual"):
            fields[name] = True
        elif name in ACTIVATIONS[1:]:
            fields["activation"] = name
        elif name == "batch":
            fields["batch"] = int(value)
        elif name == "out":
            fields["out"] = _dtype(value)
        elif name == "scale":
            fields["scale"] = float(value)
        else:
            raise ValueError(f"\"{text}\": unknown option \"{option}\"")
    return Problem(m=m, n=n, k=k, **fields)
