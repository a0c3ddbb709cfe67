"""Follows docs/tune-your-own-kernel.md as it is written.

usage: guide_test.py GUIDE SEEDTUNE WORKER.py
"""

import os
import re
import subprocess
import sys
import tempfile

guide_path, program, template_path = (os.path.abspath(path) for path in sys.argv[1:])
sources = os.path.dirname(os.path.dirname(guide_path))
with open(guide_path) as file:
    blocks = re.findall(r"^```(\w+)\n(.*?)^```$", file.read(), re.DOTALL | re.MULTILINE)

# Pieces as PEP 8 spaces them: two lines between definitions.
worker = "\n\n".join(text for kind, text in blocks if kind == "python")
with open(template_path) as file:
    template = file.read()
if worker != template:
    sys.exit(f"the pieces of {guide_path} do not make up {template_path}")

with tempfile.TemporaryDirectory() as folder:
    with open(os.path.join(folder, "my_worker.py"), "w") as file:
        file.write(worker)
    os.mkdir(os.path.join(folder, "bin"))
    os.symlink(program, os.path.join(folder, "bin", "seedtune"))
    environment = dict(
        os.environ,
        HOME=folder,
        PATH=os.path.join(folder, "bin") + ":/usr/local/bin:/usr/bin:/bin",
        SEEDTUNE=sources,
        BUILD_WORKING_DIRECTORY=folder,
    )
    commands = [text for kind, text in blocks if kind == "sh"]
    printed = ""
    for command in commands:
        print("$", command, end="", flush=True)
        done = subprocess.run(
            ["sh", "-euc", command], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        print(done.stdout, flush=True)
        if done.returncode != 0:
            sys.exit(f"exit status {done.returncode} of: {command}")
        printed += done.stdout
    for wanted in ["the worker conforms", "recorded in", '"method"', "transpose_T4.json"]:
        if wanted not in printed:
            sys.exit(f"nothing printed has {wanted}")
    if len(commands) < 6:
        sys.exit(f"only {len(commands)} commands, want those of the guide")
