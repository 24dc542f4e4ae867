/* Machines: Nova's servers. */
#ifndef OS_SERVERS_H
#define OS_SERVERS_H

#include "os.h"

struct os_address {
    const char *network; /* its name */
    int64_t version;
    const char *addr, *type, *mac;
};

struct os_attachment {
    const char *id;
    bool delete_on_termination;
};

/* A server as Nova shows it. Texts are NULL where it does not say. */
struct os_server {
    const char *id, *name, *status;
    const char *created, *updated, *key_name, *zone;
    const char *image_id; /* NULL: it boots from a volume */
    struct {
        const char *id; /* before 2.47 */
        const char *name;
        int64_t vcpus, ram, disk;
    } flavor;
    struct {
        const char *message;
        int64_t code;
    } fault;
    struct shape_map metadata;
    struct shape_strings tags, groups;
    struct shape_list addresses;   /* struct os_address */
    struct shape_list security;    /* struct os_thing, name only */
    struct shape_list attachments; /* struct os_attachment */
    const char *task_state, *vm_state, *power_state;
    const char *tenant_id, *user_id, *host_id, *host, *hypervisor, *instance_name, *hostname;
    const char *description, *progress, *config_drive, *disk_config, *locked, *locked_reason;
    const char *launched_at, *terminated_at, *access_ipv4, *access_ipv6, *host_status;
    const char *root_device, *reservation_id;
};

extern const struct shape os_server_shape;
extern const struct os_kind os_server_kind; /* lists only: see os_server_find() */

/* Into the message; pure. What Nova does not say (see os_names.h) is left empty. */
pb_Vm *os_parse_server(struct arena *a, const char *cloud, const char *region,
                       const struct os_server *s);

/* GET /servers/ID. */
pb_ResultCode os_server_get(struct adapter *a, struct op *op, const char *id,
                            struct os_server *ret) MUST_USE;
/* The machine that a name or id refers to; with an id it is one request. */
pb_ResultCode os_server_find(struct adapter *a, struct op *op, const char *wanted,
                             struct os_server *ret) MUST_USE;
/* The message, with all names and ids in it. */
pb_Vm *os_server_message(struct adapter *a, struct op *op, const struct os_server *s);
/* The same for a list of struct os_server; returns how many there are in `ret`. */
size_t os_server_messages(struct adapter *a, struct op *op, const struct shape_list *list,
                          pb_Vm ***ret);

/* "^web.1$": Nova's filter is a regular expression of its database, whose dialects differ in how a
 * letter is escaped; so every special letter is "." here, and callers compare again. Pure. */
const char *os_name_pattern(struct arena *a, const char *name);
/* The same for a pattern with * and ?. */
const char *os_glob_pattern(struct arena *a, const char *glob);

pb_ResultCode openstack_get_vm(struct adapter *a, struct op *op, const pb_GetVmRequest *req,
                               pb_GetVmResponse *ret);
pb_ResultCode openstack_list_vms(struct adapter *a, struct op *op, const pb_ListVmsRequest *req,
                                 pb_ListVmsResponse *ret);

#endif
