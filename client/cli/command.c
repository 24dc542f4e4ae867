#include "command.h"

#include <string.h>

#include "isobar/near.h"
#include "option.h"
#include "run.h"

#define READS  (OPTION_CALLS | OPTION_PRINTS)
#define LISTS  (READS | OPTION_LISTS)
#define ACTS   (READS | OPTION_CHANGES)
#define VMS    WORDS_SOME, "[CLOUD/]VM...", "id"
#define NOWORD WORDS_NONE, NULL, NULL
/* A process that serves as an adapter. */
#define INSTANCE WORDS_ONE, "ADAPTER/INSTANCE", "name/id"

/* The two verbs that every thing of a cloud has. */
#define CLOUD_THING(noun, service, Thing, Things, word, what)                                      \
    {noun, "list", service "/List" Things, run_list, LISTS, NOWORD, "List " what ".", NULL},       \
    {                                                                                              \
        noun, "show", service "/Get" Thing, run_show, READS, WORDS_ONE, "[CLOUD/]" word, "id",     \
            "Show one of the " what ".", NULL                                                      \
    }

const struct command command_table[] = {
    {"vm", "create", "VmService/CreateVm", run_vm_create, ACTS, NOWORD, "Make a machine.",
     "vm create --cloud lab --name web --image ubuntu --flavor m1.small --network private --wait"},
    {"vm", "list", "VmService/ListVms", run_list, LISTS, NOWORD, "List machines.",
     "vm list --state RUNNING --tag env=prod --sort -created_at"},
    {"vm", "show", "VmService/GetVm", run_show, READS, WORDS_ONE, "[CLOUD/]VM", "id",
     "Show a machine.", "vm show lab/web -o json"},
    {"vm", "status", "VmService/BatchGetVmStatus", run_vm_status, READS, WORDS_SOME,
     "[CLOUD/]VM...", "ids", "Show the present state of machines.", "vm status lab/web lab/db"},
    {"vm", "start", "VmService/StartVm", run_vm_control, ACTS, VMS, "Start machines.",
     "vm start lab/web --wait"},
    {"vm", "stop", "VmService/StopVm", run_vm_control, ACTS, VMS,
     "Stop machines, so that they are no longer paid for where the cloud can.",
     "vm stop --cloud lab web db"},
    {"vm", "reboot", "VmService/RebootVm", run_vm_control, ACTS, VMS, "Start machines anew.",
     "vm reboot lab/web --hard"},
    {"vm", "suspend", "VmService/SuspendVm", run_vm_control, ACTS, VMS,
     "Suspend machines: their memory is kept.", NULL},
    {"vm", "resume", "VmService/ResumeVm", run_vm_control, ACTS, VMS,
     "Go on with suspended machines.", NULL},
    {"vm", "resize", "VmService/ResizeVm", run_vm_control, ACTS, VMS,
     "Give machines another flavor.", "vm resize lab/web --flavor m1.large --wait"},
    {"vm", "delete", "VmService/DeleteVm", run_vm_control, ACTS | OPTION_DELETES, VMS,
     "Delete machines, and what was made for them alone.", "vm delete lab/web --yes"},

    CLOUD_THING("image", "ImageService", "Image", "Images", "IMAGE", "images"),
    CLOUD_THING("flavor", "FlavorService", "Flavor", "Flavors", "FLAVOR", "flavors"),
    CLOUD_THING("network", "NetworkService", "Network", "Networks", "NETWORK", "networks"),
    CLOUD_THING("subnet", "NetworkService", "Subnet", "Subnets", "SUBNET", "subnets"),
    CLOUD_THING("security-group", "SecurityGroupService", "SecurityGroup", "SecurityGroups",
                "GROUP", "security groups"),
    CLOUD_THING("keypair", "KeypairService", "Keypair", "Keypairs", "KEYPAIR", "key pairs"),
    CLOUD_THING("region", "RegionService", "Region", "Regions", "REGION", "regions"),
    CLOUD_THING("zone", "RegionService", "Zone", "Zones", "ZONE", "zones"),

    {"cloud", "list", "CloudService/ListClouds", run_list, LISTS, NOWORD,
     "List the clouds that the gateway is connected to.", NULL},
    {"cloud", "show", "CloudService/GetCloud", run_show, READS, WORDS_ONE, "CLOUD", "cloud",
     "Show a cloud: its settings, its defaults and how busy it is.", NULL},
    {"cloud", "check", "CloudService/CheckCloud", run_cloud_check, READS, WORDS_MAYBE, "CLOUD",
     "cloud", "Ask a cloud whether it answers and takes the credentials.", "cloud check lab"},

    {"adapter", "list", "AdapterService/ListAdapters", run_list, LISTS, NOWORD,
     "List the kinds of clouds that the gateway knows, and the processes that serve them.", NULL},
    {"adapter", "describe", "AdapterService/DescribeAdapter", run_adapter_describe, READS,
     WORDS_ONE, "ADAPTER", "name", "Show what a kind of cloud needs, and what it can.",
     "adapter describe openstack"},
    {"adapter", "watch", "AdapterService/WatchAdapters", run_adapter_watch, READS, NOWORD,
     "Print the processes that serve as adapters, and then each one that changes, until it is "
     "interrupted or the time of --timeout is over.",
     "adapter watch --name toy"},
    {"adapter", "status", "AdapterService/SetAdapterStatus", run_adapter_status, READS, INSTANCE,
     "Say whether a process gets calls, and how many; without a flag, show it.",
     "adapter status toy/toy-1 --weight 0"},
    {"adapter", "drain", "AdapterService/DrainAdapter", run_adapter_drain, READS, INSTANCE,
     "Give a process nothing new, and wait until it has ended what it has.",
     "adapter drain toy/toy-1 --timeout 5m"},
    {"adapter", "deregister", "AdapterService/DeregisterAdapter", run_adapter_deregister,
     OPTION_CALLS, INSTANCE,
     "Take a registration back. A process that still runs registers again within seconds.", NULL},

    {"operation", "list", "OperationService/ListOperations", run_list, LISTS, NOWORD,
     "List operations, the newest first.", "operation list --state RUNNING,UNKNOWN"},
    {"operation", "show", "OperationService/GetOperation", run_operation_show, READS, WORDS_ONE,
     "OPERATION", "id", "Show an operation.", NULL},
    {"operation", "wait", "OperationService/WaitOperation", run_operation_wait, READS, WORDS_ONE,
     "OPERATION", "id", "Wait until an operation has ended; its end is the exit code.",
     "operation wait 0190f2c4-... --timeout 5m"},
    {"operation", "cancel", "OperationService/CancelOperation", run_operation_cancel, READS,
     WORDS_ONE, "OPERATION", "id",
     "Take an order back that has not been sent; what turns up of one that was lost on its way is "
     "deleted.",
     "operation cancel 0190f2c4-..."},
    {"operation", "vms", "OperationService/ListOperationVms", run_list, LISTS, WORDS_ONE,
     "[CLOUD/]OPERATION", "operation_id", "List the machines that bear the mark of an operation.",
     "operation vms --cloud lab 0190f2c4-..."},

    {"leftover", "list", "OperationService/ListLeftovers", run_list, LISTS, NOWORD,
     "List what bears the mark of a gateway and no operation is known to want.",
     "leftover list --cloud lab --verdict orphan"},
    {"leftover", "delete", "OperationService/DeleteLeftover", run_leftover_delete,
     ACTS | OPTION_DELETES, WORDS_ONE, "[CLOUD/]OPERATION", "id",
     "Delete what an operation has left behind, as far as it is proved to be this gateway's.",
     "leftover delete lab/0190f2c4-... --dry-run"},

    {"context", "list", NULL, run_context_list, OPTION_ALWAYS, NOWORD,
     "List the gateways that client.yaml names.", NULL},
    {"context", "show", NULL, run_context_show, OPTION_ALWAYS, WORDS_MAYBE, "NAME", NULL,
     "Show the present one, or another.", NULL},
    {"context", "use", NULL, run_context_use, OPTION_ALWAYS, WORDS_ONE, "NAME", NULL,
     "Use this one from now on.", NULL},

    {NULL, "call", NULL, run_call, ACTS, WORDS_UP_TO_TWO, "METHOD [JSON|@FILE|-]", NULL,
     "Call any method with a request as JSON.",
     "call VmService/GetVm '{\"cloud\": \"lab\", \"id\": \"web\"}'"},
    {NULL, "describe", NULL, run_describe, OPTION_ALWAYS, WORDS_MAYBE, "NAME", NULL,
     "Describe a service, method, message or enum of the protocol.", "describe VmSpec"},
    {NULL, "health", "Health/Check", run_health, READS, WORDS_MAYBE, "SERVICE", "service",
     "Ask the gateway whether it serves.", NULL},
    {NULL, "completion", NULL, run_completion, OPTION_ALWAYS, WORDS_ONE, "bash", NULL,
     "Print the script that completes commands.", "completion bash"},
    {NULL, "version", NULL, run_version, OPTION_ALWAYS, NOWORD, "Print the version.", NULL},
    {NULL, "help", NULL, run_help, OPTION_ALWAYS, WORDS_UP_TO_TWO, "[COMMAND [VERB]]", NULL,
     "Say how a command is used; help exit-codes and help man say more.", NULL},
};
const size_t command_table_len = ARRAY_LEN(command_table);

