#!/bin/sh
# Makes .venv/foreign: drivers and a broker by other people, for tests and benchmarks, that ask for other versions than ours
# or bring more than a payment terminal wants. What cannot be had is said in one line, and the tests
# that need it are skipped by name.
#
# Rule 1: only what foreign.lock names, by version and hash; a build may use only that, too.
set -eu
lock=deploy/setup/foreign.lock
place=.venv/foreign

! cmp -s "$lock" "$place/.lock" || exit 0
echo "Setting up: installing other people's drivers into $place (for the driver tests)"
rm -rf "$place"
if .venv/bin/uv venv -q --python .venv/bin/python "$place" \
    && timeout 300 sh deploy/setup/uv.sh pip sync -q --python "$place/bin/python" --require-hashes \
        --build-constraints "$lock" "$lock"; then
    cp "$lock" "$place/.lock"
else
    rm -rf "$place"
    echo "Missing: other people's drivers could not be installed. Their tests will be skipped."
fi
