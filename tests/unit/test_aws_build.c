/* What is sent to make machines and to change them, and what is wrong before anything is sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "aws_actions.h"
#include "aws_eni.h"
#include "aws_marks.h"

static struct arena arena;
static struct op op;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, (size_t)4 << 20);
    op = (struct op){.arena = &arena, .token = "t1", .result = result_new(&arena)};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

static char *own(const char *text)
{
    return arena_strdup(&arena, text);
}

static pb_VmSpec *spec(void)
{
    pb_VmSpec *s = arena_message(&arena, &pb_VmSpec_desc);

    s->name = own("web 1");
    return s;
}

static void parameter(pb_VmSpec *s, const char *name, const char *value)
{
    pb_VmSpec_ParametersEntry *e = arena_message(&arena, &pb_VmSpec_ParametersEntry_desc);
    pb_VmSpec_ParametersEntry **all = arena_array(&arena, s->n_parameters + 1, sizeof(*all));

    e->key = own(name);
    e->value = own(value);
    for (size_t i = 0; i < s->n_parameters; i++)
        all[i] = s->parameters[i];
    all[s->n_parameters++] = e;
    s->parameters = all;
}

static void tag(pb_VmSpec *s, const char *key, const char *value)
{
    pb_VmSpec_TagsEntry *e = arena_message(&arena, &pb_VmSpec_TagsEntry_desc);
    pb_VmSpec_TagsEntry **all = arena_array(&arena, s->n_tags + 1, sizeof(*all));

    e->key = own(key);
    e->value = own(value);
    for (size_t i = 0; i < s->n_tags; i++)
        all[i] = s->tags[i];
    all[s->n_tags++] = e;
    s->tags = all;
}

static struct aws_plan plan(const pb_VmSpec *s)
{
    static const char *groups[] = {"sg-1", "sg-2"};

    return (struct aws_plan){
        .spec = s,
        .token = "t1",
        .image = {.thing = {.id = "ami-1"}, .root_device = "/dev/xvda"},
        .type = {.thing = {.id = "t3.micro", .name = "t3.micro"}},
        .subnet = {.thing = {.id = "subnet-1"}},
        .n_groups = 2,
        .groups = groups,
    };
}

static const char *text(const struct aws_query *q)
{
    return arena_strndup(&arena, q->body, q->len);
}

static const char *run(const struct aws_plan *p, const char *eni_id, bool dry_run)
{
    struct aws_query q;

    aws_build_run(&q, &arena, p, eni_id, dry_run);
    assert_int_equal(q.flags, dry_run ? SEND_READ : SEND_IDEMPOTENT);
    return text(&q);
}

static void has(const char *where, const char *what)
{
    if (strstr(where, what) == NULL)
        fail_msg("no %s in %s", what, where);
}

static void has_not(const char *where, const char *what)
{
    if (strstr(where, what) != NULL)
        fail_msg("there is %s in %s", what, where);
}

#define BEGIN                                                                                      \
    "Action=RunInstances&Version=2016-11-15&ClientToken=t1&MinCount=1&MaxCount=1&ImageId=ami-1"    \
    "&InstanceType=t3.micro"
#define NETWORK                                                                                    \
    "&NetworkInterface.1.DeviceIndex=0&NetworkInterface.1.SubnetId=subnet-1"                       \
    "&NetworkInterface.1.SecurityGroupId.1=sg-1&NetworkInterface.1.SecurityGroupId.2=sg-2"
#define TAG(spec_, n_, key_, value_)                                                               \
    "&TagSpecification." spec_ ".Tag." n_ ".Key=" key_ "&TagSpecification." spec_ ".Tag." n_       \
    ".Value=" value_
#define TAGS                                                                                       \
    "&TagSpecification.1.ResourceType=instance" TAG("1", "1", "Name", "web%201")                   \
        TAG("1", "2", "isobar-token",                                                              \
            "t1") "&TagSpecification.2.ResourceType=volume" TAG("2", "1", "Name", "web%201")

/* The same each time: EC2 takes an order that is sent again for the one that it was. */
static void test_the_plainest(void **state)
{
    (void)state;
    struct aws_plan p = plan(spec());

    for (int i = 0; i < 2; i++)
        assert_string_equal(run(&p, NULL, false),
                            BEGIN NETWORK "&NetworkInterface.1.DeleteOnTermination=true" TAGS);
}

