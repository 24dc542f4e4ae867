/* Who may call what: tokens and roles. */
#include "gateway_fixture.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/stat.h>

static void write_token(const char *path, const char *token)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, token, strlen(token)), strlen(token));
    close(fd);
}

static int connect_tcp(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    uint8_t hello[SP_HANDSHAKE_LEN];
    sp_handshake(hello, SP_PROTO_REQ);
    assert_int_equal(write(fd, hello, sizeof(hello)), sizeof(hello));
    assert_int_equal(recv(fd, hello, sizeof(hello), MSG_WAITALL), sizeof(hello));
    return fd;
}

/* As fixture_send and fixture_receive, without the byte that IPC puts before a length. */
static pb_Reply *ask_tcp(struct fixture *f, int fd, const char *method, const ProtobufCMessage *req,
                         const char *token)
{
    pb_Call call;
    isobar__v1__call__init(&call);
    call.method = TEXT(method);
    call.token = TEXT(token);
    uint8_t body[4096], out[8192];
    call.body.data = body;
    call.body.len = protobuf_c_message_pack(req, body);
    size_t len = 4 + isobar__v1__call__get_packed_size(&call);
    sp_put64(out, len);
    memcpy(out + SP_LENGTH_LEN, (const uint8_t[]){SP_REQUEST_ID_BIT, 0, 0, 9}, 4);
    isobar__v1__call__pack(&call, out + SP_LENGTH_LEN + 4);
    assert_int_equal(write(fd, out, len + SP_LENGTH_LEN), len + SP_LENGTH_LEN);
    assert_int_equal(recv(fd, out, SP_LENGTH_LEN, MSG_WAITALL), SP_LENGTH_LEN);
    len = (size_t)sp_get64(out);
    uint8_t *data = arena_alloc(&f->arena, len);
    assert_int_equal(recv(fd, data, len, MSG_WAITALL), len);
    return isobar__v1__reply__unpack(arena_allocator(&f->arena), len - 4, data + 4);
}

static void test_roles(void **state)
{
    (void)state;
    char dir[] = "/tmp/isobar-test-XXXXXX", reader[64], operator[64], text[1024];
    assert_non_null(mkdtemp(dir));
    snprintf(reader, sizeof(reader), "%s/reader", dir);
    snprintf(operator, sizeof(operator), "%s/operator", dir);
    write_token(reader, "read-only-token\n");
    write_token(operator, "may-change-token\n");
    struct fixture fx = {.dir = "/tmp/isobar-test-XXXXXX"};
    assert_non_null(mkdtemp(fx.dir));
    arena_init(&fx.arena, (size_t)16 << 20);
    snprintf(fx.socket, sizeof(fx.socket), "%s/s", fx.dir);
    snprintf(text, sizeof(text),
             "state_dir: %s\nlisten: [\"ipc://%s\", \"tcp://127.0.0.1:0\"]\nlog_level: error\n"
             "clouds:\n  box: {adapter: sandbox}\nusers:\n"
             "  - {name: eve, role: reader, token_file: %s}\n"
             "  - {name: ops, role: operator, token_file: %s}\n",
             fx.dir, fx.socket, reader, operator);
    assert_true(log_start());
    struct config *c = config_parse(text, strlen(text), "test.yaml", fixture_report, NULL);
    assert_non_null(c);
    fx.gateway = gateway_start(c, fixture_report, NULL);
    assert_non_null(fx.gateway);

    int fd = connect_tcp(gateway_port(fx.gateway, 1));
    pb_CreateVmRequest *create = fixture_create(&fx, "box", "guarded");
    pb_ListVmsRequest *list = NEW(&fx, ListVmsRequest);
    static const char create_vm[] = "isobar.v1.VmService/CreateVm";
    static const char list_vms[] = "isobar.v1.VmService/ListVms";
    pb_Reply *r = ask_tcp(&fx, fd, list_vms, &list->base, "");
    assert_int_equal(r->result->code, RESULT_CODE_UNAUTHORIZED);
    /* The gateway's own refusal, told apart from a cloud's. */
    assert_int_equal(r->result->blame, BLAME_CALLER);
    assert_null(r->result->native);
    r = ask_tcp(&fx, fd, list_vms, &list->base, "wrong");
    assert_int_equal(r->result->code, RESULT_CODE_UNAUTHORIZED);
    r = ask_tcp(&fx, fd, list_vms, &list->base, "read-only-token");
    assert_int_equal(r->result->code, RESULT_CODE_OK);
    r = ask_tcp(&fx, fd, create_vm, &create->base, "read-only-token");
    assert_int_equal(r->result->code, RESULT_CODE_FORBIDDEN);
    r = ask_tcp(&fx, fd, create_vm, &create->base, "may-change-token");
    assert_int_equal(r->result->code, RESULT_CODE_CREATED);
    /* Whoever can open the local socket is this user. */
    r = fixture_ask(&fx, &(struct asked){.method = create_vm, .request = &create->base});
    assert_int_equal(r->result->code, RESULT_CODE_CREATED);
    close(fd);
    fixture_end(&fx);
    unlink(reader);
    unlink(operator);
    assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_roles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
