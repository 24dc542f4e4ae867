/* Where the services are: the catalogue that comes with a token, and versions. Pure, but for one.
 */
#ifndef OS_ENDPOINT_H
#define OS_ENDPOINT_H

#include "os.h"

struct os_endpoint {
    const char *interface, *region_id, *region, *url;
};

struct os_catalog_service {
    const char *type, *name;
    struct shape_list endpoints; /* struct os_endpoint */
};

extern const struct shape os_catalog_service_shape;

/* The base URL of a service, in the arena: what the configuration says, or the catalogue has for
 * type, name, region and interface; with a version in its path and no slash behind. NULL where
 * there is none. */
const char *os_endpoint_choose(struct arena *a, const struct os_config *config,
                               enum os_service service, const struct shape_list *catalog,
                               const char *project_id);
/* Say that there is none. */
pb_ResultCode os_endpoint_missing(struct op *op, const struct os_config *config, const char *cloud,
                                  enum os_service service, const struct os_session *session);

/* "http://host/v2.1/PROJECT" -> "http://host/v2.1/", where the versions are told. */
const char *os_version_url(struct arena *a, const char *base);

/* {"version": {"version": "2.93", "min_version": "2.1"}} */
struct os_versions {
    struct {
        const char *id, *max, *min;
    } version;
};
extern const struct shape os_versions_shape;
/* Asks the cloud for them; in os_send.c. */
pb_ResultCode os_compute_versions(struct adapter *a, struct op *op,
                                  const struct os_session *session,
                                  struct os_versions *ret) MUST_USE;

/* The microversion that is spoken: what the configuration wants, or the highest that both sides
 * know. Its minor number. */
pb_ResultCode os_choose_minor(struct op *op, const char *wanted, const struct os_versions *versions,
                              int *ret) MUST_USE;

#endif
