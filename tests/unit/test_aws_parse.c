/* What EC2 says of machines into messages: everything that there is, and what nobody should say. */
#include "arena_fixture.h"
#include "aws_images.h"
#include "aws_instances.h"
#include "aws_networks.h"
#include "aws_regions.h"
#include "aws_types.h"

static struct aws_config config = {.region = "eu-test-1"};
static struct adapter adapter = {.name = (char *)(uintptr_t) "lab", .config = &config};

#define RESERVATION(instance_)                                                                     \
    "<R><reservationSet><item><reservationId>r-1</reservationId><ownerId>111122223333</ownerId>"   \
    "<groupSet/><requesterId>222</requesterId><instancesSet><item>" instance_                      \
    "</item></instancesSet></item></reservationSet></R>"

static const char full[] = RESERVATION(
    "<instanceId>i-0123456789abcdef0</instanceId><imageId>ami-1</imageId><instanceState><code>80"
    "</code><name>stopped</name></instanceState><privateDnsName>ip-10-0-0-5.internal"
    "</privateDnsName><dnsName>ec2-1.example</dnsName><reason>User initiated</reason><keyName>key"
    "</keyName><amiLaunchIndex>0</amiLaunchIndex><productCodes><item><productCode>abc</productCode>"
    "<type>marketplace</type></item></productCodes><instanceType>t3.micro</"
    "instanceType><launchTime>"
    "2026-11-22T12:00:00.000Z</launchTime><placement><availabilityZone>eu-test-1a"
    "</availabilityZone><groupName>pg</groupName><tenancy>dedicated</tenancy><partitionNumber>3"
    "</partitionNumber></placement><platform>windows</platform><monitoring><state>enabled</state>"
    "</monitoring><subnetId>subnet-1</subnetId><vpcId>vpc-1</vpcId><privateIpAddress>10.0.0.5"
    "</privateIpAddress><ipAddress>198.51.100.5</ipAddress><sourceDestCheck>true</sourceDestCheck>"
    "<groupSet><item><groupId>sg-1</groupId><groupName>web</groupName></item></groupSet>"
    "<stateReason><code>Server.ScheduledStop</code><message>retired</message></stateReason>"
    "<architecture>x86_64</architecture><rootDeviceType>ebs</rootDeviceType><rootDeviceName>"
    "/dev/xvda</rootDeviceName><blockDeviceMapping><item><deviceName>/dev/xvda</deviceName><ebs>"
    "<volumeId>vol-1</volumeId><status>attached</status><attachTime>2026-11-22T10:00:01.000Z"
    "</attachTime><deleteOnTermination>true</deleteOnTermination></ebs></item><item><deviceName>"
    "/dev/sdf</deviceName><ebs><volumeId>vol-2</volumeId><status>attached</status><attachTime>"
    "2026-11-20T10:00:01.000Z</attachTime><deleteOnTermination>false</deleteOnTermination></ebs>"
    "</item></blockDeviceMapping><instanceLifecycle>spot</instanceLifecycle><spotInstanceRequestId>"
    "sir-1</spotInstanceRequestId><virtualizationType>hvm</virtualizationType><clientToken>token-1"
    "</clientToken><tagSet><item><key>Name</key><value>web &amp; more</value></item><item><key>role"
    "</key><value/></item><item><key>isobar-token</key><value>t-1</value></item></tagSet>"
    "<hypervisor>xen</hypervisor><networkInterfaceSet><item><networkInterfaceId>eni-1"
    "</networkInterfaceId><subnetId>subnet-1</subnetId><vpcId>vpc-1</vpcId><status>in-use</status>"
    "<macAddress>02:00:00:00:00:01</macAddress><privateIpAddress>10.0.0.5</privateIpAddress>"
    "<groupSet><item><groupId>sg-1</groupId><groupName>web</groupName></item></"
    "groupSet><attachment>"
    "<attachmentId>eni-attach-1</attachmentId><deviceIndex>0</deviceIndex><status>attached</status>"
    "<attachTime>2026-11-22T10:00:00.000Z</attachTime><deleteOnTermination>true"
    "</deleteOnTermination></attachment><association><publicIp>198.51.100.5</publicIp>"
    "<publicDnsName>ec2-1.example</publicDnsName><ipOwnerId>amazon</ipOwnerId></association>"
    "<privateIpAddressesSet><item><privateIpAddress>10.0.0.5</privateIpAddress><primary>true"
    "</primary><association><publicIp>198.51.100.5</publicIp></association></item><item>"
    "<privateIpAddress>10.0.0.6</privateIpAddress><primary>false</primary></item>"
    "</privateIpAddressesSet><ipv6AddressesSet><item><ipv6Address>2001:db8::5</ipv6Address></item>"
    "</ipv6AddressesSet></item><item><networkInterfaceId>eni-2</networkInterfaceId><vpcId>vpc-2"
    "</vpcId><macAddress>02:00:00:00:00:02</macAddress><privateIpAddress>10.1.0.7"
    "</privateIpAddress><groupSet><item><groupId>sg-2</groupId><groupName>db</groupName></item>"
    "<item><groupId>sg-1</groupId><groupName>web</groupName></item></groupSet><attachment>"
    "<deviceIndex>1</deviceIndex><attachTime>2026-11-01T10:00:00.000Z</attachTime></attachment>"
    "<association><publicIp>198.51.100.7</publicIp></association></item></networkInterfaceSet>"
    "<iamInstanceProfile><arn>arn:aws:iam::1:instance-profile/p</arn><id>AIPA1</id>"
    "</iamInstanceProfile><ebsOptimized>true</ebsOptimized><cpuOptions><coreCount>2</coreCount>"
    "<threadsPerCore>2</threadsPerCore></cpuOptions><hibernationOptions><configured>true"
    "</configured></hibernationOptions><licenseSet><item><licenseConfigurationArn>arn:l"
    "</licenseConfigurationArn></item></licenseSet><metadataOptions><state>applied</state>"
    "<httpTokens>required</httpTokens></metadataOptions><somethingNew><deep>1</deep></"
    "somethingNew>");

