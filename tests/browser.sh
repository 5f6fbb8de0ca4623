#!/usr/bin/env bash
# Compiles every variant of every kernel with the WebGPU of Chromium, whose compiler (Tint) is stricter than naga about what
# is uniform at a barrier. Fails if one is refused. EBM_GPU names another program than the one built here.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# far more than the half minute that it takes
patience=300

say() {
    echo "browser: $*" >&2
}

fail() {
    say "$*"
    exit 1
}

if [ "$(uname -s)" != Linux ]; then
    say "not checked: how Chromium is started without a screen and a GPU differs elsewhere"
    exit 0
fi
chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome) ||
    fail "there is no Chromium; run \`bash tests/install-chromium.sh\` to install it"
program=${EBM_GPU:-}
if [ -z "$program" ]; then
    cargo build --release --quiet
    program=${CARGO_TARGET_DIR:-target}/release/ebm-gpu
fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$program" shaders --all --dump "$folder/wgsl" >"$folder/names"
dumped=$(wc -l <"$folder/names")
[ "$dumped" -gt 0 ] || fail "$program dumps no kernels"

# one file, since pages of files may not read others
{
    echo '<!doctype html><meta charset="utf-8">'
    while read -r path; do
        printf '<script type="text/plain" class="wgsl" id="%s">\n' "$(basename "$path" .wgsl)"
        cat "$path"
        echo '</script>'
    done <"$folder/names"
    echo '<script type="module">'
    cat tests/browser.js
    echo '</script>'
} >"$folder/page.html"

# Chromium does not end by itself: it is read until the page says that it is done, and then told to
timeout "$patience" "$chromium" --headless --no-sandbox --no-first-run --disable-background-networking \
    --disable-component-update --disable-sync --disable-dev-shm-usage --user-data-dir="$folder/profile" \
    --enable-unsafe-webgpu --use-webgpu-adapter=swiftshader --enable-logging=stderr --v=0 \
    "file://$folder/page.html" >"$folder/stdout" 2>"$folder/log" &
browser=$!
trap 'kill "$browser" 2>/dev/null || true; wait "$browser" || true; rm -rf "$folder"' EXIT
while kill -0 "$browser" 2>/dev/null && ! grep -q '"webgpu: end"' "$folder/log"; do
    sleep 0.2
done

sed -nE 's/.*"webgpu: (.*)", source: .*/\1/p' "$folder/log" >"$folder/said"
grep -q '^end$' "$folder/said" || {
    tail -n 20 "$folder/log" >&2
    fail "Chromium ended, or $patience s passed, before all kernels were compiled"
}
grep '^refused ' "$folder/said" >&2 || true
compiled=$(grep -c '^compiled ' "$folder/said" || true)
adapter=$(grep -v '^\(compiled\|refused\) ' "$folder/said" | head -n 1)
[ "$compiled" = "$dumped" ] || fail "only $compiled of $dumped kernels compile for WebGPU ($adapter)"
say "all $dumped kernels compile for WebGPU ($adapter)"
