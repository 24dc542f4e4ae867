# Adapters as processes of their own, as a user sees them: who serves what, and who is told to stop.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fake.sh"

TOY=$ISOBAR_SOURCE/adapters/examples/toy.py
export ISOBAR_DESCRIPTORS=$ISOBAR_BUILD/proto/gen/isobar.binpb TMPDIR=$TEST_DIR
[ -r "$ISOBAR_DESCRIPTORS" ] || fail "there is no $ISOBAR_DESCRIPTORS"

# start_toy ID WORDS...: a process that serves as the adapter toy. Sets TOY_PID.
start_toy() {
    local id=$1
    shift
    "$PYTHON" -B "$TOY" --token-file "$TEST_DIR/token-toys" --gateway "$ISOBAR_SERVER" --id "$id" \
        --state "$TEST_DIR/toys.json" --boot-ms 50 --pace-ms 50 "$@" \
        </dev/null >/dev/null 2>"$TEST_DIR/$id.log" &
    TOY_PID=$!
    HELPER_PIDS+=("$TOY_PID")
    wait_for_status "$id" UP
}

# wait_for_status ID STATUS: until the instance has it in the list.
wait_for_status() {
    local i
    for ((i = 0; i < 300; i++)); do
        run "$ISOBAR" adapter list --name toy -o csv --columns instance,status --no-header
        [[ $out == *"$1,$2"* ]] && return 0
        sleep 0.05
    done
    fail "$1 is not $2: $out; $(tail -n 5 "$TEST_DIR/$1.log")"
}

# field NAME: the field of a thing in $out, as its table has it.
field() {
    sed -n "s/^$1  *//p" <<<"$out"
}

(
    umask 077
    echo CANARY-toys >"$TEST_DIR/token-toys"
    echo CANARY-operator >"$TEST_DIR/token-operator"
)
start_daemon "clouds:
  box: {adapter: sandbox}
users:
  - {name: toys, role: adapter, token_file: $TEST_DIR/token-toys, adapters: [toy]}
  - {name: olga, role: operator, token_file: $TEST_DIR/token-operator}"

# Before anybody has registered: what is built in, with empty cells.
assert_ok "$ISOBAR" adapter list --name toy -o name
assert_eq "" "$out"
assert_ok "$ISOBAR" adapter list
assert_matches "$out" '^NAME +VERSION +INSTANCE +STATUS +CLOUDS +WEIGHT +LEASE_AGE_MS +IN_FLIGHT +CALLS +ERRORS'
assert_ok "$ISOBAR" adapter list --name sandbox -o csv --no-header
assert_matches "$out" '^sandbox,[0-9.]+,,,,,,,,.?$'

# Who serves what.
start_toy toy-1
assert_ok "$ISOBAR" adapter list
assert_matches "$out" $'\n''toy +1.0.0 +toy-1 +UP +toy +100 +[0-9]+ +0 +[0-9]+ +0'
assert_matches "$out" $'\n''sandbox +[0-9.]+'
assert_ok "$ISOBAR" adapter list --name toy -o wide --no-header
assert_matches "$out" 'A cloud of toys.* ipc://.* toys +20[0-9-]+T[0-9:]+Z$'
assert_ok "$ISOBAR" adapter list --name toy -o name
assert_eq toy/toy-1 "$out"
assert_ok "$ISOBAR" adapter list -o json --name toy
assert_contains "$out" '"status": "ADAPTER_STATUS_UP"'

# Its manifest, by version too.
assert_ok "$ISOBAR" adapter describe toy
assert_matches "$out" '^toy 1.0.0: A cloud of toys'
assert_matches "$out" $'\nPARAMETER .*\ncolor +string +O '
assert_ok "$ISOBAR" adapter describe toy --version 1.0.0
assert_matches "$out" '^toy 1.0.0: '
assert_exit 3 "$ISOBAR" adapter describe toy --version 1.0.1
assert_contains "$err" '--version (version): '
assert_ok "$ISOBAR" adapter describe sandbox

