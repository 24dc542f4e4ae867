# Any method by name, with JSON; the protocol described; what is made from the tables.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fake.sh"

start_fake '{"VmService/GetVm": [{"body": {"vm": {"cloud": "lab", "id": "1", "memoryMib": "4"}}},
 {"result": {"code": "RESULT_CODE_NOT_FOUND", "detail": "no vm"}}],
"VmService/BatchGetVmStatus": [{"result": {"code": "RESULT_CODE_PARTIAL", "detail": "one failed"},
  "body": {"results": [{"id": "a"}]}}],
"CloudService/ListClouds": [{"body": {"clouds": [{"name": "lab"}]}}]}'

assert_ok "$ISOBAR" call isobar.v1.VmService/GetVm '{"cloud": "lab", "id": "web"}'
assert_eq '{"vm":{"cloud":"lab","id":"1","memoryMib":"4"}}' "$(tr -d ' \n' <<<"$out")"
assert_eq '{"cloud": "lab", "id": "web"}' "$(sent GetVm request)"
assert_exit 3 "$ISOBAR" call VmService.GetVm '{"id": "web"}' --request-id r
assert_eq "" "$out"
assert_contains "$err" "isobar: NotFound: no vm"
assert_eq r "$(sent GetVm requestId)"
echo '{"ids": ["a", "b"]}' >"$TEST_DIR/request"
assert_exit 9 "$ISOBAR" call BatchGetVmStatus "@$TEST_DIR/request"
assert_contains "$out" '"id": "a"'
assert_eq '{"ids": ["a", "b"]}' "$(sent BatchGetVmStatus request)"
run "$ISOBAR" call BatchGetVmStatus - <<<'{"cloud": "lab"}'
assert_eq '{"cloud": "lab"}' "$(sent BatchGetVmStatus request)"
assert_ok "$ISOBAR" call ListClouds -o yaml
assert_eq $'clouds:\n  - name: lab' "$out"
assert_exit 2 "$ISOBAR" call ListClouds -o csv

# The protocol in its own words: what is printed is what the .proto files say.
assert_ok "$ISOBAR" describe
assert_contains "$out" isobar.v1.VmService/CreateVm
assert_contains "$out" grpc.health.v1.Health/Check
assert_ok "$ISOBAR" describe VmService
assert_contains "$out" '  rpc CreateVm(CreateVmRequest) returns (CreateVmResponse);'
assert_ok "$ISOBAR" describe VmService/GetVm
assert_contains "$out" 'message isobar.v1.GetVmRequest {
  string cloud = 1;
  string id = 2;
}'
assert_ok "$ISOBAR" describe VmSpec
while read -r line; do
    assert_contains "$out" "  $line"
done < <(sed -n '/^message VmSpec {/,/^}/s/^  *\([a-z].* = [0-9]*;\).*/\1/p' \
    "$ISOBAR_SOURCE/proto/isobar/v1/vm.proto" | grep -v volume_created)
assert_contains "$out" '  optional bool volume_created = 7;'
assert_ok "$ISOBAR" describe isobar.v1.Wait
assert_contains "$out" '  WAIT_NONE = 1;'

# The man page is made from the tables, and is well-formed.
assert_ok "$ISOBAR" help man
printf '%s\n' "$out" >"$TEST_DIR/isobar.1"
assert_contains "$out" '.It Fl -security-group Ar GROUP'
assert_contains "$out" '.Ic operation wait'
if command -v mandoc >/dev/null; then
    run mandoc -T lint -W warning "$TEST_DIR/isobar.1"
    assert_eq 0 "$status" "mandoc says: $out"
else
    echo "no mandoc: the man page is not checked"
fi

# Completion: words of the tables, names from the gateway, none of which is ever run.
assert_ok "$ISOBAR" completion bash
printf '%s\n' "$out" >"$TEST_DIR/completion"
start_fake '{"VmService/ListVms": [{"body": {"vms": [{"cloud": "lab", "name": "web"},
 {"cloud": "lab", "name": "$(touch PWNED)"}, {"cloud": "far", "name": "x y"}]}}]}'
mkdir "$TEST_DIR/bin" "$TEST_DIR/empty"
ln -s "$ISOBAR" "$TEST_DIR/bin/isobar"
complete_words() {
    (cd "$TEST_DIR/empty" && PATH=$TEST_DIR/bin:$PATH bash -c '. "$1"; shift
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
        _isobar; echo "${COMPREPLY[*]}"' - "$TEST_DIR/completion" "$@")
}
assert_eq "vm version" "$(complete_words isobar v)"
assert_eq "create" "$(complete_words isobar vm cr)"
assert_eq "--flavor" "$(complete_words isobar vm create --fl)"
assert_eq "RUNNING REBOOTING" "$(complete_words isobar vm list --state R)"
assert_eq "json" "$(complete_words isobar vm list -o j)"
assert_eq 'lab/web lab/\$\(touch\ PWNED\)' "$(complete_words isobar vm show la)"
assert_eq 'far/x\ y' "$(complete_words isobar vm stop lab/web far)"
assert_eq "" "$(ls "$TEST_DIR/empty")"
