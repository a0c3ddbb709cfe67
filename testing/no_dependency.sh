#!/usr/bin/env bash
# no_dependency.sh LIST FORBIDDEN...: fails if LIST, labels one a line, has one that is FORBIDDEN: a label, or
# //folder/... for a folder with all below it. The test behind dependency_test.bzl.
set -eu

list=$1
shift
if [[ ! -s $list ]]; then
  echo "$list: no labels in it, want the dependencies of something" >&2
  exit 1
fi
if (($# == 0)); then
  echo "nothing is forbidden, want at least one label" >&2
  exit 1
fi

found=0
for forbidden in "$@"; do
  while IFS= read -r label; do
    case $forbidden in
      */...) [[ $label == "${forbidden%/...}":* || $label == "${forbidden%/...}"/* ]] || continue ;;
      *) [[ $label == "$forbidden" ]] || continue ;;
    esac
    echo "$label is needed and must not be ($forbidden is forbidden here); bazel query 'somepath(THIS, $label)' shows why" >&2
    found=1
  done <"$list"
done
exit "$found"