static void test_network(void **state)
{
    (void)state;
    pb_VmSpec *s = spec();
    struct aws_plan p = plan(s);
    static const char flag[] = "AssociatePublicIpAddress";

    parameter(s, "private_ip", "10.0.0.7");
    parameter(s, "ipv6_address_count", "2");
    has_not(run(&p, NULL, false), flag);
    p.public_ip = AWS_PUBLIC_NONE;
    has(run(&p, NULL, false), "&NetworkInterface.1.AssociatePublicIpAddress=false");
    p.public_ip = AWS_PUBLIC_DYNAMIC;
    const char *query = run(&p, NULL, false);
    has(query, "&NetworkInterface.1.AssociatePublicIpAddress=true");
    has(query, "&NetworkInterface.1.PrivateIpAddress=10.0.0.7");
    has(query, "&NetworkInterface.1.Ipv6AddressCount=2");
    /* On an interface nothing else may be said of the network. */
    p.public_ip = AWS_PUBLIC_STATIC;
    assert_string_equal(run(&p, "eni-1", false),
                        BEGIN "&NetworkInterface.1.DeviceIndex=0"
                              "&NetworkInterface.1.NetworkInterfaceId=eni-1" TAGS);
    /* EC2 is to choose the zone. */
    p.subnet.thing.id = NULL;
    p.public_ip = AWS_PUBLIC_NONE;
    has_not(run(&p, NULL, false), "SubnetId");
    p.public_ip = AWS_PUBLIC_UNSAID;
    assert_string_equal(run(&p, NULL, false), BEGIN "&SecurityGroupId.1=sg-1&SecurityGroupId.2=sg-2"
                                                    "&Ipv6AddressCount=2" TAGS);
    struct aws_query q;
    p.subnet.thing.id = "subnet-1";
    aws_build_eni(&q, &arena, &p);
    assert_string_equal(text(&q),
                        "Action=CreateNetworkInterface&Version=2016-11-15&ClientToken=t1"
                        "&Description=made%20by%20isobar%20for%20a%20machine&SubnetId=subnet-1"
                        "&SecurityGroupId.1=sg-1&SecurityGroupId.2=sg-2&PrivateIpAddress=10.0.0.7"
                        "&Ipv6AddressCount=2&TagSpecification.1.ResourceType=network-interface" TAG(
                            "1", "1", "Name", "web%201") TAG("1", "2", "isobar-token", "t1"));
    assert_int_equal(q.flags, SEND_IDEMPOTENT);
}

/* What is made without a ClientToken may not be sent again blindly; what is never to be taken from
 * others says so. */
static void test_addresses(void **state)
{
    (void)state;
    struct aws_query q;

    aws_build_address(&q, &arena, "web", "t1");
    assert_int_equal(q.flags, 0);
    has(text(&q), "Domain=vpc&TagSpecification.1.ResourceType=elastic-ip" TAG(
                      "1", "1", "Name", "web") TAG("1", "2", "isobar-token", "t1"));
    aws_build_address_put(&q, &arena, "eipalloc-1", "eni-1");
    assert_string_equal(text(&q),
                        "Action=AssociateAddress&Version=2016-11-15&AllocationId=eipalloc-1"
                        "&NetworkInterfaceId=eni-1&AllowReassociation=false");
}

static void test_dry_run(void **state)
{
    (void)state;
    struct aws_plan p = plan(spec());

    p.token = "";
    p.public_ip = AWS_PUBLIC_STATIC;
    const char *query = run(&p, NULL, true);
    static const char *const none[] = {"ClientToken", "isobar-token", "Associate"};
    has(query, "&DryRun=true");
    for (size_t i = 0; i < ARRAY_LEN(none); i++)
        has_not(query, none[i]);
}

