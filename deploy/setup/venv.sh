#!/bin/sh
# Makes .venv hold exactly what the given lock file names, the tools of tools.lock (uv to install,
# hatchling to build) and the project itself in place. Needs Python 3.11 or newer, nothing else.
#
# Rule 1: nothing comes without a version and a hash from a lock; building the project fetches nothing.
# Rule 2: .venv/.unfinished is there while this works: what was killed half way is made anew.
set -eu
lock=$1
python=${PYTHON:-$(sh deploy/setup/python.sh)}
export PYTHON="$python"
venv=.venv
tools=deploy/setup/tools.lock

say() { printf '%s\n' "$*"; }
stop() { say "$*" >&2; exit 1; }

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

# The tools by the first way that this Python offers. Debian's has pip but no ensurepip, or neither.
install_tools() {
    set -- install -q --disable-pip-version-check --require-hashes -r "$tools"
    if "$venv/bin/python" -m pip --version >/dev/null 2>&1 \
        || "$venv/bin/python" -m ensurepip >/dev/null 2>&1; then
        "$venv/bin/python" -m pip "$@"
    elif "$python" -m pip --python "$venv/bin/python" --version >/dev/null 2>&1; then
        "$python" -m pip --python "$venv/bin/python" "$@"
    elif [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        say "Setting up: this Python has neither ensurepip nor pip; installing Debian's python3-venv"
        { apt-get -o Acquire::http::Timeout=30 update -q \
            && apt-get -o Acquire::http::Timeout=30 -o DPkg::Lock::Timeout=60 install -qy \
                --no-install-recommends python3-venv; } >/dev/null
        "$venv/bin/python" -m ensurepip >/dev/null
        "$venv/bin/python" -m pip "$@"
    else
        stop "This Python has neither ensurepip nor pip. On Debian: apt-get install python3-venv"
    fi
}

is_new_enough "$python" \
    || stop "Tillway needs Python 3.11 or newer; $python is $("$python" -V 2>&1). Try: make PYTHON=python3.11 ..."

if [ -e "$venv" ] && { [ -e "$venv/.unfinished" ] || ! is_new_enough "$venv/bin/python"; }; then
    say "Setting up: $venv was left unfinished or its Python is gone; making it anew"
    rm -rf "$venv"
fi
had_tests=$([ -e "$venv/.dev" ] && echo yes || true)
was_whole=$([ -e "$venv/.runtime" ] && echo yes || true)
[ -d "$venv" ] || say "Setting up: creating $venv"
mkdir -p "$venv"
touch "$venv/.unfinished"
[ -x "$venv/bin/python" ] || "$python" -m venv --without-pip "$venv"
"$venv/bin/uv" --version >/dev/null 2>&1 || install_tools

# What the tests use stays where it was installed once: the product alone would remove it again.
[ -z "$had_tests" ] || lock=requirements-dev.lock
# schemas.lock: a package that tests read files of and never import, so without what it needs.
case "$lock" in
    *-dev.lock) schemas=deploy/setup/schemas.lock ;;
    *) schemas= ;;
esac

say "Setting up: installing $(grep -c '==' "$lock") packages from $lock"
# Also removes what neither lock names. uv fetches everything before it changes anything, so where
# a complete .venv was, a failed download leaves it complete.
sh deploy/setup/uv.sh pip sync -q --python "$venv/bin/python" --require-hashes "$lock" "$tools" $schemas || {
    [ -z "$was_whole" ] || rm -f "$venv/.unfinished"
    stop "Setting up: could not install what $lock names"
}
sh deploy/setup/uv.sh pip install -q --offline --python "$venv/bin/python" \
    --no-deps --no-build-isolation -e .
# Programs start together, and so do the tests' workers: each would compile the same for itself.
for room in ./*/__init__.py; do printf '%s\0' "${room%/*}"; done \
    | xargs -0 "$venv/bin/python" -m compileall -q -j 0

case "$lock" in
    *-dev.lock) touch "$venv/.runtime" "$venv/.dev" ;;
    *) touch "$venv/.runtime" ;;
esac
rm -f "$venv/.unfinished"
