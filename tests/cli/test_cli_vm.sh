# Commands that change machines: what is sent, what is printed, how they end.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fake.sh"

vm='{"cloud": "lab", "id": "id-1", "name": "web", "state": "VM_STATE_RUNNING"}'
done_op='{"id": "op-1", "state": "OPERATION_STATE_DONE", "method": "isobar.v1.VmService/CreateVm"}'

# All attributes have a flag.
start_fake "{\"VmService/CreateVm\": [{\"result\": {\"code\": \"RESULT_CODE_CREATED\"}, \"body\": {\"vm\": $vm}}]}"
printf 'a\0b' >"$TEST_DIR/data"
assert_ok "$ISOBAR" vm create --cloud lab --name web --region r --resource-group g --count 2 \
    --flavor f --source-type image --volume-created=false --image-type t --os-type linux --image i \
    --subnet s --network n --security-group a --security-group b --security-group c \
    --public-ip-type static --public-ip 1.2.3.4 --keypair k --zone z --user-data "$TEST_DIR/data" \
    --tag env=prod --tag env=test --tag 'x=a=b' --volume size=10,type=ssd,name=v,keep \
    --volume size=20 --param p=q --strict --dry-run --wait
assert_eq '{"cloud": "lab", "dryRun": true, "spec": {"extraSecurityGroups": ["b", "c"], "flavorName": "f", "imageId": "i", "imageType": "t", "instanceCount": 2, "keypair": "k", "name": "web", "networkId": "n", "osType": "linux", "parameters": {"p": "q"}, "publicIp": "1.2.3.4", "publicIpType": "static", "region": "r", "resourceGroupName": "g", "securityGroupName": "a", "sourceType": "image", "subnetName": "s", "tags": {"env": "test", "x": "a=b"}, "userData": "YQBi", "volumeCreated": false, "volumes": [{"keep": true, "name": "v", "sizeGib": 10, "volumeType": "ssd"}, {"sizeGib": 20}], "zone": "z"}, "strict": true, "wait": "WAIT_RUNNING"}' \
    "$(sent CreateVm request)" "the request of all flags"
assert_contains "$err" "dry run: nothing was changed"
assert_eq 600000 "$(sent CreateVm timeoutMs)" "how long a call waits that waits for a machine"

# A file of it, and flags that win over it, wherever they stand.
echo '{"name": "from-file", "imageId": "i", "tags": {"a": "1", "b": "2"}}' >"$TEST_DIR/spec.json"
assert_ok "$ISOBAR" vm create --name mine --spec "$TEST_DIR/spec.json" --tag b=3 --timeout 5s
assert_eq '{"imageId": "i", "name": "mine", "tags": {"a": "1", "b": "3"}}' "$(sent CreateVm request.spec)"
timeout=$(sent CreateVm timeoutMs)
[ "$timeout" -gt 4000 ] && [ "$timeout" -le 5000 ] || fail "--timeout 5s sends $timeout ms"
run "$ISOBAR" vm create --spec - <<<'{"name": "typed"}'
assert_eq typed "$(sent CreateVm request.spec.name)"
assert_matches "$out" 'state +RUNNING'

# The request id is the user's, or another each time.
assert_ok "$ISOBAR" vm create --name web --request-id mine-1
assert_eq mine-1 "$(sent CreateVm requestId)"
assert_ok "$ISOBAR" vm create --name web
first=$(sent CreateVm requestId)
assert_ok "$ISOBAR" vm create --name web
[ "$first" != "$(sent CreateVm requestId)" ] || fail "two calls have one request id"

# What the gateway says is wrong, with the cloud's own words, and which flag it was.
start_fake '{"VmService/CreateVm": [{"result": {"code": "RESULT_CODE_NOT_FOUND",
 "detail": "no flavor \"m1.smal\" in lab; near: m1.small", "operationId": "op-1",
 "warnings": ["the attribute os_type is not used by lab"],
 "violations": [{"field": "spec.flavor_name", "description": "there is no such flavor"},
                {"field": "spec.volumes[0].size_gib", "description": "is missing"},
                {"field": "other", "description": "is wrong"}],
 "native": {"httpStatus": 404, "code": "itemNotFound", "message": "Not\nhere\u001b[2J",
            "requestId": "req-1"},
 "retry": {"class": "RETRY_CLASS_AFTER_LOOKUP"}, "sideEffects": "SIDE_EFFECTS_CERTAIN"}}]}'