# A machine with a parameter that only this cloud has.
assert_ok "$ISOBAR" vm create --cloud toy --name teddy --image bear --flavor small \
    --param color=red --wait -o json
assert_contains "$out" '"color": "red"'
assert_exit 2 "$ISOBAR" vm create --cloud toy --name teddy --image bear --flavor small \
    --param color=mauve
assert_contains "$err" 'spec.parameters'
assert_ok "$ISOBAR" adapter status toy/toy-1
assert_eq UP "$(field status)"
[ "$(field calls)" -gt 0 ] || fail "no call is counted: $out"

# Two versions side by side, and the traffic taken from one of them.
start_toy toy-2 --adapter-version 1.1.0 --weight 7
TOY2_PID=$TOY_PID
assert_ok "$ISOBAR" adapter list --name toy -o csv --columns name,version,instance,weight --no-header
assert_eq $'toy,1.0.0,toy-1,100\r\ntoy,1.1.0,toy-2,7\r' "$out"
assert_ok "$ISOBAR" adapter describe toy
assert_matches "$out" '^toy 1.1.0: '
assert_ok "$ISOBAR" adapter status toy/toy-1 --weight 0
assert_eq 0 "$(field weight)"
assert_eq UP "$(field status)"
calls=$(field calls)
for _ in 1 2 3 4 5; do
    assert_ok "$ISOBAR" vm show toy/teddy
done
assert_ok "$ISOBAR" adapter status toy/toy-1
assert_eq "$calls" "$(field calls)" "calls of an instance without weight"
assert_ok "$ISOBAR" adapter status toy/toy-1 --weight 50 --status out_of_service -o name
assert_eq toy/toy-1 "$out"
assert_ok "$ISOBAR" adapter status toy/toy-1 -o json
assert_contains "$out" '"status": "ADAPTER_STATUS_OUT_OF_SERVICE"'
assert_contains "$out" '"weight": 50'
assert_ok "$ISOBAR" vm show toy/teddy
assert_ok "$ISOBAR" adapter status toy/toy-1 --status UP
assert_eq UP "$(field status)"
assert_eq 50 "$(field weight)"

# Draining: it gets nothing new, and the command answers when nothing is there.
assert_ok "$ISOBAR" adapter drain toy/toy-2 --timeout 20s
assert_eq DRAINING "$(field status)"
assert_eq "" "$err"
assert_ok "$ISOBAR" vm show toy/teddy

# What is wrong is said, and by the exit code too.
for verb in status drain deregister; do
    assert_exit 3 "$ISOBAR" adapter "$verb" toy/nobody
    assert_contains "$err" 'no instance "nobody" of adapter "toy"'
    assert_eq "" "$out"
    for word in toy toy/ /toy-1; do
        assert_exit 2 "$ISOBAR" adapter "$verb" "$word"
        assert_contains "$err" "\"$word\" is not ADAPTER/INSTANCE"
    done
    assert_exit 2 "$ISOBAR" adapter "$verb"
    assert_contains "$err" "adapter $verb needs ADAPTER/INSTANCE"
done
assert_exit 2 "$ISOBAR" adapter status toy/toy-1 --status DRAINNG
assert_contains "$err" '--status: there is no "DRAINNG"; did you mean DRAINING?'
assert_exit 2 "$ISOBAR" adapter status toy/toy-1 --weight heavy
assert_contains "$err" '--weight: "heavy" is not a whole number'
assert_exit 2 "$ISOBAR" adapter status toy/toy-1 --weight 1000001
assert_contains "$err" '--weight (weight): is more than'
assert_exit 2 "$ISOBAR" adapter drain toy/toy-1 --status UP
assert_exit 3 "$ISOBAR" adapter describe toi
assert_contains "$err" "toy"

