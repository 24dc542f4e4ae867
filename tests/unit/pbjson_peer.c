/* The project's reader and writer of protobuf's JSON, behind a pipe for pbjson_peer.py: a line
 * "read TYPE FLAGS LENGTH" or "write TYPE FLAGS LENGTH" and so many bytes of JSON or of protobuf
 * come in; "ok LENGTH" or "no LENGTH" and the other form, or the reason, go out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isobar/pb.h"
#include "isobar/pbjson.h"
#include "pbjson_all.pb-c.h"

#define CAP ((size_t)64 << 20)

static const ProtobufCMessageDescriptor *const types[] = {
    &pb_VmSpec_desc,          &pb_Vm_desc,
    &pb_Result_desc,          &pb_Manifest_desc,
    &pb_Operation_desc,       &pb_Cloud_desc,
    &pb_CreateVmRequest_desc, &pb_ListVmsResponse_desc,
    &pb_Timestamp_desc,       &isobar__test__all__descriptor,
};

static const ProtobufCMessageDescriptor *find_type(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (strcmp(types[i]->name, name) == 0)
            return types[i];
    }
    fprintf(stderr, "no type %s\n", name);
    exit(2);
}

static void answer(bool good, const void *data, size_t len)
{
    printf("%s %zu\n", good ? "ok" : "no", len);
    fwrite(data, 1, len, stdout);
    fflush(stdout);
}

static void do_read(const ProtobufCMessageDescriptor *type, const char *data, size_t len)
{
    struct arena a;
    arena_init(&a, CAP);
    char why[160];
    ProtobufCMessage *m = pbjson_read(&a, type, data, len, why);
    if (m) {
        size_t size = protobuf_c_message_get_packed_size(m);
        uint8_t *out = malloc(size + 1);
        protobuf_c_message_pack(m, out);
        answer(true, out, size);
        free(out);
    } else {
        answer(false, why, strlen(why));
    }
    arena_done(&a);
}

static void do_write(const ProtobufCMessageDescriptor *type, unsigned flags, const char *data,
                     size_t len)
{
    struct arena a;
    arena_init(&a, CAP);
    struct buf out CLEANUP(buf_done);
    buf_init(&out, CAP);
    ProtobufCMessage *m =
        protobuf_c_message_unpack(type, arena_allocator(&a), len, (const uint8_t *)data);
    if (!m)
        answer(false, "unpack", 6);
    else if (!pbjson_write(m, flags, &out))
        answer(false, "write", 5);
    else
        answer(true, out.data, out.len);
    arena_done(&a);
}

int main(void)
{
    char verb[8], name[64];
    unsigned flags;
    size_t len;
    while (scanf("%7s %63s %u %zu", verb, name, &flags, &len) == 4 && getchar() == '\n') {
        char *data = malloc(len + 1);
        if (!data || fread(data, 1, len, stdin) != len)
            return 2;
        if (strcmp(verb, "read") == 0)
            do_read(find_type(name), data, len);
        else
            do_write(find_type(name), flags, data, len);
        free(data);
    }
    return feof(stdin) ? 0 : 2;
}
