"""From a configuration of Seedtune's `triton` space to what the kernels of kernels.py are built and launched with.

What Triton, this worker or the device cannot do is refused by name. Nothing here needs Triton or PyTorch.
"""
import dataclasses

from problem import DTYPE_BYTES, Unsupported

# How an operand's elements are addressed.
POINTER, BLOCK_POINTER, DESCRIPTOR = 0, 1, 2
INDEXING = {"pointer": POINTER, "block_pointer": BLOCK_POINTER, "tensor_descriptor": DESCRIPTOR}
# How program ids map to tiles.
FLAT, XYZ, PERSISTENT_BLOCKED, PERSISTENT_INTERLEAVED = 0, 1, 2, 3
SCHEDULES = {"flat": FLAT, "xyz": XYZ, "persistent_blocked": PERSISTENT_BLOCKED,
             "persistent_interleaved": PERSISTENT_INTERLEAVED}
EVICTION = {"none": "", "first": "evict_first", "last": "evict_last"}

TMA_ALIGNMENT_BYTES = 16  # of rows in memory and in a tile (CUDA Driver API, cuTensorMapEncodeTiled)
MAX_GRID_YZ = 65535
ADD_PARTS_ELEMENTS = 4096  # that a program of add_parts holds at once

# The knobs this worker reads, with what stands for one that is left out.
DEFAULTS = {
    "block_size[m]": 64, "block_size[n]": 64, "block_size[k]": 32, "num_warps": 4, "num_stages": 2, "split_k": 1,
    "l2_grouping": 1, "loop_order": None, "pid_type": "flat", "num_sm_multiplier": 1,
    "indexing[0]": "pointer", "indexing[1]": "pointer", "indexing[2]": "pointer",
    "load_eviction_policy[0]": "none", "load_eviction_policy[1]": "none",
    "range_unroll_factor[k]": 0, "range_num_stages[k]": 0, "range_multi_buffer[k]": "auto", "range_flatten[k]": "auto",
    "range_warp_specialize[k]": "auto",
    "range_unroll_factor[grid]": 0, "range_num_stages[grid]": 0, "range_multi_buffer[grid]": "auto",
    "range_flatten[grid]": "auto", "range_warp_specialize[grid]": "auto",
    "maxnreg": 0, "epilogue_subtile": 1,
    "waves_per_eu": 0, "matrix_instr_nonkdim": 0, "xcd_remap": False, "store_cache_modifier": "none",
    "load_cache_modifier[0]": "none", "load_cache_modifier[1]": "none",
}
# Those of them that other vendors or later devices have, and this worker does not.
_FIXED = ("epilogue_subtile", "xcd_remap", "store_cache_modifier", "load_cache_modifier[0]", "load_cache_modifier[1]")


@dataclasses.dataclass(frozen=True)
class Device:
    """What plans depend on."""
    compute_units: int = 132
    capability: int = 90  # of CUDA devices; 0: another vendor's


@dataclasses.dataclass(frozen=True)
class Plan:
    constants: dict  # of kernels.matmul; OUT is a dtype's name
    options: dict  # num_warps, num_stages and the like
    grid: tuple
    add_parts: dict  # constants of kernels.add_parts; empty: k is not split
    add_parts_grid: tuple
    # Of a, b, c: the shape of one matrix as it lies in memory, how many there are, and a tile of it.
    matrices: tuple


