/* What the Azure adapter reads beside machines, against a table of answers: networks, security
 * groups, sizes, locations and zones, images of all kinds.
 */
#include "azure_calls.h"

/* ---- Subnets ---- */

#define NET_ID GROUP("n") NETWORK "/virtualNetworks/net"
#define NET_BODY                                                                                   \
    "{\"id\":\"" NET_ID "\",\"name\":\"net\",\"properties\":{\"dhcpOptions\":{\"dnsServers\":["    \
    "\"10.0.0.2\",\"10.0.0.3\"]},\"subnets\":[{\"id\":\"" NET_ID "/subnets/a\",\"name\":\"a\","    \
    "\"properties\":{\"addressPrefixes\":[\"fd00::/64\",\"10.0.0.0/24\"],\"natGateway\":{\"id\":"  \
    "\"/nat\"},\"ipConfigurations\":[{\"id\":\"/x\"}]}},{\"id\":\"" NET_ID "/subnets/b\","         \
    "\"properties\":{\"addressPrefix\":\"10.0.1.0/24\",\"routeTable\":{\"id\":\"/rt\"}}}]}}"

static void test_subnets(void **state)
{
    pb_ListSubnetsResponse all;
    pb_GetSubnetResponse got;

    (void)state;
    CLOUD_ROWS(&cloud,
               {"GET " SUBSCRIPTION NETWORK "/virtualNetworks?", ALWAYS, 200, LIST(NET_BODY)},
               {"GET " NET_ID "?", ALWAYS, 200, NET_BODY});
    cloud_code(&cloud, LISTING(list_subnets, ListSubnets, LIST_SUBNETS, &all), RESULT_CODE_OK);
    assert_int_equal(all.n_subnets, 2);
    const pb_Subnet *s = all.subnets[0];
    assert_string_equal(s->cidr, "fd00::/64");
    assert_int_equal(s->ip_version, 6);
    assert_string_equal(s->network_id, NET_ID);
    assert_int_equal(s->n_dns_servers, 2);
    assert_int_equal(s->n_native, 2);
    assert_string_equal(s->native[0]->key, "addressPrefixes");
    assert_string_equal(s->native[1]->value, "/nat");
    assert_string_equal(all.subnets[1]->name, "b");
    assert_string_equal(all.subnets[1]->native[0]->value, "/rt");
    static const char *const ways[] = {"b", "B", "net/b", "n/net/b", NET_ID "/subnets/b"};
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        cloud_code(&cloud, CALL(get_subnet, GetSubnet, GET_SUBNET, ways[i], &got), RESULT_CODE_OK);
        assert_string_equal(got.subnet->id, NET_ID "/subnets/b");
        assert_int_equal(cloud_count(&cloud, "GET"), 1);
        assert_string_equal(got.subnet->dns_servers[1], "10.0.0.3");
    }
    static const char *const none[] = {
        "c", "net/c", "other/b", NET_ID "/subnets/c", NET_ID, NET_ID "x/subnets/b", "/x"};
    for (size_t i = 0; i < ARRAY_LEN(none); i++)
        cloud_code(&cloud, CALL(get_subnet, GetSubnet, GET_SUBNET, none[i], &got),
                   RESULT_CODE_NOT_FOUND);
}

/* ---- Security groups ---- */

#define RULE(more_)                                                                                \
    "{\"id\":\"/r\",\"properties\":{\"access\":\"Allow\",\"direction\":\"Inbound\",\"protocol\":"  \
    "\"Tcp\"" more_ "}}"
