#!/bin/sh
# A worker for `seedtune tune --backend=external`: which block size copies a file fastest with dd?
#
#   seedtune tune external:copy:megabytes=4 --backend=external --worker='sh copy_worker.sh'
#
# Yours to change: the replies to "space" and "compile", and the function copy. The rules:
# docs/worker-protocol.md. Needs nothing but what every Debian has.
set -u
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# field NAME: the number or word after "NAME": in $line.
field() { printf '%s\n' "$line" | sed -n "s/.*\"$1\":\"\{0,1\}\([A-Za-z0-9_.+-]*\).*/\1/p"; }
reply() { printf '{"id":%s,%s}\n' "$id" "$1"; }
fail() { reply "\"error\":{\"kind\":\"$1\",\"message\":\"$2\"}"; }

copy() { dd if="$folder/in" of="$folder/out" bs="$block" status=none; }

# make_input SEED: a megabyte of digits, as often as it takes.
make_input() {
  [ "$(cat "$folder/made" 2>/dev/null)" = "$1 $megabytes" ] && return
  awk -v seed="$1" 'BEGIN { srand(seed); for (i = 0; i < 131072; ++i) printf "%08d", rand() * 1e8 }' > "$folder/one"
  : > "$folder/in"
  n=0
  while [ $n -lt "$megabytes" ]; do cat "$folder/one" >> "$folder/in"; n=$((n + 1)); done
  echo "$1 $megabytes" > "$folder/made"
}

run() {
  min_samples=$(field min_samples) drop=$(field drop_above_ns) check=$(field check_result)
  drop=${drop%.*}
  make_input "$(field data_seed)"
  if [ "$check" = true ]; then
    rm -f "$folder/out"
    copy
    cmp -s "$folder/in" "$folder/out" || { fail wrong_result 'the copy differs'; return; }
  fi
  samples= count=0 last=0
  while [ $count -lt "$min_samples" ]; do
    start=$(date +%s%N)
    copy
    ns=$(($(date +%s%N) - start))
    if [ "$drop" -gt 0 ] && [ $ns -gt "$drop" ] && [ $last -gt "$drop" ]; then
      reply "\"run\":{\"lower_bound_ns\":$((ns < last ? ns : last))}"
      return
    fi
    samples=$samples${samples:+,}$ns last=$ns count=$((count + 1))
  done
  reply "\"run\":{\"samples_ns\":[$samples],\"checked\":$check}"
}

while read -r line; do
  id=$(field id)
  case $line in
    *'"hello":'*)
      reply '"hello":{"protocol_version":1,"name":"copy","version":"1","code_generator":"dd",
        "device":{"detect":"cpu"},"kernels":[{"name":"copy"}],"checks_results":true}' | tr -d '\n'
      echo ;;
    *'"space":'*)
      if [ "$(field function)" = copy ]; then
        reply '"space":{"name":"copy","parameters":[{"name":"block","values":[512,4096,65536,1048576]}]}'
      else
        fail unsupported 'want external:copy:megabytes=N'
      fi ;;
    *'"compile":'*)
      echo "$(field block) $(field megabytes)" > "$folder/$id"
      reply '"compile":{}' ;;
    *'"run":'*)
      candidate=$folder/$(field candidate)
      if [ -f "$candidate" ]; then
        read -r block megabytes < "$candidate"
        run
      else
        fail launch_error 'no such candidate'
      fi ;;
    *'"release":'*)
      rm -f "$folder/$(field candidate)"
      reply '"release":{}' ;;
    *'"goodbye":'*)
      reply '"goodbye":{}'
      exit 0 ;;
  esac
done
