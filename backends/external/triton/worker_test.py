"""Tests of all that needs no GPU: problems, plans, sessions, the pool that compiles."""
import io
import json
import os
import queue
import threading
import time
import unittest

import plan
import protocol
from compile_pool import CompilePool
from dry_machine import DryMachine
from plan import Device, make_plan
from problem import Problem, Unsupported, problem_of_kernel, problem_of_short_form


def matrix(rows, columns, column_major=False, dtype="bf16", batch_stride=0):
    return {"dtype": dtype, "row_stride": 1 if column_major else columns, "column_stride": rows if column_major else 1,
            "batch_stride": batch_stride}


def kernel(m=128, n=256, k=512, batch=1, **more):
    strides = (m * k, k * n, m * n) if batch > 1 else (0, 0, 0)
    matmul = {"m": m, "n": n, "k": k, "batch": batch, "accumulator": "f32", "lhs": matrix(m, k, batch_stride=strides[0]),
              "rhs": matrix(k, n, batch_stride=strides[1]), "out": matrix(m, n, batch_stride=strides[2]), "epilogue": [],
              "scale": 1}
    return {"name": "a matmul", "function": "matmul", "fingerprint": "0", "matmul": {**matmul, **more}}


class ProblemTest(unittest.TestCase):

    def test_reads_shapes_layouts_and_epilogues(self):
        self.assertEqual(problem_of_kernel(kernel()), Problem(m=128, n=256, k=512))
        self.assertEqual(problem_of_kernel(kernel(batch=4)), Problem(m=128, n=256, k=512, batch=4))
        self.assertEqual(
            problem_of_kernel(kernel(rhs=matrix(512, 256, column_major=True), out=matrix(128, 256, dtype="f32"), scale=0.5,
                                     epilogue=["scale", "bias", "gelu", "residual"],
                                     residual=matrix(128, 256, dtype="f32"))),
            Problem(m=128, n=256, k=512, out="f32", rhs_column_major=True, scale=0.5, bias=True, activation="gelu",
                    residual=True))

    def test_reads_the_short_form_alike(self):
        self.assertEqual(problem_of_short_form("matmul:128x256x512:bf16"), problem_of_kernel(kernel()))
        self.assertEqual(problem_of_short_form("matmul:128x256x512:bf16:tt:batch=3:out=f32:relu:scale=2"),
                         Problem(m=128, n=256, k=512, batch=3, out="f32", lhs_column_major=True, rhs_column_major=True,
                                 scale=2.0, activation="relu"))
        with self.assertRaises(ValueError):
            problem_of_short_form("matmul:128x256:bf16")

    def test_refuses_by_name(self):
        for wanted, refused in (
            ("function transpose", {**kernel(), "function": "transpose"}),
            ("accumulator of f64", kernel(accumulator="f64")),
            ("dtype i8", kernel(lhs=matrix(128, 512, dtype="i8"), rhs=matrix(512, 256, dtype="i8"))),
            ("operands of bf16 and f16", kernel(rhs=matrix(512, 256, dtype="f16"))),
            ("column-major output", kernel(out=matrix(128, 256, column_major=True))),
            ("lhs with strides of 640 and 1", kernel(lhs={**matrix(128, 512), "row_stride": 640})),
            ("rhs with a batch stride of 0", kernel(batch=2, rhs=matrix(512, 256))),
            ("residual of bf16", kernel(out=matrix(128, 256, dtype="f32"), epilogue=["residual"], residual=matrix(128, 256))),
            ("epilogue of tanh", kernel(epilogue=["tanh"])),
        ):
            with self.subTest(wanted), self.assertRaisesRegex(Unsupported, wanted):
                problem_of_kernel(refused)


