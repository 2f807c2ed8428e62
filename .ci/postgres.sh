#!/bin/sh
# A throw-away PostgreSQL for tests, on loopback, as an ordinary user; gone on exit.
#   .ci/postgres.sh COMMAND…   runs COMMAND with XUKA_TEST_POSTGRES_URL set, exits as it does
#   .ci/postgres.sh            prints the URL, runs until its input ends or it is stopped
# Needs Debian's postgresql package (or PG_BIN=folder of initdb and pg_ctl). Exit 69: no server.
set -eu

bin=${PG_BIN:-}
if [ -z "$bin" ]; then
    for found in /usr/lib/postgresql/*/bin; do
        [ -x "$found/initdb" ] && bin=$found
    done
fi
if [ -z "$bin" ]; then
    echo "no PostgreSQL server is installed" >&2
    exit 69
fi

home=$(mktemp -d "${TMPDIR:-/tmp}/xuka-postgres.XXXXXX")
if [ "$(id -u)" -eq 0 ]; then
    # PostgreSQL refuses to run as root.
    id xuka-postgres >/dev/null 2>&1 ||
        useradd --system --no-create-home --shell /bin/sh xuka-postgres
    chown xuka-postgres "$home"
    as() { setpriv --reuid=xuka-postgres --regid=xuka-postgres --clear-groups -- "$@"; }
else
    as() { "$@"; }
fi

stop() {
    as "$bin/pg_ctl" -D "$home/data" -m immediate -w stop >/dev/null 2>&1 || true
    rm -rf "$home"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

cd "$home"
as "$bin/initdb" -D "$home/data" -U xuka -A trust -E UTF8 --locale=C -N >"$home/initdb.log" 2>&1 || {
    cat "$home/initdb.log" >&2
    exit 1
}
tries=0
while :; do
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    # Nothing here outlives the tests, so nothing needs to reach the disk.
    if as "$bin/pg_ctl" -D "$home/data" -l "$home/data/server.log" -w -o "-h 127.0.0.1 -p $port \
        -k '' -c fsync=off -c synchronous_commit=off -c full_page_writes=off \
        -c max_connections=300" start >/dev/null 2>&1; then
        break
    fi
    tries=$((tries + 1))
    if [ "$tries" -ge 5 ]; then
        cat "$home/data/server.log" >&2
        exit 1
    fi
done
cd "$OLDPWD"

XUKA_TEST_POSTGRES_URL="postgresql+asyncpg://xuka@127.0.0.1:$port/postgres"
export XUKA_TEST_POSTGRES_URL
if [ "$#" -gt 0 ]; then
    status=0
    "$@" || status=$?
    exit "$status"
fi
echo "$XUKA_TEST_POSTGRES_URL"
cat >/dev/null