static struct shape_list instances(const char *xml)
{
    struct aws_page page = {0};
    char why[160];

    if (!xml_parse(&arena, xml, strlen(xml), aws_instance_kind.page, &page, why))
        fail_msg("%s", why);
    aws_complete(&arena, &aws_instance_kind, &page.items);
    return page.items;
}

static pb_Vm *one(const char *xml)
{
    struct shape_list list = instances(xml);

    assert_int_equal(list.n, 1);
    pb_Vm *vm = aws_parse_instance(&arena, "lab", "eu-test-1", list.items);
    assert_non_null(vm);
    assert_false(arena.exhausted);
    return vm;
}

static const char *native(const pb_Vm *vm, const char *key)
{
    for (size_t i = 0; i < vm->n_native; i++)
        if (strcmp(vm->native[i]->key, key) == 0)
            return vm->native[i]->value;
    return NULL;
}

static void test_fields(void **state)
{
    const pb_Vm *vm = one(full);

    (void)state;
    assert_string_equal(vm->cloud, "lab");
    assert_string_equal(vm->id, "i-0123456789abcdef0");
    assert_string_equal(vm->name, "web & more");
    assert_int_equal(vm->state, VM_STATE_STOPPED);
    assert_string_equal(vm->native_state, "stopped (Server.ScheduledStop)");
    assert_string_equal(vm->fault, "retired");
    assert_string_equal(vm->flavor_id, "t3.micro");
    assert_string_equal(vm->flavor_name, "t3.micro");
    assert_int_equal(vm->vcpus, 4);
    assert_string_equal(vm->image_id, "ami-1");
    assert_string_equal(vm->region, "eu-test-1");
    assert_string_equal(vm->zone, "eu-test-1a");
    assert_string_equal(vm->keypair, "key");
    /* Of the first interface: the second and the second disk are older than the machine. */
    assert_int_equal(vm->created_at->seconds, 1795341600);
    assert_int_equal(vm->updated_at->seconds, 1795348800);
    assert_int_equal(vm->n_security_group_names, 2);
    assert_string_equal(vm->security_group_names[0], "web");
    assert_string_equal(vm->security_group_names[1], "db");
    assert_int_equal(vm->n_volumes, 2);
    assert_string_equal(vm->volumes[0]->id, "vol-1");
    assert_true(vm->volumes[0]->delete_on_termination);
    assert_false(vm->volumes[1]->delete_on_termination);
    assert_int_equal(vm->n_tags, 1);
    assert_string_equal(vm->tags[0]->key, "role");
    assert_string_equal(vm->tags[0]->value, "");
}

