# Asking before a delete, showing that a call takes time, and being interrupted.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fake.sh"
export TERM=xterm

found='{"id": "web", "result": {"code": "RESULT_CODE_OK"}, "vm": {"cloud": "lab", "id": "id-1", "name": "web\u001b[2J"}}'
other='{"id": "db", "result": {"code": "RESULT_CODE_OK"}, "vm": {"cloud": "lab", "id": "id-2", "name": "db"}}'
missing='{"id": "web", "result": {"code": "RESULT_CODE_NOT_FOUND", "detail": "no vm web"}}'
deleted='{"result": {"code": "RESULT_CODE_DELETED"}, "body": {"vm": {"cloud": "lab", "id": "id-1"}}}'

# One machine: it is looked up, and what is deleted is the id that was shown.
start_fake "{\"VmService/BatchGetVmStatus\": [{\"body\": {\"results\": [$found]}}], \"VmService/DeleteVm\": [$deleted]}"
on_terminal 80 'n\n' "$ISOBAR" vm delete web
assert_eq 1 "$status" "exit code of a no"
assert_contains "$out" 'Delete vm lab/web\x1b[2J (id id-1)? [y/N]'
assert_contains "$out" 'nothing was deleted'
on_terminal 80 '\n' "$ISOBAR" vm delete web
assert_eq 1 "$status" "exit code of an empty answer"
assert_eq 0 "$(count_sent DeleteVm)"
on_terminal 80 'y\n' "$ISOBAR" vm delete web --wait
assert_eq 0 "$status" "exit code of a yes"
assert_eq '{"cloud": "lab", "id": "id-1", "wait": "WAIT_RUNNING"}' "$(sent DeleteVm request)"
on_terminal 80 '' "$ISOBAR" vm delete web --yes
assert_eq 0 "$status" "exit code with --yes"
on_terminal 80 '' "$ISOBAR" vm delete web --dry-run
assert_lacks "$out" "Delete vm"

# Several, one of which is not there: nothing is deleted, and nothing is asked.
start_fake "{\"VmService/BatchGetVmStatus\": [{\"body\": {\"results\": [$other, $missing]}}, {\"body\": {\"results\": [$other, $found]}}],
\"VmService/BatchControlVms\": [{\"body\": {\"results\": [$other, $found]}}]}"
on_terminal 80 '' "$ISOBAR" vm delete db web
assert_eq 9 "$status" "exit code where one is missing"
assert_contains "$out" "isobar: web: NotFound: no vm web"
assert_lacks "$out" "[y/N]"
on_terminal 80 'yes\n' "$ISOBAR" vm delete db web
assert_eq 0 "$status" "exit code of a yes to two"
assert_contains "$out" "Delete 2 vms:"
assert_eq '["id-2", "id-1"]' "$(sent BatchControlVms request.ids)"

# A call that takes time is seen on a terminal, and leaves no trace of it.
start_fake '{"VmService/StartVm": [{"delay": 1.5, "result": {"code": "RESULT_CODE_CHANGED"}}]}'
on_terminal 80 '' "$ISOBAR" vm start lab/web --wait
assert_contains "$out" "waiting for lab/web ... 1 s"
assert_eq $'\033[K' "${out: -3}" "what the terminal got last"
run "$ISOBAR" vm start lab/web --wait
assert_eq "" "$err" "progress without a terminal"

# Interrupted: 130 at once, and how to go on.
start_fake '{"VmService/StartVm": [{"delay": 30}], "VmService/ListVms": [{"delay": 30}]}'
# interrupt COMMAND...: run it, and interrupt it once the gateway has its call.
interrupt() {
    local i before
    before=$(wc -l <"$TEST_DIR/calls")
    # A shell without job control starts what is in the background with SIGINT ignored.
    "$PYTHON" -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "$@" >"$TEST_DIR/out" 2>"$TEST_DIR/err" </dev/null &
    local pid=$!
    for ((i = 0; i < 200 && $(wc -l <"$TEST_DIR/calls") == before; i++)); do
        sleep 0.05
    done
    kill -INT "$pid"
    status=0
    wait "$pid" || status=$?
    out=$(cat "$TEST_DIR/out") err=$(cat "$TEST_DIR/err")
}
interrupt "$ISOBAR" vm start web --wait --request-id my-id
assert_eq 130 "$status" "exit code of an interruption"
assert_contains "$err" "isobar operation list --request-id my-id"
interrupt "$ISOBAR" vm start web --wait
id=$(sent StartVm requestId)
assert_contains "$err" "isobar operation list --request-id $id"
interrupt "$ISOBAR" vm list
assert_eq 130 "$status" "exit code of an interrupted list"
assert_eq "" "$err"
on_terminal 80 '\x03' "$ISOBAR" vm start web --wait
assert_eq 130 "$status" "exit code of ^C"
