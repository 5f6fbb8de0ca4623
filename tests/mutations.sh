#!/usr/bin/env bash
# Breaks the code in each of the ways listed in tests/mutations.txt, in a copy of the tree, and demands that the named test
# turns red. A test that is not green beforehand, a mutation that does not compile, or one whose test stays green, is an
# error. Takes about half a minute each.
# usage: bash tests/mutations.sh [PART OF A FILE, TEST OR EDIT]     only the mutations that contain the text
#        bash tests/mutations.sh --list                             only whether each edit has its text: seconds
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
only=${1:-}
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
# as new files: cargo would take what the last run of this script has broken for up to date
(cd "$here" && git ls-files --cached --others --exclude-standard -z | tar --null -T - -cf -) | tar -xmf - -C "$copy"
export CARGO_TARGET_DIR="$here/target/mutations"

caught=0 missed=0 file='' from='' to=''

# Runs one test (or, for "check", the program's own check) and prints what it says; the last line is green, red or broken.
run_test() {
    local output code=0
    case $1 in
        check) output=$(cd "$copy" && cargo run --release --quiet -- check 2>&1) || code=$? ;;
        bin) output=$(cd "$copy" && cargo test --release --bin ebm-gpu -- --exact "$2" 2>&1) || code=$? ;;
        lib) output=$(cd "$copy" && cargo test --release --lib -- --exact "$2" 2>&1) || code=$? ;;
        *) output=$(cd "$copy" && cargo test --release --test "$1" -- --exact "$2" 2>&1) || code=$? ;;
    esac
    echo "$output"
    case $1 in
        check) [ "$code" -eq 0 ] && echo green && return
            [ "$code" -eq 1 ] && [[ $output == *"computes wrongly"* ]] && echo red && return ;;
        *) [[ $output == *"test result: ok. 1 passed"* ]] && echo green && return
            [[ $output == *"test result: FAILED. 0 passed; 1 failed"* ]] && echo red && return ;;
    esac
    echo broken
}

# Applies one edit, runs its test, and puts the file back.
try() {
    local target=$1 name=$2 text output
    text=$(cat "$copy/$file" && printf x)
    text=${text%x}
    if [ "${text#*"$from"}" = "$text" ]; then
        echo "STALE   $file does not contain: $from"
        missed=$((missed + 1))
        return
    fi
    if [ "$only" = --list ]; then
        caught=$((caught + 1))
        return
    fi
    printf '%s' "${text/"$from"/"$to"}" >"$copy/$file"
    output=$(run_test "$target" "$name")
    printf '%s' "$text" >"$copy/$file"
    if [ "$(tail -n 1 <<<"$output")" = red ]; then
        echo "caught  $target $name: $file: $from"
        caught=$((caught + 1))
    else
        echo "MISSED  $target $name: $file: $from -> $to"
        echo "$output" | tail -n 15
        missed=$((missed + 1))
    fi
}

# A test that is red before anything is broken proves nothing.
[ "$only" = --list ] || while read -r target name; do
    output=$(run_test "$target" "$name")
    if [ "$(tail -n 1 <<<"$output")" != green ]; then
        echo "$target $name is not green on the tree as it is:"
        echo "$output" | tail -n 15
        exit 1
    fi
done < <(awk -v only="$only" '
    /^file: / { text = $0 } /^(from|to): / { text = text " " $0 }
    /^test: / { if (index(text " " $0, only)) print substr($0, 7) }' "$here/tests/mutations.txt" | sort -u)

while IFS= read -r line; do
    case $line in
        'file: '*) file=${line#file: } ;;
        'from: '*) from=${line#from: } ;;
        'to: '*) to=${line#to: } ;;
        'test: '*)
            test=${line#test: }
            if [[ "$only" = --list || "$file $from $to $test" == *"$only"* ]]; then try "${test%% *}" "${test#* }"; fi
            ;;
    esac
done <"$here/tests/mutations.txt"

[ "$only" = --list ] && echo "$caught edits have their text, $missed have not" || echo "$caught caught, $missed missed"
[ "$missed" -eq 0 ] && [ "$caught" -gt 0 ]
