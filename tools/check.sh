#!/usr/bin/env bash
# Everything that must hold before a commit: format, lints, documentation, tests (the benches run tiny among them).
set -euo pipefail
cd "$(dirname "$0")/.."
step() { printf '\n== %s\n' "$*"; "$@"; }
step cargo fmt --check
step cargo clippy --all-targets --locked -- -D warnings
RUSTDOCFLAGS="-D warnings" step cargo doc --no-deps --document-private-items --locked
step cargo test --locked
