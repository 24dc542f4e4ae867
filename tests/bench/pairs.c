#include "pairs.h"

#include <stdlib.h>
#include <unistd.h>

void through_open(struct through *t, int port, const char *cloud, const char *id)
{
    pb_GetVmRequest req;
    isobar__v1__get_vm_request__init(&req);
    req.cloud = (char *)(uintptr_t)cloud;
    req.id = (char *)(uintptr_t)id;
    t->fd = bench_connect(port);
    bench_frame(&t->frame, "isobar.v1.VmService/GetVm", &req.base, 0);
}

int64_t through_call(struct through *t)
{
    static uint8_t buf[65536];
    int64_t start = bench_now();
    size_t len = bench_call(t->fd, &t->frame, buf, sizeof(buf));
    pb_Reply *reply = bench_expect_ok(buf, len);
    pb_GetVmResponse *rsp =
        isobar__v1__get_vm_response__unpack(NULL, reply->body.len, reply->body.data);
    int64_t ns = bench_now() - start;
    if (!rsp || !rsp->vm)
        bench_die("the gateway's answer has no machine");
    isobar__v1__get_vm_response__free_unpacked(rsp, NULL);
    isobar__v1__reply__free_unpacked(reply, NULL);
    return ns;
}

void through_close(struct through *t)
{
    close(t->fd);
    free(t->frame.data);
}

void pairs_measure(struct pairs *p, direct_fn *direct, void *ctx, struct through *t, int n)
{
    for (int i = 0; i < n; i++) {
        int64_t a = 0, b;
        if (i % 2 == 0)
            a = direct(ctx);
        b = through_call(t);
        if (i % 2 != 0)
            a = direct(ctx);
        samples_add(&p->direct, a);
        samples_add(&p->through, b);
        samples_add(&p->difference, b - a);
    }
}

void pairs_reset(struct pairs *p)
{
    samples_reset(&p->direct);
    samples_reset(&p->through);
    samples_reset(&p->difference);
}

void pairs_free(struct pairs *p)
{
    samples_free(&p->direct);
    samples_free(&p->through);
    samples_free(&p->difference);
}
