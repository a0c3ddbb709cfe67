#!/bin/bash
# seedtune seeds list, show, check and mine; seeds of one's own by --seeds.
set -u
seedtune="$1"
table="$2"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
export BUILD_WORKING_DIRECTORY="$PWD"
failures=0

# expect STATUS TEXT COMMAND...: the exit status, and a text in the output (errors included).
expect() {
  local status="$1" text="$2" output got
  shift 2
  output="$("$seedtune" "$@" 2>&1)"
  got=$?
  if [[ $got -ne $status || "$output" != *"$text"* ]]; then
    printf '%s: exit status %s, want %s; want "%s" in\n%s\n' "$*" "$got" "$status" "$text" "$output"
    failures=$((failures + 1))
  fi
}

expect 0 "cpu_znver5_matmul  cpu" seeds list
expect 0 "cuda_sm90_matmul   cuda     sm90" seeds list
expect 0 '"name": "cpu_znver5_matmul"' seeds list --json
expect 0 "provenance" seeds show cpu_znver5_matmul
expect 0 "NVIDIA H200" seeds show cuda_sm90_matmul
expect 0 "cuda_sm90_matmul: seeded: exact architecture sm90, rules[5] (exact shape)" \
  explain matmul:256x256x256:bf16 --backend=cuda --device=h200
expect 1 'no seed table named "cpu_znver6_matmul", did you mean "cpu_znver5_matmul"' \
  seeds show cpu_znver6_matmul
expect 0 "cpu_znver5_matmul.textproto: ok" seeds check "$table"
expect 0 "cpu_znver5_matmul.textproto: ok" seeds check "$(dirname "$table")"
expect 2 "A subcommand is required" seeds
expect 1 "no .textproto in this folder" seeds check "$work"
expect 1 "missing.textproto" seeds check "$work/missing.textproto"

sed 's/commit: "[^"]*"/commit: "main"/' "$table" > "$work/cpu_znver5_matmul.textproto"
expect 1 'provenance.commit is "main", want 7 to 40 hexadecimal digits' seeds check "$work"
cp "$table" "$work/other.textproto"
rm "$work/cpu_znver5_matmul.textproto"
expect 1 'the table'"'"'s name is "cpu_znver5_matmul", want the file'"'"'s own' seeds check "$work"
# A seed that no space of the target takes: a known device is asked.
rm "$work/other.textproto"
sed -e 's/arch: "znver5"/arch: "znver4"/' -e 's/name: "threads"/name: "threadz"/' "$table" \
  > "$work/cpu_znver5_matmul.textproto"
expect 1 'does not fit epyc_9654: no knob named "threadz"' seeds check "$work"

kernel=matmul:8192x512x4096:bf16
printf '# my own\n\n{"block_size[m]": 32}\n{"block_size[m]": 16, "num_warps": 2}\n' > "$work/own.jsonl"
for flag in "--seeds=$work/own.jsonl" '--user-seed={"block_size[m]":32}'; do
  expect 0 "user: seeded: given by the user" \
    explain "$kernel" --backend=triton --device=h100_sxm "$flag"
done
printf '{"block_size[m]": 32}\nnonsense\n' > "$work/bad.jsonl"
expect 1 "bad.jsonl:2:" explain "$kernel" --backend=triton --device=h100_sxm \
  "--seeds=$work/bad.jsonl"
expect 0 "triton_hopper_matmul: disabled: switched off by name" \
  explain "$kernel" --backend=triton --device=h100_sxm --disable-heuristic=triton_hopper_matmul
expect 0 "untuned default, from space default" \
  explain "$kernel" --backend=triton --device=h100_sxm --no-seeds

# What seeds reached is told after a search, and remembered.
small=matmul:32x48x64:f32
expect 0 "what seeds reached" tune "$small" --budget=12evals "--db=$work/t.db"
expect 0 "came in at place" explain "$small" "--db=$work/t.db"
expect 0 '"best_rank"' explain "$small" "--db=$work/t.db" --json

# Mining: what tuning found becomes a table, which checks and answers.
expect 0 "all 2 kernels" tune "$small" matmul:48x32x64:f32 --budget=12evals --no-seeds \
  "--db=$work/one.db"
expect 0 'code_generator: "cpu ' seeds mine "--db=$work/one.db" --min-gain=1
expect 0 'command: "seedtune seeds mine --db=one.db --min-gain=1"' \
  seeds mine "--db=$work/one.db" --min-gain=1
expect 0 'commit: "0123456"' seeds mine "--db=$work/one.db" --min-gain=1 --commit=0123456
expect 0 "wrote 2 rules to $work/cpu_mined.textproto" \
  seeds mine "--db=$work/one.db" --min-gain=1 "--output=$work/cpu_mined.textproto" --backend=cpu
expect 0 "cpu_mined.textproto: ok, 2 rules" seeds check "$work/cpu_mined.textproto"
expect 0 "wrote 1 rule to" \
  seeds mine "--db=$work/one.db" --min-gain=1 --max-rules=1 "--output=$work/cpu_mined.textproto"
for table in a b; do
  "$seedtune" seeds mine "--db=$work/one.db" --min-gain=1 --name=same > "$work/$table" 2> /dev/null
done
cmp "$work/a" "$work/b" || failures=$((failures + 1))

# Where there is nothing to mine, it says why and writes nothing.
expect 1 "matmul:48x32x64:f32: its untuned default is within 100x of the best" \
  seeds mine "--db=$work/one.db" --min-gain=100 "--output=$work/none.textproto"
expect 1 'none of backend "cuda", there are cpu' seeds mine "--db=$work/one.db" --backend=cuda
expect 1 'none of "sm90", there are' seeds mine "--db=$work/one.db" --device=sm90
expect 1 "no such file" seeds mine "--db=$work/missing.db"
expect 1 "--min-gain is 0.5, want a factor from 1 to 100" seeds mine "--db=$work/one.db" --min-gain=0.5
expect 1 'provenance.commit is "main"' \
  seeds mine "--db=$work/one.db" --min-gain=1 --commit=main "--output=$work/none.textproto"
if [[ -e "$work/none.textproto" ]]; then
  echo "a table was written although there was none to write"
  failures=$((failures + 1))
fi

exit "$((failures > 0))"
