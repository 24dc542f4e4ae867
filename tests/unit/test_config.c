/* The configuration: what is read, and the texts that go with it. */
#include "test_config.h"

/* ---- what is read ---- */

static void without_a_file_there_is_a_sandbox(void **state)
{
    char path[WHERE_PATH_MAX];

    (void)state;
    said.n = 0;
    struct config *c = config_load(NULL, note, &said);
    assert_non_null(c);
    assert_null(c->path);
    assert_int_equal(c->n_clouds, 1);
    assert_string_equal(c->clouds[0].name, "sandbox");
    assert_ptr_equal(c->clouds[0].ops, &sandbox_adapter);
    assert_int_equal(c->n_listen, 1);
    where_socket(path);
    assert_int_equal(strncmp(c->listen[0].url, "ipc://", 6), 0);
    assert_string_equal(c->listen[0].url + 6, path);
    assert_int_equal(c->n_users, 0);
    config_free(c);
}

static void there_are_defaults(void **state)
{
    (void)state;
    struct config *c = good(BOX);
    assert_int_equal(c->limits.message_max, 4 << 20);
    assert_int_equal(c->limits.reply_max, 16 << 20);
    assert_int_equal(c->limits.connections_max, 4096);
    assert_int_equal(c->limits.pipeline_max, 64);
    assert_int_equal(c->limits.unsent_max, 4 << 20);
    assert_int_equal(c->limits.handshake_ms, 5000);
    assert_int_equal(c->limits.frame_ms, 10000);
    assert_int_equal(c->default_timeout_ms, 60000);
    assert_int_equal(c->drain_timeout_ms, 30000);
    assert_int_equal(c->io_threads, 0);
    assert_string_equal(c->log_level, "info");
    assert_int_equal(c->clouds[0].max_in_flight, 64);
    assert_int_equal(c->clouds[0].max_queued, 1024);
    assert_int_equal(c->state_dir[0], '/');
    config_free(c);
}

static void clouds_are_read(const struct config *c)
{
    const struct config_cloud *box = &c->clouds[0];
    assert_int_equal(c->n_clouds, 2);
    assert_string_equal(box->name, "a.b_c-9");
    assert_int_equal(box->line, 12);
    assert_int_equal(box->column, 3);
    assert_int_equal(box->max_in_flight, 2);
    assert_int_equal(box->max_queued, 3);
    assert_int_equal(box->n_settings, 2);
    assert_string_equal(setting(box, "latency_ms"), "20");
    assert_string_equal(setting(box, "error_rate"), "0.5");
    assert_int_equal(box->n_defaults, 3);
    assert_string_equal(default_of(box, "flavor_name"), "m1.tiny");
    assert_string_equal(default_of(box, "volume_created"), "true");
    assert_string_equal(default_of(box, "parameters.boot_ms"), "5");
    assert_string_equal(c->clouds[1].adapter, "picky");
    assert_string_equal(setting(&c->clouds[1], "tries"), "-4");
}

static void everything_can_be_said(void **state)
{
    (void)state;
    struct config *c = good("state_dir: /var/lib/x\n"
                            "listen: [ipc:///run/x.sock, 'tcp://[::1]:0', {url: tcp://10.1.2.3:7, "
                            "insecure: true}, inproc://a, nng+tcp://localhost:1]\n"
                            "io_threads: 3\n"
                            "default_timeout: 500ms\n"
                            "drain_timeout: 1.5\n"
                            "log_level: warn\n"
                            "limits: {message_max: 64KiB, reply_max: 1GiB, connections_max: 7,\n"
                            "  pipeline_max: 8, unsent_max: 131072, handshake_timeout: 2m,\n"
                            "  frame_timeout: 0.25s}\n"
                            "users: [{name: alice, role: operator}, {name: bob, role: reader}]\n"
                            "clouds:\n"
                            "  a.b_c-9:\n"
                            "    defaults:\n"
                            "      flavor_name: m1.tiny\n"
                            "      volume_created: true\n"
                            "      parameters: {boot_ms: 5}\n"
                            "    latency_ms: 20\n"
                            "    error_rate: 0.5\n"
                            "    adapter: sandbox\n"
                            "    max_in_flight: 2\n"
                            "    max_queued: 3\n"
                            "  p: {adapter: picky, endpoint: 'true', mode: slow, tries: -4, "
                            "debug: false, secret: 7, defaults: {name: \"\"}}\n");
    assert_string_equal(c->state_dir, "/var/lib/x");
    assert_int_equal(c->n_listen, 5);
    assert_string_equal(c->listen[1].url, "tcp://[::1]:0");
    assert_false(c->listen[1].insecure);
    assert_true(c->listen[2].insecure);
    assert_int_equal(c->io_threads, 3);
    assert_int_equal(c->default_timeout_ms, 500);
    assert_int_equal(c->drain_timeout_ms, 1500);
    assert_string_equal(c->log_level, "warn");
    assert_int_equal(c->limits.message_max, 65536);
    assert_int_equal(c->limits.reply_max, 1 << 30);
    assert_int_equal(c->limits.connections_max, 7);
    assert_int_equal(c->limits.pipeline_max, 8);
    assert_int_equal(c->limits.unsent_max, 131072);
    assert_int_equal(c->limits.handshake_ms, 120000);
    assert_int_equal(c->limits.frame_ms, 250);
    assert_int_equal(c->n_users, 2);
    assert_string_equal(c->users[0].name, "alice");
    assert_string_equal(c->users[1].role, "reader");
    assert_null(c->users[1].token_file);
    clouds_are_read(c);
    config_free(c);
}

