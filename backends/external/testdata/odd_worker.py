"""A worker that does everything right, but for the one fault that it is told to have.

usage: odd_worker.py [--fault=NAME] [--max-compiles=N] [--overlap] [--simulated]

It "compiles" a kernel `sleep` with one number, and times a loop over it. Faults that belong to a candidate strike
where its knob `tile` is 64 (--always: everywhere).
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time

parser = argparse.ArgumentParser()
parser.add_argument("--fault", default="")
parser.add_argument("--always", action="store_true")
parser.add_argument("--max-compiles", type=int, default=1)
parser.add_argument("--overlap", action="store_true")
parser.add_argument("--simulated", action="store_true")
parser.add_argument("--unchecked", action="store_true")
parser.add_argument("--name", default="odd")
parser.add_argument("--use", default="")
parser.add_argument("--later-fault", default="", help="instead of --fault, in all processes but the first")
parser.add_argument("--start-file", default="", help="what --later-fault counts processes by")
options = parser.parse_args()
fault = options.fault
if options.start_file:
    if os.path.exists(options.start_file):
        fault = options.later_fault
    open(options.start_file, "w").close()


def write(text):
    sys.stdout.write(text)
    sys.stdout.flush()


def reply(id, **body):
    write(json.dumps({"id": id, **body}) + "\n")


def stop():
    while True:
        time.sleep(1)


def hello(id, request):
    body = {
        "protocol_version": 1,
        "name": options.name,
        "version": "1",
        "code_generator": "none",
        "device": {"info": {"kind": "CPU", "name": "some CPU"}},
        "kernels": [{"name": "sleep"}],
        "max_compiles": options.max_compiles,
        "compiles_while_running": options.overlap,
        "checks_results": not options.unchecked,
        "simulated_time": options.simulated,
    }
    if options.use:
        body["device"] = {"spec": "h100_sxm"}
    if fault == "exit_at_hello":
        sys.stderr.write("no licence\n")
        sys.exit(3)
    elif fault == "silent":
        stop()
    elif fault == "chatty_stdout":
        write("Loading the kernels...\n")
    elif fault == "cut_json":
        write('{"id":1,"hello":{"protocol_version":1,\n')
        stop()
    elif fault == "array":
        write("[1]\n")
        stop()
    elif fault == "wrong_id":
        id = 99
    elif fault == "wrong_kind":
        return reply(id, space=body)
    elif fault == "no_kind":
        return reply(id)
    elif fault == "other_version":
        body["protocol_version"] = 2
    elif fault == "no_name":
        del body["name"]
    elif fault == "no_device":
        del body["device"]
    elif fault == "unknown_spec":
        body["device"] = {"spec": "h1000"}
    elif fault == "misspelt":
        body["compiler_version"] = "9"
    elif fault == "text_for_number":
        body["max_compiles"] = "many"
    elif fault == "huge_line":
        body["code_generator"] = "x" * (2 << 20)
    elif fault == "no_line_end":
        write(json.dumps({"id": id, "hello": body}))
        stop()
    elif fault == "two_replies":
        reply(id, hello=body)
    elif fault == "cannot_serve":
        return reply(id, error={"kind": "unsupported", "message": "no device here"})
    elif fault == "chatty_stderr":
        sys.stderr.write("x" * 300000 + "\n")
    reply(id, hello=body)


def space(id, request):
    body = {
        "name": "sleep",
        "version": 1,
        "parameters": [
            {"name": "tile", "values": [16, 32, 64, 128], "default": 32},
            {"name": "unroll", "values": [False, True]},
            {"name": "order", "values": ["row", "column"]},
            {"name": "scale", "values": [0.5, 1, 1.5]},
        ],
        "constraints": ["tile >= 32 or not unroll"],
    }
    if options.use:
        body = {"use": options.use, "constraints": ["num_warps >= 4"]}
    if fault == "unsupported":
        return reply(id, error={"kind": "unsupported", "message": "no kernel of that name"})
    elif fault == "no_parameters":
        body["parameters"], body["constraints"] = [], []
    elif fault == "no_values":
        body["parameters"][0]["values"] = []
    elif fault == "mixed_values":
        body["parameters"][0]["values"] = [16, "32"]
    elif fault == "wrong_default":
        body["parameters"][0]["default"] = 48
    elif fault == "wrong_constraint":
        body["constraints"] = ["tile >= block"]
    elif fault == "unknown_use":
        body = {"use": "cudaa"}
    elif fault == "moody_space":
        body["parameters"][0]["values"].append(random.randrange(1000, 1000000))
    elif fault == "exit_at_space":
        sys.exit(4)
    reply(id, space=body)


candidates = {}


def strikes(config):
    return options.always or config.get("tile") == 64


def compile(id, request):
    config = request["config"]
    if strikes(config):
        if fault == "compile_hang":
            stop()
        elif fault == "compile_crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        elif fault == "compile_exit":
            sys.stderr.write("ran out of disk\n")
            sys.exit(1)
        elif fault == "unknown_error_kind":
            return reply(id, error={"kind": "oops", "message": "it did not work"})
        elif fault == "no_message":
            return reply(id, error={"kind": "compile_error"})
        elif fault == "compile_error":
            return reply(id, error={"kind": "compile_error", "message": "too many registers"})
        elif fault == "restart":
            return reply(id, error={"kind": "compile_error", "message": "the driver is gone", "restart": True})
        elif fault == "negative_compile":
            return reply(id, compile={"compile_ns": -1})
    candidates[id] = config
    reply(id, compile={"compile_ns": 1000})


def run(id, request):
    config = candidates.get(request["candidate"])
    if config is None and fault != "runs_anything":
        return reply(id, error={"kind": "launch_error", "message": "no such candidate"})
    config = config or {"tile": 32}
    ns = 1000.0 * abs(config.get("tile", 64) - 48)
    samples = [ns + i for i in range(request["min_samples"])]
    body = {"samples_ns": samples, "checked": request["check_result"] and not options.unchecked}
    if request["drop_above_ns"] and ns > request["drop_above_ns"] and fault != "never_drops":
        body["lower_bound_ns"] = ns
    if not options.simulated:
        time.sleep(sum(samples) / 1e9)
    if strikes(config):
        if fault == "run_hang":
            stop()
        elif fault == "run_crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        elif fault == "run_exit":
            sys.exit(1)
        elif fault == "child_keeps_pipes":
            subprocess.Popen(["sleep", "1000"])
            os._exit(5)
        elif fault == "negative_sample":
            samples[2] = -1
        elif fault == "nan_sample":
            samples[2] = float("nan")
        elif fault == "no_samples":
            samples.clear()
        elif fault == "few_samples":
            del samples[1:]
        elif fault == "many_samples":
            samples.extend(samples * 20)
        elif fault == "boasts_of_time":
            samples[0] = 3e9
        elif fault == "does_not_check":
            body["checked"] = False
        elif fault == "drops_unasked":
            body["lower_bound_ns"] = 5
        elif fault == "run_wrong_kind":
            return reply(id, compile={})
        elif fault == "run_twice":
            reply(id, run=body)
        elif fault == "wrong_result":
            return reply(id, error={"kind": "wrong_result", "message": "out[3] is 1, want 2"})
        elif fault == "run_prints":
            write("tile = 64\n")
        elif fault == "run_restart":
            return reply(id, error={"kind": "launch_error", "message": "illegal address", "restart": True})
    reply(id, run=body)


def release(id, request):
    if fault == "no_reply_to_release":
        return
    candidates.pop(request["candidate"], None)
    reply(id, release={})


def goodbye(id, request):
    if fault == "ignores_goodbye":
        stop()
    reply(id, goodbye={})
    if fault == "stays_after_goodbye":
        stop()
    if fault == "child_outlives":
        subprocess.Popen(["sleep", "1000"])
    sys.exit(7 if fault == "goodbye_status" else 0)


def serve():
    last_kind = None
    for line in sys.stdin:
        request = json.loads(line)
        id = request.pop("id")
        ((kind, body),) = request.items()
        if fault == "loses_second_compile" and kind == "compile" and last_kind == "compile":
            last_kind = None
            continue
        last_kind = kind
        {"hello": hello, "space": space, "compile": compile, "run": run, "release": release, "goodbye": goodbye}[kind](
            id, body
        )
    if fault == "ignores_end":
        stop()


serve()
