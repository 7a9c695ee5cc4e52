#!/bin/sh
# Makes .venv/debian13: clients that the tests talk to and that Debian has in a newer form than this
# machine's release, unpacked beside it and run with their own C library; nothing is installed, and
# nobody need be root. Packages come from the archive that this machine's apt already uses, and apt
# checks their signatures. Where that cannot be, this says so in one line, and the tests are skipped.
set -eu
release=trixie
place=.venv/debian13
packages="libcoap3-bin libcoap3t64 libssl3t64 libc6 zlib1g libzstd1"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

[ "$(cat "$place/.whole" 2>/dev/null || true)" != "$packages" ] || exit 0
command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || {
    echo "Missing: libcoap with OSCORE, for there is no apt-get. The OSCORE client tests will be skipped."
    exit 0
}
echo "Setting up: unpacking libcoap of Debian 13 into $place (for the OSCORE client tests)"
rm -rf "$place"
mkdir -p "$place/apt/lists/partial" "$place/apt/archives/partial" "$place/debs" "$place/root"
here=$(cd "$place" && pwd)

archive=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null \
    | sed 's/#.*//' | grep -Eo 'https?://[^ ]+/debian/?([[:space:]]|$)' | head -n 1 | tr -d '[:space:]')
printf 'deb [signed-by=%s] %s %s main\n' "$keyring" "$archive" "$release" >"$here/apt/sources.list"

apt() { # knows of this release only, keeps everything here, and is bounded
    timeout 120 apt-get -qq -o Dir::Etc::sourcelist="$here/apt/sources.list" \
        -o Dir::Etc::sourceparts=/dev/null -o Dir::State="$here/apt" -o Dir::Cache="$here/apt" \
        -o Dir::State::status=/dev/null -o Acquire::Languages=none -o APT::Sandbox::User= \
        -o Acquire::http::Timeout=20 -o Acquire::Retries=1 "$@" >/dev/null 2>&1 </dev/null
}

if apt update && (cd "$place/debs" && apt download $packages); then
    for package in "$place"/debs/*.deb; do dpkg-deb -x "$package" "$place/root"; done
    rm -rf "$place/apt" "$place/debs"
    echo "$packages" >"$place/.whole"
else
    rm -rf "$place"
    echo "Missing: libcoap of Debian 13 could not be fetched. The OSCORE client tests will be skipped."
fi
