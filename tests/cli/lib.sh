# What the tests of this folder share; bash. Source it first:
#
#     . "$(dirname "$0")/lib.sh"
#     start_daemon                       # a gateway of this test alone, with the sandbox cloud `box`
#     run "$ISOBAR" vm list              # -> $status, $out, $err
#     assert_eq 0 "$status"
#
# The environment gives ISOBAR_BUILD (the build folder) and ISOBAR_SOURCE (the checkout). A test
# ends with 0 (passed), 77 (skipped; it says why) or another code (failed). Everything it makes goes
# into $TEST_DIR, which is removed, like the daemons it started, however it ends.
set -euo pipefail

: "${ISOBAR_BUILD:?is the build folder}" "${ISOBAR_SOURCE:?is the checkout}"
ISOBAR=$ISOBAR_BUILD/client/isobar
ISOBARD=$ISOBAR_BUILD/server/isobard
TEST_DIR=$(mktemp -d "${TMPDIR:-/tmp}/isobar-test.XXXXXX")
DAEMON_PID=
DAEMON_COUNT=0
DAEMON_LOG=
HELPER_PIDS=() # further processes that a test has started, which end with it
export NO_COLOR=1 LC_ALL=C.UTF-8
unset ISOBAR_SERVER

cleanup() {
    local code=$?
    trap - EXIT
    local pid
    for pid in "${HELPER_PIDS[@]}"; do
        kill -KILL "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    if [ -n "$DAEMON_PID" ]; then
        kill -KILL "$DAEMON_PID" 2>/dev/null || true
        wait "$DAEMON_PID" 2>/dev/null || true
    fi
    if [ "$code" -ne 0 ] && [ "$code" -ne 77 ] && [ -s "$DAEMON_LOG" ]; then
        echo "--- the end of the daemon's log:" >&2
        tail -n 30 "$DAEMON_LOG" >&2
    fi
    if [ "$code" -eq 0 ] && ! "$ISOBAR_SOURCE/tests/canary.py" "$TEST_DIR" >&2; then
        code=1
    fi
    rm -rf "$TEST_DIR"
    exit "$code"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# fail WORDS...: the test has failed.
fail() {
    echo "FAILED at line ${BASH_LINENO[0]}${BASH_LINENO[1]:+ (called from ${BASH_LINENO[1]})}: $*" >&2
    exit 1
}

# skip WORDS...: what the test needs is absent.
skip() {
    echo "skipped: $*"
    exit 77
}

# start_daemon [CONFIG]: start isobard and wait until it listens. CONFIG is the text of a
# configuration; without one there is a sandbox cloud named `box`. Where it has no `listen` or
# `state_dir` these are added: a local socket and a folder in $TEST_DIR. Sets DAEMON_PID, DAEMON_LOG
# and DAEMON_CONFIG (the file), and exports ISOBAR_SERVER, which is the first URL under `listen`.
start_daemon() {
    [ -z "$DAEMON_PID" ] || fail "a daemon runs already"
    [ -x "$ISOBARD" ] || fail "there is no $ISOBARD"
    local text=${1-$'clouds:\n  box: {adapter: sandbox}'}
    DAEMON_COUNT=$((DAEMON_COUNT + 1))
    DAEMON_CONFIG=$TEST_DIR/isobard-$DAEMON_COUNT.yaml
    DAEMON_LOG=$TEST_DIR/isobard-$DAEMON_COUNT.log
    if ! grep -q '^listen:' <<<"$text"; then
        text="listen: [ipc://$TEST_DIR/isobar.sock]"$'\n'$text
    fi
    if ! grep -q '^state_dir:' <<<"$text"; then
        mkdir -p "$TEST_DIR/state"
        text="state_dir: $TEST_DIR/state"$'\n'$text
    fi
    printf '%s\n' "$text" >"$DAEMON_CONFIG"
    "$ISOBARD" --config "$DAEMON_CONFIG" </dev/null >/dev/null 2>"$DAEMON_LOG" &
    DAEMON_PID=$!
    local i
    for ((i = 0; i < 600; i++)); do
        if grep -q '"event": *"[^"]*ready' "$DAEMON_LOG"; then
            ISOBAR_SERVER=$(sed -n '/^listen:/,$p' "$DAEMON_CONFIG" |
                grep -o -m 1 '[a-z+]*://[^], "'"'"'}]*' | head -n 1)
            export ISOBAR_SERVER
            return 0
        fi
        if ! kill -0 "$DAEMON_PID" 2>/dev/null; then
            DAEMON_PID=
            fail "isobard ended before it was ready"
        fi
        sleep 0.05
    done
    fail "isobard was not ready within 30 s"
}

# stop_daemon: end it as an init system does; its exit code must be 0.
stop_daemon() {
    [ -n "$DAEMON_PID" ] || fail "no daemon runs"
    local pid=$DAEMON_PID code=0
    kill -TERM "$pid"
    wait "$pid" || code=$?
    DAEMON_PID=
    [ "$code" -eq 0 ] || fail "isobard ended with $code after SIGTERM"
}

# run COMMAND...: run it, whatever comes of it: exit code in $status, its output in $out and $err
# (without the last line ends). Standard input is empty unless the caller gives one.
run() {
    status=0
    if [ -t 0 ]; then
        "$@" </dev/null >"$TEST_DIR/out" 2>"$TEST_DIR/err" || status=$?
    else
        "$@" >"$TEST_DIR/out" 2>"$TEST_DIR/err" || status=$?
    fi
    out=$(cat "$TEST_DIR/out")
    err=$(cat "$TEST_DIR/err")
}

# assert_eq WANT GOT [WHAT]
assert_eq() {
    [ "$1" = "$2" ] && return 0
    [ -z "${err-}" ] || printf 'standard error was: %s\n' "$err" >&2
    fail "${3:-value}: wanted '$1', got '$2'"
}

# assert_ok COMMAND...: run it; it must end with 0.
assert_ok() {
    run "$@"
    assert_eq 0 "$status" "exit code of '$*'"
}

# assert_exit CODE COMMAND...: run it; it must end with that code.
assert_exit() {
    local want=$1
    shift
    run "$@"
    assert_eq "$want" "$status" "exit code of '$*'"
}

# assert_contains TEXT PART; assert_lacks TEXT PART
assert_contains() {
    [[ $1 == *"$2"* ]] || fail "wanted '$2' in: $1"
}
assert_lacks() {
    [[ $1 != *"$2"* ]] || fail "did not want '$2' in: $1"
}

# assert_matches TEXT REGEX (POSIX extended)
assert_matches() {
    [[ $1 =~ $2 ]] || fail "wanted a match of /$2/ in: $1"
}

# build_setting NAME: of the build, from CMake's cache; empty where there is none.
build_setting() {
    sed -n "s/^$1:[A-Z]*=//p" "$ISOBAR_BUILD/CMakeCache.txt"
}

# free_port: a TCP port of the loopback address that nobody listens at, for now.
free_port() {
    "$(build_setting ISOBAR_PYTHON)" -c \
        'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# assert_example COMMAND...: an example program makes, shows, lists and deletes a machine in the
# cloud `box` of $ISOBAR_SERVER.
assert_example() {
    export ISOBAR_SERVER
    assert_ok "$@" box "example-$RANDOM"
    assert_eq 4 "$(wc -l <<<"$out")" "lines of '$*'"
    assert_matches "$out" '^example-[0-9]+ .*VM_STATE_RUNNING.*deleted$'
    assert_eq "$(sed -n 1p <<<"$out")" "$(sed -n 2p <<<"$out")" "the machine, got again by '$*'"
    assert_eq "$(sed -n 1p <<<"$out")" "$(sed -n 3p <<<"$out")" "the machine in the list of '$*'"
}
