#!/usr/bin/env bash
# The scripts of this folder and the worker's own parse, those that no test can run without a GPU, too.
set -eu
if ! command -v python3 >/dev/null; then
  echo "skipped: no python3 here" >&2
  exit 0
fi
cd "$(dirname "$0")"
for script in *.py ../../backends/external/triton/*.py; do
  python3 -B -c 'import ast, sys; ast.parse(open(sys.argv[1]).read(), sys.argv[1])' "$script"
done
