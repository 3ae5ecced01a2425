#!/usr/bin/env bash
# Lets libFuzzer look for bytes that a reader fails on: tools/fuzz/run.sh TARGET SECONDS [libFuzzer flags].
# Needs the toolchain of the optimizer and a C++ compiler, no nightly: coverage comes from LLVM's own pass, and there is
# no address sanitizer because there is no unsafe code.
set -euo pipefail
[ $# -ge 2 ] || { echo "usage: $0 TARGET SECONDS [libFuzzer flags]; targets: $(cd "$(dirname "$0")/fuzz_targets" && ls | sed 's/\.rs$//' | tr '\n' ' ')" >&2; exit 2; }
target=$1 seconds=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
kept=$here/../../tests/fuzz/corpus/$target
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$here/target}
host=$(rustc -vV | sed -n 's/^host: //p')
coverage="-C passes=sancov-module -C llvm-args=-sanitizer-coverage-level=4
  -C llvm-args=-sanitizer-coverage-inline-8bit-counters -C llvm-args=-sanitizer-coverage-pc-table
  -C llvm-args=-sanitizer-coverage-trace-compares -C codegen-units=1 --cfg fuzzing"
# With a target named, what only builds (macros, build scripts) goes without.
RUSTFLAGS=$(echo $coverage) cargo build --manifest-path "$here/Cargo.toml" --release --locked --target "$host" \
  --bin "$target" ${FUZZ_JOBS:+-j "$FUZZ_JOBS"}
programs=$CARGO_TARGET_DIR/$host/release
work=$CARGO_TARGET_DIR/work/$target
mkdir -p "$work/corpus" "$work/found" "$kept"
RETUNE_FUZZ_PREPARE=$work "$programs/$target"
words=()
[ -s "$work/words.dict" ] && words=(-dict="$work/words.dict")
# What is new goes to the first folder. A finding ends the run; mended, it joins tests/fuzz/corpus/TARGET,
# made small before: "$programs/$target" -minimize_crash=1 -max_total_time=60 FILE.
"$programs/$target" "$work/corpus" "$work/seeds" "$kept" "${words[@]}" -artifact_prefix="$work/found/" \
  -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=16384 -print_final_stats=1 "$@"
