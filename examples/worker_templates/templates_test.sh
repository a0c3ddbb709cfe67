#!/bin/sh
# Every template conforms, and its knobs make a difference that is measured.
#
# usage: templates_test.sh SEEDTUNE WORKER.py WORKER WORKER.sh
set -eu
seedtune=$1
export HOME="$TEST_TMPDIR"

try() {
  command=$1 kernel=$2
  "$seedtune" worker check "$command" --kernel="$kernel" --json > "$TEST_TMPDIR/check.json"
  grep -q '"conforms": true' "$TEST_TMPDIR/check.json"
  if grep -q '"level"' "$TEST_TMPDIR/check.json"; then
    cat "$TEST_TMPDIR/check.json"
    exit 1
  fi
  "$seedtune" tune "$kernel" --backend=external --worker="$command" --budget=4evals --db="$TEST_TMPDIR/t.db" --json \
    > "$TEST_TMPDIR/tune.json"
  grep -q '"finished": true' "$TEST_TMPDIR/tune.json"
}

try "python3 $2" external:transpose:rows=48:columns=64
try "$3" external:transpose:rows=96:columns=80
try "sh $4" external:copy:megabytes=1