static const struct rule_row {
    const char *rule, *want; /* "direction protocol min-max cidr|group version;.." */
} rules[] = {
    {RULE(",\"sourceAddressPrefix\":\"*\",\"destinationPortRange\":\"22\""),
     "ingress tcp 22-22  0;"},
    {RULE(",\"sourceAddressPrefix\":\"Internet\",\"destinationPortRange\":\"*\""),
     "ingress tcp 0-0 @Internet 0;"},
    {RULE(",\"sourceAddressPrefix\":\"10.0.0.0/8\",\"destinationPortRange\":\"0-65535\""),
     "ingress tcp 0-0 10.0.0.0/8 4;"},
    {RULE(",\"sourceAddressPrefixes\":[\"::/0\",\"192.0.2.1\"],\"destinationPortRanges\":["
          "\"80\",\"90-99\"]"),
     "ingress tcp 80-80 ::/0 6;ingress tcp 90-99 ::/0 6;ingress tcp 80-80 192.0.2.1 4;ingress "
     "tcp 90-99 192.0.2.1 4;"},
    {RULE(",\"sourceApplicationSecurityGroups\":[{\"id\":\"/asg\"},{}],"
          "\"destinationPortRange\":\"1\",\"protocol\":\"*\""),
     "ingress  1-1 @/asg 0;"},
    {RULE(",\"direction\":\"Outbound\",\"destinationAddressPrefix\":\"fd00::/8\","
          "\"sourceAddressPrefix\":\"10.0.0.1\",\"destinationPortRange\":\"443\","
          "\"protocol\":\"Udp\""),
     "egress udp 443-443 fd00::/8 6;"},
    {RULE(",\"access\":\"Deny\",\"sourceAddressPrefix\":\"*\",\"destinationPortRange\":\"*\""), ""},
    {RULE(",\"sourceAddressPrefix\":\"*\""), ""},
    {RULE(",\"sourceAddressPrefix\":\"*\",\"destinationPortRange\":\"99999999999999\""),
     "ingress tcp 0-0  0;"},
    {"{}", ""},
};

static void test_rules(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        pb_ListSecurityGroupsResponse all;
        const struct cloud_row row = {
            "GET " SUBSCRIPTION NETWORK "/networkSecurityGroups", ALWAYS, 200,
            cloud_keep(&cloud, arena_printf(&cloud.kept,
                                            "{\"value\":[{\"id\":\"/g\",\"properties\":{"
                                            "\"defaultSecurityRules\":[{\"id\":\"/d\"}],"
                                            "\"securityRules\":[%s]}}]}",
                                            rules[i].rule))};
        cloud_rows(&cloud, &row, 1);
        cloud_code(&cloud,
                   LISTING(list_security_groups, ListSecurityGroups, LIST_SECURITY_GROUPS, &all),
                   RESULT_CODE_OK);
        cloud_drop_row(&cloud);
        const pb_SecurityGroup *g = all.security_groups[0];
        const char *got = "";
        for (size_t r = 0; r < g->n_rules; r++)
            got = arena_printf(&cloud.arena, "%s%s %s %u-%u %s%s%s %u;", got,
                               g->rules[r]->direction, g->rules[r]->protocol, g->rules[r]->port_min,
                               g->rules[r]->port_max, g->rules[r]->remote_cidr,
                               g->rules[r]->remote_group_id[0] != '\0' ? "@" : "",
                               g->rules[r]->remote_group_id, g->rules[r]->ip_version);
        assert_string_equal(got, rules[i].want);
        for (size_t n = 0; n < g->n_native; n++)
            assert_null(strstr(g->native[n]->key, "default"));
    }
}

/* ---- Sizes, locations, zones ---- */

static void test_sizes(void **state)
{
    pb_ListFlavorsResponse all;
    pb_GetFlavorResponse got;

    (void)state;
    CLOUD_ROWS(&cloud, {SIZES, ALWAYS, 200, SIZES_BODY});
    cloud_code(&cloud, LISTING(list_flavors, ListFlavors, LIST_FLAVORS, &all), RESULT_CODE_OK);
    assert_int_equal(all.n_flavors, 2);
    assert_int_equal(all.flavors[0]->ephemeral_gib, 4);
    assert_int_equal(all.flavors[1]->memory_mib, 99999999999999);
    assert_int_equal(all.flavors[1]->ephemeral_gib, 0);
    cloud_code(&cloud, CALL(get_flavor, GetFlavor, GET_FLAVOR, "standard_b1s", &got),
               RESULT_CODE_OK);
    assert_string_equal(got.flavor->id, "Standard_B1s");
    cloud_code(&cloud, CALL(get_flavor, GetFlavor, GET_FLAVOR, "Standard_B1", &got),
               RESULT_CODE_NOT_FOUND);
    assert_non_null(strstr(cloud.op.result->detail, "Standard_B1s"));
}

#define PROVIDER                                                                                   \
    "{\"resourceTypes\":[{\"resourceType\":\"disks\",\"zoneMappings\":[{\"location\":\"West "      \
    "Europe\",\"zones\":[\"9\"]}]},{\"resourceType\":\"virtualMachines\",\"zoneMappings\":[{"      \
    "\"location\":\"West Europe 2\",\"zones\":[\"8\"]},{\"location\":\"West Europe\",\"zones\":["  \
    "\"2\",\"1\",\"3\"]},{}]}]}"

