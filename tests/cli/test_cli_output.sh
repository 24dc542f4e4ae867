# What is printed, in every format; and that nothing of what a cloud says reaches a terminal raw.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fake.sh"

start_fake '{
"VmService/ListVms": [{"result": {"code": "RESULT_CODE_OK", "warnings": ["one\u001b[2J"]}, "body": {"vms": [
 {"cloud": "lab", "id": "id-2", "name": "web", "state": "VM_STATE_RUNNING", "flavorName": "m1.small",
  "vcpus": 2, "memoryMib": "2048", "createdAt": "2026-11-22T20:01:02Z", "tags": {"env": "prod"},
  "addresses": [{"networkName": "net", "ip": "10.0.0.3"}, {"ip": "172.24.4.7"}]},
 {"cloud": "lab", "id": "id-1", "name": "a\u001b[31m\u009b\u202e\t\u00e9 \"q\", x", "vcpus": 10,
  "state": "VM_STATE_ERROR", "createdAt": "2026-11-22T20:01:02.500Z"},
 {"cloud": "far", "id": "id-3", "state": "VM_STATE_STOPPED", "vcpus": 1}]}}],
"VmService/GetVm": [{"body": {"vm": {"cloud": "lab", "id": "id-2", "name": "web", "vcpus": 2,
  "state": "VM_STATE_RUNNING", "createdAt": "2026-11-22T20:01:02Z", "memoryMib": "2048",
  "tags": {"env": "prod", "no": "true"}, "securityGroupNames": ["default", "web"],
  "addresses": [{"networkName": "net", "ip": "10.0.0.3", "ipVersion": 4}],
  "fault": "bad\nthing\u001b[0m"}}}],
"FlavorService/ListFlavors": [{"body": {"flavors": []}}],
"AdapterService/ListAdapters": [{"body": {"adapters": [{"name": "sandbox", "version": "1.0.0"}]}}],
"OperationService/GetOperation": [{"body": {"operation": {"id": "op-1", "cloud": "lab",
  "state": "OPERATION_STATE_DONE", "method": "isobar.v1.VmService/GetVm",
  "result": {"code": "RESULT_CODE_NOT_FOUND"}, "response": "Cg8aDWZyb20tcmVzcG9uc2U="}}}],
"CloudService/CheckCloud": [{"body": {"services": ["compute 2.1", "image 2.9"], "elapsedUs": "7"}}],
"Health/Check": [{"body": {"status": "SERVING"}}, {"body": {"status": "NOT_SERVING"}}]
}'
esc=$'\033'

# A table: columns line up, nothing is cut off a terminal, escapes are shown and not obeyed.
assert_ok "$ISOBAR" vm list
mapfile -t lines <<<"$out"
assert_eq 4 "${#lines[@]}" lines
assert_matches "${lines[0]}" '^CLOUD  NAME +ID +STATE +FLAVOR +IP$'
assert_matches "${lines[1]}" '^lab    web +id-2  RUNNING  m1.small  10.0.0.3,172.24.4.7$'
assert_contains "${lines[2]}" 'a\x1b[31m\xc2\x9b\xe2\x80\xae\x09é "q", x  id-1'
assert_matches "${lines[3]}" '^far +id-3  STOPPED$'
assert_lacks "$out$err" "$esc"
assert_eq 'warning: one\x1b[2J' "$err"

assert_ok "$ISOBAR" vm list --no-header
assert_lacks "$out" CLOUD
assert_ok "$ISOBAR" vm list -o wide
assert_contains "$out" NATIVE_STATE
assert_contains "$out" 2026-11-22T20:01:02Z

# Columns by path, sorted by kind: numbers as numbers, times as times.
assert_ok "$ISOBAR" vm list --columns id,tags.env,VCPUS,addresses.network_name --sort -vcpus
assert_eq "ID    TAGS.ENV  VCPUS  ADDRESSES.NETWORK_NAME
id-1               10
id-2  prod          2  net
id-3                1" "$out"
assert_ok "$ISOBAR" vm list -o csv --columns id --sort created --no-header
assert_eq $'id-3\r\nid-2\r\nid-1\r' "$out"
assert_ok "$ISOBAR" vm list -o csv --columns id --sort name --no-header
assert_eq $'id-3\r\nid-1\r\nid-2\r' "$out"
assert_ok "$ISOBAR" vm list --limit 2 -o name
assert_eq 2 "$(wc -l <<<"$out")"
assert_eq 2 "$(sent VmService/ListVms request.pageSize)"

