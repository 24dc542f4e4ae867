# What is wrong with a command line is said without a call, with exit code 2 and what may be meant.
. "$(dirname "$0")/lib.sh"
export ISOBAR_SERVER=ipc://$TEST_DIR/nobody-listens

# usage WORDS COMMAND...: exit code 2, nothing on standard output, and these words.
usage() {
    local words=$1
    shift
    run "$ISOBAR" "$@"
    assert_eq 2 "$status" "exit code of 'isobar $*'"
    assert_eq "" "$out" "standard output of 'isobar $*'"
    assert_contains "$err" "$words"
}

# Unknown words.
usage 'there is no command "imag"; did you mean image?' imag list
usage 'there is no command "vm lst"; did you mean vm list?' vm lst
usage 'there is no command "verson"; did you mean version?' verson
usage 'there is no command "xyzzy"' xyzzy
usage 'there is no flag --flavr; did you mean --flavor?' vm create --flavr m1.small
usage 'there is no flag --outptu; did you mean --output?' vm list --outptu json
usage 'there is no flag --flavor for vm start' vm start web --flavor x
usage 'there is no flag --limit for vm show' --limit 3 vm show web
usage 'there is no flag -x' vm list -x
usage '--state: there is no "RUNING"; did you mean RUNNING?' vm list --state RUNING
usage '--state: there is no "Q"; it is one of CREATING, STARTING,' vm list --state Q
usage 'there is no format "jsn"; did you mean json?' vm list -o jsn
usage '--columns: there is no column "stat"; did you mean state?' vm list --columns id,stat
usage '--sort: there is no column "nme"; did you mean name?' vm list --sort -nme
usage '--volume: there is no key "siz"; did you mean size?' vm create --volume siz=10
usage 'there is no method "VmService/GetVn"; did you mean VmService/GetVm?' call VmService/GetVn
usage 'there is no "VmSpek"; did you mean VmSpec?' describe VmSpek
usage 'did you mean vm create?' help vm crete

# Values.
usage '--name needs a value' vm create --name
usage '-o needs a value' vm list -o
usage '--count: "x" is not a whole number' vm create --count x
usage '--count: "99999999999" is not a whole number' vm create --count 99999999999
usage '--min-vcpus: "-1" is not a whole number from 0' flavor list --min-vcpus -1
usage '--volume-created: "maybe" is neither true nor false' vm create --volume-created=maybe
usage '--tag: "prod" is not KEY=VALUE' vm create --tag prod
usage '--volume: size needs a value: size=GIB' vm create --volume size
usage '--volume: size: "big" is not a whole number' vm create --volume size=big
usage '--wait takes no value' vm start web --wait=yes
usage '--yes takes no value' vm delete web --yes=1
usage '--timeout: "soon" is not a time such as 30s' vm list --timeout soon
usage '--limit: "0" is not a number above 0' vm list --limit 0
usage '--columns is for table, wide and csv, not for json' vm list --columns id -o json

# Words.
usage 'vm show needs [CLOUD/]VM' vm show
usage 'vm show does not take "db"' vm show web db
usage 'vm list does not take "web"' vm list web
usage 'vm show: [CLOUD/]VM is empty' vm show ''
usage 'call needs METHOD' call

# Files.
usage '--user-data: cannot read /nonexistent: No such file' vm create --user-data /nonexistent
usage '--spec: cannot read /nonexistent: No such file' vm create --spec /nonexistent
echo '{"flavourName": "m1.small"}' >"$TEST_DIR/spec.json"
usage "--spec: $TEST_DIR/spec.json: " vm create --spec "$TEST_DIR/spec.json"
assert_contains "$err" flavourName
echo '{"name": ' >"$TEST_DIR/spec.json"
usage "--spec: $TEST_DIR/spec.json: " vm create --spec "$TEST_DIR/spec.json"
usage 'GetVmRequest: ' call VmService/GetVm '{"cloud": 1}'
usage 'cannot read /nonexistent' call VmService/GetVm @/nonexistent

# Deleting without a terminal to ask on.
usage 'say --yes to delete' vm delete lab/web

# Each mistake says where there is help.
assert_contains "$err" "Try: isobar help vm delete"

# Help: asked for it is on standard output, else on standard error.
for words in "--help" "help" "vm --help" "help vm" "vm create --help" "help vm create" "-h" \
    "vm create --count x --help" "help call" "call --help" "help exit-codes" "--version" \
    "version"; do
    # shellcheck disable=SC2086
    assert_ok "$ISOBAR" $words
    [ -n "$out" ] || fail "isobar $words prints nothing"
    assert_eq "" "$err" "standard error of 'isobar $words'"
done
usage 'Usage: isobar COMMAND VERB'
usage 'Usage: isobar vm VERB' vm

# Every command has help, and every flag that it names is taken.
assert_ok "$ISOBAR" help vm create
for flag in cloud name image flavor network subnet security-group keypair zone region \
    resource-group count source-type volume-created image-type os-type public-ip-type public-ip \
    user-data tag volume param spec strict dry-run wait no-wait request-id timeout; do
    assert_contains "$out" "--$flag"
done

# Without a gateway.
run "$ISOBAR" vm list
assert_eq 7 "$status" "exit code where nobody listens"
assert_eq "" "$out"
assert_contains "$err" "isobar: Unavailable: "

# The output cannot be written; nobody reads it.
run bash -c '"$1" help >/dev/full' - "$ISOBAR"
assert_eq 1 "$status" "exit code for a full disk"
assert_contains "$err" "cannot write to standard output: No space left on device"
run bash -c 'set -o pipefail; "$1" help man | head -n 1 >/dev/null' - "$ISOBAR"
assert_eq 0 "$status" "exit code where the reader has gone"
assert_eq "" "$err"
run bash -c '"$1" version >&-' - "$ISOBAR"
assert_eq 1 "$status" "exit code for a closed standard output"
