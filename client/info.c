/* What needs no gateway: words for codes, the version, where the gateway is by default. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "isobar.h"
#include "isobar/result.h"
#include "isobar/where.h"

const char *isobar_code_name(Isobar__V1__ResultCode code)
{
    return result_name(code);
}

const char *isobar_code_title(Isobar__V1__ResultCode code)
{
    return result_info(code)->title;
}

int isobar_code_http_status(Isobar__V1__ResultCode code)
{
    return result_info(code)->http_status;
}

const char *isobar_version(void)
{
    return ISOBAR_VERSION;
}

static char local_url[WHERE_PATH_MAX + 8];
static pthread_once_t local_once = PTHREAD_ONCE_INIT;

static void find_local(void)
{
    char path[WHERE_PATH_MAX];
    where_socket(path);
    snprintf(local_url, sizeof local_url, "ipc://%s", path);
}

const char *isobar_default_url(void)
{
    const char *server = getenv("ISOBAR_SERVER");
    if (server && *server)
        return server;
    pthread_once(&local_once, find_local);
    return local_url;
}
