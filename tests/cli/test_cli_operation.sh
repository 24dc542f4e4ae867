# Operations and what they leave behind: what is sent, what is printed, how it ends.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fake.sh"

lost='{"id": "op-1", "state": "OPERATION_STATE_UNKNOWN", "method": "isobar.v1.VmService/CreateVm", "cloud": "lab", "attempt": 2}'
marked='{"id": "op-1", "state": "OPERATION_STATE_UNKNOWN", "method": "isobar.v1.VmService/CreateVm", "cloud": "lab", "attempt": 2, "cancelled": true}'
ended='{"id": "op-2", "state": "OPERATION_STATE_DONE", "result": {"code": "RESULT_CODE_CREATED"}, "attempt": 1}'
taken_back='{"id": "op-3", "state": "OPERATION_STATE_DONE", "result": {"code": "RESULT_CODE_CANCELLED"}, "cancelled": true}'
running='{"id": "op-4", "state": "OPERATION_STATE_RUNNING"}'

# Lists show how often it was sent, and say what UNKNOWN means; not where a program reads.
start_fake "{\"OperationService/ListOperations\": [{\"body\": {\"operations\": [$marked, $ended]}}, {\"body\": {\"operations\": [$ended]}}],
\"OperationService/GetOperation\": [{\"body\": {\"operation\": $lost}}]}"
assert_ok "$ISOBAR" operation list --columns id,state,attempts,cancelled
assert_eq 'ID    STATE    ATTEMPTS  CANCELLED
op-1  UNKNOWN         2  true
op-2  DONE            1  false' "$out"
assert_eq "UNKNOWN: the cloud's answer was lost; the gateway is resolving it" "$err"
assert_ok "$ISOBAR" operation list
assert_matches "$out" '^ID +STATE +ATTEMPTS +CANCELLED +METHOD '
assert_eq "" "$err" "words where no operation is lost"
assert_ok "$ISOBAR" operation show op-1
assert_matches "$out" 'attempt +2'
assert_eq "the cloud's answer was lost; the gateway is resolving it" "$err"
assert_ok "$ISOBAR" operation show op-1 -o json
assert_eq "" "$err" "words where a program reads"

