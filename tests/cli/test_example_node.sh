# The example in JavaScript does what it says. It needs npm, and a compiler for the nanomsg package.
. "$(dirname "$0")/lib.sh"

command -v npm >/dev/null || skip "there is no npm"
example=$ISOBAR_SOURCE/client/examples/node
# Installed once for the build folder, since it is compiled.
installed=$ISOBAR_BUILD/tests/cli/node-example
mkdir -p "$installed"
cp "$example/package.json" "$TEST_DIR/package.json"
if ! cmp -s "$TEST_DIR/package.json" "$installed/installed.json"; then
    cp "$example/package.json" "$installed/"
    npm install --prefix "$installed" --no-audit --no-fund --no-package-lock \
        >"$TEST_DIR/npm.log" 2>&1 ||
        skip "npm cannot install the packages: $(grep -m 1 -i err "$TEST_DIR/npm.log")"
    cp "$TEST_DIR/package.json" "$installed/installed.json"
fi
(cd "$installed" && node -e 'require("nanomsg"); require("protobufjs")') 2>"$TEST_DIR/load.log" ||
    skip "the packages do not load: $(grep -m 1 Error "$TEST_DIR/load.log")"
cp "$example/example.mjs" "$installed/"
export ISOBAR_PROTO=$ISOBAR_SOURCE/proto

start_daemon
assert_example node "$installed/example.mjs"
assert_exit 1 node "$installed/example.mjs" nowhere
assert_contains "$err" "RESULT_CODE_NOT_FOUND"
stop_daemon