static void test_places(void **state)
{
    pb_ListRegionsResponse regions;
    pb_GetRegionResponse region;
    pb_ListZonesResponse zones;
    pb_GetZoneResponse zone;

    (void)state;
    CLOUD_ROWS(&cloud,
               {"GET " SUBSCRIPTION "/locations?api-version=2021-01-01$", ALWAYS, 200,
                LIST("{\"id\":\"/x\",\"name\":\"westeurope\",\"displayName\":\"West Europe\","
                     "\"metadata\":{\"latitude\":\"52.3\"}},{\"id\":\"/y\",\"name\":\"eastus\"},"
                     "{\"id\":\"/z\"}")},
               {"GET " SUBSCRIPTION COMPUTE "?api-version=2021-04-01$", ALWAYS, 200, PROVIDER});
    cloud_code(&cloud, LISTING(list_regions, ListRegions, LIST_REGIONS, &regions), RESULT_CODE_OK);
    assert_int_equal(regions.n_regions, 2);
    assert_string_equal(regions.regions[0]->id, "westeurope");
    assert_string_equal(regions.regions[0]->description, "West Europe");
    assert_true(regions.regions[0]->is_current);
    assert_false(regions.regions[1]->is_current);
    assert_string_equal(regions.regions[0]->native[0]->key, "metadata.latitude");
    cloud_code(&cloud, CALL(get_region, GetRegion, GET_REGION, "west EUROPE", &region),
               RESULT_CODE_OK);
    assert_string_equal(region.region->id, "westeurope");
    cloud_code(&cloud, CALL(get_region, GetRegion, GET_REGION, "nowhere", &region),
               RESULT_CODE_NOT_FOUND);
    cloud_code(&cloud, LISTING(list_zones, ListZones, LIST_ZONES, &zones), RESULT_CODE_OK);
    assert_int_equal(zones.n_zones, 3);
    assert_string_equal(zones.zones[0]->id, "2");
    assert_string_equal(zones.zones[0]->region, "westeurope");
    assert_true(zones.zones[0]->available);
    cloud_code(&cloud, CALL(get_zone, GetZone, GET_ZONE, "3", &zone), RESULT_CODE_OK);
    cloud_code(&cloud, CALL(get_zone, GetZone, GET_ZONE, "8", &zone), RESULT_CODE_NOT_FOUND);
}

/* Without a location: that of the group that the connection is bound to, or words. */
static void test_home(void **state)
{
    pb_ListFlavorsResponse flavors;
    pb_ListZonesResponse zones;
    pb_GetImageResponse image;

    (void)state;
    CLOUD_ROWS(&cloud, {SIZES, ALWAYS, 200, SIZES_BODY},
               {"GET " GROUP("mine") "?api-version=2021-04-01$", ALWAYS, 200,
                "{\"id\":\"" GROUP("mine") "\",\"name\":\"mine\",\"location\":\"westeurope\"}"});
    cloud_code(&cloud, LISTING(list_flavors, ListFlavors, LIST_FLAVORS, &flavors), RESULT_CODE_OK);
    assert_int_equal(flavors.n_flavors, 2);
    cloud_stop(&cloud);
    cloud_start_with(&cloud, NULL, NULL);
    cloud_code(&cloud, LISTING(list_flavors, ListFlavors, LIST_FLAVORS, &flavors),
               RESULT_CODE_BAD_REQUEST_DATA);
    assert_non_null(strstr(cloud.op.result->detail, "setting location"));
    cloud_code(&cloud, LISTING(list_zones, ListZones, LIST_ZONES, &zones),
               RESULT_CODE_BAD_REQUEST_DATA);
    cloud_code(&cloud, CALL(get_image, GetImage, GET_IMAGE, "a:b:c:d", &image),
               RESULT_CODE_BAD_REQUEST_DATA);
    assert_int_equal(cloud_count(&cloud, "GET"), 0);
}

/* ---- Images ---- */

#define MARKET                                                                                     \
    "GET " SUBSCRIPTION COMPUTE "/locations/westeurope/publishers/Debian/artifacttypes/vmimage/"   \
    "offers/debian-12/skus/12/versions"

