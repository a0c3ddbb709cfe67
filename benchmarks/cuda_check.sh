#!/usr/bin/env bash
# Checks the CUDA backend on a machine with a GPU, with programs built elsewhere:
#   benchmarks/cuda_check.sh FOLDER OUTPUT [PART...]
# FOLDER holds cuda_gemm_benchmark, fault_test, cuda_test_worker and libfaulty_nvrtc.so. PART is check, sanitize, faults,
# leaks or times; all of them unless named. FAMILIES says which families are checked. Full logs go to OUTPUT; what they say
# in short to standard output.
set -u
folder=$(realpath "$1")
out=$(realpath "$2")
shift 2
parts=${*:-check sanitize faults leaks times}
export XDG_CACHE_HOME=${XDG_CACHE_HOME:-/tmp/seedtune-cache}
benchmark=$folder/cuda_gemm_benchmark
nvidia-smi --query-gpu=name,driver_version,clocks.sm,clocks.mem,power.draw --format=csv,noheader

# One line that says how it went.
report() {
  printf '%-32s ' "$1"
  grep -hE 'ERROR SUMMARY|RACECHECK SUMMARY|candidates of|candidates:|times in|PASSED|FAILED|geometric mean' "$2" | sort | uniq -c |
    sort -rn | head -n 4 | tr '\n' ';' | cut -c1-240
  echo
  grep -A 6 -E '^[^ ]+: Failure$' "$2" | head -n 21 | cut -c1-240  # what a test expected, and got
}

for part in $parts; do
  case $part in
    check)
      for family in ${FAMILIES:-simt mma skinny wgmma}; do
        timeout 90 "$benchmark" --check --check_configs=1 --family="$family" >"$out/check_$family.txt" 2>&1
        report "check $family" "$out/check_$family.txt"
      done
      ;;
    sanitize)  # one configuration of each family, on edges; all at once, two cores each
      cores=$(nproc)
      core=0
      for tool in memcheck racecheck; do
        for case in simt:129x259x71:f32 mma:129x259x71:bf16 mma:256x256x192:i8 skinny:9x130x515:bf16 \
          skinny:1x1024x2048:f32 wgmma:256x512x384:bf16 wgmma:129x259x71:f16:nt; do
          log=$out/${tool}_$(tr : _ <<<"$case").txt
          taskset -c $((core % cores)),$(((core + 1) % cores)) timeout 120 compute-sanitizer --tool $tool \
            --target-processes all "$benchmark" --check --check_configs=1 --family="${case%%:*}" \
            --shape="matmul:${case#*:}" >"$log" 2>&1 &
          core=$((core + 1))
        done
        for schedule in cooperative ping_pong; do  # sums that blocks pass on
          taskset -c $((core % cores)),$(((core + 1) % cores)) timeout 120 compute-sanitizer --tool $tool \
            --target-processes all "$benchmark" --check --shape=matmul:1100x936x520:bf16:bias:gelu \
            --config='{"family":"wgmma","block_size[m]":128,"block_size[n]":64,"block_size[k]":64,"num_stages":4,
              "warp_tile[m]":16,"warp_tile[n]":16,"stream_k":true,"schedule":"'$schedule'"}' \
            >"$out/${tool}_stream_k_$schedule.txt" 2>&1 &
          core=$((core + 1))
        done
      done
      wait
      for log in "$out"/memcheck_*.txt "$out"/racecheck_*.txt; do report "$(basename "$log" .txt)" "$log"; done
      ;;
    faults)  # each kind many times in a row, the kinds at once; but a hang slows everybody down
      provoke() {
        FAULT_TIMES=${FAULT_TIMES:-20} timeout 150 "$folder/fault_test" --gtest_filter="GpuFaultTest.$1" \
          >"$out/fault_$1.txt" 2>&1
      }
      faults='IllegalAddress MisalignedAddress LaunchFailure WrongResult'
      for fault in $faults; do provoke "$fault" & done
      wait
      provoke Hang
      for fault in $faults Hang; do report "fault $fault" "$out/fault_$fault.txt"; done
      ;;
    leaks)  # alone: it counts the device's free memory
      FAULT_CANDIDATES=${FAULT_CANDIDATES:-1000} timeout 300 "$folder/fault_test" \
        --gtest_filter=GpuFaultTest.NothingIsLeftBehind >"$out/leaks.txt" 2>&1
      report leaks "$out/leaks.txt"
      ;;
    times)
      "$benchmark" --tune_budget="${TUNE_BUDGET:-10s}" --json="$out/times.json" >"$out/times.txt" 2>"$out/times.err"
      tail -n 60 "$out/times.txt" | cut -c1-220
      ;;
  esac
done