static void test_addresses(void **state)
{
    static const struct {
        const char *ip, *network, *mac;
        uint32_t version;
        pb_AddressKind kind;
    } rows[] = {
        {"10.0.0.5", "vpc-1", "02:00:00:00:00:01", 4, ADDRESS_KIND_FIXED},
        {"198.51.100.5", "vpc-1", "02:00:00:00:00:01", 4, ADDRESS_KIND_PUBLIC},
        {"10.0.0.6", "vpc-1", "02:00:00:00:00:01", 4, ADDRESS_KIND_FIXED},
        {"2001:db8::5", "vpc-1", "02:00:00:00:00:01", 6, ADDRESS_KIND_FIXED},
        {"10.1.0.7", "vpc-2", "02:00:00:00:00:02", 4, ADDRESS_KIND_FIXED},
        {"198.51.100.7", "vpc-2", "02:00:00:00:00:02", 4, ADDRESS_KIND_PUBLIC},
    };
    const pb_Vm *vm = one(full);

    (void)state;
    assert_int_equal(vm->n_addresses, ARRAY_LEN(rows));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_string_equal(vm->addresses[i]->ip, rows[i].ip);
        assert_string_equal(vm->addresses[i]->network_id, rows[i].network);
        assert_string_equal(vm->addresses[i]->mac, rows[i].mac);
        assert_int_equal(vm->addresses[i]->ip_version, rows[i].version);
        assert_int_equal(vm->addresses[i]->kind, rows[i].kind);
    }
}

static void test_native(void **state)
{
    static const struct {
        const char *key, *value;
    } rows[] = {
        {"isobar-token", "t-1"},
        {"launchTime", "2026-11-22T12:00:00.000Z"},
        {"stateReason.code", "Server.ScheduledStop"},
        {"placement.tenancy", "dedicated"},
        {"placement.partitionNumber", "3"},
        {"productCodes.1.type", "marketplace"},
        {"instanceLifecycle", "spot"},
        {"networkInterfaceSet.1.networkInterfaceId", "eni-1"},
        {"networkInterfaceSet.1.attachment.attachmentId", "eni-attach-1"},
        {"networkInterfaceSet.1.association.ipOwnerId", "amazon"},
        {"networkInterfaceSet.2.groupSet.1.groupId", "sg-2"},
        {"blockDeviceMapping.2.deviceName", "/dev/sdf"},
        {"hibernationOptions.configured", "true"},
        {"metadataOptions.httpTokens", "required"},
        {"licenseSet.1.licenseConfigurationArn", "arn:l"},
        {"reservationId", "r-1"},
        {"ownerId", "111122223333"},
        {"requesterId", "222"},
        /* In a field of the message, or nobody knows it. */
        {"instanceId", NULL},
        {"placement.availabilityZone", NULL},
        {"groupSet.1.groupName", NULL},
        {"networkInterfaceSet.1.macAddress", NULL},
        {"tag:Name", NULL},
        {"somethingNew.deep", NULL},
    };
    const pb_Vm *vm = one(full);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *got = native(vm, rows[i].key);
        if ((got == NULL) != (rows[i].value == NULL) ||
            (got != NULL && strcmp(got, rows[i].value) != 0))
            fail_msg("%s: %s", rows[i].key, got != NULL ? got : "absent");
    }
}

