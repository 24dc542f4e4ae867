# Tests of the command line against a gateway that answers what it is told. Source it behind lib.sh:
#
#     start_fake '{"VmService/GetVm": [{"body": {"vm": {"name": "web"}}}]}'
#     run "$ISOBAR" vm show web
#     sent 'VmService/GetVm'      # the last such call, as JSON: method, requestId, token, request

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PYTHON=/usr/bin/python3
[ -x "$PYTHON" ] || PYTHON=python3
"$PYTHON" -c 'import google.protobuf' 2>/dev/null || skip "there is no protobuf for Python"

# start_fake SCRIPT: see fake_gateway.py. Exports ISOBAR_SERVER. One at a time; lib.sh ends it.
start_fake() {
    [ -z "$DAEMON_PID" ] || stop_fake
    printf '%s' "$1" >"$TEST_DIR/script.json"
    : >"$TEST_DIR/calls"
    rm -f "$TEST_DIR/fake.sock"
    "$PYTHON" "$HERE/fake_gateway.py" "$TEST_DIR/fake.sock" "$TEST_DIR/script.json" \
        "$TEST_DIR/calls" </dev/null 2>"$TEST_DIR/fake.log" &
    DAEMON_PID=$! DAEMON_LOG=$TEST_DIR/fake.log
    export ISOBAR_SERVER=ipc://$TEST_DIR/fake.sock
    local i
    for ((i = 0; i < 600; i++)); do
        [ -S "$TEST_DIR/fake.sock" ] && return 0
        kill -0 "$DAEMON_PID" 2>/dev/null || break
        sleep 0.05
    done
    fail "the fake gateway did not start"
}

stop_fake() {
    kill -KILL "$DAEMON_PID"
    wait "$DAEMON_PID" 2>/dev/null || true
    DAEMON_PID=
}

# sent METHOD [FIELD]: the last call of the method, or a field of it: "request.spec.name".
sent() {
    "$PYTHON" - "$TEST_DIR/calls" "$@" <<'END'
import json
import sys

calls = [json.loads(line) for line in open(sys.argv[1], encoding='utf-8')]
calls = [c for c in calls if c['method'].endswith(sys.argv[2])]
found = calls[-1] if calls else None
for part in sys.argv[3].split('.') if len(sys.argv) > 3 else []:
    found = found.get(part) if isinstance(found, dict) else None
print(found if isinstance(found, str) else json.dumps(found, sort_keys=True))
END
}

# count_sent METHOD: how many calls of it there were.
count_sent() {
    grep -c "\"method\": \"[^\"]*$1\"" "$TEST_DIR/calls" || true
}

# on_terminal COLUMNS INPUT COMMAND...: like run, with the command on a terminal; $out is what the
# terminal got.
on_terminal() {
    run "$PYTHON" "$HERE/terminal.py" "$@"
    out=${out//$'\r'/}
}
