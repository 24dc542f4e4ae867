# The life of a machine on the sandbox cloud, from the command line through a real gateway.
. "$(dirname "$0")/lib.sh"
start_daemon 'clouds:
  box: {adapter: sandbox, boot_ms: 200, pace_ms: 100}
  far: {adapter: sandbox, boot_ms: 60000}
  sick: {adapter: sandbox, error_rate: 1}'
small=(--image alpine --flavor m1.tiny)

# Made, seen, stopped, started, resized, deleted.
assert_ok "$ISOBAR" vm create --cloud box --name web "${small[@]}" --tag env=prod --wait -o name
assert_eq box/web "$out"
assert_ok "$ISOBAR" vm show box/web
assert_matches "$out" '
state +RUNNING
'
assert_matches "$out" '
tags +env=prod
'
assert_ok "$ISOBAR" vm stop box/web --wait
assert_matches "$out" 'box +web .* STOPPED'
assert_ok "$ISOBAR" vm start --cloud box web --wait --no-header --columns state
assert_eq RUNNING "$out"
assert_ok "$ISOBAR" vm reboot box/web --hard --wait
assert_ok "$ISOBAR" vm resize box/web --flavor m1.small --wait --columns flavor --no-header
assert_eq m1.small "$out"
assert_ok "$ISOBAR" vm suspend box/web --wait
assert_ok "$ISOBAR" vm resume box/web --wait
assert_ok "$ISOBAR" vm delete box/web --yes --wait
assert_exit 3 "$ISOBAR" vm show box/web

# Mistakes that the gateway sees.
assert_exit 3 "$ISOBAR" vm create --cloud bux --name web "${small[@]}"
assert_contains "$err" box
assert_exit 3 "$ISOBAR" vm create --cloud box --name web --image alpin --flavor m1.tiny
assert_contains "$err" "--image (spec.image_id)"
assert_exit 2 "$ISOBAR" vm create --cloud box --name web --image alpine
assert_contains "$err" "--flavor (spec.flavor_name)"
assert_exit 2 "$ISOBAR" vm create --name web "${small[@]}"
assert_contains "$err" "--cloud (cloud)"
assert_exit 2 "$ISOBAR" vm create --cloud box --name web "${small[@]}" --os-type linux --strict
assert_ok "$ISOBAR" vm create --cloud box --name web "${small[@]}" --os-type linux --dry-run
assert_contains "$err" "warning: "
assert_ok "$ISOBAR" vm list --cloud box
assert_eq "" "$out" "machines after a dry run"

# The same request id is the same machine.
assert_ok "$ISOBAR" vm create --cloud box --name once "${small[@]}" --request-id r-1 -o json
first=$out
assert_ok "$ISOBAR" vm create --cloud box --name once "${small[@]}" --request-id r-1 -o json
assert_eq "$(grep '"id"' <<<"$first")" "$(grep '"id"' <<<"$out")" "the id of a repeated create"
assert_exit 5 "$ISOBAR" vm create --cloud box --name other "${small[@]}" --request-id r-1
assert_ok "$ISOBAR" operation list --request-id r-1 -o name
op=$out
assert_eq 1 "$(wc -l <<<"$op")" "operations of the request"
assert_ok "$ISOBAR" operation show "$op"
assert_matches "$out" 'response.vm.name +once'

# An operation that is waited for later; a wait that is too short.
assert_ok "$ISOBAR" vm create --cloud box --name later "${small[@]}" --no-wait -o name
assert_ok "$ISOBAR" operation wait "$out"
assert_matches "$out" 'state +DONE'
assert_exit 8 "$ISOBAR" vm create --cloud far --name slow "${small[@]}" --wait --timeout 1s
assert_matches "$err" 'isobar operation (wait [0-9a-f]|list --request-id [0-9a-f])'
assert_exit 5 "$ISOBAR" vm stop far/slow
assert_contains "$err" "FailedPrecondition"

# Several at once, in two clouds.
assert_ok "$ISOBAR" vm create --cloud box --name many "${small[@]}" --count 3 --wait
assert_eq 4 "$(wc -l <<<"$out")" "lines for three machines"
assert_ok "$ISOBAR" vm list --cloud box --name 'many*' --sort name -o name
mapfile -t many <<<"$out"
assert_eq 3 "${#many[@]}"
assert_ok "$ISOBAR" vm stop "${many[@]}" --wait
assert_ok "$ISOBAR" vm list --cloud box --state STOPPED -o name --sort name
assert_eq "$(printf '%s\n' "${many[@]}")" "$out"
assert_exit 9 "$ISOBAR" vm start "${many[0]}" box/nobody far/slow
assert_contains "$err" "isobar: box/nobody: NotFound"
assert_ok "$ISOBAR" vm status "${many[@]}"
assert_ok "$ISOBAR" vm delete "${many[@]}" --yes --wait
assert_ok "$ISOBAR" vm list --cloud box --name 'many*' -o name
assert_eq "" "$out"

# A list of all clouds, one of which is sick.
assert_exit 9 "$ISOBAR" vm list -o name
assert_contains "$out" far/slow
assert_contains "$err" "isobar: sick: Unavailable"
assert_exit 7 "$ISOBAR" vm list --cloud sick
assert_eq "" "$out"

# Every other noun.
for noun in image flavor network subnet security-group keypair region zone; do
    assert_ok "$ISOBAR" "$noun" list --cloud box --limit 1 -o name
    [ -n "$out" ] || fail "there is no $noun"
    assert_ok "$ISOBAR" "$noun" show "$out"
    assert_matches "$out" 'cloud +box'
done
assert_ok "$ISOBAR" cloud list -o name
assert_eq $'box\nfar\nsick' "$out"
assert_ok "$ISOBAR" cloud show far
assert_matches "$out" 'adapter +sandbox'
assert_ok "$ISOBAR" cloud check box
assert_ok "$ISOBAR" adapter list -o name
assert_contains "$out" sandbox
assert_ok "$ISOBAR" adapter describe sandbox
assert_matches "$out" '
ATTRIBUTE +TYPE +PRESENCE +DEFAULT +DESCRIPTION
name +string +M '
assert_matches "$out" '
resource_group_name +string +NP '
assert_matches "$out" '
instance_count +int '
assert_contains "$out" $'\nPARAMETER '
assert_contains "$out" $'\nSETTING '
assert_ok "$ISOBAR" health
assert_eq SERVING "$out"
assert_ok "$ISOBAR" call CloudService/ListClouds
assert_contains "$out" '"adapter": "sandbox"'

# Where there is but one cloud it need not be named.
stop_daemon
start_daemon
assert_ok "$ISOBAR" vm create --name web "${small[@]}" -o name
assert_eq box/web "$out"
assert_ok "$ISOBAR" vm delete web --yes
