"""The matmul that the worker builds: one Triton kernel, all of whose variants are constants, and the sum over parts of k.

    out[z, m, n] = activation(SCALE * sum_k lhs[z, m, k] * rhs[z, k, n] + bias[n]) + residual[z, m, n]

Sizes are constants, so that masks are there only where an extent is no multiple of its block. With SPLIT > 1 the kernel
writes each part's sum to a workspace of SPLIT * BATCH planes in f32, and `add_parts` adds them up in order: the result does
not depend on which program ran first.
"""
import triton
import triton.language as tl

import plan

POINTER = tl.constexpr(plan.POINTER)
BLOCK_POINTER = tl.constexpr(plan.BLOCK_POINTER)
DESCRIPTOR = tl.constexpr(plan.DESCRIPTOR)
XYZ = tl.constexpr(plan.XYZ)
PERSISTENT_BLOCKED = tl.constexpr(plan.PERSISTENT_BLOCKED)
PERSISTENT_INTERLEAVED = tl.constexpr(plan.PERSISTENT_INTERLEAVED)


@triton.jit
def _load(source, plane, row, column, ROWS: tl.constexpr, COLUMNS: tl.constexpr, PLANES: tl.constexpr, TILE_ROWS: tl.constexpr,
          TILE_COLUMNS: tl.constexpr, BY: tl.constexpr, KEEP: tl.constexpr):
    """The tile at (row, column) of a row-major matrix; zero where it sticks out."""
    ROWS_FIT: tl.constexpr = ROWS % TILE_ROWS == 0
    COLUMNS_FIT: tl.constexpr = COLUMNS % TILE_COLUMNS == 0
    WIDE: tl.constexpr = ROWS * COLUMNS * PLANES >= 2147483648
    if BY == DESCRIPTOR:
        if PLANES > 1:
            tile = tl.reshape(source.load([plane, row, column]), [TILE_ROWS, TILE_COLUMNS])
        else:
            tile = source.load([row, column])
    else:
        if PLANES > 1:
            if WIDE:
                source += plane.to(tl.int64) * (ROWS * COLUMNS)
            else:
                source += plane * (ROWS * COLUMNS)
        if BY == BLOCK_POINTER:
            block = tl.make_block_ptr(base=source, shape=(ROWS, COLUMNS), strides=(COLUMNS, 1), offsets=(row, column),
                                      block_shape=(TILE_ROWS, TILE_COLUMNS), order=(1, 0))
            if ROWS_FIT and COLUMNS_FIT:
                tile = tl.load(block, eviction_policy=KEEP)
            else:
                tile = tl.load(block, boundary_check=(0, 1), padding_option="zero", eviction_policy=KEEP)
        else:
            rows = row + tl.arange(0, TILE_ROWS)
            columns = column + tl.arange(0, TILE_COLUMNS)
            if WIDE:
                places = source + (rows.to(tl.int64)[:, None] * COLUMNS + columns[None, :])
            else:
                places = source + (rows[:, None] * COLUMNS + columns[None, :])
            if ROWS_FIT and COLUMNS_FIT:
                tile = tl.load(places, eviction_policy=KEEP)
            elif ROWS_FIT:
                tile = tl.load(places, mask=columns[None, :] < COLUMNS, other=0.0, eviction_policy=KEEP)
            elif COLUMNS_FIT:
                tile = tl.load(places, mask=rows[:, None] < ROWS, other=0.0, eviction_policy=KEEP)
            else:
                tile = tl.load(places, mask=(rows[:, None] < ROWS) & (columns[None, :] < COLUMNS), other=0.0,
                               eviction_policy=KEEP)
    return tile


