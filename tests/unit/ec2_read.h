/* A small EC2 for tests of what is read: a machine, and what it refers to. */
#ifndef ISOBAR_TESTS_EC2_READ_H
#define ISOBAR_TESTS_EC2_READ_H

#include "ec2_stub.h"

#define ID1 "i-00000000000000001"
#define ID2 "i-00000000000000002"

#define DO(action_) "Action=" action_ "&Version=2016-11-15"
#define MACHINE(id_, name_)                                                                        \
    "<item><instancesSet><item><instanceId>" id_ "</instanceId><imageId>ami-1</imageId>"           \
    "<instanceState><name>running</name></instanceState><instanceType>t3.micro</instanceType>"     \
    "<networkInterfaceSet><item><vpcId>vpc-1</vpcId><privateIpAddress>10.0.0.1</privateIpAddress>" \
    "</item></networkInterfaceSet><tagSet><item><key>Name</key><value>" name_                      \
    "</value></item></tagSet></item></instancesSet></item>"
#define MACHINES(items_, more_)                                                                    \
    EC2("DescribeInstances", "<reservationSet>" items_ "</reservationSet>" more_)
#define IMAGES                                                                                     \
    EC2("DescribeImages", "<imagesSet><item><imageId>ami-1</imageId><name>debian</name></item>"    \
                          "</imagesSet>")
#define VPCS                                                                                       \
    EC2("DescribeVpcs", "<vpcSet><item><vpcId>vpc-1</vpcId><tagSet><item><key>Name</key><value>"   \
                        "lan</value></item></tagSet></item></vpcSet>")
#define TYPES                                                                                      \
    EC2("DescribeInstanceTypes",                                                                   \
        "<instanceTypeSet><item><instanceType>t3.micro</instanceType><vCpuInfo><defaultVCpus>2"    \
        "</defaultVCpus></vCpuInfo><memoryInfo><sizeInMiB>1024</sizeInMiB></memoryInfo></item>"    \
        "</instanceTypeSet>")
#define BY_ID(id_)     "&Filter.1.Name=instance-id&Filter.1.Value.1=" id_
#define BY_NAME(name_) "&Filter.1.Name=tag%3AName&Filter.1.Value.1=" name_

static struct cloud cloud;

UNUSED static int setup(void **state)
{
    (void)state;
    cloud_start(&cloud);
    CLOUD_ROWS(&cloud,
               {DO("DescribeInstances") BY_ID(ID1) "&MaxResults=1000$", ALWAYS, 200,
                MACHINES(MACHINE(ID1, "web"), "")},
               {DO("DescribeImages"), ALWAYS, 200, IMAGES}, {DO("DescribeVpcs"), ALWAYS, 200, VPCS},
               {DO("DescribeInstanceTypes"), ALWAYS, 200, TYPES});
    return 0;
}

UNUSED static int teardown(void **state)
{
    (void)state;
    cloud_stop(&cloud);
    return 0;
}

#define TEST(name_) cmocka_unit_test_setup_teardown(name_, setup, teardown)

#endif
