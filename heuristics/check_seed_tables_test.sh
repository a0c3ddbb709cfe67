#!/usr/bin/env bash
# check_seed_tables_test.sh PROGRAM: it takes good tables and none at all, and refuses bad ones by name.
set -eu

check=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cat >"$folder/made_up.textproto" <<'END'
name: "made_up"
backend: "cpu"
target { device_kind: CPU arch: "znver4" }
provenance { date: "2026-11-20" command: "none" commit: "0123456" device: "none" note: "all made up" }
promote: false
rules {
  when {
    pattern: MATMUL dtype: F32 lhs_layout: ROW_MAJOR rhs_layout: ROW_MAJOR
    m { min: 1 } n { min: 1 } k { min: 1 } batch { min: 1 max: 1 }
  }
  seed { knob { name: "threads" int_value: 1 } }
  measured { shape: "matmul:1x1x1:f32" median_ns: 1 reference: "none" reference_median_ns: 1 }
}
END
grep -v '^promote' "$folder/made_up.textproto" >"$folder/bad.textproto"
cp "$folder/made_up.textproto" "$folder/other.textproto"

"$check"
"$check" "$folder/made_up.textproto"

expect_refusal() { # FILE TEXT
  if "$check" "$folder/made_up.textproto" "$folder/$1" 2>"$folder/errors"; then
    echo "$1 was taken, want it refused" >&2
    exit 1
  fi
  grep -F "$folder/$1: $2" "$folder/errors" || { cat "$folder/errors" >&2; exit 1; }
}
expect_refusal bad.textproto 'promote is not set'
expect_refusal other.textproto 'name is "made_up"'