# What became of a cancellation.
start_fake "{\"OperationService/CancelOperation\": [
 {\"result\": {\"code\": \"RESULT_CODE_CHANGED\"}, \"body\": {\"operation\": $taken_back}},
 {\"result\": {\"code\": \"RESULT_CODE_ACCEPTED\", \"operationId\": \"op-1\"}, \"body\": {\"operation\": $marked}},
 {\"body\": {\"operation\": $ended}},
 {\"body\": {\"operation\": $running}},
 {\"body\": {}},
 {\"result\": {\"code\": \"RESULT_CODE_FAILED_PRECONDITION\", \"detail\": \"it has ended\"}, \"body\": {\"operation\": $ended}},
 {\"result\": {\"code\": \"RESULT_CODE_NOT_FOUND\", \"detail\": \"no operation op-9\"}}]}"
assert_ok "$ISOBAR" operation cancel op-3 </dev/null
assert_eq '{"id": "op-3"}' "$(sent CancelOperation request)"
assert_matches "$out" 'state +DONE'
assert_eq "cancelled: nothing is made of it" "$err"
assert_ok "$ISOBAR" operation cancel op-1 -o name
assert_eq op-1 "$out"
assert_eq "the order may have reached the cloud: what turns up of it is deleted; isobar operation wait op-1" "$err"
assert_ok "$ISOBAR" operation cancel op-2
assert_eq "it had ended before it could be cancelled" "$err"
assert_exit 1 "$ISOBAR" operation cancel op-4
assert_contains "$err" "it was not cancelled"
assert_exit 1 "$ISOBAR" operation cancel op-4
assert_contains "$err" "answer is empty"
assert_exit 5 "$ISOBAR" operation cancel op-2
assert_eq "" "$out" "standard output of a failed command"
assert_eq "isobar: FailedPrecondition: it has ended" "$err"
assert_exit 3 "$ISOBAR" operation cancel op-9
calls=$(count_sent CancelOperation)
assert_exit 2 "$ISOBAR" operation cancel
assert_exit 2 "$ISOBAR" operation cancel op-1 op-2
assert_exit 2 "$ISOBAR" operation cancel op-1 --yes
assert_exit 2 "$ISOBAR" operation cancle op-1
assert_contains "$err" "did you mean operation cancel?"
assert_eq "$calls" "$(count_sent CancelOperation)" "calls after wrong commands"

# The machines of an operation.
start_fake '{"OperationService/ListOperationVms": [
 {"body": {"vms": [{"cloud": "lab", "id": "1", "name": "web"}], "nextPageToken": "t"}},
 {"result": {"code": "RESULT_CODE_PARTIAL"}, "body": {"vms": [{"cloud": "lab", "id": "2"}], "cloudResults": [
   {"cloud": "far", "result": {"code": "RESULT_CODE_UNAVAILABLE", "detail": "no answer"}}]}},
 {"body": {}}]}'
assert_exit 9 "$ISOBAR" operation vms op-1 -o name
assert_eq $'lab/web\nlab/2' "$out"
assert_eq "isobar: far: Unavailable: no answer" "$err"
assert_eq '{"operationId": "op-1", "pageSize": 1000, "pageToken": "t"}' "$(sent ListOperationVms request)"
want='{"cloud": "lab", "name": "w*", "operationId": "op-1", "pageSize": 1000}'
assert_ok "$ISOBAR" operation vms --cloud lab op-1 --name 'w*'
assert_eq "$want" "$(sent ListOperationVms request)"
assert_ok "$ISOBAR" operation vms lab/op-1 --name 'w*'
assert_eq "$want" "$(sent ListOperationVms request)"
assert_exit 2 "$ISOBAR" operation vms --cloud lab
assert_exit 2 "$ISOBAR" operation vms op-1 --state RUNNING
assert_exit 2 "$ISOBAR" operation vms op-1 --sort colour
assert_contains "$err" "--sort"

# What is left over.
port='{"cloud": "lab", "id": "p-1", "name": "isobar-op-1\u001b[2J", "kind": "port", "operationId": "op-1", "verdict": "LEFTOVER_VERDICT_ORPHAN"}'
disk='{"cloud": "lab", "id": "d-1", "kind": "volume", "operationId": "op-1", "inUse": true, "verdict": "LEFTOVER_VERDICT_FOREIGN"}'
start_fake "{\"OperationService/ListLeftovers\": [{\"body\": {\"leftovers\": [$port, $disk]}}],
\"OperationService/DeleteLeftover\": [
 {\"body\": {\"leftovers\": [$port]}},
 {\"result\": {\"code\": \"RESULT_CODE_DELETED\"}, \"body\": {\"leftovers\": [$port]}},
 {\"result\": {\"code\": \"RESULT_CODE_FORBIDDEN\", \"detail\": \"it is not this gateway's\"}}]}"
assert_ok "$ISOBAR" leftover list --cloud lab --verdict orphan,FOREIGN --name 'i*'
assert_eq 'CLOUD  NAME                ID   KIND    OPERATION  VERDICT  IN_USE
lab    isobar-op-1\x1b[2J  p-1  port    op-1       ORPHAN   false
lab                        d-1  volume  op-1       FOREIGN  true' "$out"
assert_eq '{"cloud": "lab", "name": "i*", "pageSize": 1000, "verdicts": ["LEFTOVER_VERDICT_ORPHAN", "LEFTOVER_VERDICT_FOREIGN"]}' \
    "$(sent ListLeftovers request)"
assert_ok "$ISOBAR" leftover list -o name
assert_eq '{"pageSize": 1000}' "$(sent ListLeftovers request)"
assert_eq $'lab/isobar-op-1\\x1b[2J\nlab/d-1' "$out"
assert_exit 2 "$ISOBAR" leftover list --verdict orphaned
assert_contains "$err" "--verdict: "
assert_contains "$err" "ORPHAN"
assert_exit 2 "$ISOBAR" leftover list op-1

# Deleting it: off a terminal only with --yes; a dry run asks for nothing.
assert_exit 2 "$ISOBAR" leftover delete --cloud lab op-1 </dev/null
assert_contains "$err" "say --yes to delete"
assert_exit 2 "$ISOBAR" leftover delete --cloud lab --yes
assert_exit 2 "$ISOBAR" leftover delete lab/op-1 op-2 --yes
assert_exit 2 "$ISOBAR" leftover delete lab/op-1 --wait --yes
assert_eq 0 "$(count_sent DeleteLeftover)" "calls of wrong commands"
assert_ok "$ISOBAR" leftover delete lab/op-1 --dry-run
assert_eq '{"cloud": "lab", "dryRun": true, "id": "op-1"}' "$(sent DeleteLeftover request)"
assert_contains "$out" ORPHAN
assert_eq "dry run: nothing was changed" "$err"
assert_ok "$ISOBAR" leftover delete --cloud lab op-1 --yes --request-id r-1 -o json
assert_eq '{"cloud": "lab", "id": "op-1"}' "$(sent DeleteLeftover request)"
assert_eq r-1 "$(sent DeleteLeftover requestId)"
assert_contains "$out" '"kind": "port"'
assert_exit 4 "$ISOBAR" leftover delete lab/op-1 --yes
assert_eq "" "$out" "standard output of a failed command"

# On a terminal it asks, and shows what it is about.
start_fake "{\"OperationService/DeleteLeftover\": [
 {\"body\": {\"leftovers\": [$port, $disk]}}, {\"body\": {\"leftovers\": [$port]}},
 {\"result\": {\"code\": \"RESULT_CODE_DELETED\"}, \"body\": {\"leftovers\": [$port]}}, {\"body\": {}},
 {\"result\": {\"code\": \"RESULT_CODE_UNAVAILABLE\", \"detail\": \"lab is away\"}}]}"
export TERM=xterm
on_terminal 80 'n\n' "$ISOBAR" leftover delete lab/op-1
assert_eq 1 "$status" "exit code of a no"
assert_contains "$out" 'Delete what operation lab/op-1 has left:
port lab/isobar-op-1\x1b[2J (id p-1)
volume lab/d-1 (id d-1)
Delete them? [y/N]'
assert_contains "$out" "nothing was deleted"
assert_eq true "$(sent DeleteLeftover request.dryRun)" "what is sent before the question"
on_terminal 80 'y\n' "$ISOBAR" leftover delete lab/op-1 --request-id r-2
assert_eq 0 "$status" "exit code of a yes"
assert_eq '{"cloud": "lab", "id": "op-1"}' "$(sent DeleteLeftover request)"
assert_eq r-2 "$(sent DeleteLeftover requestId)"
on_terminal 80 '' "$ISOBAR" leftover delete lab/op-1
assert_eq 0 "$status" "exit code where there is nothing"
assert_contains "$out" "there is nothing of it that is to be deleted"
on_terminal 80 '' "$ISOBAR" leftover delete lab/op-1
assert_eq 7 "$status" "exit code where it cannot be looked up"
assert_lacks "$out" "[y/N]"

# The help, the man page and the completion know them.
assert_ok "$ISOBAR" help leftover delete
assert_contains "$out" "--yes"
assert_contains "$out" "--dry-run"
assert_ok "$ISOBAR" help man
assert_contains "$out" ".Ic operation cancel Ar OPERATION"
assert_contains "$out" ".Ic leftover list"
assert_ok "$ISOBAR" completion bash
assert_contains "$out" leftover
