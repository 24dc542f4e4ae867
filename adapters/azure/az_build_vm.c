/* A machine as a request. Pure. */
#include <string.h>
#include <strings.h>

#include "az_plan.h"
#include "kit/spec.h"

/* A parameter as a member, where it is given. */
static void put_parameter(struct json_writer *w, const struct az_plan *p, const char *name,
                          const char *key)
{
    const char *value = spec_parameter(p->spec, name);

    if (value != NULL)
        json_put_string(w, key, value);
}

/* ---- Outside of the properties ---- */

static void put_zone(struct json_writer *w, const struct az_plan *p)
{
    if (p->spec->zone[0] == '\0')
        return;
    json_begin_array(w, "zones");
    json_put_string(w, NULL, p->spec->zone);
    json_end_array(w);
}

static void put_plan(struct json_writer *w, struct arena *a, const struct az_plan *p)
{
    const char *plan = spec_parameter(p->spec, "plan");

    if (plan == NULL)
        return;
    json_begin_object(w, "plan");
    if (strcmp(plan, "image") == 0) {
        json_put_string(w, "publisher", p->image.publisher != NULL ? p->image.publisher : "");
        json_put_string(w, "product", p->image.offer != NULL ? p->image.offer : "");
        json_put_string(w, "name", p->image.sku != NULL ? p->image.sku : "");
    } else {
        const char *product = strchr(plan, ':') + 1, *name = strchr(product, ':') + 1;
        json_put_string(w, "publisher", arena_strndup(a, plan, (size_t)(product - 1 - plan)));
        json_put_string(w, "product", arena_strndup(a, product, (size_t)(name - 1 - product)));
        json_put_string(w, "name", name);
    }
    json_end_object(w);
}

static void put_identity(struct json_writer *w, const struct az_plan *p)
{
    if (!p->system_identity && p->n_identities == 0)
        return;
    json_begin_object(w, "identity");
    json_put_string(w, "type",
                    p->n_identities == 0 ? "SystemAssigned"
                    : p->system_identity ? "SystemAssigned, UserAssigned"
                                         : "UserAssigned");
    if (p->n_identities > 0) {
        json_begin_object(w, "userAssignedIdentities");
        for (size_t i = 0; i < p->n_identities; i++) {
            json_begin_object(w, p->identities[i]);
            json_end_object(w);
        }
        json_end_object(w);
    }
    json_end_object(w);
}

/* ---- The properties ---- */

static void put_image(struct json_writer *w, const struct az_plan *p)
{
    json_begin_object(w, "imageReference");
    if (p->image.id != NULL) {
        json_put_string(w, p->image.key, p->image.id);
    } else {
        json_put_string(w, "publisher", p->image.publisher);
        json_put_string(w, "offer", p->image.offer);
        json_put_string(w, "sku", p->image.sku);
        json_put_string(w, "version", p->image.version);
    }
    json_end_object(w);
}

static void put_kind(struct json_writer *w, const char *kind)
{
    if (kind == NULL || kind[0] == '\0')
        return;
    json_begin_object(w, "managedDisk");
    json_put_string(w, "storageAccountType", kind);
    json_end_object(w);
}

static void put_disks(struct json_writer *w, struct arena *a, const struct az_plan *p)
{
    const char *size = spec_parameter(p->spec, "os_disk_size_gib");

    json_begin_object(w, "storageProfile");
    put_image(w, p);
    json_begin_object(w, "osDisk");
    json_put_string(w, "name", az_made_name(a, p->token, "os"));
    json_put_string(w, "createOption", "FromImage");
    json_put_string(w, "deleteOption", "Delete");
    if (size != NULL)
        json_put_number(w, "diskSizeGB", size);
    put_parameter(w, p, "os_disk_caching", "caching");
    put_kind(w, spec_parameter(p->spec, "os_disk_type"));
    json_end_object(w);
    json_begin_array(w, "dataDisks");
    for (size_t i = 0; i < p->spec->n_volumes; i++) {
        const pb_VolumeSpec *v = p->spec->volumes[i];
        json_begin_object(w, NULL);
        json_put_int(w, "lun", (int64_t)i);
        json_put_string(w, "name", az_disk_name(a, p, i));
        json_put_string(w, "createOption", "Empty");
        json_put_int(w, "diskSizeGB", v->size_gib);
        json_put_string(w, "deleteOption", v->keep ? "Detach" : "Delete");
        put_kind(w, v->volume_type);
        json_end_object(w);
    }
    json_end_array(w);
    json_end_object(w);
}

static void put_key(struct json_writer *w, struct arena *a, const struct az_plan *p,
                    const char *user)
{
    json_begin_object(w, "linuxConfiguration");
    json_put_bool(w, "disablePasswordAuthentication", true);
    json_begin_object(w, "ssh");
    json_begin_array(w, "publicKeys");
    json_begin_object(w, NULL);
    json_put_string(w, "path", arena_printf(a, "/home/%s/.ssh/authorized_keys", user));
    json_put_stringn(w, "keyData", p->key, strcspn(p->key, "\r\n"));
    json_end_object(w);
    json_end_array(w);
    json_end_object(w);
    json_end_object(w);
}

