/* Signature Version 4 against the vectors of aws-c-auth: each folder's request, signed in headers
 * and in the query, compared stage by stage.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "isobar/clock.h"
#include "kit/shape.h"
#include "kit/sigv4.h"

/* From the project's root. */
#define VECTORS     "../shared/data/sigv4"
#define ORIGIN      "https://example.amazonaws.com"
#define HEADERS_MAX 16

struct credentials {
    const char *id, *secret, *token;
};

struct context {
    struct credentials credentials;
    const char *region, *service, *timestamp;
    int64_t expires_s;
    bool normalize, sign_body, omit_token;
};

static const struct shape_field credentials_fields[] = {
    SHAPE_FIELD(struct credentials, id, "access_key_id", SHAPE_STRING),
    SHAPE_FIELD(struct credentials, secret, "secret_access_key", SHAPE_STRING),
    SHAPE_FIELD(struct credentials, token, "token", SHAPE_STRING),
};
static const struct shape credentials_shape = {.size = sizeof(struct credentials),
                                               .fields = credentials_fields,
                                               .n_fields = ARRAY_LEN(credentials_fields)};
static const struct shape_field context_fields[] = {
    SHAPE_NESTED(struct context, credentials, "credentials", SHAPE_STRUCT, credentials_shape),
    SHAPE_FIELD(struct context, region, "region", SHAPE_STRING),
    SHAPE_FIELD(struct context, service, "service", SHAPE_STRING),
    SHAPE_FIELD(struct context, timestamp, "timestamp", SHAPE_STRING),
    SHAPE_FIELD(struct context, expires_s, "expiration_in_seconds", SHAPE_INT),
    SHAPE_FIELD(struct context, normalize, "normalize", SHAPE_BOOL),
    SHAPE_FIELD(struct context, sign_body, "sign_body", SHAPE_BOOL),
    SHAPE_FIELD(struct context, omit_token, "omit_session_token", SHAPE_BOOL),
};
static const struct shape context_shape = {.size = sizeof(struct context),
                                           .fields = context_fields,
                                           .n_fields = ARRAY_LEN(context_fields)};

static struct arena arena;
static struct sigv4_signer *signer;
static unsigned n_folders, n_variants;

/* A file of a folder, NUL-terminated, in the arena. */
static char *read_text(const char *folder, const char *variant, const char *name)
{
    char *path = arena_printf(&arena, VECTORS "/%s/%s%s", folder, variant, name), *text;
    FILE *f = fopen(path, "r");
    size_t len, room = (size_t)64 << 10;

    if (!f)
        fail_msg("%s cannot be read", path);
    text = arena_alloc(&arena, room);
    assert_non_null(text);
    len = fread(text, 1, room - 1, f);
    assert_true(len > 0 && len < room - 1);
    fclose(f);
    return text;
}

static struct context read_context(const char *folder)
{
    struct context c = {0};
    char why[160];
    const char *json = read_text(folder, "", "context.json");

    if (!shape_parse(&arena, json, strlen(json), &context_shape, &c, why))
        fail_msg("%s: %s", folder, why);
    assert_true(c.credentials.id && c.credentials.secret && c.region && c.service && c.timestamp);
    return c;
}

/* "Name:value" lines, where one that begins with a blank goes on with the one before. Cuts `text`
 * up, and returns what is behind the empty line. */
static char *read_headers(char *text, struct http_header *headers, size_t *ret_n)
{
    *ret_n = 0;
    while (*text && *text != '\n') {
        char *colon = strchr(text, ':'), *end;
        assert_non_null(colon);
        assert_true(*ret_n < HEADERS_MAX);
        *colon = '\0';
        headers[(*ret_n)++] = (struct http_header){text, colon + 1};
        end = strchrnul(colon + 1, '\n');
        while (end[0] && (end[1] == ' ' || end[1] == '\t'))
            end = strchrnul(end + 1, '\n');
        text = *end ? end + 1 : end;
        *end = '\0';
    }
    return *text ? text + 1 : text;
}

static struct http_request read_request(const char *folder)
{
    struct http_request req = {0};
    struct http_header *headers = arena_array(&arena, HEADERS_MAX, sizeof(*headers));
    char *text = read_text(folder, "", "request.txt"), *target = strchr(text, ' ');
    char *version = strstr(text, " HTTP/1.1"), *body;

