#!/bin/sh
# Says which Python .venv is made of: the first on the PATH that was compiled with what was learnt
# from running it, if it has all that setting up needs; else the first on the PATH.
#
# A distribution compiles its Python so (its base is /usr), others if told to. What a version manager
# compiles without being told takes a sixth more time for all of the tests.
set -eu

# 3.11, pip or what brings it, the modules that a distribution packages separately, the headers.
is_fast_and_whole() {
    "$1" -c '
import pathlib, sys, sysconfig
import ensurepip, sqlite3, ssl, venv
trained = "--enable-optimizations" in (sysconfig.get_config_var("CONFIG_ARGS") or "")
headers = pathlib.Path(sysconfig.get_path("include"), "Python.h")
sys.exit(sys.version_info < (3, 11) or not (trained or sys.base_prefix == "/usr") or not headers.exists())
' 2>/dev/null
}

IFS=:
for directory in $PATH; do
    found=$directory/python3
    if [ -x "$found" ] && is_fast_and_whole "$found"; then
        printf '%s\n' "$found"
        exit
    fi
done
printf 'python3\n'
