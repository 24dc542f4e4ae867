/* What tests of making and deleting machines on EC2 share: an account with just one of everything
 * that is to be chosen, in which everything works, and the operation "t1".
 */
#ifndef ISOBAR_TESTS_EC2_CREATE_H
#define ISOBAR_TESTS_EC2_CREATE_H

#include "ec2_stub.h"

#define DO(action_)    "Action=" action_ "&Version=2016-11-15"
#define BY(n_, f_, v_) "&Filter." n_ ".Name=" f_ "&Filter." n_ ".Value.1=" v_
#define ID             "i-00000000000000001"

#define TAG(key_, value_)  "<item><key>" key_ "</key><value>" value_ "</value></item>"
#define TOKEN_TAGS(token_) "<tagSet>" TAG("Name", "web") TAG("isobar-token", token_) "</tagSet>"
#define MACHINE(id_, client_token_, state_, more_)                                                 \
    "<item><instanceId>" id_                                                                       \
    "</instanceId><imageId>ami-00000001</imageId><instanceState><name>" state_                     \
    "</name></instanceState><instanceType>t3.micro</instanceType><clientToken>" client_token_      \
    "</clientToken>" TOKEN_TAGS("t1") more_ "</item>"
#define RESERVATIONS(machines_)                                                                    \
    EC2("DescribeInstances", "<reservationSet><item><reservationId>r-1</reservationId>"            \
                             "<instancesSet>" machines_ "</instancesSet></item></reservationSet>")
#define ENI_NIC(more_)                                                                             \
    "<networkInterfaceSet><item><networkInterfaceId>eni-1</networkInterfaceId><description>made "  \
    "by isobar for a machine</description><attachment><attachmentId>att-1</attachmentId>"          \
    "<deleteOnTermination>false</deleteOnTermination></attachment></item></"                       \
    "networkInterfaceSet>" more_
#define ENI(id_, token_, more_)                                                                    \
    "<item><networkInterfaceId>" id_ "</networkInterfaceId><status>available</status>" more_       \
    TOKEN_TAGS(token_) "</item>"
#define ATTACHED(id_)                                                                              \
    "<attachment><attachmentId>att-1</attachmentId><instanceId>" id_                               \
    "</instanceId><deleteOnTermination>false</deleteOnTermination></attachment>"
#define ENIS(items_)                                                                               \
    EC2("DescribeNetworkInterfaces", "<networkInterfaceSet>" items_ "</networkInterfaceSet>")
#define ADDRESS(id_, token_, more_)                                                                \
    "<item><allocationId>" id_ "</allocationId><publicIp>192.0.2.1</publicIp>" more_ TOKEN_TAGS(   \
        token_) "</item>"
#define ON(eni_)                                                                                   \
    "<associationId>assoc-1</associationId><networkInterfaceId>" eni_ "</networkInterfaceId>"
#define ADDRESSES(items_) EC2("DescribeAddresses", "<addressesSet>" items_ "</addressesSet>")

#define BY_TOKEN      BY("1", "client-token", "t1")
#define BY_TAG        BY("1", "tag%3Aisobar-token", "t1")
#define LIST_ENIS     DO("DescribeNetworkInterfaces") BY_TAG
#define LIST_ADDRS    DO("DescribeAddresses") BY_TAG
#define LIST_MACHINES DO("DescribeInstances") BY_TOKEN
#define LIST_TAGGED   DO("DescribeInstances") BY_TAG
#define SHOW          DO("DescribeInstances") BY("1", "instance-id", ID)
#define RUN           DO("RunInstances")
#define TERMINATE     DO("TerminateInstances")
#define DONE          EC2("X", "<return>true</return>")

UNUSED static struct cloud cloud;

