#!/usr/bin/env bash
# Two software Vulkan drivers that have nothing in common, Mesa's lavapipe and SwiftShader (part of Chromium): on each, the
# program's own check and a short run, whose losses have to agree; and chains that the second has no memory for. EBM_GPU names
# another program than the one built here.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# 20 steps of a small network. A loss is a mean of f32 numbers about 1, each good to 1e-6; steps of Adam pass that on.
run=(run --loss dsm --engine gpu --steps 20 --hidden 32,32 --batch 64 --seed 1 --chains 0 --quiet --json)
tolerance=1e-5

say() {
    echo "drivers: $*" >&2
}

fail() {
    say "$*"
    exit 1
}

if [ "$(uname -s)" != Linux ]; then
    say "not checked: these software drivers are for Linux"
    exit 0
fi

program=${EBM_GPU:-}
if [ -z "$program" ]; then
    cargo build --release --quiet
    program=${CARGO_TARGET_DIR:-target}/release/ebm-gpu
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# on FILE ARGUMENTS..: runs the program with no other driver than that of FILE
on() {
    local file=$1
    shift
    VK_DRIVER_FILES=$file VK_ICD_FILENAMES=$file "$program" "$@"
}

# checked NAME FILE HINT FLAGS..: checks the driver of FILE, whose adapter has NAME in its name, and keeps the final loss of a
# run
checked() {
    local name=$1 file=$2 hint=$3 start=$SECONDS found here="$folder/$1"
    local check=(check "${@:4}")
    mkdir "$here"
    [ -e "$file" ] || fail "$name is missing: there is no ${file:-driver file}; $hint"
    # not a pipe into grep -q, whose early exit would count as a failure of the program
    found=$(on "$file" devices)
    grep -qi "$name" <<<"$found" || fail "$name is missing: the Vulkan loader finds no such adapter by $file; $hint"
    on "$file" "${check[@]}" >"$here/check" 2>"$here/said" || {
        grep 'WRONG$' "$here/check" >&2 || true
        cat "$here/said" >&2
        fail "$name does not pass \`ebm-gpu ${check[*]}\`"
    }
    on "$file" "${run[@]}" --out "$here/run" >"$here/json" || fail "the run on $name failed"
    grep -qi "\"adapter\":\"[^\"]*$name" "$here/json" || fail "the run did not take $name"
    sed -nE 's/.*"final_loss":([-+.0-9e]+).*/\1/p' "$here/json" >"$here/loss"
    say "$name: $(tail -n 1 "$here/said"); $((SECONDS - start)) s"
}

# ends_its_memory FILE: more than the driver of FILE gives in one piece (1 GiB; lavapipe promises any number of bytes) is refused
# in a sentence with both numbers, and nothing is written
ends_its_memory() {
    local code=0 out="$folder/too-much"
    on "$1" sample --target double-well --sampler hmc --engine gpu --chains 33600000 --steps 1 --no-check --quiet \
        --out "$out" >"$folder/told" 2>&1 || code=$?
    [ "$code" = 1 ] && [ ! -e "$out" ] &&
        grep -q '^error: .* takes [0-9]* bytes, .* has no memory for them beside [0-9]* bytes' "$folder/told" || {
        cat "$folder/told" >&2
        fail "chains beyond the memory of SwiftShader are not refused (exit code $code)"
    }
}

lavapipe=$(find -L /usr/share/vulkan/icd.d /usr/local/share/vulkan/icd.d /etc/vulkan/icd.d -name 'lvp_icd*.json' 2>/dev/null |
    head -n 1 || true)
swiftshader=$(find -L /usr/lib/chromium /usr/lib64/chromium-browser /opt/google/chrome -name vk_swiftshader_icd.json \
    2>/dev/null | head -n 1 || true)
# lavapipe calls its device llvmpipe; every comparison on it is among the tests of the kernels
checked llvmpipe "$lavapipe" "install mesa-vulkan-drivers" &
first=$!
checked SwiftShader "$swiftshader" "run \`bash tests/install-chromium.sh\`" --all &
second=$!
code=0
wait "$first" || code=1
wait "$second" || code=1
[ "$code" = 0 ] || exit 1
ends_its_memory "$swiftshader"
# seconds, once its kernels are compiled; the limit is for a machine that does other things beside
start=$SECONDS
on "$lavapipe" check >"$folder/again" 2>&1
[ $((SECONDS - start)) -le 30 ] || fail "check takes $((SECONDS - start)) s on llvmpipe with kernels that are compiled"

mesa=$(<"$folder/llvmpipe/loss")
swift=$(<"$folder/SwiftShader/loss")
say "the same run ends at a loss of ${mesa:-nothing} on llvmpipe and of ${swift:-nothing} on SwiftShader"
awk -v a="$mesa" -v b="$swift" -v tolerance="$tolerance" 'BEGIN {
    difference = a > b ? a - b : b - a
    exit !(a > 0 && b > 0 && difference <= tolerance * a)
}' || fail "they are further apart than $tolerance of it"
