#!/usr/bin/env bash
# The program as it ships: small once stripped, in need of nothing but the C library and, where the distribution has it
# only as a shared library, Highway's, which it looks for beside itself.
set -eu
program=$1
stripped=$TEST_TMPDIR/seedtune
strip -o "$stripped" "$program"
bytes=$(stat -c %s "$stripped")
limit=$((64 << 20))
if [ "$bytes" -ge "$limit" ]; then
  echo "seedtune is $bytes bytes stripped, want under $limit"
  exit 1
fi
# What it needs at start, beside the C library and its parts.
others=$(readelf -d "$stripped" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' |
  grep -vE '^(libc|libm|libdl|libpthread|librt|ld-linux.*)\.so\.[0-9]+$' || true)
if [ "$others" = libhwy.so.1 ] && readelf -d "$stripped" | grep -q 'PATH.*\$ORIGIN'; then
  others=
fi
if [ -n "$others" ]; then
  echo "seedtune needs shared libraries that a user may not have:" $others
  exit 1
fi
cd "$TEST_TMPDIR"
env -i ./seedtune explain matmul:64x64x64:f32 --device=epyc_9654 | grep -q '^untuned default'