const struct noun command_nouns[] = {
    {"vm", "Machines"},
    {"image", "What machines boot from"},
    {"flavor", "Sizes of machines"},
    {"network", "Networks"},
    {"subnet", "Subnets"},
    {"security-group", "Who may talk to a machine"},
    {"keypair", "Keys to log in with"},
    {"region", "Regions"},
    {"zone", "Parts of a region that fail by themselves"},
    {"cloud", "The clouds that the gateway is connected to"},
    {"adapter", "The kinds of clouds that it knows, and who serves them"},
    {"operation", "What became of every call that changes something"},
    {"leftover", "What failed operations have left in the clouds"},
    {"context", "The gateways that client.yaml names"},
};
const size_t command_nouns_len = ARRAY_LEN(command_nouns);

const struct noun *command_noun(const char *name)
{
    for (size_t i = 0; i < command_nouns_len; i++) {
        if (strcmp(command_nouns[i].name, name) == 0) {
            return &command_nouns[i];
        }
    }
    return NULL;
}

static bool is_of(const struct command *c, const char *noun)
{
    return c->noun && noun ? strcmp(c->noun, noun) == 0 : c->noun == noun;
}

const struct command *command_find(const char *noun, const char *verb)
{
    for (size_t i = 0; i < command_table_len; i++) {
        if (is_of(&command_table[i], noun) && strcmp(command_table[i].verb, verb) == 0) {
            return &command_table[i];
        }
    }
    return NULL;
}

const char *command_near(const char *noun, const char *word)
{
    enum { WORDS_MAX = 64 };
    const char *words[WORDS_MAX];
    size_t n = 0, near = 0;
    for (size_t i = 0; !noun && i < command_nouns_len && n < WORDS_MAX; i++) {
        words[n++] = command_nouns[i].name;
    }
    for (size_t i = 0; i < command_table_len && n < WORDS_MAX; i++) {
        if (is_of(&command_table[i], noun)) {
            words[n++] = command_table[i].verb;
        }
    }
    return near_pick(word, words, n, &near, 1) ? words[near] : NULL;
}
