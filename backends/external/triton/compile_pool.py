"""Compiles in processes of their own, many at once: one that crashes or hangs costs what it was compiling."""
import multiprocessing
import os
import queue
import threading
import time

START_TIMEOUT_S = 120.0  # of a process that imports what it compiles with


def _serve(connection, prepare, work):
    """In a child: says that it is ready, then answers each job until the parent closes the pipe. Compilers print what they
    think of a kernel, whole programs at times; nobody asked."""
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    os.nice(10)  # whoever launches kernels goes first
    try:
        prepare()
    except BaseException as error:  # pylint: disable=broad-except
        connection.send(f"{type(error).__name__}: {error}")
        return
    connection.send("")
    while True:
        try:
            job = connection.recv()
        except EOFError:
            return
        try:
            connection.send((True, work(job)))
        except BaseException as error:  # pylint: disable=broad-except
            connection.send((False, f"{type(error).__name__}: {error}"))


class CompilePool:
    """`work(job)` runs in one of `size` processes, each after a first `prepare()`; both must be importable by name.

    Thread-safe. Close it, or its processes end with this one.
    """

    def __init__(self, size, prepare, work, timeout_s=60.0, preload=()):
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(list(preload))
        self._prepare, self._work, self._timeout_s = prepare, work, timeout_s
        self._jobs = queue.Queue()
        self._threads = [threading.Thread(target=self._drive, daemon=True) for _ in range(size)]
        for thread in self._threads:
            thread.start()

    def submit(self, job, done, timeout_s=float("inf")):
        """Later calls, on another thread, `done(ok, result, seconds)`; the result of what failed is why. It fails once
        `timeout_s` has passed from now on, or once it has been worked on for as long as the pool allows."""
        self._jobs.put((job, done, time.monotonic() + timeout_s))

    def close(self):
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join(timeout=self._timeout_s)

    def _start(self):
        """A process that is ready, and our end of its pipe. RuntimeError: why there is none."""
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_serve, args=(theirs, self._prepare, self._work), daemon=True)
        process.start()
        theirs.close()
        try:
            problem = ours.recv() if ours.poll(START_TIMEOUT_S) else f"not ready after {START_TIMEOUT_S:.0f} s"
        except (EOFError, OSError):
            problem = "it ended before it was ready"
        if problem:
            process.kill()
            process.join()
            raise RuntimeError(f"no process to compile in: {problem}")
        return process, ours

    def _drive(self):
        process = connection = None
        while True:
            item = self._jobs.get()
            if item is None:
                break
            job, done, deadline = item
            begin = time.monotonic()
            try:
                if process is None or not process.is_alive():
                    process, connection = self._start()
                connection.send(job)
                allowed = min(self._timeout_s, max(0.1, deadline - time.monotonic()))
                if connection.poll(allowed):
                    ok, result = connection.recv()
                else:
                    process.kill()
                    process.join()
                    ok, result = False, f"compiling took longer than {allowed:.3g} s"
            except RuntimeError as error:
                ok, result = False, str(error)
            except (EOFError, OSError) as error:
                ok, result = False, f"no process to compile in: {error}"
                if process is not None:
                    process.join(timeout=1.0)
                    result = f"the compiler crashed (exit status {process.exitcode})"
            done(ok, result, time.monotonic() - begin)
        if process is not None and process.is_alive():
            connection.close()
            process.join(timeout=5.0)