static void test_tags_and_disks(void **state)
{
    (void)state;
    pb_VmSpec *s = spec();
    struct aws_plan p = plan(s);
    pb_VolumeSpec *v = arena_message(&arena, &pb_VolumeSpec_desc);
    struct aws_plan_volume volume = {v, "/dev/sdf"};

    v->size_gib = 7;
    v->keep = true;
    p.n_volumes = 1;
    p.volumes = &volume;
    tag(s, "a&b", "=");
    const char *query = run(&p, NULL, false);
    has(query, "&BlockDeviceMapping.1.DeviceName=%2Fdev%2Fsdf&BlockDeviceMapping.1.Ebs.VolumeSize=7"
               "&BlockDeviceMapping.1.Ebs.DeleteOnTermination=false&Tag");
    has(query, TAG("1", "1", "Name", "web%201") TAG("1", "2", "a%26b", "%3D")
                   TAG("1", "3", "isobar-token", "t1"));
    parameter(s, "volume_size_gib", "20");
    parameter(s, "volume_type", "gp3");
    query = run(&p, NULL, false);
    has(query, "&BlockDeviceMapping.1.DeviceName=%2Fdev%2Fxvda&BlockDeviceMapping.1.Ebs.VolumeSize="
               "20&BlockDeviceMapping.1.Ebs.VolumeType=gp3&BlockDeviceMapping.2.DeviceName=%2Fdev%2"
               "Fsdf");
    has_not(query, "BlockDeviceMapping.1.Ebs.DeleteOnTermination"); /* as the image has it */
}

