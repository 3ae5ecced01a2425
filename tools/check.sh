#!/usr/bin/env bash
# Everything that must hold before a commit: format, lints (of every set of features), documentation, dependencies, tests (the
# benches run tiny among them).
set -euo pipefail
cd "$(dirname "$0")/.."
cargo() { command cargo --config tools/checks.toml "$@"; }
step() { printf '\n== %s\n' "$*"; "$@"; }
# The library alone, everything but the program, the program alone: what a feature needs of another shows in one of them.
features() {
    export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/features"
    step cargo clippy --no-default-features --locked -- -D warnings
    step cargo clippy --no-default-features --features columnar,fetch,html,notify --lib --locked -- -D warnings
    step cargo clippy --no-default-features --features heap-profile --locked -- -D warnings
}
step cargo fmt --check
# Beside the other lints: to check one crate keeps one processor busy.
log=$(mktemp)
(features) >"$log" 2>&1 &
beside=$!
trap 'kill "$beside" 2>/dev/null || true; rm -f "$log"' EXIT
step cargo clippy --all-targets --locked -- -D warnings
RUSTDOCFLAGS="-D warnings" step cargo doc --no-deps --document-private-items --locked
failed=0
wait "$beside" || failed=$?
cat "$log"
test "$failed" = 0
# tests/dependencies.rs asks most of it where this is not installed.
if command -v cargo-deny >/dev/null; then step cargo deny --locked check; fi
step cargo test --locked
