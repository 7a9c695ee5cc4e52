#!/bin/sh
# Makes .venv, puts uv inside it, installs exactly what the given lock file names, and the project
# itself in place. Needs Python 3.11 or newer, nothing else.
set -eu
lock=$1
python=${PYTHON:-python3}
venv=.venv

say() { printf '%s\n' "$*"; }

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    say "Tillway needs Python 3.11 or newer; $python is $("$python" -V 2>&1). Try: make PYTHON=python3.11 ..." >&2
    exit 1
}

if [ ! -x "$venv/bin/python" ]; then
    say "Setting up: creating $venv"
    if ! "$python" -m venv "$venv" >/dev/null 2>&1; then
        rm -rf "$venv"
        if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
            say "Setting up: this Python has no ensurepip; installing Debian's python3-venv"
            { apt-get update -q && apt-get install -qy --no-install-recommends python3-venv; } >/dev/null
            "$python" -m venv "$venv"
        else
            say "This Python cannot make a virtual environment. On Debian: apt-get install python3-venv" >&2
            exit 1
        fi
    fi
fi
[ -x "$venv/bin/uv" ] || "$venv/bin/python" -m pip install -q --disable-pip-version-check "uv>=0.13"

say "Setting up: installing $(grep -c '==' "$lock") packages from $lock"
"$venv/bin/uv" pip install -q --python "$venv/bin/python" --require-hashes -r "$lock"
"$venv/bin/uv" pip install -q --python "$venv/bin/python" --no-deps -e .

case "$lock" in
    *-dev.lock) touch "$venv/.runtime" "$venv/.dev" ;;
    *) touch "$venv/.runtime" ;;
esac
