/* What the files of the client know of each other. */
#ifndef ISOBAR_CLIENT_CLIENT_H
#define ISOBAR_CLIENT_CLIENT_H

#include <pthread.h>

#include "isobar.h"
#include "isobar/base.h"

struct service;

/* The services of a client that have been asked for. */
struct service_list {
    pthread_mutex_t lock;
    struct service *first;
};

void service_list_init(struct service_list *l);
void service_list_done(struct service_list *l);

struct service_list *client_services(struct isobar *c);

#endif