# Who is no admin, and not the process itself, may look and change nothing.
operator=(--token-file "$TEST_DIR/token-operator")
assert_ok "$ISOBAR" adapter list "${operator[@]}" --name toy -o name
assert_ok "$ISOBAR" adapter status toy/toy-1 "${operator[@]}"
assert_exit 4 "$ISOBAR" adapter status toy/toy-1 --weight 1 "${operator[@]}"
assert_contains "$err" "Forbidden"
assert_exit 4 "$ISOBAR" adapter drain toy/toy-1 "${operator[@]}"
assert_exit 4 "$ISOBAR" adapter deregister toy/toy-1 "${operator[@]}"
assert_ok "$ISOBAR" adapter status toy/toy-1
assert_eq "UP 50" "$(field status) $(field weight)"

# Watching: what is there at once, then what changes, until the time is over or nobody reads.
"$ISOBAR" adapter watch --name toy --columns instance,status -o csv >"$TEST_DIR/watched" \
    2>"$TEST_DIR/watched.err" </dev/null &
WATCH_PID=$!
HELPER_PIDS+=("$WATCH_PID")
for ((i = 0; i < 300; i++)); do
    [ "$(wc -l <"$TEST_DIR/watched")" -ge 3 ] && break
    sleep 0.05
done
assert_eq $'instance,status\r\ntoy-1,UP\r\ntoy-2,DRAINING\r' "$(cat "$TEST_DIR/watched")"
assert_ok "$ISOBAR" adapter deregister toy/toy-2
assert_eq "toy/toy-2 is deregistered" "$err"
assert_eq "" "$out"
wait_for_status toy-2 UP # the process lives, and so is back soon

# The end of a process: it drains and deregisters by itself.
for pid in "$TOY2_PID" "${HELPER_PIDS[0]}"; do
    kill -TERM "$pid"
    wait "$pid" || fail "the toy ended with $?"
done
wait_for_status toy-1 OUT_OF_SERVICE
wait_for_status toy-2 OUT_OF_SERVICE
assert_ok "$ISOBAR" adapter list --name toy -o wide
assert_contains "$out" "it has deregistered"
assert_ok "$ISOBAR" adapter status toy/toy-1
assert_eq OUT_OF_SERVICE "$(field status)"
assert_exit 3 "$ISOBAR" adapter drain toy/toy-1
assert_exit 3 "$ISOBAR" vm show toy/teddy # the cloud has gone with the last of them
for ((i = 0; i < 300; i++)); do
    grep -q 'toy-1,OUT_OF_SERVICE' "$TEST_DIR/watched" && break
    sleep 0.05
done
kill -TERM "$WATCH_PID"
wait "$WATCH_PID" 2>/dev/null || true
assert_eq "" "$(cat "$TEST_DIR/watched.err")"
assert_eq 1 "$(grep -c instance "$TEST_DIR/watched")" "headers of a watch"
for each in toy-2,OUT_OF_SERVICE toy-2,UP toy-1,OUT_OF_SERVICE; do
    assert_contains "$(cat "$TEST_DIR/watched")" "$each"
done
assert_eq "" "$(find "$TEST_DIR" -maxdepth 1 -name 'isobar-toy.*')" "folders of processes that ended"
assert_ok "$ISOBAR" adapter watch --timeout 1s --name toy -o yaml
assert_matches "$out" '^---'
assert_eq 2 "$(grep -c '^---$' <<<"$out")"
assert_ok "$ISOBAR" adapter watch --timeout 300ms --name nobody
assert_eq "" "$out$err"
stop_daemon

# What a real process seldom shows: calls that do not end in time, pages, an answer without content.
instance='{"id": "a\u001b[31m", "status": "ADAPTER_STATUS_DRAINING", "weight": 1, "inFlight": 2}'
script="{\"AdapterService/DrainAdapter\": [{\"result\": {\"code\": \"RESULT_CODE_ACCEPTED\"},
  \"body\": {\"instance\": $instance}}],