static void put_os(struct json_writer *w, struct arena *a, const struct az_plan *p)
{
    const char *user = spec_parameter(p->spec, "admin_username");

    if (user == NULL)
        user = "azureuser";
    json_begin_object(w, "osProfile");
    json_put_string(w, "computerName", p->computer);
    json_put_string(w, "adminUsername", user);
    if (p->user_data != NULL)
        json_put_string(w, "customData", p->user_data);
    if (p->windows)
        json_put_string(w, "adminPassword", p->password);
    else
        put_key(w, a, p, user);
    json_end_object(w);
}

static void put_nic(struct json_writer *w, const struct az_plan *p)
{
    json_begin_object(w, "networkProfile");
    json_begin_array(w, "networkInterfaces");
    json_begin_object(w, NULL);
    json_put_string(w, "id", p->nic_id);
    json_begin_object(w, "properties");
    json_put_bool(w, "primary", true);
    json_put_string(w, "deleteOption", "Delete");
    json_end_object(w);
    json_end_object(w);
    json_end_array(w);
    json_end_object(w);
}

static void put_spot(struct json_writer *w, const struct az_plan *p)
{
    const char *price = spec_parameter(p->spec, "max_price");

    put_parameter(w, p, "priority", "priority");
    put_parameter(w, p, "eviction_policy", "evictionPolicy");
    if (price == NULL)
        return;
    json_begin_object(w, "billingProfile");
    json_put_number(w, "maxPrice", price);
    json_end_object(w);
}

static void put_capabilities(struct json_writer *w, const struct az_plan *p)
{
    bool ultra = az_parameter_is(p->spec, "ultra_ssd", "true");
    bool hibernation = az_parameter_is(p->spec, "hibernation", "true");

    if (!ultra && !hibernation)
        return;
    json_begin_object(w, "additionalCapabilities");
    if (ultra)
        json_put_bool(w, "ultraSSDEnabled", true);
    if (hibernation)
        json_put_bool(w, "hibernationEnabled", true);
    json_end_object(w);
}

static void put_security(struct json_writer *w, const struct az_plan *p)
{
    bool encrypted = az_parameter_is(p->spec, "encryption_at_host", "true");
    bool trusted = az_parameter_is(p->spec, "trusted_launch", "true");

    if (!encrypted && !trusted)
        return;
    json_begin_object(w, "securityProfile");
    if (encrypted)
        json_put_bool(w, "encryptionAtHost", true);
    if (trusted) {
        json_put_string(w, "securityType", "TrustedLaunch");
        json_begin_object(w, "uefiSettings");
        json_put_bool(w, "secureBootEnabled", true);
        json_put_bool(w, "vTpmEnabled", true);
        json_end_object(w);
    }
    json_end_object(w);
}

static void put_properties(struct json_writer *w, struct arena *a, const struct az_plan *p)
{
    bool diagnostics = az_parameter_is(p->spec, "boot_diagnostics", "true");

    json_begin_object(w, "properties");
    json_begin_object(w, "hardwareProfile");
    json_put_string(w, "vmSize", p->spec->flavor_name);
    json_end_object(w);
    put_disks(w, a, p);
    put_os(w, a, p);
    put_nic(w, p);
    put_spot(w, p);
    put_capabilities(w, p);
    put_security(w, p);
    az_put_reference(w, "availabilitySet", p->availability_set);
    az_put_reference(w, "proximityPlacementGroup", p->proximity_group);
    put_parameter(w, p, "license_type", "licenseType");
    if (diagnostics) {
        json_begin_object(w, "diagnosticsProfile");
        json_begin_object(w, "bootDiagnostics");
        json_put_bool(w, "enabled", true);
        json_end_object(w);
        json_end_object(w);
    }
    json_end_object(w);
}

bool az_build_vm(struct arena *a, const struct az_plan *p, bool fresh, struct az_request *ret)
{
    struct request_body b;
    struct json_writer *w = az_body_begin(&b);

    *ret = (struct az_request){
        .service = AZ_COMPUTE,
        .method = "PUT",
        .path = az_id_path(a, p->vm_id),
        /* Over another's machine Azure refuses it, over our own it changes nothing: az_plan.h. */
        .flags = SEND_IDEMPOTENT,
        .if_none_match = fresh,
    };
    json_put_string(w, "location", p->location);
    az_put_tags(w, p);
    put_zone(w, p);
    put_plan(w, a, p);
    put_identity(w, p);
    put_properties(w, a, p);
    return body_end(&b, a, &ret->body, &ret->body_len);
}
