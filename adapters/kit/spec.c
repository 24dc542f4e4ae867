#include "kit/spec.h"

#include <string.h>

#include "isobar/base64.h"

const char *spec_parameter(const pb_VmSpec *spec, const char *name)
{
    for (size_t i = 0; i < spec->n_parameters; i++)
        if (strcmp(spec->parameters[i]->key, name) == 0 && spec->parameters[i]->value[0] != '\0')
            return spec->parameters[i]->value;
    return NULL;
}

pb_ResultCode spec_user_data(struct op *op, const pb_VmSpec *spec, const char **ret)
{
    const ProtobufCBinaryData *data = &spec->user_data;
    struct buf b CLEANUP(buf_wipe);

    buf_init(&b, 2 * data->len + 4);
    *ret = NULL;
    if (data->len == 0)
        return RESULT_CODE_OK;
    if (!base64_add(&b, data->data, data->len))
        return op_fail(op, RESULT_CODE_INTERNAL_ERROR, "out of memory");
    *ret = arena_strndup(op->arena, b.data, b.len);
    return RESULT_CODE_OK;
}
