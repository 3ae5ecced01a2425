#!/usr/bin/env bash
# Keeps what a run of the fuzzer reached most with: tools/fuzz/keep.sh TARGET [COUNT].
# Of the inputs that together cover what is known to be covered, the first COUNT (16) of at most 4 KiB join
# tests/fuzz/corpus/TARGET, where every test run reads them.
set -euo pipefail
[ $# -ge 1 ] || { echo "usage: $0 TARGET [COUNT]" >&2; exit 2; }
target=$1 count=${2:-16}
here=$(cd "$(dirname "$0")" && pwd)
kept=$here/../../tests/fuzz/corpus/$target
out=${CARGO_TARGET_DIR:-$here/target}
host=$(rustc -vV | sed -n 's/^host: //p')
work=$out/work/$target
cover=$(mktemp -d)
trap 'rm -rf "$cover"' EXIT
mkdir -p "$kept"
"$out/$host/release/$target" -set_cover_merge=1 -max_len=4096 "$cover" "$kept" "$work/seeds" "$work/corpus" >&2
# Written in the order in which they were chosen: what covers most comes first.
find "$cover" -type f -size -5 -printf '%T@ %p\n' | sort -n | head -n "$count" | cut -d' ' -f2- \
  | while read -r input; do cp "$input" "$kept/"; done
ls "$kept" | wc -l
