"""The worker's side of docs/worker-protocol.md: lines in, lines out, compiling beside running. Needs no Triton.

What compiles and runs is a machine:
    hello() -> dict         fields of the hello reply beside those that are the protocol's
    plan(kernel, config)    what is to be compiled; raises problem.Unsupported or ValueError
    compile(plan, timeout_s, done)    later calls done(error or None), on any thread
    run(plan, request) -> dict    the run reply; called by one thread, one at a time
    space(kernel) -> dict   the space reply; raises problem.Unsupported
    close()
Machines raise Failure for what has a kind of its own.
"""
import json
import queue
import threading
import traceback

from problem import Unsupported

VERSION = 1


class Failure(Exception):

    def __init__(self, kind, message, restart=False):
        super().__init__(message)
        self.kind, self.restart = kind, restart


def _error(kind, message, restart=False):
    error = {"kind": kind, "message": " ".join(str(message).split())[:2000]}
    if restart:
        error["restart"] = True
    return {"error": error}


def _error_of(exception):
    if isinstance(exception, Failure):
        return _error(exception.kind, exception, exception.restart)
    return _error("launch_error", "".join(traceback.format_exception_only(exception)))


class Session:
    """Answers requests from `lines` on `stream` until goodbye or the end of input."""

    def __init__(self, machine, lines, stream):
        self._machine, self._lines, self._stream = machine, lines, stream
        self._lock = threading.Lock()
        self._candidates = {}
        self._others = queue.Queue()  # requests that are no compile, for the main thread

    def serve(self):
        threading.Thread(target=self._read, daemon=True).start()
        while True:
            request = self._others.get()
            if request is None:
                return
            identifier, kind, body = request
            try:
                reply = {kind: getattr(self, f"_{kind}")(body)}
            except Exception as error:  # pylint: disable=broad-except
                reply = _error_of(error)
            self._reply(identifier, reply)
            if kind == "goodbye" or reply.get("error", {}).get("restart"):
                return

    def _reply(self, identifier, reply):
        line = json.dumps({"id": identifier, **reply}, separators=(",", ":")) + "\n"
        with self._lock:
            self._stream.write(line)
            self._stream.flush()

    def _read(self):
        for line in self._lines:
            if not line.strip():
                continue
            request = json.loads(line)
            identifier = request["id"]
            kind = next((kind for kind in ("hello", "space", "compile", "run", "release", "goodbye") if kind in request), None)
            if kind == "compile":
                self._compile(identifier, request["compile"])
            elif kind is None:
                self._reply(identifier, _error("unsupported", f"a request of kinds {sorted(request)}"))
            else:
                self._others.put((identifier, kind, request[kind]))
        self._others.put(None)

    def _hello(self, body):
        if body["protocol_version"] != VERSION:
            raise Failure("unsupported", f"protocol version {body['protocol_version']}, want {VERSION}")
        return {"protocol_version": VERSION, **self._machine.hello()}

    def _space(self, body):
        try:
            return self._machine.space(body["kernel"])
        except Unsupported as error:
            raise Failure("unsupported", error) from error

    def _compile(self, identifier, body):
        try:
            plan = self._machine.plan(body["kernel"], body["config"])
        except (Unsupported, ValueError, KeyError) as error:
            self._reply(identifier, _error("compile_error", f"not built by this worker: {error}"))
            return

        def done(error):
            if error is not None:
                self._reply(identifier, _error_of(error))
                return
            self._candidates[identifier] = plan
            self._reply(identifier, {"compile": {}})

        self._machine.compile(plan, body["timeout_ns"] / 1e9, done)

    def _run(self, body):
        if body["candidate"] not in self._candidates:
            raise Failure("launch_error", f"no candidate {body['candidate']}")
        return self._machine.run(self._candidates[body["candidate"]], body)

    def _release(self, body):
        self._candidates.pop(body["candidate"], None)
        return {}

    def _goodbye(self, body):
        del body
        return {}


def refuse(lines, stream, why):
    """Answers the first request with why nothing can be served. Returns the exit status."""
    for line in lines:
        if line.strip():
            stream.write(json.dumps({"id": json.loads(line)["id"], **_error("unsupported", why)}) + "\n")
            stream.flush()
            break
    return 1
