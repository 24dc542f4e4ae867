#include "flag.h"

#include <string.h>

#include "field.h"
#include "symbol.h"

/* Requests with this field are lists. */
#define LISTS .with = "page_size"

/* Where two rows of one name fit a request, the first is meant. */
static const struct flag flags[] = {
    {"cloud", LISTS, .path = "cloud", .arg = "CLOUD", .doc = "Only this cloud; without it, all."},
    {"cloud", .with = "spec", .path = "cloud", .arg = "CLOUD",
     .doc = "The cloud to make it in. Not needed where there is but one."},
    {"cloud", .path = "cloud", .arg = "CLOUD",
     .doc = "The cloud; or say CLOUD/NAME. Not needed where there is but one."},

    /* The sixteen attributes of the common specification, in its order. */
    {"name", .path = "spec.name", .arg = "NAME", .doc = "The machine's name."},
    {"region", .path = "spec.region", .arg = "REGION", .doc = "The region."},
    {"resource-group", .path = "spec.resource_group_name", .arg = "NAME",
     .doc = "The resource group."},
    {"count", .path = "spec.instance_count", .arg = "N", .doc = "Make so many machines."},
    {"flavor", .path = "spec.flavor_name", .arg = "FLAVOR", .doc = "Its size: name or id."},
    {"source-type", .path = "spec.source_type", .arg = "TYPE",
     .doc = "What it boots from: image, volume or snapshot."},
    {"volume-created", .path = "spec.volume_created",
     .doc = "Boot from a new volume that is made from the source; =false: do not."},
    {"image-type", .path = "spec.image_type", .arg = "TYPE", .doc = "The kind of image."},
    {"os-type", .path = "spec.os_type", .arg = "TYPE", .doc = "The kind of operating system."},
    {"image", .path = "spec.image_id", .arg = "IMAGE",
     .doc = "The image (or volume, or snapshot) that it boots from: name or id."},
    {"subnet", .path = "spec.subnet_name", .arg = "SUBNET", .doc = "Its subnet: name or id."},
    {"network", .path = "spec.network_id", .arg = "NETWORK", .doc = "Its network: name or id."},
    {"security-group", .path = "spec.security_group_name", .rest = "spec.extra_security_groups",
     .arg = "GROUP", .doc = "Who may talk to it; may be given several times."},
    {"public-ip-type", .path = "spec.public_ip_type", .arg = "TYPE",
     .doc = "A public address: none, dynamic (the cloud gives one) or static."},
    {"public-ip", .path = "spec.public_ip", .arg = "ADDRESS",
     .doc = "The public address, or its id."},
    {"keypair", .path = "spec.keypair", .arg = "KEYPAIR", .doc = "The key to log in with."},

    {"zone", .path = "spec.zone", .arg = "ZONE", .doc = "The zone."},
    {"user-data", .path = "spec.user_data", .kind = FLAG_FILE, .arg = "FILE",
     .doc = "What the machine reads at its first start; - is standard input."},
    {"tag", .path = "spec.tags", .arg = "KEY=VALUE", .doc = "A tag; may be given several times."},
    {"volume", .path = "spec.volumes", .arg = "KEY=VALUE,...",
     .doc = "A disk to be made with it; may be given several times. Keys:"},
    {"param", .path = "spec.parameters", .arg = "KEY=VALUE",
     .doc = "What this cloud alone has (see isobar adapter describe); may be given several times."},
    {"spec", .path = "spec", .kind = FLAG_JSON_FILE, .arg = "FILE",
     .doc = "All of the above as JSON (isobar describe VmSpec); other flags win over it."},

    {"size", &pb_VolumeSpec_desc, .path = "size_gib", .arg = "GIB", .doc = "GiB."},
    {"type", &pb_VolumeSpec_desc, .path = "volume_type", .arg = "TYPE",
     .doc = "The cloud's own kind of disk."},
    {"name", &pb_VolumeSpec_desc, .path = "name", .arg = "NAME", .doc = "Its name."},
    {"keep", &pb_VolumeSpec_desc, .path = "keep", .doc = "It outlives the machine."},

    {"flavor", .path = "flavor_name", .arg = "FLAVOR", .doc = "The new size: name or id."},
    {"hard", .path = "hard", .doc = "Cut the power instead of asking the guest."},
    {"strict", .path = "strict",
     .doc = "An attribute that this cloud does not have is an error, not a warning."},
    {"dry-run", .path = "dry_run", .doc = "Check all that can be checked, and change nothing."},
    {"wait", .path = "wait", .fixed = "WAIT_RUNNING",
     .doc = "Wait until the machine is as it is to be."},
    {"no-wait", .path = "wait", .fixed = "WAIT_NONE",
     .doc = "Do not even wait for the cloud; prints the operation."},

    /* Adapters. The gateway compares these names as they are. */
    {"name", &pb_ListAdaptersRequest_desc, .path = "name", .arg = "ADAPTER",
     .doc = "Only this adapter."},
    {"name", &pb_WatchAdaptersRequest_desc, .path = "name", .arg = "ADAPTER",
     .doc = "Only this adapter."},
    {"version", &pb_DescribeAdapterRequest_desc, .path = "version", .arg = "VERSION",
     .doc = "This version of it; without it, what is built in, or the newest."},
    {"status", &pb_SetAdapterStatusRequest_desc, .path = "status", .arg = "STATUS",
     .doc = "UP: it gets calls; DRAINING: it ends what it has; OUT_OF_SERVICE: it gets none."},
    {"weight", &pb_SetAdapterStatusRequest_desc, .path = "weight", .arg = "N",
     .doc = "Its share of the calls, beside the weights of the others that serve the same cloud; "
            "0: none."},

    /* Filters of lists. */
    {"name", LISTS, .path = "name", .arg = "GLOB",
     .doc = "Only those whose name fits; * and ? are wildcards."},
    {"state", LISTS, .path = "states", .arg = "STATE,...", .doc = "Only those in these states."},
    {"verdict", LISTS, .path = "verdicts", .arg = "VERDICT,...",
     .doc = "Only those that the journal says this of; without it, all but those that are known."},
    {"tag", LISTS, .path = "tags", .kind = FLAG_KEYS, .arg = "KEY[=VALUE]",
     .doc = "Only those with this tag; may be given several times."},
    {"id", LISTS, .path = "ids", .arg = "ID",
     .doc = "Only those with this id; may be given several times."},
    {"min-vcpus", LISTS, .path = "min_vcpus", .arg = "N",
     .doc = "Only those with at least so many processors."},
    {"min-memory", LISTS, .path = "min_memory_mib", .arg = "MIB",
     .doc = "Only those with at least so much memory."},
    {"network", LISTS, .path = "network_id", .arg = "NETWORK",
     .doc = "Only those of this network: name or id."},
    {"request-id", LISTS, .path = "request_id", .arg = "ID",
     .doc = "Only those that a call with this id has made."},
};

