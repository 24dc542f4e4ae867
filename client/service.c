/* Services for protobuf-c's own stubs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "client.h"
#include "isobar/pb.h"

struct service {
    ProtobufCService base;
    struct isobar *client;
    struct service *next;
};

/* Of each thread: the reply of its last call, whose message is gone. */
static pthread_key_t last_key;
static bool last_key_made;
static pthread_once_t last_once = PTHREAD_ONCE_INIT;

static void last_free(void *last)
{
    isobar_reply_done(last);
    free(last);
}

static void last_make_key(void)
{
    last_key_made = pthread_key_create(&last_key, last_free) == 0;
}

/* Where this thread's last reply is kept; NULL where it cannot be. */
static struct isobar_reply *last_place(void)
{
    pthread_once(&last_once, last_make_key);
    if (!last_key_made)
        return NULL;
    struct isobar_reply *last = pthread_getspecific(last_key);
    if (last)
        return last;
    last = calloc(1, sizeof *last);
    if (last && pthread_setspecific(last_key, last) != 0) {
        free(last);
        return NULL;
    }
    return last;
}

static void invoke(ProtobufCService *base, unsigned index, const ProtobufCMessage *request,
                   ProtobufCClosure closure, void *data)
{
    struct service *s = CONTAINER_OF(base, struct service, base);
    char method[256];
    snprintf(method, sizeof method, "%s/%s", base->descriptor->name,
             base->descriptor->methods[index].name);
    struct isobar_reply reply;
    isobar_call(s->client, method, request, NULL, &reply);
    ProtobufCMessage *message = reply.message;
    reply.message = NULL;
    struct isobar_reply *last = last_place();
    if (last) {
        isobar_reply_done(last);
        *last = reply;
    } else {
        isobar_reply_done(&reply);
    }
    if (closure)
        closure(message, data);
    if (message)
        protobuf_c_message_free_unpacked(message, NULL);
}

const Isobar__V1__Result *isobar_last_result(void)
{
    struct isobar_reply *last = last_place();
    return last ? last->result : NULL;
}

ProtobufCService *isobar_service(struct isobar *c, const ProtobufCServiceDescriptor *descriptor)
{
    struct service_list *l = client_services(c);
    struct service *s;
    pthread_mutex_lock(&l->lock);
    LL_SEARCH_SCALAR(l->first, s, base.descriptor, descriptor);
    if (!s && (s = calloc(1, sizeof *s))) {
        s->base = (ProtobufCService){.descriptor = descriptor, .invoke = invoke};
        s->client = c;
        LL_PREPEND(l->first, s);
    }
    pthread_mutex_unlock(&l->lock);
    return s ? &s->base : NULL;
}

void service_list_init(struct service_list *l)
{
    pthread_mutex_init(&l->lock, NULL);
}

void service_list_done(struct service_list *l)
{
    struct service *s, *next;
    LL_FOREACH_SAFE(l->first, s, next)
    free(s);
    pthread_mutex_destroy(&l->lock);
}