@triton.jit
def _store(target, tile, plane, row, column, ROWS: tl.constexpr, COLUMNS: tl.constexpr, PLANES: tl.constexpr,
           TILE_ROWS: tl.constexpr, TILE_COLUMNS: tl.constexpr, BY: tl.constexpr):
    FITS: tl.constexpr = ROWS % TILE_ROWS == 0 and COLUMNS % TILE_COLUMNS == 0
    WIDE: tl.constexpr = ROWS * COLUMNS * PLANES >= 2147483648
    if BY == DESCRIPTOR:
        if PLANES > 1:
            target.store([plane, row, column], tl.reshape(tile, [1, TILE_ROWS, TILE_COLUMNS]))
        else:
            target.store([row, column], tile)
    else:
        if PLANES > 1:
            if WIDE:
                target += plane.to(tl.int64) * (ROWS * COLUMNS)
            else:
                target += plane * (ROWS * COLUMNS)
        if BY == BLOCK_POINTER:
            block = tl.make_block_ptr(base=target, shape=(ROWS, COLUMNS), strides=(COLUMNS, 1), offsets=(row, column),
                                      block_shape=(TILE_ROWS, TILE_COLUMNS), order=(1, 0))
            if FITS:
                tl.store(block, tile)
            else:
                tl.store(block, tile, boundary_check=(0, 1))
        else:
            rows = row + tl.arange(0, TILE_ROWS)
            columns = column + tl.arange(0, TILE_COLUMNS)
            if WIDE:
                places = target + (rows.to(tl.int64)[:, None] * COLUMNS + columns[None, :])
            else:
                places = target + (rows[:, None] * COLUMNS + columns[None, :])
            if FITS:
                tl.store(places, tile)
            else:
                tl.store(places, tile, mask=(rows[:, None] < ROWS) & (columns[None, :] < COLUMNS))


@triton.jit
def _activate(x, ACTIVATION: tl.constexpr):
    if ACTIVATION == "relu":
        x = tl.maximum(x, 0.0)
    elif ACTIVATION == "gelu":
        x = 0.5 * x * (1.0 + tl.erf(x * 0.7071067811865476))
    elif ACTIVATION == "silu":
        x = x * tl.sigmoid(x)
    return x


