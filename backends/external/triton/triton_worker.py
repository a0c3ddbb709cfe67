#!/usr/bin/env python3
"""A worker that builds Seedtune's matmuls with Triton and times them on this machine's GPU.

    seedtune tune matmul:4096x4096x4096:bf16 --backend=external --worker='python3 backends/external/triton/triton_worker.py'

Speaks the protocol of docs/worker-protocol.md on standard input and output. Needs Python 3.10, Triton 3.4 or newer and
PyTorch 2.6 or newer. With --dry it needs neither, runs nothing and makes its times up.
"""
import argparse
import os
import pathlib
import sys

HERE = pathlib.Path(__file__).parent.absolute()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dry", action="store_true", help="needs no GPU: refuses what it would, and makes times up")
    parser.add_argument("--compile_timeout", type=float, default=10.0, metavar="SECONDS",
                        help="a configuration that takes longer to compile fails (most take under 1 s; default: 10)")
    options = parser.parse_args()
    # What anybody prints goes to standard error; replies alone go out.
    stream = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    # Processes that compile import from here, too.
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(HERE), os.environ.get("PYTHONPATH"))))

    import protocol
    if options.dry:
        from dry_machine import DryMachine as Machine
    else:
        try:
            from gpu_machine import GpuMachine as Machine
        except ImportError as error:
            return protocol.refuse(sys.stdin, stream, f"{error}; the worker needs Triton and PyTorch")
    try:
        machine = Machine(options.compile_timeout)
    except protocol.Failure as error:
        return protocol.refuse(sys.stdin, stream, error)
    protocol.Session(machine, sys.stdin, stream).serve()
    stream.flush()
    # Nothing is left to wait for: candidates that still compile are of no use to anybody.
    os._exit(0)  # pylint: disable=protected-access


if __name__ == "__main__":
    sys.exit(main())
