# What the scripts of this folder share. Sourced by them, not run.
# shellcheck shell=bash

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PROGRAM=$(basename "$0")
# Where the test OpenStack is, unless ISOBAR_TEST_OPENSTACK names another one.
OPENSTACK_STATE=${STATE:-/var/tmp/openstack-test}

say() { printf '%s: %s\n' "$PROGRAM" "$*"; }
die() {
    printf '%s: %s\n' "$PROGRAM" "$*" >&2
    exit 1
}

# The comment at the head of the script, as its help.
usage() { sed -n '2,/^[^#]/{ s/^# \{0,1\}//p; }' "$0"; }

# build PRESET [CMAKE-OPTION...] [-- TARGET...]: configure and build, as many jobs as cores.
build() {
    local preset=$1 options=()
    shift
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    [ $# -eq 0 ] || shift
    (cd "$ROOT" && cmake --preset "$preset" "${options[@]}") &&
        cmake --build "$ROOT/build/$preset" ${1:+--target "$@"}
}

# explain LOG: of what build() printed, what tells why it failed.
explain() {
    if grep -q '^FAILED:' "$1"; then
        grep -A 30 '^FAILED:' "$1" | grep -v '^\[[0-9]*/' | head -n 60
    else
        tail -n 30 "$1"
    fi
}

# end PID: end a process that was started here: ask, then insist. Waits for it.
end() {
    local pid=$1
    kill "$pid" 2>/dev/null || true
    for _ in {1..100}; do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
}

# openstack_begin: have a test OpenStack, set ISOBAR_TEST_OPENSTACK to its clouds.yaml. One that was
# up before is used and left alone. Returns 1 where it cannot run here, 2 where it failed, and then
# ISOBAR_NO_OPENSTACK says why.
OPENSTACK_OURS=""
openstack_begin() {
    local up=$ROOT/tests/cloud/openstack/openstack-up.sh
    if [ -n "${ISOBAR_TEST_OPENSTACK:-}" ]; then
        return 0
    fi
    if [ "$(id -u)" != 0 ] && ! "$ROOT/tools/setup" --check openstack >/dev/null; then
        export ISOBAR_NO_OPENSTACK="its packages are missing, and only root can install them: tools/setup openstack"
        return 1
    fi
    STATE=$OPENSTACK_STATE "$up" --is-up || OPENSTACK_OURS=yes
    if ! STATE=$OPENSTACK_STATE "$up"; then
        export ISOBAR_NO_OPENSTACK="it did not come up: see $OPENSTACK_STATE/log"
        OPENSTACK_OURS=""
        return 2
    fi
    export ISOBAR_TEST_OPENSTACK=$OPENSTACK_STATE/clouds.yaml
}

# openstack_end: end it, if openstack_begin started it.
openstack_end() {
    [ -n "$OPENSTACK_OURS" ] || return 0
    OPENSTACK_OURS=""
    STATE=$OPENSTACK_STATE "$ROOT/tests/cloud/openstack/openstack-down.sh"
}

# npm_tools: what package.json lists, in the versions of package-lock.json, into build/npm. Returns 1
# where npm cannot install it: build/npm/npm.log says why.
npm_tools() {
    local into=$ROOT/build/npm
    mkdir -p "$into"
    cmp -s "$ROOT/tools/package-lock.json" "$into/package-lock.json" && [ -d "$into/node_modules" ] && return
    cp "$ROOT"/tools/{package.json,package-lock.json,.npmrc} "$into"
    (cd "$into" && npm ci --ignore-scripts --loglevel=error \
        --fetch-retries=1 --fetch-retry-mintimeout=1000) >"$into/npm.log" 2>&1 && return
    rm -f "$into/package-lock.json"
    return 1
}