static void test_market(void **state)
{
    static const struct {
        const char *versions, *latest;
    } rows[] = {
        {"[{\"name\":\"0.1.9\"},{\"name\":\"0.1.10\"},{\"name\":\"0.1.2\"}]", "0.1.10"},
        {" [{\"name\":\"1.0\"},{\"name\":\"1.0.0.1\"},{}]", "1.0.0.1"},
        {"{\"value\":[{\"name\":\"7\"}]}", "7"},
    };
    pb_GetImageResponse got;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct cloud_row more[] = {
            {MARKET "?", ALWAYS, 200, rows[i].versions},
            {MARKET "/", ALWAYS, 200,
             "{\"id\":\"/Subscriptions/x\",\"name\":\"v\",\"properties\":{\"osDiskImage\":{"
             "\"operatingSystem\":\"Linux\"},\"architecture\":\"x64\",\"hyperVGeneration\":\"V2\","
             "\"imageDeprecationStatus\":{\"imageState\":\"Active\"}}}"}};
        cloud_rows(&cloud, more, 2);
        cloud_code(&cloud, CALL(get_image, GetImage, GET_IMAGE, "Debian:debian-12:12:latest", &got),
                   RESULT_CODE_OK);
        cloud_drop_row(&cloud);
        cloud_drop_row(&cloud);
        const char *path = arena_printf(&cloud.arena, MARKET "/%s?", rows[i].latest);
        assert_int_equal(cloud_count(&cloud, path), 1);
        assert_string_equal(got.image->id,
                            arena_printf(&cloud.arena, "Debian:debian-12:12:%s", rows[i].latest));
        assert_string_equal(got.image->os_type, "linux");
        assert_string_equal(got.image->architecture, "x86_64");
        assert_string_equal(got.image->visibility, "public");
        assert_string_equal(got.image->owner, "Debian");
        assert_string_equal(got.image->status, "Active");
    }
    CLOUD_ROWS(&cloud, {MARKET "?", ALWAYS, 200, "[]"},
               {MARKET "/1?", ALWAYS, 404, AZURE_ERROR("ArtifactNotFound", "no")},
               {MARKET "/2?", ALWAYS, 403, AZURE_ERROR("AuthorizationFailed", "no")});
    cloud_code(&cloud, CALL(get_image, GetImage, GET_IMAGE, "Debian:debian-12:12:latest", &got),
               RESULT_CODE_NOT_FOUND);
    cloud_code(&cloud, CALL(get_image, GetImage, GET_IMAGE, "Debian:debian-12:12:1", &got),
               RESULT_CODE_NOT_FOUND);
    assert_string_equal(cloud.op.result->violations[0]->field, "id");
    cloud_code(&cloud, CALL(get_image, GetImage, GET_IMAGE, "Debian:debian-12:12:2", &got),
               RESULT_CODE_FORBIDDEN);
}

#define GALLERY                                                                                    \
    "/subscriptions/99999999-2222-3333-4444-555555555555/resourceGroups/g" COMPUTE                 \
    "/galleries/gal/images/img"
#define IMAGE_ID GROUP("g") COMPUTE "/images/golden"