/* Some machines of an answer are none. */
static void test_hostile(void **state)
{
    (void)state;
    assert_int_equal(instances("<R><reservationSet/></R>").n, 0);
    assert_int_equal(instances("<R/>").n, 0);
    assert_int_equal(instances("<R><reservationSet><item/><item><instancesSet/></item><item>"
                               "<instancesSet><item/><item><instanceId/></item><item>"
                               "<imageId>x</imageId></item></instancesSet></item>"
                               "</reservationSet></R>")
                         .n,
                     0);
    const pb_Vm *vm = one(RESERVATION("<instanceId>i-1</instanceId>"));
    assert_int_equal(vm->state, VM_STATE_UNKNOWN);
    assert_string_equal(vm->name, "");
    assert_null(vm->created_at);
    assert_int_equal(vm->n_addresses, 0);
    vm = one(RESERVATION(
        "<instanceId>i-1</instanceId><cpuOptions><coreCount>9223372036854775807</coreCount>"
        "<threadsPerCore>2</threadsPerCore></cpuOptions><launchTime>yesterday</launchTime>"
        "<groupSet><item/><item><groupName/></item></groupSet><tagSet><item><value>x</value></item>"
        "<item><key>k</key></item><item/></tagSet><networkInterfaceSet><item/><item>"
        "<privateIpAddressesSet><item/><item><privateIpAddress/></item></privateIpAddressesSet>"
        "<attachment><deviceIndex>99999999999999999999</deviceIndex></attachment></item>"
        "</networkInterfaceSet><blockDeviceMapping><item/><item><ebs/></item></"
        "blockDeviceMapping>"));
    assert_int_equal(vm->vcpus, 0);
    assert_null(vm->created_at);
    assert_int_equal(vm->n_addresses, 0);
    assert_int_equal(vm->n_volumes, 0);
    assert_int_equal(vm->n_tags, 1);
    vm = one(RESERVATION("<instanceId>i-1</instanceId><cpuOptions><coreCount>-2</coreCount>"
                         "<threadsPerCore>2</threadsPerCore></cpuOptions><ipAddress>1.2.3.4"
                         "</ipAddress><ipv6Address>::1</ipv6Address>"));
    assert_int_equal(vm->vcpus, 0);
    assert_int_equal(vm->n_addresses, 2);
    assert_int_equal(vm->addresses[1]->ip_version, 6);
}

/* ---- Other kinds ---- */

static void *message_of(const struct aws_kind *kind, const char *set, const char *item)
{
    struct aws_page page = {0};
    char why[160];
    const char *xml =
        arena_printf(&arena, "<R><%s><item/><item>%s</item></%s></R>", set, item, set);

    if (!xml_parse(&arena, xml, strlen(xml), kind->page, &page, why))
        fail_msg("%s", why);
    aws_complete(&arena, kind, &page.items);
    assert_int_equal(page.items.n, 1); /* what has no id is left out */
    void *message = kind->message(&adapter, &arena, page.items.items);
    assert_non_null(message);
    return message;
}

static void test_types(void **state)
{
    const pb_Flavor *f = message_of(
        &aws_type_kind, "instanceTypeSet",
        "<instanceType>p4d.24xlarge</instanceType><processorInfo><supportedArchitectures><item>"
        "i386</item><item>x86_64</item></supportedArchitectures></processorInfo><vCpuInfo>"
        "<defaultVCpus>96</defaultVCpus></vCpuInfo><memoryInfo><sizeInMiB>1179648</sizeInMiB>"
        "</memoryInfo><instanceStorageInfo><totalSizeInGB>8000</totalSizeInGB>"
        "</instanceStorageInfo><gpuInfo><gpus><item><name>A100</name><count>8</count></item><item>"
        "<count>1</count></item></gpus></gpuInfo>");

    (void)state;
    assert_string_equal(f->id, "p4d.24xlarge");
    assert_string_equal(f->name, "p4d.24xlarge");
    assert_int_equal(f->vcpus, 96);
    assert_int_equal(f->memory_mib, 1179648);
    assert_int_equal(f->ephemeral_gib, 7450);
    assert_int_equal(f->gpus, 9);
    assert_string_equal(f->architecture, "i386, x86_64");
    f = message_of(&aws_type_kind, "instanceTypeSet",
                   "<instanceType>x</instanceType><vCpuInfo><defaultVCpus>4294967296</defaultVCpus>"
                   "</vCpuInfo><memoryInfo><sizeInMiB>-1</sizeInMiB></memoryInfo>"
                   "<instanceStorageInfo><totalSizeInGB>99999999999999999999</totalSizeInGB>"
                   "</instanceStorageInfo><gpuInfo><gpus><item><count>many</count></item></gpus>"
                   "</gpuInfo>");
    assert_int_equal(f->vcpus, 0);
    assert_int_equal(f->memory_mib, 0);
    assert_int_equal(f->ephemeral_gib, 0);
    assert_int_equal(f->gpus, 0);
}

