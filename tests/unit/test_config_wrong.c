/* Mistakes in a configuration: each is told with its place and with what to do. */
#include "test_config.h"

static void yaml_is_held_short(void **state)
{
    static const struct {
        const char *yaml, *where, *what;
    } cases[] = {
        {"clouds: {box: {adapter: sandbox}", "2:1", "no YAML"},
        {"a: b: c\n", "1:5", "no YAML"},
        {"\tclouds: x\n", "1:1", "no YAML"},
        {"x: &a [1]\nclouds: *a\n", "1:4", "anchors"},
        {"x: *a\n", "1:4", "aliases"},
        {"x: !!str y\n", "1:4", "tags"},
        {BOX "---\n" BOX, "2:1", "second document"},
        {"? [a]\n: b\n", "1:3", "key"},
        {"'': x\n", "1:1", "key"},
        {"x: \"a\\0b\"\n", "1:4", "NUL"},
        {"[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]", "1:17", "too deep"},
        {"ok: 1\nx: \"\xff\"\n", "2:5", "UTF-8"},
        {"x: \x01\n", "1:4", "no YAML"},
        {"- a\n", "1:1", "must be a map"},
        {"just words\n", "1:1", "must be a map"},
        {"", "1:1", "needs the key clouds"},
        {"# nothing\n", "1:1", "needs the key clouds"},
        {"---\n...\n", "1:1", "needs the key clouds"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        bad(cases[i].yaml, cases[i].where, cases[i].what);
}

static void size_is_bounded(void **state)
{
    size_t len = CONFIG_BYTES_MAX + 1;
    char *big = malloc(len + 1);

    (void)state;
    assert_non_null(big);
    memset(big, '#', len);
    said.n = 0;
    assert_null(config_parse(big, len, "conf.yaml", note, &said));
    assert_string_equal(said.lines[0], "conf.yaml: a configuration has at most 1048576 bytes");
    /* "[,,..." is the most values in the fewest bytes. */
    len = 0;
    for (big[len++] = '['; len < 100000; len += 2)
        memcpy(big + len, "a,", 2);
    big[len++] = ']';
    said.n = 0;
    assert_null(config_parse(big, len, "conf.yaml", note, &said));
    assert_non_null(strstr(said.lines[0], "too much"));
    free(big);
}

static void mistakes_have_place_and_advice(void **state)
{
    static const struct {
        const char *yaml, *where, *what;
    } cases[] = {
        {"clods: {}\n" BOX, "1:1", "near: clouds"},
        {BOX "log_level: loud\n", "2:1", "there is: debug, info, warn, error"},
        {BOX "io_threads: many\n", "2:1", "whole number from 0 to 64"},
        {BOX "io_threads: 65\n", "2:1", "it is \"65\""},
        {BOX "io_threads:\n", "2:1", "no value"},
        {BOX "io_threads: ~\n", "2:1", "no value"},
        {BOX "io_threads: [1]\n", "2:1", "single value"},
        {BOX "default_timeout: 5 minutes\n", "2:1", "30s or 500ms"},
        {BOX "default_timeout: -5s\n", "2:1", "duration"},
        {BOX "default_timeout: 0\n", "2:1", "from 1ms to 24h"},
        {BOX "default_timeout: 1e3\n", "2:1", "duration"},
        {BOX "default_timeout: 1.2.3s\n", "2:1", "duration"},
        {BOX "limits: {message_max: 4MB}\n", "2:10", "4MiB"},
        {BOX "limits: {message_max: 99999999999999999999GiB}\n", "2:10", "from 1KiB to 1GiB"},
        {BOX "limits: {mesage_max: 4}\n", "2:10", "near: message_max"},
        {BOX "limits: 7\n", "2:1", "must be a map"},
        {BOX "drain_timeout: 1s\ndrain_timeout: 2s\n", "3:1", "in line 2 already"},
        {BOX "state_dir: /dev/null\n", "2:1", "no folder"},
        {"clouds:\n", "1:1", "no value"},
        {"clouds: {}\n", "1:1", "names none"},
        {"clouds: [box]\n", "1:1", "must be a map"},
        {"clouds: {box: {}}\n", "1:10", "needs the key adapter"},
        {"clouds: {box: sandbox}\n", "1:10", "must be a map"},
        {"clouds: {Box: {adapter: sandbox}}\n", "1:10", "cannot be a cloud's name"},
        {"clouds: {a/b: {adapter: sandbox}}\n", "1:10", "cannot be a cloud's name"},
        {"clouds: {-b: {adapter: sandbox}}\n", "1:10", "cannot be a cloud's name"},
        {"clouds:\n  a: {adapter: sandbox}\n  a: {adapter: sandbox}\n", "3:3", "in line 2"},
        {"clouds: {box: {adapter: sandbax}}\n", "1:16", "near: sandbox"},
        {"clouds: {box: {adapter: sandbox, latencyms: 4}}\n", "1:34", "near: latency_ms"},
        {"clouds: {box: {adapter: sandbox, latency_ms: soon}}\n", "1:34", "whole number"},
        {"clouds: {box: {adapter: sandbox, latency_ms: }}\n", "1:34", "no value"},
        {"clouds: {box: {adapter: sandbox, max_in_flight: 0}}\n", "1:34", "from 1 to 1024"},
        {"clouds: {p: {adapter: picky}}\n", "1:10", "needs the setting endpoint: where it is"},
        {"clouds: {p: {adapter: picky, endpoint: x, mode: fats}}\n", "1:43", "near: fast"},
        {"clouds: {p: {adapter: picky, endpoint: x, tries: 1.5}}\n", "1:43", "whole number"},
        {"clouds: {p: {adapter: picky, endpoint: x, debug: yes}}\n", "1:43", "true or false"},
        {"clouds: {p: {adapter: picky, endpoint: x, secret: hush}}\n", "1:43", "is \"...\""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        bad(cases[i].yaml, cases[i].where, cases[i].what);
}

static void defaults_fit_the_manifest(void **state)
{
    static const struct {
        const char *yaml, *where, *what;
    } cases[] = {
#define SANDBOX(defaults) "clouds: {box: {adapter: sandbox, defaults: {" defaults "}}}\n"
#define PICKY(defaults)   "clouds: {p: {adapter: picky, endpoint: x, defaults: {" defaults "}}}\n"
        {SANDBOX("flavour_name: m1.tiny"), "1:45", "near: flavor_name"},
        {SANDBOX("os_type: linux"), "1:45", "not present"},
        {SANDBOX("volume_created: maybe"), "1:45", "true or false"},
        {SANDBOX("public_ip_type: dinamic"), "1:45", "near: dynamic"},
        {SANDBOX("tags: {a: b}"), "1:45", "cannot have a default"},
        {SANDBOX("user_data: x"), "1:45", "cannot have a default"},
        {SANDBOX("flavor_name: [x]"), "1:45", "single value"},
        {SANDBOX("parameters: {bootms: 1}"), "1:58", "near: boot_ms"},
        {SANDBOX("parameters: {boot_ms: x}"), "1:58", "whole number"},
        {SANDBOX("parameters: {boot_ms: 1, boot_ms: 2}"), "1:70", "in line 1 already"},
        {SANDBOX("zone: a, zone: b"), "1:54", "in line 1 already"},
        {SANDBOX("parameters: 5"), "1:45", "must be a map"},
        {PICKY("region: x"), "1:54", "not present in the interface of picky"},
        {PICKY("flavor_name: x"), "1:54", "not present"},
        {PICKY("parameters: {boot_ms: 1}"), "1:67", "adapter picky has no parameter"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        bad(cases[i].yaml, cases[i].where, cases[i].what);
}

static void listeners_are_safe(void **state)
{
    static const struct {
        const char *yaml, *where, *what;
    } cases[] = {
        {BOX "listen: tcp://127.0.0.1:1\n", "2:1", "must be a list"},
        {BOX "listen: []\n", "2:1", "names no place"},
        {BOX "listen: [http://localhost]\n", "2:10", "tls+tcp://"},
        {BOX "listen: [localhost]\n", "2:10", "nothing listens"},
        {BOX "listen: ['tcp://0.0.0.0:7461']\n", "2:10", "tls+tcp://"},
        {BOX "listen: ['tcp://:7461']\n", "2:10", "insecure: true"},
        {BOX "listen: ['tcp://*:7461']\n", "2:10", "insecure: true"},
        {BOX "listen: ['tcp://[::]:7461']\n", "2:10", "insecure: true"},
        {BOX "listen: ['nng+tcp://10.0.0.1:7461']\n", "2:10", "insecure: true"},
        {BOX "listen: ['tcp://localhost.example.org:1']\n", "2:10", "insecure: true"},
        {BOX "listen: [{url: tcp://0.0.0.0:1, insecure: false}]\n", "2:10", "insecure: true"},
        {BOX "listen: ['tcp://127.0.0.1:x']\n", "2:10", "HOST:PORT"},
        {BOX "listen: ['tcp://127.0.0.1:65536']\n", "2:10", "HOST:PORT"},
        {BOX "listen: ['tcp://[::1:5']\n", "2:10", "HOST:PORT"},
        {BOX "listen: ['ipc://rel/path']\n", "2:10", "absolute"},
        {BOX "listen: ['inproc://']\n", "2:10", "no name"},
        {BOX "listen: ['tls+tcp://0.0.0.0:1']\n", "2:10", "needs its files"},
        {BOX "listen: [{url: tls+tcp://0.0.0.0:1, tls: {cert: /etc/passwd, key: /etc/passwd}}]\n",
         "2:10", "everybody"},
        {BOX "listen: [{insecure: true}]\n", "2:10", "needs the key url"},
        {BOX "listen: [{url: inproc://x, port: 5}]\n", "2:28", "no key \"port\""},
        {BOX "listen: [inproc://x, inproc://x]\n", "2:22", "there twice"},
        {BOX "listen: [[inproc://x]]\n", "2:10", "single value"},
        {BOX "listen: [{url: tls+tcp://:1, tls: {cert: /nowhere/c.pem, key: /dev/null}}]\n", "2:36",
         "No such file"},
    };
    char path[200], yaml[300];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases) - 1; i++)
        bad(cases[i].yaml, cases[i].where, cases[i].what);
    const char *last = cases[ARRAY_LEN(cases) - 1].yaml;
    assert_null(parse(last, &said));
    assert_int_equal(said.n, 2);
    assert_true(was_said(&said, "2:36", "No such file"));
    assert_true(was_said(&said, "2:58", "/dev/null is no file"));
    memset(path, 'p', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    snprintf(yaml, sizeof(yaml), BOX "listen: [ipc:///%s]\n", path);
    bad(yaml, "2:10", "107 bytes");
}

static void users_are_known(void **state)
{
    static const struct {
        const char *yaml, *where, *what;
    } cases[] = {
        {BOX "users: alice\n", "2:1", "must be a list"},
        {BOX "users: [alice]\n", "2:9", "must be a map"},
        {BOX "users: [{role: admin}]\n", "2:9", "needs the key name"},
        {BOX "users: [{name: '', role: admin}]\n", "2:9", "cannot be empty"},
        {BOX "users: [{name: a}]\n", "2:9", "needs the key role"},
        {BOX "users: [{name: a, role: root}]\n", "2:9", "reader, operator, admin"},
        {BOX "users: [{name: a, role: admin}, {name: a, role: admin}]\n", "2:33", "there twice"},
        {BOX "users: [{name: a, role: admin, token_file: /nowhere/t}]\n", "2:32", "No such file"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        bad(cases[i].yaml, cases[i].where, cases[i].what);
}

#define TOYS "users: [{name: t, role: adapter, adapters: [toy]}]\n"

static void adapters_register_by_leave(void **state)
{
    static const struct {
        const char *yaml, *where, *what;
    } cases[] = {
        {"clouds: {t: {adapter: toy}}\n", "1:14", "adapters` of a user"},
        {TOYS "clouds: {t: {adapter: tay}}\n", "2:14", "near: toy"},
        {TOYS "clouds: {t: {adapter: toy, version: '>>2'}}\n", "2:14", "no range of versions"},
        {TOYS "clouds: {t: {adapter: toy, version: ''}}\n", "2:14", "no range of versions"},
        {TOYS "clouds: {t: {adapter: toy, colour: red}}\n", "2:28", "colour"},
        {TOYS "clouds: {t: {adapter: toy, defaults: {flavour: x}}}\n", "2:39", "no attribute"},
        {BOX "users: [{name: t, role: adapter}]\n", "2:9", "needs adapters"},
        {BOX "users: [{name: t, role: reader, adapters: []}]\n", "2:33", "is empty"},
        {BOX "register: {gateway: 'http://x'}\n", "2:1", "ipc:///run"},
        {BOX "register: {offer: [box]}\n", "2:1", "gateway"},
        {BOX "register: {gateway: 'tcp://x', offer: [bax]}\n", "2:1", "near: box"},
        {BOX "listen: ['tcp://127.0.0.1:0']\nregister: {gateway: 'tcp://x'}\n", "3:1", "endpoint"},
        {BOX "register: {gateway: 'tcp://x', endpoint: 'tls+tcp://:1'}\n", "2:1", "endpoint"},
        {BOX "register: {gateway: 'tcp://x', weight: 1000001}\n", "2:32", "weight"},
        {"clouds: {}\n", "1:1", "names none"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        bad(cases[i].yaml, cases[i].where, cases[i].what);
}

static void all_mistakes_are_told_at_once(void **state)
{
    (void)state;
    assert_null(parse("io_threads: x\n"
                      "wrong: 1\n"
                      "listen: [tcp://1.2.3.4:5, x]\n"
                      "clouds:\n"
                      "  UP: {adapter: sandbox, speed: 9}\n"
                      "  b: {adapter: none}\n",
                      &said));
    assert_int_equal(said.n, 7);
    assert_true(was_said(&said, "1:1", "io_threads"));
    assert_true(was_said(&said, "2:1", "wrong"));
    assert_true(was_said(&said, "3:10", "insecure"));
    assert_true(was_said(&said, "3:27", "nothing listens"));
    assert_true(was_said(&said, "5:3", "UP"));
    assert_true(was_said(&said, "5:26", "speed"));
    assert_true(was_said(&said, "6:7", "none"));
}

static void many_mistakes_are_counted(void **state)
{
    char yaml[2048] = "", *at = yaml;

    (void)state;
    for (int i = 0; i < 60; i++)
        at += sprintf(at, "k%d: \"a\\nb\"\n", i);
    assert_null(parse(yaml, &said));
    assert_int_equal(said.n, CONFIG_MISTAKES_MAX + 1);
    assert_string_equal(said.lines[CONFIG_MISTAKES_MAX], "and 11 more mistakes");
    assert_null(parse(BOX "\"a\\nb\\e\": 1\n", &said));
    assert_null(strchr(said.lines[0], '\n'));
    assert_non_null(strstr(said.lines[0], "a?b?"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(yaml_is_held_short),
        cmocka_unit_test(size_is_bounded),
        cmocka_unit_test(mistakes_have_place_and_advice),
        cmocka_unit_test(defaults_fit_the_manifest),
        cmocka_unit_test(listeners_are_safe),
        cmocka_unit_test(users_are_known),
        cmocka_unit_test(adapters_register_by_leave),
        cmocka_unit_test(all_mistakes_are_told_at_once),
        cmocka_unit_test(many_mistakes_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
