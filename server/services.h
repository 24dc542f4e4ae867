/* Handlers of the methods that concern the gateway itself, as method_handler says. */
#ifndef ISOBAR_SERVICES_HANDLERS_H
#define ISOBAR_SERVICES_HANDLERS_H

#include "family.h"
#include "leftover.h"
#include "operation.h"

pb_ResultCode cloud_list(struct call *c);
pb_ResultCode cloud_get(struct call *c);
pb_ResultCode adapter_list(struct call *c);
pb_ResultCode adapter_describe(struct call *c);
pb_ResultCode health_check(struct call *c);

#endif