static void processes_register_and_are_registered_with(void **state)
{
    (void)state;
    struct config *c =
        good("users: [{name: t, role: adapter, adapters: [toy, '*']}]\n"
             "clouds:\n"
             "  t: {adapter: toy}\n"
             "  u: {adapter: toy, version: '>=1 <2', cloud: there, max_in_flight: 3,\n"
             "      defaults: {flavor_name: small, parameters: {color: red}}}\n"
             "  b: {adapter: sandbox, version: '*'}\n"
             "register:\n"
             "  - {gateway: 'ipc:///run/up', offer: [t, b], weight: 0, metadata: {rack: r7}}\n"
             "  - {gateway: 'tcp://up:1', endpoint: 'tcp://here:2'}\n");
    assert_int_equal(c->users[0].n_adapters, 2);
    assert_string_equal(c->users[0].adapters[0], "toy");
    assert_null(c->clouds[0].ops);
    assert_null(c->clouds[0].version);
    assert_string_equal(c->clouds[1].version, ">=1 <2");
    assert_string_equal(c->clouds[1].cloud, "there");
    assert_int_equal(c->clouds[1].max_in_flight, 3);
    assert_string_equal(default_of(&c->clouds[1], "parameters.color"), "red");
    assert_null(c->clouds[2].ops);
    assert_int_equal(c->n_registers, 2);
    assert_int_equal(c->registers[0].n_offer, 2);
    assert_int_equal(c->registers[0].weight, 0);
    assert_string_equal(c->registers[0].metadata[0].value, "r7");
    assert_non_null(c->registers[0].endpoint); /* the first place of listen */
    assert_int_equal(c->registers[1].weight, 100);
    assert_string_equal(c->registers[1].endpoint, "tcp://here:2");
    config_free(c);
    config_free(good("users: [{name: t, role: adapter, adapters: [toy]}]\nclouds: {}\n"));
}

static void write_file(const char *path, const char *content, mode_t mode_)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(content, f);
    fclose(f);
    assert_int_equal(chmod(path, mode_), 0);
}

static void files_are_beside_the_configuration(void **state)
{
    static const char yaml[] =
        BOX "listen: [{url: 'tls+tcp://:1', tls: {cert: c.pem, key: k.pem, ca: c.pem}}]\n"
            "users: [{name: a, role: admin, token_file: t}]\n"
            "state_dir: s\n";
    char folder[] = "/tmp/isobar-test-config.XXXXXX";
    char path[64], cert[64], key_file[64], token[64];

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/conf.yaml", folder);
    snprintf(cert, sizeof(cert), "%s/c.pem", folder);
    snprintf(key_file, sizeof(key_file), "%s/k.pem", folder);
    snprintf(token, sizeof(token), "%s/t", folder);
    write_file(path, yaml, 0600);
    write_file(cert, "x", 0644);
    write_file(key_file, "x", 0600);
    write_file(token, "hush\n", 0600);
    said.n = 0;
    struct config *c = config_load(path, note, &said);
    assert_non_null(c);
    assert_string_equal(c->path, path);
    assert_string_equal(c->listen[0].tls.cert_file, cert);
    assert_string_equal(c->listen[0].tls.key_file, key_file);
    assert_string_equal(c->listen[0].tls.ca_file, cert);
    assert_string_equal(c->users[0].token_file, token);
    assert_int_equal(strncmp(c->state_dir, folder, strlen(folder)), 0);
    config_free(c);
    assert_int_equal(chmod(token, 0640), 0);
    assert_null(config_load(path, note, &said));
    assert_int_equal(said.n, 1);
    assert_non_null(strstr(said.lines[0], ":3:9: token_file: others have rights"));
    assert_non_null(strstr(said.lines[0], "0640"));
    unlink(token);
    said.n = 0;
    assert_null(config_load(path, note, &said));
    assert_non_null(strstr(said.lines[0], "No such file"));
    unlink(key_file);
    unlink(cert);
    unlink(path);
    said.n = 0;
    assert_null(config_load(path, note, &said));
    assert_non_null(strstr(said.lines[0], "conf.yaml: cannot read it: No such file"));
    said.n = 0;
    assert_null(config_load(folder, note, &said));
    assert_non_null(strstr(said.lines[0], "Is a directory"));
    rmdir(folder);
}