class PlanTest(unittest.TestCase):

    def test_covers_every_tile_once(self):
        problem = Problem(m=300, n=500, k=700, batch=2)
        for config, programs in (
            ({}, 5 * 8 * 2), ({"split_k": 3}, 5 * 8 * 2 * 3), ({"block_size[m]": 16}, 19 * 8 * 2),
            ({"pid_type": "persistent_interleaved"}, 80),
            ({"pid_type": "persistent_blocked", "split_k": 4, "num_sm_multiplier": 2}, 264),
        ):
            grid = make_plan(problem, config, Device()).grid
            self.assertEqual(grid, (programs, 1, 1), config)
        xyz = make_plan(problem, {"pid_type": "xyz", "loop_order": [2, 1, 0], "split_k": 2}, Device())
        self.assertEqual(xyz.grid, (2, 8, 5 * 2))

    def test_stores_parts_of_k_as_f32_and_adds_them(self):
        planned = make_plan(Problem(m=64, n=64, k=4096, bias=True), {"split_k": 8}, Device())
        self.assertEqual(planned.matrices[2], ((64, 64), (64, 64), 8, plan.POINTER, "f32"))
        self.assertEqual(planned.add_parts["SPLIT"], 8)
        self.assertTrue(planned.add_parts["HAS_BIAS"])
        elements = planned.add_parts_grid[0] * planned.add_parts["BLOCK"]
        self.assertGreaterEqual(elements, 64 * 64)
        self.assertEqual(make_plan(Problem(m=64, n=64, k=64), {}, Device()).add_parts, {})

    def test_loads_what_is_column_major_as_it_lies(self):
        planned = make_plan(Problem(m=128, n=256, k=512, lhs_column_major=True), {}, Device())
        self.assertEqual(planned.matrices[0][:2], ((512, 128), (32, 64)))
        self.assertEqual(planned.matrices[1][:2], ((512, 256), (32, 64)))

    def test_refuses_by_name(self):
        descriptor = {"indexing[0]": "tensor_descriptor"}
        aligned, odd = Problem(m=128, n=128, k=128), Problem(m=127, n=129, k=67)
        for wanted, problem, config, device in (
            ("knob tcgen05_cluster_m", aligned, {"tcgen05_cluster_m": 2}, Device()),
            ("sm75, want sm80", aligned, {}, Device(capability=75)),
            ("f8e4m3 on sm80", Problem(m=128, n=128, k=128, dtype="f8e4m3"), {}, Device(capability=80)),
            (r"indexing\[0\]: tensor_descriptor on sm80", aligned, descriptor, Device(capability=80)),
            (r"indexing\[0\]: tensor_descriptor of rows of 134 bytes", odd, descriptor, Device()),
            (r"load_eviction_policy\[0\]", aligned, {**descriptor, "load_eviction_policy[0]": "first"}, Device()),
            ("split_k of 9 parts of 4 blocks", aligned, {"split_k": 9}, Device()),
            ("epilogue_subtile 2", aligned, {"epilogue_subtile": 2}, Device()),
            ("65536 x 1 programs", Problem(m=16, n=2**20, k=16), {"block_size[n]": 16, "pid_type": "xyz"}, Device()),
        ):
            with self.subTest(wanted), self.assertRaisesRegex(Unsupported, wanted):
                make_plan(problem, config, device)
        with self.assertRaisesRegex(ValueError, "pid_type is 'zigzag'"):
            make_plan(aligned, {"pid_type": "zigzag"}, Device())

    def test_knobs_become_constants(self):
        constants = make_plan(Problem(m=128, n=128, k=128), {
            "load_eviction_policy[1]": "first", "range_multi_buffer[k]": "false", "range_flatten[grid]": "true",
            "range_num_stages[k]": 4, "num_stages": 2, "range_unroll_factor[k]": 2, "loop_order": [1, 0]}, Device()).constants
        for name, value in (("B_KEEP", "evict_first"), ("K_ONE_BUFFER", True), ("G_FLATTEN", True), ("K_STAGES", 4),
                            ("K_UNROLL", 2), ("G_UNROLL", None), ("M_AT", 1), ("N_AT", 0)):
            self.assertEqual(constants[name], value, name)


def converse(*requests, machine=None):
    lines = [json.dumps({"id": i, **request}) + "\n" for i, request in enumerate(requests, 1)]
    out = io.StringIO()
    protocol.Session(machine or DryMachine(), iter(lines), out).serve()
    return {reply["id"]: reply for reply in map(json.loads, out.getvalue().splitlines())}


HELLO = {"hello": {"protocol_version": 1, "worker_index": 0, "worker_count": 1, "device": ""}}
RUN = {"min_samples": 5, "max_samples": 30, "target_ns": 3e7, "drop_above_ns": 0, "check_result": True, "data_seed": 1,
       "timeout_ns": 2e10}


