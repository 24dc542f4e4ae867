#include <string.h>

#include "listener_sp.h"

/* nng's IPC transport puts it before each length. */
#define IPC_MARK 0x01

enum sp_frame_status sp_frame_parse(const uint8_t *data, size_t len, bool ipc, size_t message_max,
                                    struct sp_frame *ret)
{
    size_t head = ipc ? SP_IPC_LENGTH_LEN : SP_LENGTH_LEN;
    if (ipc && len > 0 && data[0] != IPC_MARK)
        return SP_FRAME_BAD;
    ret->total = head;
    if (len < head)
        return SP_FRAME_PART;
    uint64_t payload = sp_get64(data + head - SP_LENGTH_LEN);
    if (payload == 0 || payload > message_max)
        return SP_FRAME_BAD;
    ret->total = head + (size_t)payload;
    if (len < ret->total)
        return SP_FRAME_PART;
    ret->payload = data + head;
    ret->payload_len = (size_t)payload;
    ret->backtrace_len = sp_backtrace_len(ret->payload, ret->payload_len);
    return ret->backtrace_len > 0 ? SP_FRAME_WHOLE : SP_FRAME_BAD;
}

size_t sp_frame_head(uint8_t *reply, size_t reply_len, bool ipc, const uint8_t *backtrace,
                     size_t backtrace_len)
{
    uint8_t *at = reply - backtrace_len;
    memcpy(at, backtrace, backtrace_len);
    at -= SP_LENGTH_LEN;
    sp_put64(at, backtrace_len + reply_len);
    if (ipc)
        *--at = IPC_MARK;
    return (size_t)(reply - at);
}
