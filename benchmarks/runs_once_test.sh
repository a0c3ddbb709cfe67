#!/usr/bin/env bash
# A benchmark with small arguments: it ends well, checks its results, and prints its table.
#   runs_once_test.sh WANTED PROGRAM ARGUMENT...     WANTED: a text of the table
set -u
wanted=$1
shift
output=$("$@" 2>&1)
status=$?
echo "$output"
if [ "$status" -ne 0 ]; then
  echo "exit status $status"
  exit 1
fi
if grep -q 'ERROR OCCURRED' <<<"$output"; then
  echo "a benchmark refused its own result"
  exit 1
fi
if ! grep -q -- "$wanted" <<<"$output"; then
  echo "no \"$wanted\" in the output"
  exit 1
fi