@triton.jit
def _tile(work, a, b, c, bias, residual, M: tl.constexpr, N: tl.constexpr, K: tl.constexpr, BATCH: tl.constexpr,
          A_COLUMN_MAJOR: tl.constexpr, B_COLUMN_MAJOR: tl.constexpr, PRECISION: tl.constexpr, OUT: tl.constexpr,
          SCALE: tl.constexpr, HAS_BIAS: tl.constexpr, ACTIVATION: tl.constexpr, HAS_RESIDUAL: tl.constexpr,
          BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr, GROUP: tl.constexpr, M_AT: tl.constexpr,
          N_AT: tl.constexpr, SPLIT: tl.constexpr, A_BY: tl.constexpr, B_BY: tl.constexpr, C_BY: tl.constexpr,
          A_KEEP: tl.constexpr, B_KEEP: tl.constexpr, K_STAGES: tl.constexpr, K_UNROLL: tl.constexpr,
          K_ONE_BUFFER: tl.constexpr, K_FLATTEN: tl.constexpr, K_SPECIALIZE: tl.constexpr, PDL: tl.constexpr):
    """One tile of one part of k: the `work`-th."""
    GRID_M: tl.constexpr = (M + BLOCK_M - 1) // BLOCK_M
    GRID_N: tl.constexpr = (N + BLOCK_N - 1) // BLOCK_N
    STEPS: tl.constexpr = (K + BLOCK_K - 1) // BLOCK_K
    TILES: tl.constexpr = GRID_M * GRID_N * BATCH
    # The axes in the order in which they are walked, the first fastest; M_AT, N_AT: which one is m, n (the batch: what is
    # left).
    FIRST: tl.constexpr = GRID_M if M_AT == 0 else (GRID_N if N_AT == 0 else BATCH)
    SECOND: tl.constexpr = GRID_M if M_AT == 1 else (GRID_N if N_AT == 1 else BATCH)

    part = work // TILES
    rest = work % TILES
    third = rest // (FIRST * SECOND)
    rest = rest % (FIRST * SECOND)
    if GROUP == 1 or GROUP >= FIRST:
        first = rest % FIRST
        second = rest // FIRST
    else:
        start = rest // (GROUP * SECOND) * GROUP
        height = min(FIRST - start, GROUP)
        rest = rest % (GROUP * SECOND)
        first = start + rest % height
        second = rest // height
    tile_m = first if M_AT == 0 else (second if M_AT == 1 else third)
    tile_n = first if N_AT == 0 else (second if N_AT == 1 else third)
    plane = third if M_AT + N_AT == 1 else (second if M_AT + N_AT == 2 else first)
    row = tile_m * BLOCK_M
    column = tile_n * BLOCK_N

    accumulator = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.float32)
    begin = part * STEPS // SPLIT
    if STEPS % SPLIT == 0:
        count = STEPS // SPLIT
    else:
        count = (part + 1) * STEPS // SPLIT - begin
    for step in tl.range(0, count, num_stages=K_STAGES, loop_unroll_factor=K_UNROLL, disallow_acc_multi_buffer=K_ONE_BUFFER,
                         flatten=K_FLATTEN, warp_specialize=K_SPECIALIZE):
        if SPLIT > 1:
            depth = (begin + step) * BLOCK_K
        else:
            depth = step * BLOCK_K
        if A_COLUMN_MAJOR:
            lhs = _load(a, plane, depth, row, K, M, BATCH, BLOCK_K, BLOCK_M, A_BY, A_KEEP).T
        else:
            lhs = _load(a, plane, row, depth, M, K, BATCH, BLOCK_M, BLOCK_K, A_BY, A_KEEP)
        if B_COLUMN_MAJOR:
            rhs = _load(b, plane, column, depth, N, K, BATCH, BLOCK_N, BLOCK_K, B_BY, B_KEEP).T
        else:
            rhs = _load(b, plane, depth, column, K, N, BATCH, BLOCK_K, BLOCK_N, B_BY, B_KEEP)
        accumulator = tl.dot(lhs, rhs, accumulator, input_precision=PRECISION)

    if SPLIT > 1:
        if PDL:
            tl.extra.cuda.gdc_launch_dependents()
        _store(c, accumulator, part * BATCH + plane, row, column, M, N, SPLIT * BATCH, BLOCK_M, BLOCK_N, C_BY)
    else:
        result = accumulator
        if SCALE != 1.0:
            result = result * SCALE
        if HAS_BIAS:
            columns = column + tl.arange(0, BLOCK_N)
            result += tl.load(bias + columns, mask=columns < N, other=0.0).to(tl.float32)[None, :]
        result = _activate(result, ACTIVATION)
        if HAS_RESIDUAL:
            result += _load(residual, plane, row, column, M, N, BATCH, BLOCK_M, BLOCK_N, POINTER, "").to(tl.float32)
        _store(c, result.to(OUT), plane, row, column, M, N, BATCH, BLOCK_M, BLOCK_N, C_BY)


