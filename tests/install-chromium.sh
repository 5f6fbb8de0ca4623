#!/usr/bin/env bash
# Installs Chromium, whose WebGPU compiles the kernels (tests/browser.sh) and whose SwiftShader is a second Vulkan driver
# (tests/drivers.sh). Does nothing, and says nothing, where both are there.
set -euo pipefail

fail() {
    echo "install-chromium: $*" >&2
    exit 1
}

is_there() {
    command -v chromium >/dev/null && [ -e /usr/lib/chromium/vk_swiftshader_icd.json ]
}

apt_get() {
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get "$@" >&2
}

if [ "$(uname -s)" != Linux ] || is_there; then
    exit 0
fi
by_hand="install Chromium with its SwiftShader, as the package chromium of Debian has it"
command -v apt-get >/dev/null || fail "there is no Chromium here, and no apt-get: $by_hand"
sudo=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || fail "there is no Chromium here, and this is neither root nor is there sudo: $by_hand"
    sudo=sudo
fi
echo "install-chromium: installing it" >&2
apt_get update -q
apt_get install -q -y --no-install-recommends chromium || fail "apt-get has no chromium that can be installed: $by_hand"
# Ubuntu's package of that name holds no browser
is_there || fail "apt-get installed chromium, but not the browser or not its SwiftShader: $by_hand"