    assert_true(headers && target && version);
    *target++ = *version = '\0';
    body = strchr(version + 1, '\n');
    body = body ? read_headers(body + 1, headers, &req.n_headers) : version;
    req.method = text;
    req.url = arena_printf(&arena, ORIGIN "%s", target);
    req.headers = headers;
    req.body = *body ? body : NULL;
    req.body_len = strlen(body);
    return req;
}

/* As the vectors have it. */
static const char *write_request(const struct http_request *req)
{
    char *text = arena_printf(&arena, "%s %s HTTP/1.1\n", req->method, req->url + strlen(ORIGIN));

    assert_memory_equal(req->url, ORIGIN, strlen(ORIGIN));
    for (size_t i = 0; i < req->n_headers; i++)
        text = arena_printf(&arena, "%s%s:%s\n", text, req->headers[i].name, req->headers[i].value);
    return arena_printf(&arena, "%s\n%s", text, req->body ? req->body : "");
}

static void compare(const char *folder, const char *variant, const char *stage, const char *got)
{
    const char *want = read_text(folder, variant, stage);

    if (strcmp(got, want) != 0)
        fail_msg("%s/%s%s:\n%s\nis wanted, and this came:\n%s", folder, variant, stage, want, got);
}

static void check_variant(const char *folder, const char *variant, unsigned flags)
{
    struct context c = read_context(folder);
    struct sigv4_key key = {c.credentials.id, c.credentials.secret, c.credentials.token};
    struct sigv4_scope scope = {.region = c.region,
                                .service = c.service,
                                .expires_s = (uint32_t)c.expires_s,
                                .flags = flags | (c.normalize ? 0 : SIGV4_KEEP_PATH) |
                                         (c.sign_body ? SIGV4_HASH_BODY : 0) |
                                         (c.omit_token ? SIGV4_TOKEN_LAST : 0)};
    struct http_request req = read_request(folder), without = req;
    struct http_header others[HEADERS_MAX];
    struct sigv4_stages stages;
    int32_t nanos;

    assert_true(clock_parse(c.timestamp, &scope.time_s, &nanos));
    without.headers = others;
    without.n_headers = 0;
    for (size_t i = 0; i < req.n_headers; i++)
        if (strcmp(req.headers[i].name, "Host") != 0)
            others[without.n_headers++] = req.headers[i];
    assert_int_equal(without.n_headers, req.n_headers - 1);

    assert_true(sigv4_sign_stages(signer, &arena, &key, &scope, &req, &stages));
    compare(folder, variant, "canonical-request.txt", stages.canonical_request);
    compare(folder, variant, "string-to-sign.txt", stages.string_to_sign);
    compare(folder, variant, "signature.txt", stages.signature);
    compare(folder, variant, "signed-request.txt", write_request(&req));

    /* Host as libcurl makes it of the URL is signed alike. */
    assert_true(sigv4_sign_stages(signer, &arena, &key, &scope, &without, &stages));
    compare(folder, variant, "canonical-request.txt", stages.canonical_request);
    compare(folder, variant, "signature.txt", stages.signature);
    n_variants++;
    arena_reset(&arena);
}

static void all_vectors_hold(void **state)
{
    DIR *dir = opendir(VECTORS);
    struct dirent *e;

    (void)state;
    assert_non_null(dir);
    while ((e = readdir(dir))) {
        if (e->d_name[0] == '.' || e->d_type == DT_REG)
            continue;
        n_folders++;
        check_variant(e->d_name, "header-", 0);
        check_variant(e->d_name, "query-", SIGV4_IN_QUERY);
    }
    closedir(dir);
    print_message("%u folders, %u variants\n", n_folders, n_variants);
    assert_true(n_folders >= 38);
    assert_int_equal(n_variants, 2 * n_folders);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_vectors_hold)};
    DIR *dir = opendir(VECTORS);
    int failed;

    if (!dir) {
        fprintf(stderr, "skipped: " VECTORS " is not there\n");
        return 77;
    }
    closedir(dir);
    arena_init(&arena, (size_t)16 << 20);
    signer = sigv4_signer_new();
    failed = signer ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
    sigv4_signer_free(signer);
    arena_done(&arena);
    return failed;
}
