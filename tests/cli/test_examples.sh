# The examples in C and Python do what they say, on a local socket and over TCP.
. "$(dirname "$0")/lib.sh"

port=$(free_port)
start_daemon "listen: [ipc://$TEST_DIR/isobar.sock, tcp://127.0.0.1:$port]
clouds:
  box: {adapter: sandbox}"
python=$(build_setting ISOBAR_PYTHON)
mkdir "$TEST_DIR/generated"
(cd "$ISOBAR_SOURCE/proto" &&
    protoc -I . --python_out="$TEST_DIR/generated" $(find isobar grpc -name '*.proto'))
export PYTHONPATH=$TEST_DIR/generated PYTHONDONTWRITEBYTECODE=1
c_example=$ISOBAR_BUILD/client/create_vm
python_example=$ISOBAR_SOURCE/client/examples/python/isobar_example.py

for ISOBAR_SERVER in "ipc://$TEST_DIR/isobar.sock" "tcp://127.0.0.1:$port"; do
    assert_example "$c_example"
    assert_example "$python" "$python_example"
done

# What goes wrong shows in words and in the exit code.
assert_exit 1 "$c_example" nowhere
assert_contains "$err" "NotFound"
assert_exit 1 "$python" "$python_example" nowhere
assert_contains "$err" "NOT_FOUND"
stop_daemon
assert_exit 1 "$c_example"
assert_contains "$err" "nothing listens at"
assert_exit 1 "$python" "$python_example"
assert_contains "$err" "refused"