class SessionTest(unittest.TestCase):

    def test_compiles_runs_and_releases(self):
        replies = converse(HELLO, {"space": {"kernel": kernel()}},
                           {"compile": {"kernel": kernel(), "config": {"num_warps": 4}, "timeout_ns": 1e9}},
                           {"run": {"candidate": 3, **RUN}}, {"release": {"candidate": 3}}, {"run": {"candidate": 3, **RUN}},
                           {"goodbye": {}})
        self.assertEqual(replies[1]["hello"]["protocol_version"], 1)
        self.assertEqual(replies[2]["space"]["use"], "triton")
        self.assertIn("compile", replies[3])
        self.assertEqual(len(replies[4]["run"]["samples_ns"]), 5)
        self.assertEqual(replies[6]["error"]["kind"], "launch_error")
        self.assertEqual(replies[7]["goodbye"], {})

    def test_errors_have_their_kinds(self):
        replies = converse({"hello": {"protocol_version": 2}}, {"space": {"kernel": {"function": "transpose"}}},
                           {"compile": {"kernel": kernel(), "config": {"num_warpz": 4}, "timeout_ns": 1e9}}, {"dance": {}})
        self.assertEqual([replies[i]["error"]["kind"] for i in (1, 2, 3, 4)],
                         ["unsupported", "unsupported", "compile_error", "unsupported"])
        self.assertIn("num_warpz", replies[3]["error"]["message"])

    def test_compiles_while_it_runs(self):
        compiled = threading.Event()

        class Overlapping(DryMachine):

            def compile(self, plan, timeout_s, done):
                super().compile(plan, timeout_s, done)
                if plan[1].options["num_warps"] == 8:
                    compiled.set()

            def run(self, plan, request):
                if not compiled.wait(timeout=30):
                    raise protocol.Failure("timeout", "nothing compiled meanwhile")
                return super().run(plan, request)

        def compiling(warps):
            return {"compile": {"kernel": kernel(), "config": {"num_warps": warps}, "timeout_ns": 1e9}}

        replies = converse(compiling(4), {"run": {"candidate": 1, **RUN}}, compiling(8), machine=Overlapping())
        self.assertIn("run", replies[2])

    def test_a_broken_device_ends_the_session(self):

        class Broken(DryMachine):

            def run(self, plan, request):
                raise protocol.Failure("launch_error", "an illegal\nmemory access", restart=True)

        replies = converse({"compile": {"kernel": kernel(), "config": {}, "timeout_ns": 1e9}}, {"run": {"candidate": 1, **RUN}},
                           {"release": {"candidate": 1}}, machine=Broken())
        self.assertEqual(replies[2]["error"], {"kind": "launch_error", "message": "an illegal memory access", "restart": True})
        self.assertNotIn(3, replies)


def prepare_nothing():
    pass


def prepare_badly():
    raise ImportError("no triton")


def work(job):
    if job == "abort":
        os.abort()
    if job == "hang":
        time.sleep(600)
    if job == "raise":
        raise ValueError("no such thing")
    return job.upper()


class CompilePoolTest(unittest.TestCase):

    def test_what_crashes_or_hangs_costs_itself(self):
        pool = CompilePool(2, prepare_nothing, work, timeout_s=5.0)
        done = queue.Queue()
        jobs = ["a", "abort", "hang", "raise", "b", "c"]
        for job in jobs:
            pool.submit(job, lambda ok, result, seconds, job=job: done.put((job, ok, result)))
        results = {}
        for _ in jobs:
            job, ok, result = done.get(timeout=60)
            results[job] = (ok, result)
        pool.close()
        for job in "abc":
            self.assertEqual(results[job], (True, job.upper()))
        self.assertIn("crashed", results["abort"][1])
        self.assertIn("longer than 5 s", results["hang"][1])
        self.assertEqual(results["raise"], (False, "ValueError: no such thing"))

    def test_says_what_keeps_its_processes_from_starting(self):
        pool = CompilePool(1, prepare_badly, work)
        done = queue.Queue()
        pool.submit("a", lambda ok, result, seconds: done.put((ok, result)))
        self.assertEqual(done.get(timeout=60), (False, "no process to compile in: ImportError: no triton"))
        pool.close()


if __name__ == "__main__":
    unittest.main()
