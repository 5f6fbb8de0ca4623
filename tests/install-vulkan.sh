#!/usr/bin/env bash
# Installs Mesa's software Vulkan driver (lavapipe) where no Vulkan driver works. Does nothing, and says nothing, where
# one does: a GPU with its driver, or lavapipe of Mesa 25 or later. Older ones are not enough: that of Debian 12 (22.3.6)
# computes wrong numbers.
set -euo pipefail

least_mesa=25
# what the driver file of Mesa 25.0 says of itself
least_api=1.4.305

say() {
    echo "install-vulkan: $*" >&2
}

fail() {
    say "$*"
    exit 1
}

# at_least A B: version A is B or later
at_least() {
    [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$2" ]
}

driver_files() {
    local folders=(/etc/vulkan/icd.d /usr/share/vulkan/icd.d /usr/local/share/vulkan/icd.d
        /usr/local/etc/vulkan/icd.d "${XDG_DATA_HOME:-${HOME:-/root}/.local/share}/vulkan/icd.d")
    local files="${VK_DRIVER_FILES:-${VK_ICD_FILENAMES:-}}"
    if [ -n "$files" ]; then
        tr ':' '\n' <<<"$files"
    else
        find -L "${folders[@]}" -name '*.json' 2>/dev/null || true
    fi
}

has_loader() {
    # not a pipe into grep -q, whose early exit would count as a failure of ldconfig
    local libraries
    libraries=$(ldconfig -p 2>/dev/null || /sbin/ldconfig -p 2>/dev/null || true)
    grep -q 'libvulkan\.so\.1' <<<"$libraries"
}

# A GPU that the kernel knows, with a driver file that is not a software driver's. Mesa installs those of all makers
# together, so the files alone prove nothing.
has_hardware() {
    local names
    names=$(driver_files | sed 's|.*/||')
    if [ -e /dev/nvidia0 ] && grep -qi nvidia <<<"$names"; then
        return 0
    fi
    compgen -G '/dev/dri/renderD*' >/dev/null && grep -qiE 'radeon|amd|intel|nouveau|asahi|freedreno|panfrost|broadcom' <<<"$names"
}

has_lavapipe() {
    local file version
    while read -r file; do
        version=$(sed -nE 's/.*"api_version": *"([0-9.]+)".*/\1/p' "$file" 2>/dev/null | head -n 1)
        if [ -n "$version" ] && at_least "$version" "$least_api"; then
            return 0
        fi
    done < <(driver_files | grep -E '/lvp_icd[^/]*\.json$')
    return 1
}

works() {
    has_loader && { has_hardware || has_lavapipe; }
}

# The first entry of this machine's own package sources for the suite $1, as "URI<tab>keyring" (the keyring may be empty).
own_source() {
    local suite=$1 file
    for file in /etc/apt/sources.list.d/*.sources; do
        [ -e "$file" ] || continue
        awk -v suite="$suite" '
            function finish(   i, parts, count) {
                count = split(value["suites"], parts, " ")
                for (i = 1; i <= count; i++) {
                    if (parts[i] == suite && value["types"] ~ /(^| )deb( |$)/ && tolower(value["enabled"]) != "no") {
                        split(value["uris"], parts, " ")
                        printf "%s\t%s\n", parts[1], value["signed-by"]
                        found = 1
                        exit
                    }
                }
                delete value
                key = ""
            }
            /^#/ { next }
            /^[ \t]*$/ { finish(); next }
            /^[^ \t]/ {
                key = tolower(substr($0, 1, index($0, ":") - 1))
                text = substr($0, index($0, ":") + 1)
                gsub(/^[ \t]+|[ \t]+$/, "", text)
                value[key] = text
                next
            }
            # a key written out over several lines is not a path, so it is left out
            key != "signed-by" { value[key] = value[key] " " $0 }
            END { if (!found) finish() }
        ' "$file"
    done
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ -e "$file" ] || continue
        sed -nE "s/^deb[ \t]+(\[([^]]*)\][ \t]+)?([^ \t]+)[ \t]+$suite[ \t].*/\3\t\2/p" "$file" |
            sed -E 's/\t.*signed-by=([^] \t]+).*/\t\1/; t; s/\t.*/\t/'
    done
}

add_backports() {
    local suite=$1 file=/etc/apt/sources.list.d/$1-backports.sources line uri keyring
    if grep -rqE "^[^#]*\b$suite-backports\b" /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null; then
        return
    fi
    line=$(own_source "$suite" | sed -n 1p)
    [ -n "$line" ] || fail "found no entry for $suite in /etc/apt; add $suite-backports to your package sources"
    uri=${line%%$'\t'*}
    keyring=${line#*$'\t'}
    if [ -z "$keyring" ] && [ -e /usr/share/keyrings/debian-archive-keyring.gpg ]; then
        keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    fi
    say "adding $suite-backports as $file"
    printf 'Types: deb\nURIs: %s\nSuites: %s-backports\nComponents: main\n%s' "$uri" "$suite" \
        "${keyring:+Signed-By: $keyring
}" | $sudo tee "$file" >/dev/null
    apt_get update -q
}

apt_get() {
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get "$@" >&2
}

if [ "$(uname -s)" != Linux ] || works; then
    exit 0
fi

by_hand="install a Vulkan loader and your GPU's driver, or Mesa's software driver (lavapipe) $least_mesa or later; \
packages: mesa-vulkan-drivers and libvulkan1 (Debian, Ubuntu), mesa-vulkan-drivers and vulkan-loader (Fedora), \
vulkan-swrast and vulkan-icd-loader (Arch), mesa-vulkan-swrast and vulkan-loader (Alpine)"

command -v apt-get >/dev/null || fail "no Vulkan driver works here, and there is no apt-get: $by_hand"
sudo=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || fail "no Vulkan driver works here, and this is neither root nor is there sudo: $by_hand"
    sudo=sudo
fi
suite=$(sed -nE 's/^VERSION_CODENAME="?([a-z]+)"?$/\1/p' /etc/os-release)

say "no Vulkan driver works here; installing Mesa's software driver"
apt_get update -q
candidate=$(apt-cache policy mesa-vulkan-drivers | sed -nE 's/^ *Candidate: *([0-9]+:)?//p')
if at_least "${candidate:-0}" "$least_mesa"; then
    apt_get install -q -y mesa-vulkan-drivers libvulkan1
elif [ "$suite" = bookworm ]; then
    say "mesa-vulkan-drivers ${candidate:-nothing} is too old, $suite-backports has a newer one"
    add_backports "$suite"
    apt_get install -q -y -t "$suite-backports" mesa-vulkan-drivers libvulkan1
else
    fail "mesa-vulkan-drivers is ${candidate:-not there} for ${suite:-this system}, $least_mesa or later is needed: $by_hand"
fi
works || fail "it is installed, but still no Vulkan driver works: $by_hand"
say "installed"
