#!/usr/bin/env bash
# Runs worker_test.py where there is a Python.
set -eu
if ! command -v python3 >/dev/null; then
  echo "skipped: no python3 here" >&2
  exit 0
fi
exec python3 -B "$(dirname "$0")/worker_test.py"
