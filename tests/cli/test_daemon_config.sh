# A configuration with mistakes: each is told with line and column, by --check-config and by a start
# alike, and nothing is begun.
. "$(dirname "$0")/lib.sh"

file=$TEST_DIR/isobard.yaml
mkdir "$TEST_DIR/new"
listen="listen: [\"ipc://$TEST_DIR/new/s\"]"
box='clouds: {box: {adapter: sandbox}}'

# refuse PLACES WORD...: the file on standard input is refused; its mistakes are at these places
# (LINE:COLUMN, in order) and at no other; what is said of them has the words.
refuse() {
    local places=$1 how word
    shift
    cat >"$file"
    for how in --check-config ""; do
        run timeout 20 "$ISOBARD" $how --config "$file" </dev/null
        assert_eq 1 "$status" "exit code of isobard $how"
        assert_eq "$places" "$(sed -n "s|^isobard: $file:\([0-9]*:[0-9]*\): ..*|\1|p" <<<"$err" |
            paste -s -d ' ')" "places of the mistakes, isobard $how"
        assert_eq "$(wc -w <<<"$places")" "$(wc -l <<<"$err")" "lines of error"
        assert_eq "" "$out" "standard output"
        assert_eq "" "$(ls -A "$TEST_DIR/new")" "what was made"
        for word; do
            assert_contains "$err" "$word"
        done
    done
}

# No YAML, or another kind of it.
refuse 2:7 "no YAML" <<<$'listen: [ipc:///tmp/s\nclouds: {box: {adapter: sandbox}}'
refuse 2:1 "no YAML" <<<$'clouds:\n\tbox: {adapter: sandbox}'
refuse 2:13 "UTF-8" <<<"$box"$'\nlog_level: "\xff\xfe"'
refuse 1:1 "must be a map" <<<'just words'
refuse 1:1 "must be a map" <<<'- a: list'
refuse 1:1 "clouds" <<<''
refuse "2:1 3:1" "clouds must be a map" "users must be a list" <<<"$listen"$'\nclouds: []\nusers: {}'

# Keys and words that nobody knows, with the near one.
refuse 3:1 stat_dir state_dir <<<"$listen"$'\n'"$box"$'\nstat_dir: /tmp'
refuse 2:34 latencyms latency_ms <<<"$listen"$'\nclouds: {box: {adapter: sandbox, latencyms: 3}}'
refuse 2:16 sandbax sandbox <<<"$listen"$'\nclouds: {box: {adapter: sandbax}}'
refuse 2:45 flavour_name flavor_name \
    <<<"$listen"$'\nclouds: {box: {adapter: sandbox, defaults: {flavour_name: x}}}'
refuse 4:3 "line 3" <<<"$listen"$'\nclouds:\n  box: {adapter: sandbox}\n  box: {adapter: sandbox}'
refuse 2:10 "Box Y" <<<"$listen"$'\nclouds: {Box Y: {adapter: sandbox}}'

# Values, all mistakes at once.
refuse "3:10 3:27 3:47 4:1 5:1 6:1" message_max pipeline_max "5 years" 1000 loud default_timeout <<EOT
$listen
$box
limits: {message_max: 10, pipeline_max: many, frame_timeout: 5 years}
io_threads: 1000
log_level: loud
default_timeout: 0s
EOT
refuse 2:34 "latency_ms" "slow" \
    <<<"$listen"$'\nclouds: {box: {adapter: sandbox, latency_ms: slow}}'
refuse "4:5 5:5 6:29" king "key name" "$TEST_DIR/none" <<EOT
$listen
$box
users:
  - {name: a, role: king}
  - {role: admin}
  - {name: c, role: reader, token_file: $TEST_DIR/none}
EOT

# Places to listen at.
refuse "1:10 1:30 1:39 1:55 1:78" insecure udp:// "absolute path" "tls: {cert" HOST:PORT <<EOT
listen: [tcp://0.0.0.0:7461, udp://x, ipc://relative, tls+tcp://127.0.0.1:1, tcp://127.0.0.1:99999]
$box
EOT

# What only the adapter can tell. The good cloud before it is not begun either.
refuse 4:3 "cloud \"bad\"" "latency_ms" "-1" <<EOT
$listen
clouds:
  box: {adapter: sandbox}
  bad: {adapter: sandbox, latency_ms: -1}
EOT
refuse 2:10 "$TEST_DIR/none" "No such file" \
    <<<"$listen"$'\n'"clouds: {lab: {adapter: openstack, cloud: lab, clouds_file: $TEST_DIR/none}}"

# No file at all.
for path in "$TEST_DIR/none" "$TEST_DIR"; do
    for how in --check-config ""; do
        run timeout 20 "$ISOBARD" $how --config "$path" </dev/null
        assert_eq 1 "$status" "exit code of isobard $how --config $path"
        assert_contains "$err" "$path: cannot read it"
    done
done

# And a good one is said to be so, and begins nothing when it is only looked at.
printf '%s\n%s\n' "$listen" "$box" >"$file"
assert_ok "$ISOBARD" --check-config --config "$file"
assert_contains "$out" "ok, 1 clouds, 1 listeners"
assert_eq "" "$(ls -A "$TEST_DIR/new")" "what was made"
