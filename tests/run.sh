#!/usr/bin/env bash
# All checks of the crate, from any folder: a Vulkan driver, a browser, format, lints, documentation, tests, fuzz targets, every
# kernel in the browser's WebGPU, two software drivers.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

command -v cargo >/dev/null || {
    echo "cargo is not installed" >&2
    exit 1
}

stage() {
    local name=$1 start=$SECONDS
    shift
    echo "== $name: $*" >&2
    "$@"
    echo "== $name: $((SECONDS - start)) s" >&2
}

stage driver bash tests/install-vulkan.sh
stage chromium bash tests/install-chromium.sh
stage format cargo fmt --check
stage mutations bash tests/mutations.sh --list
stage lints cargo clippy --all-targets -- -D warnings
stage documentation env RUSTDOCFLAGS="-D warnings" cargo doc --no-deps
stage fuzz cargo check --manifest-path tests/fuzz/Cargo.toml --no-default-features --locked \
    --target-dir "${CARGO_TARGET_DIR:-target}"
stage tests cargo test --release
stage browser bash tests/browser.sh
stage drivers bash tests/drivers.sh
echo "== all in $SECONDS s" >&2
