#!/bin/sh
# Runs .venv's uv as pip would be run on this machine. uv reads nothing of what pip was told (a mirror's address,
# the certificate of a company's proxy), so it is told here; what the environment says to uv itself goes first.
# From wherever a package comes, the lock's hash decides.
set -eu
python=.venv/bin/python
"$python" -m pip --version >/dev/null 2>&1 || python=${PYTHON:-$(sh "$(dirname "$0")/python.sh")}
told=$("$python" -m pip config list 2>/dev/null || true)

# One option's value. pip lists the environment's before its files'.
told_pip() {
    printf '%s\n' "$told" \
        | sed -n -e "s/^:env:\.$1='\(.*\)'\$/\1/p" -e "s/^global\.$1='\(.*\)'\$/\1/p" | head -n 1
}

index=${UV_DEFAULT_INDEX:-$(told_pip index-url)}
authority=${SSL_CERT_FILE:-$(told_pip cert)}
[ -z "$index" ] || export UV_DEFAULT_INDEX="$index"
[ -z "$authority" ] || export SSL_CERT_FILE="$authority"
# uv keeps downloads in the user's cache; a user without a home has none.
[ -w "${XDG_CACHE_HOME:-${HOME:-/nonexistent}}" ] || export UV_NO_CACHE=1
exec .venv/bin/uv "$@"
