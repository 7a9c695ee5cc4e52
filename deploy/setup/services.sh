#!/bin/sh
# The real servers and clients that the tests talk to, from Debian's packages, when run by root.
# Where they cannot be installed this says so in one line each, and the tests that need them are
# skipped by name.
set -eu

policy=/usr/sbin/policy-rc.d
mark="made by Tillway's tests and removed after them"
missing=

unforbid() { # remove our own file only, also one that a killed run left behind
    if [ -w "$policy" ] && grep -qs "$mark" "$policy"; then rm -f "$policy"; fi
}

apt() { # bounded: a mirror that does not answer must not stop the tests
    DEBIAN_FRONTEND=noninteractive timeout --foreground 600 apt-get -o Acquire::http::Timeout=20 \
        -o Acquire::Retries=1 -o DPkg::Lock::Timeout=60 "$@" >/dev/null 2>&1 </dev/null
}

want() { # want FOUND PACKAGE TESTS
    [ -z "$1" ] || return 0
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        missing="$missing $2"
        echo "Missing: $2. The $3 tests will be skipped."
        return 0
    fi
    echo "Setting up: installing Debian's $2 (for the $3 tests)"
    [ -n "${updated:-}" ] || { apt update -q || true; updated=1; }
    # The packaged service must not start: the tests run their own, on a port of their own.
    [ -e "$policy" ] || { printf '#!/bin/sh\n# %s\nexit 101\n' "$mark" >"$policy" && chmod +x "$policy"; }
    apt install -qy --no-install-recommends "$2" \
        || echo "Missing: $2 could not be installed. The $3 tests will be skipped."
    unforbid
}

found() { # found COMMAND: also where an ordinary user's PATH does not look
    PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin" command -v "$1" || true
}

trap unforbid EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
unforbid

postgres=$(ls /usr/lib/postgresql/*/bin/initdb 2>/dev/null | tail -n 1 || true)
want "${postgres:-$(found initdb)}" postgresql "PostgreSQL"
want "$(found mosquitto)" mosquitto "external MQTT broker"
want "$(found mosquitto_pub)" mosquitto-clients "MQTT command-line client"
rabbitmq=$(ls /usr/lib/rabbitmq/lib/*/sbin/rabbitmq-server 2>/dev/null | tail -n 1 || true)
want "$rabbitmq" rabbitmq-server "callback broker"
coap=$(found coap-client-notls)
want "${coap:-$(found coap-client)}" libcoap3-bin "libcoap client"
want "$(found redis-server)" redis-server "shared features"
want "$(found swupdate)" swupdate "update client"
want "$(found openssl)" openssl "time stamp"
want "$(found systemd-analyze)" systemd "service units"
want "$(found npm)" npm "second reader (ISO 8583, bills)"
# Chromium without a window takes half of the processor time; where there is none, the whole one does.
browser=$(found chromium-headless-shell)
[ "$(id -u)" = 0 ] || browser=${browser:-$(found chromium)}
want "$browser" chromium-headless-shell "browser"
[ -n "$(found chromium-headless-shell)" ] || want "$(found chromium)" chromium "browser"
cjk=$(ls /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc 2>/dev/null || true)
want "$cjk" fonts-noto-cjk "browser (Chinese characters)"
# Side by side: each waits for another archive most of the time.
.venv/bin/python deploy/setup/npm_readers.py & readers=$!
sh deploy/setup/foreign.sh & drivers=$!
sh deploy/setup/debian13.sh & clients=$!
wait "$readers"
wait "$drivers"
wait "$clients"
[ -z "$missing" ] || echo "To run all tests: sudo apt-get install$missing"