# Names, and the id where there is none.
assert_ok "$ISOBAR" vm list -o name
assert_eq 'lab/web
lab/a\x1b[31m\xc2\x9b\xe2\x80\xae\x09é "q", x
far/id-3' "$out"
assert_ok "$ISOBAR" adapter list -o name
assert_eq sandbox "$out"

# CSV is exact where it does not go to a terminal.
assert_ok "$ISOBAR" vm list -o csv --columns cloud,name
assert_eq $'cloud,name\r\nlab,web\r\nlab,"a\033[31m\xc2\x9b\xe2\x80\xae\té ""q"", x"\r\nfar,\r' "$out"

# JSON and YAML are the same data, and harmless as text.
assert_ok "$ISOBAR" vm list -o json
assert_lacks "$out" "$esc"
assert_lacks "$out" $'\xc2\x9b'
json=$out
assert_ok "$ISOBAR" vm list -o yaml
assert_lacks "$out" "$esc"
yaml=$out
"$PYTHON" - "$json" "$yaml" <<'END' || fail "JSON and YAML differ"
import json
import sys

items = json.loads(sys.argv[1])
assert [i['id'] for i in items] == ['id-2', 'id-1', 'id-3'], items
assert items[0]['memoryMib'] == '2048' and items[0]['state'] == 'VM_STATE_RUNNING', items
assert items[1]['name'] == 'a\x1b[31m\x9b\u202e\t\u00e9 "q", x', items
try:
    import yaml
except ImportError:
    print('no YAML module: not compared')
else:
    assert yaml.load(sys.argv[2], yaml.BaseLoader)[0]['createdAt'] == items[0]['createdAt']
    assert yaml.safe_load(sys.argv[2]) == items
END

# One thing: its fields, an object, a line of CSV.
assert_ok "$ISOBAR" vm show lab/web
assert_matches "$out" '(^|
)state +RUNNING'
assert_contains "$out" 'tags                  env=prod'
assert_contains "$out" 'tags                  no=true'
assert_contains "$out" 'addresses             network_name=net ip=10.0.0.3 ip_version=4'
assert_contains "$out" 'fault                 bad\x0athing\x1b[0m'
assert_ok "$ISOBAR" vm show lab/web --columns id,state
assert_eq 'FIELD  VALUE
id     id-2
state  RUNNING' "$out"
assert_ok "$ISOBAR" vm show lab/web -o name
assert_eq lab/web "$out"
assert_ok "$ISOBAR" vm show lab/web -o json
"$PYTHON" -c 'import json, sys; assert json.loads(sys.argv[1])["tags"]["no"] == "true"' "$out"
assert_ok "$ISOBAR" vm show lab/web -o yaml
assert_contains "$out" '  "no": "true"'
assert_ok "$ISOBAR" vm show lab/web -o csv --columns id,security_group_names
assert_eq $'id,security_group_names\r\nid-2,"default,web"\r' "$out"

# Empty lists.
assert_ok "$ISOBAR" flavor list
assert_eq "" "$out"
assert_ok "$ISOBAR" flavor list -o json
assert_eq "[]" "$out"
assert_ok "$ISOBAR" flavor list -o yaml
assert_eq "[]" "$out"

# An operation shows what it ended with.
assert_ok "$ISOBAR" operation show op-1
assert_matches "$out" 'result.code +NotFound'
assert_matches "$out" 'response.vm.name +from-response'

assert_ok "$ISOBAR" cloud check lab
assert_matches "$out" 'services +compute 2.1
services +image 2.9'
assert_ok "$ISOBAR" health
assert_eq SERVING "$out"
assert_exit 7 "$ISOBAR" health
assert_eq NOT_SERVING "$out"

# On a terminal: colours unless they are unwanted, and cut to its width where that helps.
export TERM=xterm
unset NO_COLOR
on_terminal 60 '' "$ISOBAR" vm list --columns id,state,addresses.ip
assert_contains "$out" "${esc}[32mRUNNING"
assert_contains "$out" "${esc}[31mERROR"
on_terminal 30 '' "$ISOBAR" vm list --columns id,state,addresses.ip
assert_contains "$out" "10.0.0.3,1"
assert_lacks "$out" "10.0.0.3,172.24.4.7"
NO_COLOR=1 on_terminal 60 '' "$ISOBAR" vm list
assert_lacks "$out" "$esc"
TERM=dumb on_terminal 60 '' "$ISOBAR" vm list -o csv
assert_lacks "$out" "$esc"
on_terminal 60 '' "$ISOBAR" flavor list
assert_eq "there are none" "$out"
