# Which gateway is called, and with which token: flags, environment, client.yaml.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fake.sh"

start_fake '{"VmService/GetVm": [{"body": {"vm": {"id": "1"}}}],
"VmService/ListVms": [{"body": {}}], "VmService/CreateVm": [{"body": {}}]}'
here=$ISOBAR_SERVER nowhere=ipc://$TEST_DIR/nowhere
unset ISOBAR_SERVER ISOBAR_CONTEXT ISOBAR_TOKEN_FILE
export HOME=$TEST_DIR XDG_CONFIG_HOME=$TEST_DIR/config
file=$XDG_CONFIG_HOME/isobar/client.yaml
mkdir -p "$(dirname "$file")"
echo of-context >"$TEST_DIR/token"
echo of-flag >"$TEST_DIR/token2"
cat >"$file" <<END
# The gateways.
current: here   # ä comment
contexts:
  here: {server: "$here", token_file: ~/token, cloud: lab}
  nowhere: {server: "$nowhere"}
END

show() {
    run "$ISOBAR" vm show web "$@"
}

# The current context, with all that is in it.
show
assert_eq 0 "$status"
assert_eq of-context "$(sent GetVm token)"
assert_eq lab "$(sent GetVm request.cloud)"
assert_ok "$ISOBAR" vm create --name web
assert_eq lab "$(sent CreateVm request.cloud)"
show far/web
assert_eq 2 "$status" "two machines to show"
show --cloud far
assert_eq far "$(sent GetVm request.cloud)"
assert_ok "$ISOBAR" vm list
assert_eq null "$(sent ListVms request.cloud)" "a list is of all clouds"

# Another one, by flag and by environment.
show --context nowhere
assert_eq 7 "$status" "a gateway that is not there"
ISOBAR_CONTEXT=nowhere show
assert_eq 7 "$status" "a gateway that is not there"
ISOBAR_CONTEXT=nowhere show --context here
assert_eq 0 "$status"
ISOBAR_SERVER=$nowhere show
assert_eq 7 "$status" "ISOBAR_SERVER before the current context"
ISOBAR_SERVER=$nowhere show --context here
assert_eq 0 "$status" "--context before ISOBAR_SERVER"

# A token goes to the gateway that it is for.
show --server "$here"
assert_eq "" "$(sent GetVm token)" "the token of a context that was not asked for"
ISOBAR_SERVER=$here show
assert_eq "" "$(sent GetVm token)" "the token of a context that was not asked for"
show --context nowhere --server "$here" --token-file "$TEST_DIR/token2"
assert_eq of-flag "$(sent GetVm token)"
ISOBAR_TOKEN_FILE=$TEST_DIR/token2 show --context here
assert_eq of-flag "$(sent GetVm token)" "the environment before the context"
show --token-file "$TEST_DIR/missing"
assert_eq 2 "$status" "a token file that is not there"
printf 'two\nlines\n' >"$TEST_DIR/token2"
show --token-file "$TEST_DIR/token2"
assert_eq 2 "$status" "a token of two lines"
assert_lacks "$err" two

# The commands.
assert_ok "$ISOBAR" context list
assert_matches "$out" '\* +here +ipc://.*fake.sock +lab
 +nowhere +ipc://.*nowhere$'
assert_ok "$ISOBAR" context show
assert_matches "$out" 'name +here'
assert_ok "$ISOBAR" context use nowhere
assert_eq "# The gateways.
current: nowhere   # ä comment
contexts:" "$(head -n 3 "$file")"
show
assert_eq 7 "$status" "the context that is used now"
assert_ok "$ISOBAR" context show here
assert_matches "$out" "token_file +$TEST_DIR/token"
assert_exit 2 "$ISOBAR" context use her
assert_contains "$err" 'there is no context "her"; did you mean here?'
assert_exit 2 "$ISOBAR" vm list --context xyzzy
assert_contains "$err" 'there is no context "xyzzy"; it is one of here, nowhere'

# Without `current`, it is put at the head.
sed -i '/^current/d' "$file"
assert_ok "$ISOBAR" context use here
assert_eq "current: here" "$(head -n 1 "$file")"
show
assert_eq 0 "$status"

# Mistakes have a place.
while IFS='|' read -r text want; do
    printf '%b' "$text" >"$file"
    assert_exit 2 "$ISOBAR" vm list
    assert_contains "$err" "isobar: $file:$want"
done <<'END'
contexts:\n  a: {sever: x}\n|2:7: there is no key "sever"; did you mean server?
contexts:\n  a: {server: [x]}\n|2:15: server has to be a text
contexts:\n  a: x\n|2:6: a context has to be a mapping
contexts: x\n|1:11: contexts has to be a mapping
context: {}\n|1:1: there is no key "context"; did you mean contexts?
current: b\ncontexts: {a: {server: x}}\n|1:10: there is no context "b"
contexts: {a: {server: x, server: y}}\n|1:27: server is there twice
contexts: {a: {}, a: {}}\n|1:19: the context a is there twice
- a\n|1:1: the file has to be a mapping
a: [\n|2:1:
END
rm "$file"
assert_ok "$ISOBAR" context list
assert_exit 2 "$ISOBAR" vm list --context here
assert_contains "$err" "$file names none"