def _ceil_div(a, b):
    return -(-a // b)


def _next_power_of_two(value):
    return 1 << (value - 1).bit_length()


def _by_descriptor(what, shape, planes, tile, dtype, device):
    if device.capability < 90:
        raise Unsupported(f"{what}: tensor_descriptor on sm{device.capability}, want sm90 or newer")
    row_bytes = shape[1] * DTYPE_BYTES[dtype]
    if row_bytes % TMA_ALIGNMENT_BYTES != 0:
        raise Unsupported(f"{what}: tensor_descriptor of rows of {row_bytes} bytes, want a multiple of 16")
    if tile[1] * DTYPE_BYTES[dtype] < TMA_ALIGNMENT_BYTES:
        raise Unsupported(f"{what}: tensor_descriptor of tiles {tile[1]} elements wide, want 16 bytes or more")


# Of 4,150 configurations that an H200 was asked for (twelve shapes, bf16), 269 had more products than this to unroll in a warp; 121
# of these took longer to compile than the 10 s that they are given, 10 ran, slowly. Of all others, 2 took that long.
_COMPILES_IN_TIME = ("block_size[m] * block_size[n] * block_size[k] * max(1, range_unroll_factor[k])"
                     " * max(1, range_unroll_factor[grid]) < 2097152 * num_warps")


def space_constraints(device):
    """What of the `triton` space is left out: what make_plan() would refuse, and what repeats another configuration, since
    Triton's own choices are not to flatten loops and to buffer accumulators, and a loop over k has no other in it."""
    constraints = [_COMPILES_IN_TIME, "range_flatten[k] == 'auto'", "range_flatten[grid] != 'false'", "range_multi_buffer[k] != 'true'",
                   "range_multi_buffer[grid] != 'true'"]
    if device.capability == 0:
        return constraints + ["store_cache_modifier == 'none'", "load_cache_modifier[0] == 'none'",
                              "load_cache_modifier[1] == 'none'"]
    constraints += [f"indexing[{i}] != 'tensor_descriptor' or load_eviction_policy[{i}] == 'none'" for i in (0, 1)]
    if device.capability in (100, 103):
        constraints += ["epilogue_subtile == 1"]
    return constraints


def make_plan(problem, config, device):
    """`config`: knob names to values. Raises Unsupported; ValueError: it is no configuration of the space."""
    unknown = sorted(set(config) - set(DEFAULTS))
    if unknown:
        raise Unsupported(f"knob {unknown[0]}")
    knobs = {**DEFAULTS, **config}

    def choice(name, choices):
        if knobs[name] not in choices:
            raise ValueError(f"{name} is {knobs[name]!r}, want one of {', '.join(choices)}")
        return choices[knobs[name]]

    if 0 < device.capability < 80:
        raise Unsupported(f"a device of sm{device.capability}, want sm80 or newer")
    if problem.dtype.startswith("f8") and 0 < device.capability < 89:
        raise Unsupported(f"{problem.dtype} on sm{device.capability}, want sm89 or newer")
    if problem.out.startswith("f8") and (problem.bias or problem.residual):
        raise Unsupported(f"a bias or residual of {problem.out}")
    for name in _FIXED:
        if knobs[name] != DEFAULTS[name]:
            raise Unsupported(f"{name} {knobs[name]}, want {DEFAULTS[name]}")
    m, n, k = (int(knobs[f"block_size[{axis}]"]) for axis in "mnk")
    split = int(knobs["split_k"])
    steps = _ceil_div(problem.k, k)
    if split > steps:
        raise Unsupported(f"split_k of {split} parts of {steps} blocks of k")
    if split > 1 and problem.batch * problem.m * problem.n >= 2**31:
        raise Unsupported("split_k of an output of 2^31 elements or more")
    schedule = choice("pid_type", SCHEDULES)
    grid_m, grid_n = _ceil_div(problem.m, m), _ceil_div(problem.n, n)
    work = grid_m * grid_n * problem.batch * split
    programs = min(work, device.compute_units * int(knobs["num_sm_multiplier"]))
    order = list(knobs["loop_order"] or (0, 1))
    if sorted(order) not in ([0, 1], [0, 1, 2]):
        raise ValueError(f"loop_order is {order}, want a permutation of 2 or 3 axes")
    if len(order) == 2:
        order.append(2)
    extents = [(grid_m, grid_n, problem.batch)[axis] for axis in order]
    if schedule == FLAT:
        grid = (work, 1, 1)
    elif schedule == XYZ:
        grid = (extents[0], extents[1], extents[2] * split)
        if max(grid[1:]) > MAX_GRID_YZ:
            raise Unsupported(f"pid_type xyz of {grid[1]} x {grid[2]} programs, want at most {MAX_GRID_YZ}")
    else:
        grid = (programs, 1, 1)

    a_by, b_by, c_by = (choice(f"indexing[{i}]", INDEXING) for i in range(3))
    stored = "f32" if split > 1 else problem.out
    a = ((problem.k, problem.m), (k, m)) if problem.lhs_column_major else ((problem.m, problem.k), (m, k))
    b = ((problem.n, problem.k), (n, k)) if problem.rhs_column_major else ((problem.k, problem.n), (k, n))
    matrices = ((*a, problem.batch, a_by, problem.dtype), (*b, problem.batch, b_by, problem.dtype),
                ((problem.m, problem.n), (m, n), problem.batch * split, c_by, stored))
    for i, (shape, tile, planes, by, dtype) in enumerate(matrices):
        if by == DESCRIPTOR:
            _by_descriptor(f"indexing[{i}]", shape, planes, tile, dtype, device)
        if by == DESCRIPTOR and i < 2 and knobs[f"load_eviction_policy[{i}]"] != "none":
            raise Unsupported(f"load_eviction_policy[{i}] of loads by tensor_descriptor")

    def is_true(name):
        return choice(name, {"auto": False, "false": False, "true": True})

    def one_buffer(name):
        return choice(name, {"auto": False, "false": True, "true": False})

    epilogue = {
        "OUT": problem.out, "SCALE": float(problem.scale), "HAS_BIAS": problem.bias, "ACTIVATION": problem.activation,
        "HAS_RESIDUAL": problem.residual,
    }
    num_stages = int(knobs["num_stages"])
    dependent_launch = device.capability >= 90 and split > 1
    constants = {
        "M": problem.m, "N": problem.n, "K": problem.k, "BATCH": problem.batch,
        "A_COLUMN_MAJOR": problem.lhs_column_major, "B_COLUMN_MAJOR": problem.rhs_column_major,
        "PRECISION": "tf32" if problem.dtype == "tf32" else "ieee", **epilogue,
        "BLOCK_M": m, "BLOCK_N": n, "BLOCK_K": k, "GROUP": int(knobs["l2_grouping"]),
        "M_AT": order.index(0), "N_AT": order.index(1), "SPLIT": split,
        "A_BY": a_by, "B_BY": b_by, "C_BY": c_by,
        "A_KEEP": choice("load_eviction_policy[0]", EVICTION), "B_KEEP": choice("load_eviction_policy[1]", EVICTION),
        "K_STAGES": int(knobs["range_num_stages[k]"]) or num_stages, "K_UNROLL": int(knobs["range_unroll_factor[k]"]) or None,
        "K_ONE_BUFFER": one_buffer("range_multi_buffer[k]"), "K_FLATTEN": is_true("range_flatten[k]"),
        "K_SPECIALIZE": is_true("range_warp_specialize[k]"),
        "G_STAGES": int(knobs["range_num_stages[grid]"]) or None, "G_UNROLL": int(knobs["range_unroll_factor[grid]"]) or None,
        "G_ONE_BUFFER": one_buffer("range_multi_buffer[grid]"), "G_FLATTEN": is_true("range_flatten[grid]"),
        "G_SPECIALIZE": is_true("range_warp_specialize[grid]"),
        "SCHEDULE": schedule, "PROGRAMS": programs if schedule in (PERSISTENT_BLOCKED, PERSISTENT_INTERLEAVED) else 0, "PDL": dependent_launch,
    }
    options = {"num_warps": int(knobs["num_warps"]), "num_stages": num_stages}
    for name in ("maxnreg", "waves_per_eu", "matrix_instr_nonkdim"):
        if knobs[name]:
            options[name] = int(knobs[name])
    add_parts, add_parts_grid = {}, ()
    if split > 1:
        total = problem.batch * problem.m * problem.n
        rows = min(_next_power_of_two(split), 32)
        block = max(32, ADD_PARTS_ELEMENTS // rows)
        while block > 32 and _ceil_div(total, block) < 2 * device.compute_units:
            block //= 2
        add_parts = {"TOTAL": total, "N": problem.n, "SPLIT": split, **epilogue, "ROWS": rows, "BLOCK": block,
                     "PDL": dependent_launch}
        add_parts_grid = (_ceil_div(total, block), 1, 1)
    return Plan(constants, options, grid, add_parts, add_parts_grid, matrices)
