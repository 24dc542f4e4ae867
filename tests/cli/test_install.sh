# What is installed can be built against and used: with pkg-config, with CMake, from C++, shared and
# static; and exports nothing but the API.
. "$(dirname "$0")/lib.sh"

cc=$(build_setting CMAKE_C_COMPILER)
# As the library was built: its sanitizer has to be in the program too.
sanitize=$(build_setting ISOBAR_SANITIZE)
flags=(-Wall -Wextra -Werror ${sanitize:+"-fsanitize=$sanitize"})
[ "$(build_setting ISOBAR_COVERAGE)" != ON ] || flags+=(--coverage)
[ "$(build_setting ISOBAR_FUZZ)" != ON ] || skip "a build for fuzzing is not for installing"
example=$ISOBAR_SOURCE/client/examples/create_vm.c
prefix=$TEST_DIR/prefix

assert_ok cmake --install "$ISOBAR_BUILD" --prefix "$prefix"
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name isobar.pc)")
libdir=$(dirname "$(find "$prefix" -name libisobar.so.0)")
export PKG_CONFIG_PATH LD_LIBRARY_PATH=$libdir
assert_ok "$prefix/bin/isobar" --version
assert_eq "$(pkg-config --modversion isobar)" "$(sed -n 's/^project(isobar VERSION \([^ ]*\).*/\1/p' \
    "$ISOBAR_SOURCE/CMakeLists.txt")" "version"

# Nothing else can be seen, in either library.
others() { grep -v -E '^(isobar_|grpc__health__v1__)' || true; }
assert_eq "" "$(nm -D --defined-only "$libdir/libisobar.so.0" | awk '{print $NF}' | others)" exports
assert_eq "" "$(nm --defined-only --extern-only "$libdir/libisobar.a" |
    awk 'NF == 3 {print $3}' | others)" "exports of the archive"

start_daemon
cd "$TEST_DIR"
read -ra cflags <<<"$(pkg-config --cflags isobar)"
read -ra libs <<<"$(pkg-config --libs isobar)"
read -ra private_libs <<<"$(pkg-config --libs --static isobar)"

"$cc" -std=c11 "${flags[@]}" "${cflags[@]}" "$example" -o shared "${libs[@]}"
assert_example ./shared
assert_contains "$(ldd ./shared)" "$libdir/libisobar.so.0"

"$cc" -std=c11 "${flags[@]}" "${cflags[@]}" "$example" -o static \
    "${private_libs[@]/#-lisobar/-l:libisobar.a}"
assert_lacks "$(ldd ./static)" libisobar
assert_example ./static

cat >example.cpp <<'END'
#include <isobar.h>
#include <grpc/health/v1/health.pb-c.h>
#include <cstdio>

int main()
{
    isobar *c = isobar_connect(nullptr, nullptr, nullptr);
    Grpc__Health__V1__HealthCheckRequest request;
    grpc__health__v1__health_check_request__init(&request);
    isobar_reply reply;
    bool ok = isobar_call(c, "grpc.health.v1.Health/Check", &request.base, nullptr, &reply);
    std::printf("%s\n", isobar_code_name(reply.result->code));
    isobar_reply_done(&reply);
    isobar_close(c);
    return ok ? 0 : 1;
}
END
"${cc/%gcc/g++}" -x c++ -std=c++17 "${flags[@]}" "${cflags[@]}" example.cpp -o plusplus \
    "${libs[@]}" -lstdc++
assert_ok ./plusplus
assert_eq OK "$out"

mkdir consumer
cat >consumer/CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.25)
project(consumer LANGUAGES C)
find_package(Isobar 0.1 REQUIRED)
foreach(kind isobar isobar-static)
    add_executable(with-${kind} ${EXAMPLE})
    target_link_libraries(with-${kind} PRIVATE Isobar::${kind})
endforeach()
if(NOT EXISTS ${Isobar_PROTO_DIR}/isobar/v1/vm.proto)
    message(FATAL_ERROR "there are no .proto files")
endif()
END
assert_ok cmake -S consumer -B consumer/build -DCMAKE_PREFIX_PATH="$prefix" \
    -DCMAKE_C_COMPILER="$cc" -DCMAKE_C_FLAGS="${flags[*]}" -DEXAMPLE="$example"
assert_ok cmake --build consumer/build
assert_example consumer/build/with-isobar
assert_example consumer/build/with-isobar-static
stop_daemon
