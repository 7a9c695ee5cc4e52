#!/bin/sh
# The real servers that the tests talk to, from Debian's packages. Where they cannot be installed
# this says so in one line each, and the tests that need them are skipped by name.
set -eu

want() { # want COMMAND PACKAGE WHAT
    [ -n "$1" ] && return 0
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Setting up: installing Debian's $2 ($3)"
        [ -n "${updated:-}" ] || { apt-get update -q >/dev/null 2>&1 || true; updated=1; }
        # The packaged service must not start: the tests run their own, on a port of their own.
        printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d.tillway && chmod +x /usr/sbin/policy-rc.d.tillway
        if [ ! -e /usr/sbin/policy-rc.d ]; then
            mv /usr/sbin/policy-rc.d.tillway /usr/sbin/policy-rc.d; ours=1
        else
            rm /usr/sbin/policy-rc.d.tillway; ours=
        fi
        DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "$2" >/dev/null 2>&1 \
            || echo "Skipping: $2 could not be installed; $3 tests will be skipped"
        if [ -n "$ours" ]; then rm -f /usr/sbin/policy-rc.d; fi
    else
        echo "Skipping: no $2 here and no right to install it; $3 tests will be skipped"
    fi
}

postgres=$(ls /usr/lib/postgresql/*/bin/initdb 2>/dev/null | tail -n 1 || true)
want "${postgres:-$(command -v initdb || true)}" postgresql "PostgreSQL"
want "$(command -v mosquitto || ls /usr/sbin/mosquitto 2>/dev/null || true)" mosquitto "MQTT broker"
