"""What the processes of compile_pool.py run."""


class Prepare:
    """Called once in each process: from then on Triton compiles for `target` and touches no GPU."""

    def __init__(self, target):
        self._target = target

    def __call__(self):
        import launcher
        launcher.compile_only(self._target)


def run(job):
    """`job`: a problem and its plan. Returns bytes of shared memory; raises what Triton raises."""
    import launcher
    return launcher.compile_plan(*job)
