#include "az_manifest.h"

#include "kit/manifest.h"

#define M  PRESENCE_MANDATORY
#define O  PRESENCE_OPTIONAL
#define NP PRESENCE_NOT_PRESENT
static const struct manifest_attribute attributes[] = {
    {"name", M,
     .description = "The machine's name, once in its resource group: letters, digits, - _ and ., "
                    "at most 64."},
    {"region", M, .chosen = true,
     .description = "The location: westeurope, or \"West Europe\"; otherwise that of the network."},
    {"resource_group_name", M, .chosen = true,
     .description = "The resource group that the machine is made in, by name or id; otherwise the "
                    "connection's resource_group, or the only one there is."},
    {"instance_count", NP, .description = "The gateway makes them one by one."},
    {"flavor_name", M, .description = "The size: Standard_B1s."},
    {"source_type", NP, .description = "A machine always starts from an image."},
    {"volume_created", NP, .description = "The system disk is always made from the image."},
    {"image_type", M, .initial = "marketplace", .allowed = {"marketplace", "image", "gallery"},
     .description = "Where the image is from; an id says that by itself."},
    {"os_type", M, .initial = "linux", .allowed = {"linux", "windows"},
     .description = "What is in the image, where the image itself does not say."},
    {"image_id", M,
     .description = "The image: PUBLISHER:OFFER:SKU:VERSION in the marketplace, the name or id of "
                    "one of the subscription, the id of one in a gallery."},
    {"subnet_name", M, .chosen = true,
     .description = "The subnet: its name, NETWORK/SUBNET, or its id; chosen where there is but "
                    "one."},
    {"network_id", M, .chosen = true,
     .description = "The virtual network, by name or id; chosen where there is but one, or by the "
                    "subnet."},
    {"security_group_name", NP, .nearest = true,
     .description = "The network security group of the machine's interface, by name or id."},
    {"public_ip_type", M, .initial = "none", .allowed = {"none", "dynamic", "static"},
     .description = "A public address that is made for the machine and goes with it. Dynamic is "
                    "Azure's own word for Basic addresses that change with each stop (the "
                    "parameter public_ip_sku); of the others each is static."},
    {"public_ip", M, .chosen = true,
     .description = "An existing public address, by name, id or address; it is kept when the "
                    "machine goes. Otherwise none, or as public_ip_type says."},
    {"keypair", NP, .nearest = true,
     .description = "The public key itself (ssh-rsa AAAA..), or an SSH key resource, by name or "
                    "id; chosen where there is but one. It is written into the machine."},
    {"zone", O, .description = "The availability zone: 1, 2 or 3."},
    {"user_data", O, .description = "For cloud-init (custom data); at most 65,535 bytes."},
    {"tags", O, .description = "Tags of the machine and of what is made with it; at most 49."},
    {"volumes", O,
     .description = "Data disks, empty; deleted with the machine unless keep. At most 64."},
    {"extra_security_groups", O,
     .description = "An interface has one network security group: put the rules into it."},
};