static void durations_and_sizes(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } durations[] = {{"30s", 30000}, {"500ms", 500}, {"5m", 300000},    {"1h", 3600000},
                     {"2", 2000},    {"0.5", 500},   {"1.5h", 5400000}, {"0", 0}};
    static const char *const wrong[] = {"",     "s",    "-1s", "1 s",           "1S",
                                        "1e3",  "inf",  "nan", "0x1",           "1d",
                                        "1..2", "1s1s", ".",   "9999999999999h"};
    int64_t value;
    char written[32];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(durations); i++) {
        assert_true(config_duration(durations[i].text, &value));
        assert_int_equal(value, durations[i].ms);
        config_duration_text(value, written);
        assert_true(config_duration(written, &value));
        assert_int_equal(value, durations[i].ms);
    }
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_false(config_duration(wrong[i], &value));
    assert_true(config_size("4MiB", &value) && value == 4 << 20);
    assert_true(config_size("1.5KiB", &value) && value == 1536);
    assert_true(config_size("77", &value) && value == 77);
    assert_false(config_size("4M", &value));
    config_size_text(1536, written);
    assert_string_equal(written, "1536B");
    config_size_text(16 << 20, written);
    assert_string_equal(written, "16MiB");
}

/* ---- the texts beside the code ---- */

/* A file of the sources, by its path from the root. */
static char *source(const char *file)
{
    char path[512];
    const char *end = strstr(__FILE__, "tests/unit/");

    assert_non_null(end);
    snprintf(path, sizeof(path), "%.*s%s", (int)(end - __FILE__), __FILE__, file);
    FILE *f = fopen(path, "r");
    if (!f) {
        print_message("%s is not there: the sources are elsewhere\n", path);
        skip();
    }
    char *content = calloc(1, 65536);
    assert_non_null(content);
    assert_true(fread(content, 1, 65535, f) < 65535);
    fclose(f);
    return content;
}

static void all_keys_are_in(const struct config_table *t, const char *content)
{
    for (size_t i = 0; i < t->n; i++) {
        char wanted[64];
        snprintf(wanted, sizeof(wanted), "%s:", t->keys[i].name);
        if (!strstr(content, wanted))
            print_error("%s\n", wanted);
        assert_non_null(strstr(content, wanted));
        if (t->keys[i].section)
            all_keys_are_in(t->keys[i].section, content);
    }
}

static void the_example_is_good_and_whole(void **state)
{
    char *content = source("server/isobar.example.yaml");

    (void)state;
    struct config *c = good(content);
    assert_true(c->n_clouds >= 2);
    assert_string_equal(default_of(&c->clouds[1], "parameters.boot_ms"), "2000");
    assert_int_equal(c->limits.message_max, 4 << 20);
    all_keys_are_in(&config_top, content);
    config_free(c);
    free(content);
}

static void the_manual_is_that_of_the_table(void **state)
{
    char *content = source("server/isobard.conf.5");
    struct buf b;

    (void)state;
    buf_init(&b, 65536);
    config_manual(&b);
    assert_false(b.failed);
    if (strcmp(content, buf_cstr(&b)) != 0)
        print_error("server/isobard.conf.5 is old: test_config --manual > server/isobard.conf.5\n");
    assert_string_equal(content, buf_cstr(&b));
    buf_done(&b);
    free(content);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_file_there_is_a_sandbox),
        cmocka_unit_test(there_are_defaults),
        cmocka_unit_test(everything_can_be_said),
        cmocka_unit_test(processes_register_and_are_registered_with),
        cmocka_unit_test(files_are_beside_the_configuration),
        cmocka_unit_test(durations_and_sizes),
        cmocka_unit_test(the_example_is_good_and_whole),
        cmocka_unit_test(the_manual_is_that_of_the_table),
    };

    if (argc > 1 && strcmp(argv[1], "--manual") == 0) {
        struct buf b;
        buf_init(&b, 65536);
        config_manual(&b);
        fputs(buf_cstr(&b), stdout);
        buf_done(&b);
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