static void test_images(void **state)
{
    static const struct {
        const char *more, *os_type, *visibility;
    } rows[] = {
        {"<isPublic>true</isPublic><platform>windows</platform>", "windows", "public"},
        {"<isPublic>false</isPublic><architecture>arm64_mac</architecture>", "macos", "shared"},
        {"<architecture>_mac</architecture>", "linux", "shared"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const pb_Image *image =
            message_of(&aws_image_kind, "imagesSet",
                       arena_printf(&arena,
                                    "<imageId>ami-1</imageId>%s<rootDeviceName>/dev/a"
                                    "</rootDeviceName><blockDeviceMapping><item/><item><deviceName>"
                                    "/dev/a</deviceName></item></blockDeviceMapping><tagSet><item>"
                                    "<key>Name</key><value>tagged</value></item></tagSet>",
                                    rows[i].more));
        assert_string_equal(image->os_type, rows[i].os_type);
        assert_string_equal(image->visibility, rows[i].visibility);
        assert_string_equal(image->name, ""); /* its tag is not its name */
        assert_string_equal(image->tags[0], "Name=tagged");
        assert_int_equal(image->min_disk_gib, 0);
    }
    const pb_Image *own = message_of(&aws_own_image_kind, "imagesSet", "<imageId>ami-1</imageId>");
    assert_string_equal(own->visibility, "private");
}

static void test_rules(void **state)
{
    const pb_SecurityGroup *g = message_of(
        &aws_group_kind, "securityGroupInfo",
        "<groupId>sg-1</groupId><groupName>web</groupName><ipPermissions><item><ipProtocol>-1"
        "</ipProtocol><groups><item><groupId>sg-2</groupId></item></groups><ipRanges><item><cidrIp>"
        "10.0.0.0/8</cidrIp><description>inside</description></item></ipRanges><ipv6Ranges><item>"
        "<cidrIpv6>::/0</cidrIpv6></item></ipv6Ranges><prefixListIds><item><prefixListId>pl-1"
        "</prefixListId></item></prefixListIds></item></ipPermissions><ipPermissionsEgress><item>"
        "<ipProtocol>icmp</ipProtocol><fromPort>-1</fromPort><toPort>-1</toPort><ipRanges><item>"
        "<cidrIp>0.0.0.0/0</cidrIp></item></ipRanges></item><item/></ipPermissionsEgress>");

    (void)state;
    assert_int_equal(g->n_rules, 5);
    assert_string_equal(g->rules[0]->protocol, "");
    assert_string_equal(g->rules[0]->remote_cidr, "10.0.0.0/8");
    assert_int_equal(g->rules[1]->ip_version, 6);
    assert_string_equal(g->rules[2]->remote_group_id, "pl-1");
    assert_string_equal(g->rules[3]->remote_group_id, "sg-2");
    assert_string_equal(g->rules[4]->direction, "egress");
    assert_string_equal(g->rules[4]->protocol, "icmp");
    assert_int_equal(g->rules[4]->port_max, 0);
}

static void test_subnets(void **state)
{
    const pb_Subnet *s = message_of(
        &aws_subnet_kind, "subnetSet",
        "<subnetId>subnet-1</subnetId><vpcId>vpc-1</vpcId><ipv6CidrBlockAssociationSet><item>"
        "<ipv6CidrBlock>2001:db8::/64</ipv6CidrBlock><ipv6CidrBlockState><state>associated</state>"
        "</ipv6CidrBlockState></item></ipv6CidrBlockAssociationSet>");

    (void)state;
    assert_string_equal(s->cidr, "2001:db8::/64");
    assert_int_equal(s->ip_version, 6);
    s = message_of(&aws_subnet_kind, "subnetSet", "<subnetId>subnet-1</subnetId>");
    assert_string_equal(s->cidr, "");
    assert_string_equal(s->network_id, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields), cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_native), cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_types),  cmocka_unit_test(test_images),
        cmocka_unit_test(test_rules),  cmocka_unit_test(test_subnets),
    };

    return cmocka_run_group_tests(tests, arena_set_up, arena_tear_down);
}