\"AdapterService/SetAdapterStatus\": [{\"body\": {}}],
\"AdapterService/ListAdapters\": [
  {\"body\": {\"adapters\": [{\"name\": \"toy\"}], \"nextPageToken\": \"t1\"}},
  {\"body\": {\"adapters\": [{\"name\": \"toy\", \"instance\": {\"id\": \"b\"}}]}}],
\"AdapterService/WatchAdapters\": [
  {\"body\": {\"adapters\": [{\"name\": \"toy\", \"instance\": $instance}], \"revision\": 5,
    \"complete\": true}},
  {\"body\": {\"revision\": 5}},
  {\"body\": {\"adapters\": [{\"name\": \"new\"}], \"revision\": 6}},
  {\"result\": {\"code\": \"RESULT_CODE_UNAVAILABLE\", \"detail\": \"it ends\"}}]}"
start_fake "$script"
assert_exit 8 "$ISOBAR" adapter drain toy/a
assert_contains "$out" DRAINING
assert_contains "$err" "the time is over and calls are still there: isobar adapter drain toy/a waits on"
assert_eq '{"id": "a", "name": "toy"}' "$(sent DrainAdapter request)"
assert_exit 1 "$ISOBAR" adapter status toy/b --weight 0
assert_contains "$err" "the gateway's answer is empty"
assert_eq '{"id": "b", "name": "toy", "weight": 0}' "$(sent SetAdapterStatus request)"
assert_ok "$ISOBAR" adapter status toy/b
assert_eq '{"name": "toy", "pageToken": "t1"}' "$(sent ListAdapters request)"
assert_eq 2 "$(count_sent ListAdapters)" "pages"
assert_exit 7 "$ISOBAR" adapter watch
assert_contains "$err" "it ends"
assert_matches "$out" $'^NAME .*\ntoy .* a\\\\x1b\\[31m +DRAINING .*\nnew$'
assert_eq 4 "$(count_sent WatchAdapters)" "calls of a watch"
assert_eq '{"after": "6"}' "$(sent WatchAdapters request)"
assert_eq toy/b "$("$ISOBAR" adapter list -o name)"
start_fake "$script"
run bash -c 'set -o pipefail; "$1" adapter watch | head -n 1 >/dev/null' - "$ISOBAR"
assert_eq 0 "$status" "exit code of a watch whose reader has gone"
assert_eq 3 "$(count_sent WatchAdapters)" "calls of such a watch"

# Help, and completion by names from the gateway.
assert_ok "$ISOBAR" help adapter describe
assert_contains "$out" '--version VERSION'
assert_lacks "$out" 'Print the version.'
assert_ok "$ISOBAR" help adapter status
assert_contains "$out" 'isobar adapter status ADAPTER/INSTANCE'
assert_ok "$ISOBAR" completion bash
printf '%s\n' "$out" >"$TEST_DIR/completion"
start_fake '{"AdapterService/ListAdapters": [{"body": {"adapters": [{"name": "sandbox"},
  {"name": "toy", "instance": {"id": "toy-1"}}, {"name": "toy", "instance": {"id": "$(x) y"}}]}}]}'
mkdir "$TEST_DIR/bin"
ln -s "$ISOBAR" "$TEST_DIR/bin/isobar"
complete_words() {
    PATH=$TEST_DIR/bin:$PATH bash -c '. "$1"; shift
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
        _isobar; echo "${COMPREPLY[*]}"' - "$TEST_DIR/completion" "$@"
}
assert_eq 'toy/toy-1 toy/\$\(x\)\ y' "$(complete_words isobar adapter drain '')"
assert_eq 'sandbox toy toy' "$(complete_words isobar adapter describe '')"
assert_eq 'UP' "$(complete_words isobar adapter status toy/toy-1 --status U)"
assert_eq '--weight' "$(complete_words isobar adapter status toy/toy-1 --w)"
