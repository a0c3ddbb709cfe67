#!/usr/bin/env bash
# Runs the linked binary from an empty folder, without an environment and without the right to open files.
set -eu
program=$(realpath "$1")
empty=$(mktemp -d "$TEST_TMPDIR/empty.XXXXXX")
cd "$empty"
for question in "matmul:16x4096x4096:f32 cpu epyc_9654" "matmul:8192x512x4096:bf16 triton h100_sxm" \
  "matmul:4096x4096x4096:bf16 cute b200"; do
  # shellcheck disable=SC2086  # three words
  answer=$(env -i "$program" $question sealed)
  if ! grep -q '^{".*}$' <<<"$answer"; then
    echo "$question: no configuration in: $answer"
    exit 1
  fi
done
if [ -n "$(ls -A)" ]; then
  echo "files were left behind: $(ls -A)"
  exit 1
fi