static void test_images(void **state)
{
    static const char *const odd[] = {"a:b:c",  "a:b:..:d",  ":b:c:d",     "a:b:c:d:e",
                                      "a:b:c:", "a:b/x:c:d", GALLERY "/x", GALLERY "/versions"};
    pb_GetImageResponse got;
    pb_ListImagesResponse all;

    (void)state;
    CLOUD_ROWS(
        &cloud,
        {"GET " GALLERY "?api-version=2021-07-01$", ALWAYS, 200,
         "{\"id\":\"" GALLERY "\",\"name\":\"img\",\"tags\":{\"a\":\"b\"},\"properties\":{"
         "\"osType\":\"Windows\",\"osState\":\"Generalized\",\"architecture\":\"Arm64\","
         "\"recommended\":{\"memory\":{\"min\":4,\"max\":8}},\"provisioningState\":\"Succeeded\"}"
         "}"},
        {"GET " GALLERY "/versions/1.0.0?api-version=2021-07-01$", ALWAYS, 200,
         "{\"id\":\"" GALLERY "/versions/1.0.0\",\"name\":\"1.0.0\",\"properties\":{"
         "\"publishingProfile\":{\"publishedDate\":\"2026-11-22T10:00:00Z\"},\"storageProfile\":{"
         "\"osDiskImage\":{\"sizeInGB\":30}}}}"},
        {"GET " SUBSCRIPTION COMPUTE "/images?", ALWAYS, 200,
         LIST("{\"id\":\"" IMAGE_ID "\",\"name\":\"golden\",\"properties\":{\"storageProfile\":{"
              "\"osDisk\":{\"osType\":\"Linux\",\"osState\":\"Generalized\",\"diskSizeGB\":30}},"
              "\"provisioningState\":\"Succeeded\"}}")});
    cloud_code(&cloud, CALL(get_image, GetImage, GET_IMAGE, GALLERY, &got), RESULT_CODE_OK);
    assert_string_equal(got.image->os_type, "windows");
    assert_string_equal(got.image->architecture, "arm64");
    assert_string_equal(got.image->visibility, "shared");
    assert_string_equal(got.image->owner, "99999999-2222-3333-4444-555555555555");
    assert_int_equal(got.image->min_memory_mib, 4096);
    assert_string_equal(got.image->tags[0], "a=b");
    cloud_code(&cloud, CALL(get_image, GetImage, GET_IMAGE, GALLERY "/versions/1.0.0", &got),
               RESULT_CODE_OK);
    assert_int_equal(got.image->min_disk_gib, 30);
    assert_int_equal(got.image->created_at->seconds, 1795341600);
    cloud_code(&cloud, CALL(get_image, GetImage, GET_IMAGE, GALLERY "/versions/2.0.0", &got),
               RESULT_CODE_NOT_FOUND);
    cloud_code(&cloud, LISTING(list_images, ListImages, LIST_IMAGES, &all), RESULT_CODE_OK);
    assert_int_equal(all.n_images, 1);
    assert_string_equal(all.images[0]->visibility, "private");
    assert_string_equal(all.images[0]->owner, AZURE_SUBSCRIPTION);
    cloud_code(&cloud, CALL(get_image, GetImage, GET_IMAGE, "Golden", &got), RESULT_CODE_OK);
    for (size_t i = 0; i < ARRAY_LEN(odd); i++)
        cloud_code(&cloud, CALL(get_image, GetImage, GET_IMAGE, odd[i], &got),
                   RESULT_CODE_NOT_FOUND);
}

/* ---- The check ---- */

static void test_check(void **state)
{
    pb_CheckCloudRequest req = ISOBAR__V1__CHECK_CLOUD_REQUEST__INIT;
    pb_CheckCloudResponse got = ISOBAR__V1__CHECK_CLOUD_RESPONSE__INIT;

    (void)state;
    cloud_code(&cloud, azure_check_cloud(cloud.adapter, cloud_op(&cloud), &req, &got),
               RESULT_CODE_NOT_FOUND);
    CLOUD_ROWS(&cloud,
               {"GET " SUBSCRIPTION "?api-version=2021-01-01$", ALWAYS, 200,
                "{\"subscriptionId\":\"" AZURE_SUBSCRIPTION
                "\",\"displayName\":\"Lab\",\"state\":\"Warned\"}"},
               {"GET " SUBSCRIPTION COMPUTE "/sshPublicKeys?", ALWAYS, 200, LIST("")},
               {"GET " SUBSCRIPTION NETWORK "/networkSecurityGroups?", ALWAYS, 403,
                AZURE_ERROR("AuthorizationFailed", "no networks")});
    cloud_code(&cloud, azure_check_cloud(cloud.adapter, cloud_op(&cloud), &req, &got),
               RESULT_CODE_OK);
    assert_int_equal(got.n_services, 3);
    assert_non_null(strstr(got.services[0], "(Lab, Warned), tenant unknown"));
    assert_string_equal(got.services[1], "compute 2021-03-01");
    assert_non_null(strstr(got.services[2], "network 2021-02-01: Forbidden: "));
    assert_non_null(strstr(got.services[2], "no networks"));
    assert_true(got.elapsed_us > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_subnets),
        CASE(test_rules),
        CASE(test_sizes),
        CASE(test_places),
        cmocka_unit_test_setup_teardown(test_home, setup_bound, teardown),
        CASE(test_market),
        CASE(test_images),
        CASE(test_check),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