static bool fits(const ProtobufCMessageDescriptor *type, const struct flag *f)
{
    return (!f->in || f->in == type) && (!f->with || field_at(type, f->with)) &&
           field_at(type, f->path);
}

const struct flag *flag_find(const ProtobufCMessageDescriptor *type, const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        if (strcmp(flags[i].name, name) == 0 && fits(type, &flags[i])) {
            return &flags[i];
        }
    }
    return NULL;
}

const struct flag *flag_at(const ProtobufCMessageDescriptor *type, size_t i)
{
    for (size_t k = 0; k < ARRAY_LEN(flags); k++) {
        if (flag_find(type, flags[k].name) == &flags[k] && i-- == 0) {
            return &flags[k];
        }
    }
    return NULL;
}

/* Whether `path` is `whole` or begins with it, at the end of a part. */
static bool path_within(const char *path, const char *whole)
{
    size_t len = strlen(whole);
    return strncmp(path, whole, len) == 0 && strchr(".[", path[len]) != NULL;
}

const struct flag *flag_of_path(const ProtobufCMessageDescriptor *type, const char *path)
{
    const struct flag *best = NULL;
    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        const struct flag *f = &flags[i];
        if (flag_find(type, f->name) == f &&
            (path_within(path, f->path) || (f->rest && path_within(path, f->rest))) &&
            (!best || strlen(f->path) > strlen(best->path))) {
            best = f;
        }
    }
    return best;
}

const ProtobufCFieldDescriptor *flag_field(const ProtobufCMessageDescriptor *type,
                                           const struct flag *f)
{
    return field_at(type, f->path);
}

bool flag_is_bool(const ProtobufCMessageDescriptor *type, const struct flag *f)
{
    return !f->fixed && flag_field(type, f)->type == PROTOBUF_C_TYPE_BOOL;
}

bool flag_repeats(const ProtobufCMessageDescriptor *type, const struct flag *f)
{
    return f->rest || flag_field(type, f)->label == PROTOBUF_C_LABEL_REPEATED;
}

const ProtobufCMessageDescriptor *flag_parts(const ProtobufCMessageDescriptor *type,
                                             const struct flag *f)
{
    const ProtobufCFieldDescriptor *field = flag_field(type, f);
    bool is_parts = field->label == PROTOBUF_C_LABEL_REPEATED &&
                    field->type == PROTOBUF_C_TYPE_MESSAGE && !symbol_is_map(field);
    return is_parts ? field->descriptor : NULL;
}
