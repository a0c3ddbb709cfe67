#!/usr/bin/env bash
# no_dependency_test.sh LIST: no_dependency.sh fails on dependencies that are there. LIST is that of //util:string_view,
# which needs Abseil.
set -u

list=$1
failed=0

# expect STATUS WORD FORBIDDEN...: the exit status, and a word that the output must have.
expect() {
  local status=$1 word=$2 output
  shift 2
  output=$(testing/no_dependency.sh "$list" "$@" 2>&1)
  local got=$?
  if ((got != status)) || [[ $output != *"$word"* ]]; then
    echo "forbidding '$*': status $got, want $status, and output with '$word', got: $output" >&2
    failed=1
  fi
}

expect 1 "//util:string_view is needed" //util:string_view
expect 1 "//util:string_view is needed" //util/...
expect 1 "//util:string_view is needed" //ir:kernel //util:string_view
expect 1 "@com_google_absl//" @com_google_absl//...
expect 1 "nothing is forbidden"

list=$TEST_TMPDIR/empty
: >"$list"
expect 1 "no labels" //util/...
list=$1

expect 0 "" //util:string //util:string_view_test //uti/... //util/string_view/...
expect 0 "" //hardware/... //heuristics:builtin

exit "$failed"
