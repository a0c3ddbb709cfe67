#!/usr/bin/env bash
# `seedtune` with workers of other people's, as its users meet it.
#
# usage: external_worker_test.sh SEEDTUNE ODD_WORKER.py TRITON_WORKER.py
set -u
seedtune=$1
worker="python3 $2"
triton="python3 -B $3 --dry"
export HOME=$TEST_TMPDIR
database=$TEST_TMPDIR/tuning.db
failures=0

# expect STATUS TEXT ARGUMENT...: that exit status, and that text somewhere in what is printed.
expect() {
  local wanted_status=$1 wanted=$2
  shift 2
  output=$("$seedtune" "$@" 2>&1)
  local status=$?
  if [ "$status" != "$wanted_status" ] || ! grep -q -- "$wanted" <<<"$output"; then
    echo "seedtune $*: exit status $status, want $wanted_status, and \"$wanted\" in:"
    echo "$output"
    failures=$((failures + 1))
  fi
}

own=(external:sleep:n=4 --backend=external --db="$database")
matmul=(matmul:512x512x512:bf16 --backend=external --db="$database" --worker="$worker --use=triton")

# A space of the worker's own: searched, recorded, found, taken elsewhere.
expect 0 "recorded in" tune "${own[@]}" --worker="$worker" --budget=6evals --output-t4="$TEST_TMPDIR/sleep_T4.json"
expect 0 "1 of 1 answered from the database" tune "${own[@]}" --worker="$worker"
expect 0 '"tile":' lookup "${own[@]}" --worker="$worker"
expect 0 "sleep version 1: 4 knobs" explain "${own[@]}" --worker="$worker"
expect 0 '"conforms": true' worker check "$worker" --kernel=external:sleep:n=4 --json
expect 0 "mean" replay "$TEST_TMPDIR/sleep_T4.json" --repeats=2 --algorithm=random
expect 1 "is the worker's own" db export "$TEST_TMPDIR/again_T4.json" --format=t4 --db="$database"
# The Triton worker, as far as it goes without a GPU.
expect 0 "the worker conforms" worker check "$triton"
expect 0 "what seeds reached" tune matmul:4096x4096x4096:bf16 --backend=external --worker="$triton" --budget=8evals --db="$database"
# Several workers, and one that fails now and then.
expect 0 "recorded in" tune "${own[@]}" --worker="$worker" --worker="$worker" --budget=12evals --retune --seed=2
expect 0 "recorded in" tune "${own[@]}" --worker="$worker --fault=run_crash" --budget=12evals --retune --seed=3
# Killed at some moment, the same command goes on with the same run.
killed=(external:sleep:n=5 --backend=external --worker="$worker" --budget=40evals --db="$TEST_TMPDIR/killed.db")
timeout -s KILL 2 "$seedtune" tune "${killed[@]}" >"$TEST_TMPDIR/killed.txt" 2>&1
expect 0 "recorded in" tune "${killed[@]}"
expect 0 "1 answers, 1 runs, 0 of them unfinished" db list --db="$TEST_TMPDIR/killed.db"
# Other versions are other records, and so are results that nobody checked.
expect 1 "code generator" lookup "${own[@]}" --worker="$worker --name=odd2"
expect 0 "does not check its results" tune "${own[@]}" --worker="$worker --unchecked" --budget=4evals
# A space of ours: its heuristics' seeds, on the device that the worker has.
expect 0 "triton_hopper_matmul: seeded" explain "${matmul[@]}"
expect 0 "NVIDIA H100" tune "${matmul[@]}" --budget=8evals
expect 0 '"origin":' tune "${matmul[@]}" --json
# What is wrong is said.
expect 1 "only a worker knows what it is" tune external:sleep:n=4 --db="$database"
expect 1 "wants --worker=COMMAND" tune "${own[@]}"
expect 1 "goes with --backend=external" tune matmul:64x64x64:f32 --worker="$worker"
expect 1 "no licence" tune "${own[@]}" --worker="$worker --fault=exit_at_hello"
expect 1 "no kernel of that name" tune "${own[@]}" --worker="$worker --fault=unsupported"
expect 1 "it was exited with status 127" tune "${own[@]}" --worker=/nonexistent/worker
expect 1 "want NAME=VALUE" tune external:sleep:n --backend=external --worker="$worker"
expect 1 "section 5. Run" worker check "$worker --fault=does_not_check --always" --kernel=external:sleep:n=4
expect 1 "want --kernel=external" worker check "$worker"
expect 2 "command is required" worker check

[ "$failures" -eq 0 ]