UNUSED static int create_setup(void **state)
{
    (void)state;
    cloud_start(&cloud);
    CLOUD_ROWS(
        &cloud,
        {DO("DescribeInstanceTypes"), ALWAYS, 200,
         EC2("DescribeInstanceTypes",
             "<instanceTypeSet><item><instanceType>t3.micro</instanceType><processorInfo>"
             "<supportedArchitectures><item>x86_64</item></supportedArchitectures></processorInfo>"
             "</item></instanceTypeSet>")},
        {DO("DescribeImages"), ALWAYS, 200,
         EC2("DescribeImages",
             "<imagesSet><item><imageId>ami-00000001</imageId><name>debian</"
             "name><imageState>available"
             "</imageState><architecture>x86_64</architecture><rootDeviceName>/dev/xvda"
             "</rootDeviceName></item></imagesSet>")},
        {DO("DescribeKeyPairs"), ALWAYS, 200,
         EC2("DescribeKeyPairs", "<keySet><item><keyPairId>key-1</keyPairId><keyName>key</keyName>"
                                 "</item></keySet>")},
        {DO("DescribeSubnets"), ALWAYS, 200,
         EC2("DescribeSubnets", "<subnetSet><item><subnetId>subnet-1</subnetId><vpcId>vpc-1</vpcId>"
                                "</item></subnetSet>")},
        {DO("DescribeSecurityGroups"), ALWAYS, 200,
         EC2("DescribeSecurityGroups",
             "<securityGroupInfo><item><groupId>sg-1</groupId><groupName>default</groupName><vpcId>"
             "vpc-1</vpcId></item></securityGroupInfo>")},
        {DO("DescribeVpcs"), ALWAYS, 200, EC2("DescribeVpcs", "<vpcSet/>")},
        {DO("CreateNetworkInterface"), ALWAYS, 200,
         EC2("CreateNetworkInterface", "<networkInterface><networkInterfaceId>eni-1</"
                                       "networkInterfaceId></networkInterface>")},
        {DO("AllocateAddress"), ALWAYS, 200,
         EC2("AllocateAddress", "<allocationId>eipalloc-1</allocationId><publicIp>192.0.2.1"
                                "</publicIp>")},
        {RUN, ALWAYS, 200,
         EC2("RunInstances", "<reservationId>r-1</reservationId><instancesSet>" MACHINE(
                                 ID, "t1", "pending", ENI_NIC("")) "</instancesSet>")},
        {SHOW, ALWAYS, 200, RESERVATIONS(MACHINE(ID, "t1", "running", ENI_NIC("")))},
        {TERMINATE, ALWAYS, 200,
         EC2("TerminateInstances", "<instancesSet><item><instanceId>" ID
                                   "</instanceId><currentState><name>shutting-down</name>"
                                   "</currentState></item></instancesSet>")},
        {LIST_MACHINES, ALWAYS, 200, RESERVATIONS("")},
        {LIST_TAGGED, ALWAYS, 200, RESERVATIONS("")}, {LIST_ENIS, ALWAYS, 200, ENIS("")},
        {LIST_ADDRS, ALWAYS, 200, ADDRESSES("")},
        {DO("AssociateAddress"), ALWAYS, 200,
         EC2("AssociateAddress", "<associationId>assoc-1</associationId>")},
        {DO("DisassociateAddress"), ALWAYS, 200, DONE}, {DO("ReleaseAddress"), ALWAYS, 200, DONE},
        {DO("DeleteNetworkInterface"), ALWAYS, 200, DONE},
        {DO("ModifyNetworkInterfaceAttribute"), ALWAYS, 200, DONE});
    return 0;
}

UNUSED static int create_teardown(void **state)
{
    (void)state;
    cloud_stop(&cloud);
    return 0;
}

UNUSED static pb_VmSpec *spec(void)
{
    cloud_op(&cloud);
    pb_VmSpec *s = arena_message(&cloud.arena, &pb_VmSpec_desc);
    s->name = arena_strdup(&cloud.arena, "web");
    s->flavor_name = arena_strdup(&cloud.arena, "t3.micro");
    s->image_id = arena_strdup(&cloud.arena, "ami-00000001");
    return s;
}

UNUSED static pb_VmSpec *spec_static(void)
{
    pb_VmSpec *s = spec();
    s->public_ip_type = arena_strdup(&cloud.arena, "static");
    return s;
}

UNUSED static void effects(pb_SideEffects wanted)
{
    if (cloud.op.result->side_effects != wanted)
        fail_msg("side effects %d, not %d", (int)cloud.op.result->side_effects, (int)wanted);
}

/* Make it; the test fails where the code is not the wanted one. */
UNUSED static pb_Vm *create(pb_VmSpec *s, pb_ResultCode wanted)
{
    pb_CreateVmRequest req = pb_CreateVmRequest_INIT;
    pb_CreateVmResponse rsp = pb_CreateVmResponse_INIT;
    req.spec = s;
    cloud_code(&cloud, aws_adapter.create_vm(cloud.adapter, &cloud.op, &req, &rsp), wanted);
    return rsp.vm;
}

/* How often each of these was ordered. */
UNUSED static void ordered(size_t machines, size_t interfaces, size_t addresses, size_t deleted)
{
    size_t have[] = {cloud_count(&cloud, RUN), cloud_count(&cloud, DO("CreateNetworkInterface")),
                     cloud_count(&cloud, DO("AllocateAddress")),
                     cloud_count(&cloud, DO("DeleteNetworkInterface")) +
                         cloud_count(&cloud, DO("ReleaseAddress")) +
                         cloud_count(&cloud, TERMINATE)};
    size_t wanted[] = {machines, interfaces, addresses, deleted};
    for (size_t i = 0; i < ARRAY_LEN(have); i++)
        if (have[i] != wanted[i])
            fail_msg("%zu, not %zu, of the orders %zu in\n%s", have[i], wanted[i], i, cloud.log);
}

#define IN_ORDER(...)                                                                              \
    do {                                                                                           \
        static const char *const order_[] = {__VA_ARGS__};                                         \
        cloud_order(&cloud, order_, ARRAY_LEN(order_));                                            \
    } while (0)

#endif
