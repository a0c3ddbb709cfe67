"""A worker for `seedtune tune --backend=external`: transposes a matrix in plain Python, in three ways."""

import array
import json
import platform
import random
import sys
import time

# Replies go to the real standard output. Whatever else prints, a library say, goes to standard error.
replies, sys.stdout = sys.stdout, sys.stderr


def hello(request):
    return {
        "protocol_version": 1,
        "name": "transpose",
        "version": "1",
        "code_generator": "python " + platform.python_version(),
        "device": {"detect": "cpu"},
        "kernels": [{"name": "transpose"}],
        "checks_results": True,
    }


def space(request):
    if request["kernel"]["function"] != "transpose":
        raise Failure("unsupported", "want external:transpose:rows=R:columns=C")
    return {
        "name": "transpose",
        "parameters": [
            {"name": "method", "values": ["elements", "rows", "columns"]},
            {"name": "tile", "values": [1, 8, 64, 512], "default": 8},
        ],
        "constraints": ["method == 'elements' or tile == 1 or tile == 8"],
    }


def transpose(a, out, rows, columns, method, tile):
    if method == "rows":
        for i in range(rows):
            out[i::rows] = a[i * columns : (i + 1) * columns]
    elif method == "columns":
        for j in range(columns):
            out[j * rows : (j + 1) * rows] = a[j::columns]
    else:
        for i0 in range(0, rows, tile):
            for j0 in range(0, columns, tile):
                for i in range(i0, min(i0 + tile, rows)):
                    for j in range(j0, min(j0 + tile, columns)):
                        out[j * rows + i] = a[i * columns + j]


candidates = {}


def compile(request):
    sizes = request["kernel"]["parameters"]
    candidates[request["id"]] = dict(rows=sizes["rows"], columns=sizes["columns"], **request["config"])
    return {}


def run(request):
    candidate = candidates.get(request["candidate"])
    if candidate is None:
        raise Failure("launch_error", "no such candidate")
    rows, columns = candidate["rows"], candidate["columns"]
    random.seed(request["data_seed"])
    a = array.array("d", (random.random() for _ in range(rows * columns)))
    out = array.array("d", [float("nan")]) * (rows * columns)

    if request["check_result"]:
        transpose(a, out, **candidate)
        wanted = [a[i * columns + j] for j in range(columns) for i in range(rows)]
        for i, (got, want) in enumerate(zip(out, wanted)):
            if got != want:
                raise Failure("wrong_result", f"out[{i}] is {got}, want {want}")

    samples, drop = [], request["drop_above_ns"]
    while len(samples) < request["max_samples"]:
        start = time.perf_counter_ns()
        transpose(a, out, **candidate)
        samples.append(time.perf_counter_ns() - start)
        if drop and len(samples) > 1 and min(samples[-2:]) > drop:
            return {"lower_bound_ns": min(samples[-2:])}
        if len(samples) >= request["min_samples"] and sum(samples) > request["target_ns"]:
            break
    return {"samples_ns": samples, "checked": request["check_result"]}


def release(request):
    candidates.pop(request["candidate"], None)
    return {}


class Failure(Exception):
    pass  # kind, message


for line in sys.stdin:
    message = json.loads(line)
    number = message.pop("id")
    ((kind, request),) = message.items()
    request["id"] = number
    try:
        reply = {"goodbye": {}} if kind == "goodbye" else {kind: globals()[kind](request)}
    except Failure as failure:
        reply = {"error": {"kind": failure.args[0], "message": failure.args[1]}}
    print(json.dumps({"id": number, **reply}), file=replies, flush=True)
    if kind == "goodbye":
        break