#define TEXT PARAMETER_TYPE_STRING
#define INT  PARAMETER_TYPE_INTEGER
#define BOOL PARAMETER_TYPE_BOOLEAN
static const struct manifest_parameter parameters[] = {
    {"create_resource_group", BOOL,
     .description = "Make the resource group where there is none of that name. It stays when the "
                    "machine goes."},
    {"admin_username", TEXT, .initial = "azureuser", .description = "The user that is made."},
    {"computer_name", TEXT, .description = "The machine's name inside; otherwise its name."},
    {"public_ip_sku", TEXT, .initial = "Standard", .allowed = {"Basic", "Standard"},
     .description = "The kind of a public address that is made."},
    {"public_ip_version", TEXT, .initial = "IPv4", .allowed = {"IPv4", "IPv6"},
     .description = "The version of a public address that is made, and of the interface's."},
    {"dns_label", TEXT, .description = "The name in DNS of a public address that is made."},
    {"private_ip", TEXT, .description = "The machine's address in the subnet."},
    {"accelerated_networking", BOOL, .description = "Accelerated networking (SR-IOV)."},
    {"ip_forwarding", BOOL, .description = "Let packets through that are for others."},
    {"os_disk_size_gib", INT, .description = "Size of the system disk; otherwise the image's."},
    {"os_disk_type", TEXT,
     .description = "Kind of the system disk: Standard_LRS, StandardSSD_LRS, Premium_LRS, .."},
    {"os_disk_caching", TEXT, .allowed = {"None", "ReadOnly", "ReadWrite"},
     .description = "Caching of the system disk."},
    {"ultra_ssd", BOOL, .description = "Allow data disks of the kind UltraSSD_LRS."},
    {"priority", TEXT, .allowed = {"Regular", "Spot"}, .description = "How it is paid for."},
    {"max_price", TEXT,
     .description = "The most that a spot machine may cost, US dollars an hour; -1: as much as a "
                    "regular one."},
    {"eviction_policy", TEXT, .allowed = {"Deallocate", "Delete"},
     .description = "What becomes of a spot machine that Azure takes back."},
    {"identity", TEXT,
     .description =
         "Managed identities: system, or ids or names of user-assigned ones, with commas "
         "between them."},
    {"availability_set", TEXT, .description = "The availability set, by id or name in the group."},
    {"proximity_placement_group", TEXT,
     .description = "The proximity placement group, by id or name in the group."},
    {"license_type", TEXT,
     .description = "A licence that is there already: Windows_Server, RHEL_BYOS, SLES_BYOS, .."},
    {"plan", TEXT,
     .description = "The plan of an image that costs money: PUBLISHER:PRODUCT:NAME, or image "
                    "where it is called as the image is."},
    {"boot_diagnostics", BOOL, .description = "Keep the serial console's log and screenshots."},
    {"encryption_at_host", BOOL, .description = "Encrypt its disks on the host, too."},
    {"trusted_launch", BOOL, .description = "Secure boot and a virtual TPM."},
    {"hibernation", BOOL,
     .description = "Make it so that it can be suspended; needs compute_api_version 2021-07-01."},
};

static const struct manifest_parameter settings[] = {
    {"subscription_id", TEXT, .description = "The subscription; otherwise AZURE_SUBSCRIPTION_ID."},
    {"resource_group", TEXT,
     .description =
         "The resource group that lists are bound to and machines are made in; otherwise "
         "lists are of the whole subscription."},
    {"location", TEXT,
     .description =
         "The location that sizes, zones and marketplace images are of, and machines are "
         "made in; otherwise that of the resource group or network."},
    {"environment", TEXT,
     .description = "AzureCloud, AzureChinaCloud or AzureUSGovernment, for authority and endpoint; "
                    "otherwise AzureCloud."},
    {"tenant_id", TEXT, .description = "The tenant; otherwise AZURE_TENANT_ID."},
    {"client_id", TEXT,
     .description = "The service principal, or the managed identity; otherwise AZURE_CLIENT_ID."},
    {"credential", TEXT,
     .description = "Which credentials: environment, workload, managed_identity or cli; otherwise "
                    "AZURE_TOKEN_CREDENTIALS, or the first of them that is there."},
    {"authority", TEXT,
     .description = "Where tokens are from; otherwise AZURE_AUTHORITY_HOST, or "
                    "https://login.microsoftonline.com."},
    {"endpoint", TEXT,
     .description = "Where Resource Manager is; otherwise https://management.azure.com."},
    {"audience", TEXT, .description = "What tokens are for, where that is not the endpoint."},
    {"ca_file", TEXT, .description = "The certificates to trust (PEM); otherwise the system's."},
    {"compute_api_version", TEXT,
     .description = "The version of Compute's interface; otherwise 2021-03-01."},
    {"network_api_version", TEXT,
     .description = "The version of Network's interface; otherwise 2021-02-01."},
    {"resources_api_version", TEXT,
     .description = "The version of Resources' interface; otherwise 2021-04-01."},
    {"subscriptions_api_version", TEXT,
     .description = "The version of Subscriptions' interface; otherwise 2021-01-01."},
    {"settle_ms", INT,
     .description = "How many milliseconds Azure's lists may lag behind: so long after a delete, "
                    "or a create that failed, it is looked once more for what is left. Otherwise "
                    "10000."},
};

const pb_Manifest *azure_manifest(void)
{
    static struct manifest_rows rows = {
        .attributes = attributes,
        .n_attributes = ARRAY_LEN(attributes),
        .parameters = parameters,
        .n_parameters = ARRAY_LEN(parameters),
        .settings = settings,
        .n_settings = ARRAY_LEN(settings),
    };

    return manifest_of(&rows);
}