@triton.jit
def matmul(a, b, c, bias, residual, M: tl.constexpr, N: tl.constexpr, K: tl.constexpr, BATCH: tl.constexpr,
           A_COLUMN_MAJOR: tl.constexpr, B_COLUMN_MAJOR: tl.constexpr, PRECISION: tl.constexpr, OUT: tl.constexpr,
           SCALE: tl.constexpr, HAS_BIAS: tl.constexpr, ACTIVATION: tl.constexpr, HAS_RESIDUAL: tl.constexpr,
           BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr, GROUP: tl.constexpr, M_AT: tl.constexpr,
           N_AT: tl.constexpr, SPLIT: tl.constexpr, A_BY: tl.constexpr, B_BY: tl.constexpr, C_BY: tl.constexpr,
           A_KEEP: tl.constexpr, B_KEEP: tl.constexpr, K_STAGES: tl.constexpr, K_UNROLL: tl.constexpr,
           K_ONE_BUFFER: tl.constexpr, K_FLATTEN: tl.constexpr, K_SPECIALIZE: tl.constexpr, G_STAGES: tl.constexpr,
           G_UNROLL: tl.constexpr, G_ONE_BUFFER: tl.constexpr, G_FLATTEN: tl.constexpr, G_SPECIALIZE: tl.constexpr,
           SCHEDULE: tl.constexpr, PROGRAMS: tl.constexpr, PDL: tl.constexpr):
    """PROGRAMS: of persistent schedules, how many there are."""
    GRID_M: tl.constexpr = (M + BLOCK_M - 1) // BLOCK_M
    GRID_N: tl.constexpr = (N + BLOCK_N - 1) // BLOCK_N
    WORK: tl.constexpr = GRID_M * GRID_N * BATCH * SPLIT
    if SCHEDULE == PERSISTENT_INTERLEAVED or SCHEDULE == PERSISTENT_BLOCKED:
        EACH: tl.constexpr = (WORK + PROGRAMS - 1) // PROGRAMS
        STEP: tl.constexpr = PROGRAMS if SCHEDULE == PERSISTENT_INTERLEAVED else 1
        if SCHEDULE == PERSISTENT_INTERLEAVED:
            start = tl.program_id(0)
            stop = WORK
        else:
            start = tl.program_id(0) * EACH
            stop = tl.minimum(start + EACH, WORK)
        for work in tl.range(start, stop, STEP, num_stages=G_STAGES, loop_unroll_factor=G_UNROLL,
                             disallow_acc_multi_buffer=G_ONE_BUFFER, flatten=G_FLATTEN, warp_specialize=G_SPECIALIZE):
            _tile(work, a, b, c, bias, residual, M, N, K, BATCH, A_COLUMN_MAJOR, B_COLUMN_MAJOR, PRECISION, OUT, SCALE,
                  HAS_BIAS, ACTIVATION, HAS_RESIDUAL, BLOCK_M, BLOCK_N, BLOCK_K, GROUP, M_AT, N_AT, SPLIT, A_BY, B_BY, C_BY,
                  A_KEEP, B_KEEP, K_STAGES, K_UNROLL, K_ONE_BUFFER, K_FLATTEN, K_SPECIALIZE, PDL)
    else:
        if SCHEDULE == XYZ:
            work = (tl.program_id(2) * tl.num_programs(1) + tl.program_id(1)) * tl.num_programs(0) + tl.program_id(0)
        else:
            work = tl.program_id(0)
        _tile(work, a, b, c, bias, residual, M, N, K, BATCH, A_COLUMN_MAJOR, B_COLUMN_MAJOR, PRECISION, OUT, SCALE, HAS_BIAS,
              ACTIVATION, HAS_RESIDUAL, BLOCK_M, BLOCK_N, BLOCK_K, GROUP, M_AT, N_AT, SPLIT, A_BY, B_BY, C_BY, A_KEEP, B_KEEP,
              K_STAGES, K_UNROLL, K_ONE_BUFFER, K_FLATTEN, K_SPECIALIZE, PDL)


@triton.jit
def add_parts(parts, out, bias, residual, TOTAL: tl.constexpr, N: tl.constexpr, SPLIT: tl.constexpr, OUT: tl.constexpr,
              SCALE: tl.constexpr, HAS_BIAS: tl.constexpr, ACTIVATION: tl.constexpr, HAS_RESIDUAL: tl.constexpr,
              ROWS: tl.constexpr, BLOCK: tl.constexpr, PDL: tl.constexpr):
    """Adds the SPLIT parts of BLOCK of the TOTAL elements, ROWS parts at a time, and does what stands after the dot."""
    if PDL:
        tl.extra.cuda.gdc_wait()
    places = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = places < TOTAL
    lines = tl.arange(0, ROWS)
    total = tl.zeros((BLOCK, ), dtype=tl.float32)
    for first in tl.range(0, SPLIT, ROWS):
        some = first + lines
        terms = tl.load(parts + (some[:, None].to(tl.int64) * TOTAL + places[None, :]),
                        mask=(some[:, None] < SPLIT) & inside[None, :], other=0.0)
        total += tl.sum(terms, axis=0)
    if SCALE != 1.0:
        total = total * SCALE
    if HAS_BIAS:
        total += tl.load(bias + places % N, mask=inside, other=0.0).to(tl.float32)
    total = _activate(total, ACTIVATION)
    if HAS_RESIDUAL:
        total += tl.load(residual + places, mask=inside, other=0.0).to(tl.float32)
    tl.store(out + places, total.to(OUT), mask=inside)