static void test_templates(void **state)
{
    (void)state;
    static const struct {
        const char *given, *wanted;
    } rows[] = {
        {"web", "&LaunchTemplate.LaunchTemplateName=web&Net"},
        {"web:$Latest",
         "&LaunchTemplate.LaunchTemplateName=web&LaunchTemplate.Version=%24Latest&N"},
        {"lt-0123", "&LaunchTemplate.LaunchTemplateId=lt-0123&Net"},
        {"lt-0123:7", "&LaunchTemplate.LaunchTemplateId=lt-0123&LaunchTemplate.Version=7&Net"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        pb_VmSpec *s = spec();
        const struct aws_plan p = plan(s);
        parameter(s, "launch_template", rows[i].given);
        has(run(&p, NULL, false), rows[i].wanted);
    }
}

/* ---- What is wrong by itself ---- */

static void check(const pb_VmSpec *s, size_t violations)
{
    op.result = result_new(&arena);
    assert_int_equal(aws_check_spec(&op, s),
                     violations == 0 ? RESULT_CODE_OK : RESULT_CODE_BAD_REQUEST_DATA);
    assert_int_equal(op.result->n_violations, violations);
}

static void test_specifications(void **state)
{
    (void)state;
    pb_VmSpec *s = spec();

    check(s, 0);
    s->instance_count = 1;
    check(s, 0);
    s->instance_count = 2;
    check(s, 1);
    tag(s, "aWs:x", "");
    tag(s, AWS_TOKEN_KEY, "t2");
    tag(s, "Name", "x");
    tag(s, "", "x");
    tag(s, "fine", "");
    check(s, 5);
    s = spec();
    s->user_data.data = arena_alloc(&arena, 16385);
    s->user_data.len = 16384;
    check(s, 0);
    s->user_data.len = 16385;
    check(s, 1);
    s = spec();
    parameter(s, "spot_interruption", "stop");
    check(s, 1);
    parameter(s, "market", "spot");
    check(s, 0);
    parameter(s, "volume_iops", "-3");
    parameter(s, "launch_template", "web:");
    check(s, 2);
}

static void test_public_ip(void **state)
{
    (void)state;
    static const struct {
        const char *type, *ip;
        enum aws_public_ip wanted;
        size_t violations;
    } rows[] = {
        {"", "", AWS_PUBLIC_UNSAID, 0},         {"", "192.0.2.1", AWS_PUBLIC_STATIC, 0},
        {"none", "", AWS_PUBLIC_NONE, 0},       {"none", "192.0.2.1", AWS_PUBLIC_NONE, 1},
        {"dynamic", "", AWS_PUBLIC_DYNAMIC, 0}, {"dynamic", "192.0.2.1", AWS_PUBLIC_DYNAMIC, 1},
        {"static", "", AWS_PUBLIC_STATIC, 0},   {"static", "192.0.2.1", AWS_PUBLIC_STATIC, 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        pb_VmSpec *s = spec();
        s->public_ip_type = own(rows[i].type);
        s->public_ip = own(rows[i].ip);
        assert_int_equal(aws_public_ip(s), rows[i].wanted);
        check(s, rows[i].violations);
    }
}

/* ---- Actions ---- */

static void test_actions(void **state)
{
    (void)state;
    static const struct aws_action *const actions[] = {&aws_start, &aws_stop, &aws_reboot,
                                                       &aws_suspend, &aws_resume};
    static const char hibernated[] = "Client.UserInitiatedHibernate";
    /* In the order of the actions: o order, d done, r refused. */
    static const struct {
        const char *state, *reason, *hibernation, *wanted;
    } rows[] = {
        {"running", NULL, "true", "ooood"},       {"running", NULL, "false", "ooord"},
        {"running", NULL, NULL, "ooord"},         {"stopped", NULL, "true", "ooorr"},
        {"stopped", hibernated, "true", "orodo"}, {"stopping", hibernated, "true", "orodo"},
        {"stopping", NULL, "true", "ooorr"},      {"pending", NULL, "true", "ooooo"},
        {"shutting-down", NULL, "true", "rrrrr"}, {"terminated", NULL, "true", "rrrrr"},
        {"dreaming", NULL, "true", "ooooo"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (size_t k = 0; k < ARRAY_LEN(actions); k++) {
            const struct aws_instance it = {.thing = {.id = "i-1", .name = "web"},
                                            .state = {.name = rows[i].state},
                                            .state_reason = {.code = rows[i].reason},
                                            .hibernation = rows[i].hibernation};
            pb_ResultCode code = aws_action_judge(&op, actions[k], &it);
            char said = code == RESULT_CODE_OK ? 'o' : code == RESULT_CODE_CHANGED ? 'd' : 'r';
            if (said != rows[i].wanted[k])
                fail_msg("%s in %s (%s): %c, not %c", actions[k]->name, rows[i].state,
                         rows[i].hibernation, said, rows[i].wanted[k]);
        }
    }
    struct aws_query q;
    aws_build_action(&q, &arena, &aws_suspend, "i-1", false);
    assert_string_equal(text(&q), "Action=StopInstances&Version=2016-11-15&InstanceId.1=i-1"
                                  "&Hibernate=true");
    aws_build_action(&q, &arena, &aws_reboot, "i-1", true);
    has(text(&q), "Action=RebootInstances&Version=2016-11-15&InstanceId.1=i-1&DryRun=true");
    assert_int_equal(q.flags, SEND_READ);
    assert_int_equal(aws_reboot.flags, 0); /* twice is not once */
}

/* ---- Marks ---- */

static void test_marks(void **state)
{
    (void)state;
    struct shape_pair pair = {AWS_TOKEN_KEY, "t1"};
    struct aws_instance i = {.thing = {.id = "i-1", .tags = {1, &pair}}};

    /* An EC2 that has no ClientTokens. */
    assert_true(aws_instance_is_ours(&i, "t1"));
    assert_false(aws_instance_is_ours(&i, "t2"));
    assert_string_equal(aws_instance_token(&i), "t1");
    i.client_token = "t1";
    assert_true(aws_instance_is_ours(&i, "t1"));
    /* A copy, with its tags, of one of ours. */
    i.client_token = "other";
    assert_false(aws_instance_is_ours(&i, "t1"));
    assert_null(aws_instance_token(&i));
    /* Somebody has taken the tag away. */
    i.client_token = "t1";
    i.thing.tags.n = 0;
    assert_true(aws_instance_is_ours(&i, "t1"));
}

int main(void)
{
#define TEST(name_) cmocka_unit_test_setup_teardown(name_, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_the_plainest),   TEST(test_network),   TEST(test_addresses),
        TEST(test_dry_run),        TEST(test_templates), TEST(test_tags_and_disks),
        TEST(test_specifications), TEST(test_public_ip), TEST(test_actions),
        TEST(test_marks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
