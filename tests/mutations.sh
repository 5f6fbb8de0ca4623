#!/usr/bin/env bash
# Breaks the code in each of the ways listed in tests/mutations.txt, in a copy of the tree, and demands that the named test
# turns red. A mutation that does not compile, or whose test stays green, is an error. Takes about half a minute each.
# usage: bash tests/mutations.sh [PART OF A FILE, TEST OR EDIT]     only the mutations that contain the text
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
only=${1:-}
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
(cd "$here" && git ls-files --cached --others --exclude-standard -z | tar --null -T - -cf -) | tar -xf - -C "$copy"
export CARGO_TARGET_DIR="$here/target/mutations"

caught=0 missed=0 file='' from='' to=''

# Applies one edit, runs one test (or, for "check", the program's own check), and puts the file back.
try() {
    local target=$1 name=$2 text output
    text=$(cat "$copy/$file" && printf x)
    text=${text%x}
    if [ "${text#*"$from"}" = "$text" ]; then
        echo "STALE   $file does not contain: $from"
        missed=$((missed + 1))
        return
    fi
    printf '%s' "${text/"$from"/"$to"}" >"$copy/$file"
    case $target in
        check) output=$(cd "$copy" && cargo run --release --quiet -- check 2>&1 && echo GREEN || true) ;;
        lib) output=$(cd "$copy" && cargo test --release --lib -- --exact "$name" 2>&1 || true) ;;
        *) output=$(cd "$copy" && cargo test --release --test "$target" -- --exact "$name" 2>&1 || true) ;;
    esac
    printf '%s' "$text" >"$copy/$file"
    if [ "$target" = check ] && [[ $output == *"computes wrongly"* ]] || [[ $output == *"test result: FAILED"* ]]; then
        echo "caught  $target $name: $file: $from"
        caught=$((caught + 1))
    else
        echo "MISSED  $target $name: $file: $from -> $to"
        echo "$output" | tail -n 15
        missed=$((missed + 1))
    fi
}

while IFS= read -r line; do
    case $line in
        'file: '*) file=${line#file: } ;;
        'from: '*) from=${line#from: } ;;
        'to: '*) to=${line#to: } ;;
        'test: '*)
            test=${line#test: }
            if [[ "$file $from $to $test" == *"$only"* ]]; then try "${test%% *}" "${test#* }"; fi
            ;;
    esac
done <"$here/tests/mutations.txt"

echo "$caught caught, $missed missed"
[ "$missed" -eq 0 ] && [ "$caught" -gt 0 ]