assert_exit 3 "$ISOBAR" vm create --name web --flavor m1.smal -o json
assert_eq "" "$out" "standard output of a failed command"
assert_eq 'warning: the attribute os_type is not used by lab
isobar: NotFound: no flavor "m1.smal" in lab; near: m1.small
  --flavor (spec.flavor_name): there is no such flavor
  --volume (spec.volumes[0].size_gib): is missing
  other: is wrong
  cloud said: 404 itemNotFound: Not here\x1b[2J  (request req-1)
  operation op-1
  it may have happened all the same: look before you try again, isobar operation show op-1
  some of it was done before it failed' "$err"
assert_exit 3 "$ISOBAR" vm create --name web -v
assert_contains "$err" "code NotFound (404 Not Found)"
assert_contains "$err" "request id "

# Every result code has its exit code.
while read -r code want; do
    start_fake "{\"VmService/GetVm\": [{\"result\": {\"code\": \"RESULT_CODE_$code\"}, \"body\": {\"vm\": $vm}}]}"
    run "$ISOBAR" vm show web
    assert_eq "$want" "$status" "exit code for $code"
done <<'END'
OK 0
ACCEPTED 0
INVALID_REQUEST 2
BAD_REQUEST_DATA 2
NOT_FOUND 3
UNAUTHORIZED 4
FORBIDDEN 4
ALREADY_EXISTS 5
FAILED_PRECONDITION 5
QUOTA_EXCEEDED 6
OUT_OF_CAPACITY 6
UNAVAILABLE 7
OVERLOADED 7
RATE_LIMITED 7
DEADLINE_EXCEEDED 8
PARTIAL 9
INTERNAL_ERROR 1
NOT_SUPPORTED 1
METHOD_NOT_ALLOWED 1
OUTCOME_UNKNOWN 1
CANCELLED 1
END

# --no-wait prints the operation; a wait that the deadline ends is no success; neither waits on.
start_fake "{\"VmService/CreateVm\": [{\"result\": {\"code\": \"RESULT_CODE_ACCEPTED\", \"operationId\": \"op-1\"}}],
\"OperationService/GetOperation\": [{\"body\": {\"operation\": $done_op}}],
\"OperationService/WaitOperation\": [
 {\"result\": {\"code\": \"RESULT_CODE_ACCEPTED\"}, \"body\": {\"operation\": {\"id\": \"op-1\", \"state\": \"OPERATION_STATE_RUNNING\"}}},
 {\"body\": {\"operation\": {\"id\": \"op-1\", \"state\": \"OPERATION_STATE_DONE\", \"result\": {\"code\": \"RESULT_CODE_QUOTA_EXCEEDED\", \"detail\": \"no more\"}}}},
 {\"body\": {\"operation\": {\"id\": \"op-1\", \"state\": \"OPERATION_STATE_DONE\", \"result\": {\"code\": \"RESULT_CODE_CREATED\"}}}}]}"
assert_ok "$ISOBAR" vm create --name web --no-wait -o name
assert_eq op-1 "$out"
assert_eq WAIT_NONE "$(sent CreateVm request.wait)"
assert_exit 8 "$ISOBAR" vm create --name web --wait
assert_contains "$err" "it still goes on: isobar operation wait op-1"
assert_exit 8 "$ISOBAR" operation wait op-1
assert_contains "$err" "the operation still goes on"
assert_exit 6 "$ISOBAR" operation wait op-1
assert_contains "$err" "isobar: QuotaExceeded: no more"
assert_ok "$ISOBAR" operation wait op-1

# Which machine.
start_fake "{\"VmService/StopVm\": [{\"result\": {\"code\": \"RESULT_CODE_CHANGED\"}, \"body\": {\"vm\": $vm}}],
\"VmService/RebootVm\": [{\"result\": {\"code\": \"RESULT_CODE_CHANGED\"}, \"body\": {\"vm\": $vm}}],
\"VmService/DeleteVm\": [{\"result\": {\"code\": \"RESULT_CODE_DELETED\"}, \"body\": {\"vm\": $vm}}],
\"VmService/ResizeVm\": [{\"result\": {\"code\": \"RESULT_CODE_CHANGED\"}}]}"
while IFS='|' read -r words want; do
    # shellcheck disable=SC2086
    assert_ok "$ISOBAR" vm stop $words
    assert_eq "$want" "$(sent StopVm request)" "request of vm stop $words"
done <<'END'
web|{"id": "web"}
lab/web|{"cloud": "lab", "id": "web"}
lab/a/b|{"cloud": "lab", "id": "a/b"}
/subscriptions/x|{"id": "/subscriptions/x"}
lab//subscriptions/x|{"cloud": "lab", "id": "/subscriptions/x"}
--cloud lab web|{"cloud": "lab", "id": "web"}
--cloud lab lab/web|{"cloud": "lab", "id": "web"}
--cloud lab a/b|{"cloud": "lab", "id": "a/b"}
-- -web|{"id": "-web"}
web --wait|{"id": "web", "wait": "WAIT_RUNNING"}
web web|{"id": "web"}
END
assert_matches "$out" '
lab    web   id-1  RUNNING$'
assert_ok "$ISOBAR" vm reboot web --hard
assert_eq '{"hard": true, "id": "web"}' "$(sent RebootVm request)"
assert_ok "$ISOBAR" vm resize web --flavor big
assert_eq '{"flavorName": "big", "id": "web"}' "$(sent ResizeVm request)"
assert_ok "$ISOBAR" vm delete web --yes
assert_ok "$ISOBAR" vm delete web --dry-run
assert_eq '{"dryRun": true, "id": "web"}' "$(sent DeleteVm request)"

# Several machines: one call a cloud where one call can do it.
ok='{"id": "a", "result": {"code": "RESULT_CODE_CHANGED"}, "vm": {"cloud": "lab", "id": "id-a", "name": "a", "state": "VM_STATE_STOPPED"}}'
bad='{"id": "b", "result": {"code": "RESULT_CODE_NOT_FOUND", "detail": "no vm b"}}'
start_fake "{\"VmService/BatchControlVms\": [
 {\"body\": {\"results\": [$ok, $bad]}, \"result\": {\"code\": \"RESULT_CODE_PARTIAL\"}},
 {\"result\": {\"code\": \"RESULT_CODE_UNAVAILABLE\", \"detail\": \"no cloud\"}},
 {\"body\": {\"results\": [$bad, $bad]}, \"result\": {\"code\": \"RESULT_CODE_PARTIAL\"}},
 {\"body\": {\"results\": [$ok, $ok]}}],
\"VmService/BatchGetVmStatus\": [{\"body\": {\"results\": [$ok]}}],
\"VmService/RebootVm\": [{\"result\": {\"code\": \"RESULT_CODE_CHANGED\"}, \"body\": {\"vm\": $vm}}]}"
assert_exit 9 "$ISOBAR" vm stop lab/a far/c lab/b --wait --request-id r
assert_eq 'CLOUD  ID  NAME  STATE    RESULT
lab    a   a     STOPPED  Changed
       c                  Unavailable
       b                  NotFound' "$out"
assert_eq 'isobar: far/c: Unavailable: no cloud
isobar: lab/b: NotFound: no vm b' "$err"
assert_eq '{"action": "VM_ACTION_STOP", "cloud": "far", "ids": ["c"], "wait": "WAIT_RUNNING"}' \
    "$(sent BatchControlVms request)"
assert_eq r/2 "$(sent BatchControlVms requestId)" "the request id of the second call"
assert_exit 3 "$ISOBAR" vm start --cloud lab a b
assert_ok "$ISOBAR" vm delete --cloud lab a b --yes -o name
assert_eq $'lab/a\nlab/a' "$out"
assert_eq '{"action": "VM_ACTION_DELETE", "cloud": "lab", "ids": ["a", "b"]}' \
    "$(sent BatchControlVms request)"
assert_ok "$ISOBAR" vm reboot a b --hard
assert_eq 2 "$(count_sent RebootVm)" "calls where no one call can do it"
assert_ok "$ISOBAR" vm status lab/a
assert_contains "$out" STOPPED

# Several machines made by one call.
start_fake "{\"VmService/CreateVm\": [{\"body\": {\"vm\": $vm, \"results\": [$ok, $bad]}, \"result\": {\"code\": \"RESULT_CODE_PARTIAL\"}}]}"
assert_exit 9 "$ISOBAR" vm create --name a --count 2
assert_contains "$out" NotFound
assert_contains "$err" "isobar: b: NotFound: no vm b"

# Lists: all pages, and the clouds that failed.
start_fake '{"VmService/ListVms": [
 {"body": {"vms": [{"id": "1"}, {"id": "2"}], "nextPageToken": "t"}},
 {"result": {"code": "RESULT_CODE_PARTIAL"}, "body": {"vms": [{"id": "3"}], "cloudResults": [
   {"cloud": "lab", "result": {"code": "RESULT_CODE_OK"}},
   {"cloud": "far", "result": {"code": "RESULT_CODE_UNAUTHORIZED", "detail": "no such user"}}]}}],
"ImageService/ListImages": [{"body": {"images": [{"id": "1"}], "nextPageToken": "t"}}],
"OperationService/ListOperations": [{"body": {"operations": []}}]}'
assert_exit 9 "$ISOBAR" vm list -o name --tag a=b --tag c --state running,STOPPED --id 1 --id 2 \
    --name 'w*' --cloud lab
assert_eq $'1\n2\n3' "$out"
assert_eq 'isobar: far: Unauthorized: no such user' "$err"
assert_eq '{"cloud": "lab", "ids": ["1", "2"], "name": "w*", "pageSize": 1000, "pageToken": "t", "states": ["VM_STATE_RUNNING", "VM_STATE_STOPPED"], "tags": {"a": "b", "c": ""}}' \
    "$(sent ListVms request)"
assert_exit 1 "$ISOBAR" image list
assert_contains "$err" "the same page again"
assert_ok "$ISOBAR" operation list --request-id r-1 --state running
assert_eq '{"pageSize": 1000, "requestId": "r-1", "states": ["OPERATION_STATE_RUNNING"]}' \
    "$(sent ListOperations request)"
