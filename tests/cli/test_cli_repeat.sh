# A gateway that dies in the midst of a command: it is tried again, and the user hears of it.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fake.sh"

created='{"result": {"code": "RESULT_CODE_CREATED"}, "body": {"vm": {"cloud": "lab", "id": "id-1", "name": "web"}}}'
held="{\"VmService/CreateVm\": [{\"delay\": 60}]}"

# begin COMMAND...: run it in the background; the gateway has its call when this returns.
begin() {
    local i before
    before=$(wc -l <"$TEST_DIR/calls")
    "$@" >"$TEST_DIR/out" 2>"$TEST_DIR/err" </dev/null &
    COMMAND_PID=$!
    for ((i = 0; i < 600 && $(wc -l <"$TEST_DIR/calls") == before; i++)); do
        sleep 0.05
    done
}
# finish: wait for it; sets status, out and err.
finish() {
    status=0
    wait "$COMMAND_PID" || status=$?
    out=$(cat "$TEST_DIR/out")
    err=$(cat "$TEST_DIR/err")
}

# Killed when it had the call, and started again: the same request under the same id, one answer.
start_fake "$held"
begin "$ISOBAR" vm create --name web -o name
id=$(sent CreateVm requestId)
request=$(sent CreateVm request)
stop_fake
sleep 0.3
start_fake "{\"VmService/CreateVm\": [$created]}"
finish
assert_eq 0 "$status" "exit code over a restart"
assert_eq lab/web "$out"
assert_contains "$err" "was lost during the call: "
assert_contains "$err" "; trying again under the same request id"
assert_eq "$id" "$(sent CreateVm requestId)" "the request id of the second time"
assert_eq "$request" "$(sent CreateVm request)" "the request of the second time"

# It does not come back in time: how to find it, and how to go on without doing it twice.
start_fake "$held"
begin "$ISOBAR" vm create --name web --timeout 2s
id=$(sent CreateVm requestId)
stop_fake
finish
assert_eq 8 "$status" "exit code where it stays away"
assert_contains "$err" "it may have happened all the same"
assert_contains "$err" "to find it: isobar operation list --request-id $id"
assert_contains "$err" "the same command with --request-id $id is not done twice"

# A command of several calls goes on by one id.
start_fake '{"VmService/BatchControlVms": [{"body": {"results": [{"id": "a", "result": {"code": "RESULT_CODE_CHANGED"}}]}}]}'
assert_ok "$ISOBAR" vm stop lab/a far/a
first=$(sed -n 1p "$TEST_DIR/calls" | "$PYTHON" -c 'import json, sys; print(json.load(sys.stdin)["requestId"])')
assert_eq "$first/2" "$(sent BatchControlVms requestId)" "the request id of the second call"

# The cloud has not answered the gateway: it is resolved there.
start_fake '{"VmService/CreateVm": [{"result": {"code": "RESULT_CODE_OUTCOME_UNKNOWN", "detail": "lab has not answered",
 "operationId": "op-1", "retry": {"class": "RETRY_CLASS_AFTER_LOOKUP"}, "sideEffects": "SIDE_EFFECTS_POSSIBLE"}}]}'
assert_exit 1 "$ISOBAR" vm create --name web
assert_contains "$err" "the gateway is resolving it: isobar operation wait op-1"
