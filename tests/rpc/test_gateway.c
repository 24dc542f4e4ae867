/* The gateway as its callers see it: every kind of method, and what is wrong with a call. */
#include "gateway_clouds.h"

#include "methods.h"

static void test_malformed(void **state)
{
    (void)state;
    pb_Reply *r = fixture_ask(&fx, &(struct asked){.method = "isobar.v1.VmService/GetVmm"});
    assert_int_equal(r->result->code, RESULT_CODE_METHOD_NOT_ALLOWED);
    assert_non_null(strstr(r->result->detail, "isobar.v1.VmService/GetVm"));
    r = fixture_ask(&fx, &(struct asked){.method = ""});
    assert_int_equal(r->result->code, RESULT_CODE_METHOD_NOT_ALLOWED);
    r = fixture_ask(&fx, &(struct asked){.method = "isobar.v1.VmService/GetVm",
                                         .body = "\x0a\xff\xff",
                                         .body_len = 3});
    assert_int_equal(r->result->code, RESULT_CODE_INVALID_REQUEST);
    r = fixture_ask(&fx, &(struct asked){.method = "isobar.v1.VmService/GetVm",
                                         .body = "\x0a\x03"
                                                 "b\xff"
                                                 "x",
                                         .body_len = 5});
    assert_int_equal(r->result->code, RESULT_CODE_INVALID_REQUEST);
    assert_true(has_violation(r->result, "cloud"));
}

static void test_unknown_field_of_a_mutating_call(void **state)
{
    (void)state;
    static const char body[] = "\x0a\x03"
                               "box"
                               "\x12\x01x"
                               "\xf8\x07\x01";
    pb_Reply *r = fixture_ask(&fx, &(struct asked){.method = "isobar.v1.VmService/StopVm",
                                                   .body = body,
                                                   .body_len = sizeof(body) - 1});
    assert_int_equal(r->result->code, RESULT_CODE_BAD_REQUEST_DATA);
    assert_true(has_violation(r->result, "#127"));
    r = fixture_ask(&fx, &(struct asked){.method = "isobar.v1.VmService/GetVm",
                                         .body = body,
                                         .body_len = sizeof(body) - 1});
    assert_int_equal(r->result->code, RESULT_CODE_NOT_FOUND);
}

static void test_missing_attributes(void **state)
{
    (void)state;
    pb_CreateVmRequest *req = NEW(&fx, CreateVmRequest);
    req->cloud = TEXT("box");
    pb_Reply *r = ask("isobar.v1.VmService/CreateVm", req);
    assert_int_equal(r->result->code, RESULT_CODE_BAD_REQUEST_DATA);
    assert_true(has_violation(r->result, "spec"));
    req->spec = NEW(&fx, VmSpec);
    r = ask("isobar.v1.VmService/CreateVm", req);
    assert_int_equal(r->result->code, RESULT_CODE_BAD_REQUEST_DATA);
    assert_int_equal(r->result->blame, BLAME_CALLER);
    assert_true(has_violation(r->result, "spec.name"));
    assert_true(has_violation(r->result, "spec.flavor_name"));
    assert_true(has_violation(r->result, "spec.image_id"));
}

static void test_not_present_is_a_warning_or_strictly_an_error(void **state)
{
    (void)state;
    pb_CreateVmRequest *req = fixture_create(&fx, "box", "np");
    req->spec->resource_group_name = TEXT("rg");
    req->dry_run = true;
    pb_Reply *r = ask("isobar.v1.VmService/CreateVm", req);
    assert_int_equal(r->result->code, RESULT_CODE_OK);
    assert_int_equal(r->result->n_warnings, 1);
    assert_non_null(strstr(r->result->warnings[0], "resource_group_name"));
    req->strict = true;
    r = ask("isobar.v1.VmService/CreateVm", req);
    assert_int_equal(r->result->code, RESULT_CODE_BAD_REQUEST_DATA);
    assert_true(has_violation(r->result, "spec.resource_group_name"));
}

static void test_unknown_parameter(void **state)
{
    (void)state;
    pb_CreateVmRequest *req = fixture_create(&fx, "box", "p");
    pb_VmSpec_ParametersEntry *entry = NEW(&fx, VmSpec_ParametersEntry);
    entry->key = TEXT("boot_mss");
    entry->value = TEXT("1");
    req->spec->parameters = &entry;
    req->spec->n_parameters = 1;
    pb_Reply *r = ask("isobar.v1.VmService/CreateVm", req);
    assert_int_equal(r->result->code, RESULT_CODE_BAD_REQUEST_DATA);
    assert_true(has_violation(r->result, "spec.parameters.boot_mss"));
    assert_non_null(strstr(r->result->detail, "boot_ms"));
    entry->key = TEXT("boot_ms");
    entry->value = TEXT("soon");
    r = ask("isobar.v1.VmService/CreateVm", req);
    assert_int_equal(r->result->code, RESULT_CODE_BAD_REQUEST_DATA);
    assert_true(has_violation(r->result, "spec.parameters.boot_ms"));
}

static void test_defaults_of_the_connection(void **state)
{
    (void)state;
    pb_CreateVmRequest *req = fixture_create(&fx, "other", "defaulted");
    req->spec->flavor_name = TEXT("");
    req->wait = WAIT_RUNNING;
    pb_Reply *r = ask("isobar.v1.VmService/CreateVm", req);
    assert_int_equal(r->result->code, RESULT_CODE_CREATED);
    assert_string_equal(BODY(&fx, r, CreateVmResponse)->vm->flavor_name, "m1.medium");
}

static void test_unknown_names(void **state)
{
    (void)state;
    pb_CreateVmRequest *req = fixture_create(&fx, "boxx", "x");
    pb_Reply *r = ask("isobar.v1.VmService/CreateVm", req);
    assert_int_equal(r->result->code, RESULT_CODE_NOT_FOUND);
    assert_non_null(strstr(r->result->detail, "box"));
    assert_true(has_violation(r->result, "cloud"));
    req->cloud = TEXT("");
    r = ask("isobar.v1.VmService/CreateVm", req);
    assert_int_equal(r->result->code, RESULT_CODE_BAD_REQUEST_DATA);
    assert_true(has_violation(r->result, "cloud"));
    req = fixture_create(&fx, "box", "x");
    req->spec->flavor_name = TEXT("m1.smal");
    r = ask("isobar.v1.VmService/CreateVm", req);
    assert_int_equal(r->result->code, RESULT_CODE_NOT_FOUND);
    assert_non_null(strstr(r->result->detail, "m1.small"));
    pb_GetVmRequest *get = NEW(&fx, GetVmRequest);
    get->cloud = TEXT("box");
    r = ask("isobar.v1.VmService/GetVm", get);
    assert_int_equal(r->result->code, RESULT_CODE_BAD_REQUEST_DATA);
    assert_true(has_violation(r->result, "id"));
}

static void test_ambiguous_name(void **state)
{
    (void)state;
    pb_Vm *one = create("other", "twin"), *two = create("other", "twin");
    pb_GetVmRequest *get = NEW(&fx, GetVmRequest);
    get->cloud = TEXT("other");
    get->id = TEXT("twin");
    pb_Reply *r = ask("isobar.v1.VmService/GetVm", get);
    assert_int_equal(r->result->code, RESULT_CODE_BAD_REQUEST_DATA);
    assert_non_null(strstr(r->result->detail, one->id));
    assert_non_null(strstr(r->result->detail, two->id));
}

static void test_pages(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++)
        create("box", arena_printf(&fx.arena, "page-%d", i));
    pb_ListVmsRequest *list = NEW(&fx, ListVmsRequest);
    list->cloud = TEXT("box");
    list->name = TEXT("page-*");
    list->page_size = 2;
    unsigned seen = 0;
    for (int page = 0; page < 3; page++) {
        pb_Reply *r = ask("isobar.v1.VmService/ListVms", list);
        assert_int_equal(r->result->code, RESULT_CODE_OK);
        pb_ListVmsResponse *rsp = BODY(&fx, r, ListVmsResponse);
        assert_int_equal(rsp->n_vms, page < 2 ? 2 : 1);
        for (size_t i = 0; i < rsp->n_vms; i++, seen++)
            assert_string_equal(rsp->vms[i]->name, arena_printf(&fx.arena, "page-%u", seen));
        assert_int_equal(rsp->next_page_token[0] == '\0', page == 2);
        list->page_token = rsp->next_page_token;
    }
    list->page_token = TEXT("!!!!");
    pb_Reply *r = ask("isobar.v1.VmService/ListVms", list);
    assert_int_equal(r->result->code, RESULT_CODE_BAD_REQUEST_DATA);
    assert_true(has_violation(r->result, "page_token"));
}

static void test_list_of_all_clouds(void **state)
{
    (void)state;
    pb_ListFlavorsRequest *list = NEW(&fx, ListFlavorsRequest);
    pb_Reply *r = ask("isobar.v1.FlavorService/ListFlavors", list);
    assert_int_equal(r->result->code, RESULT_CODE_PARTIAL);
    pb_ListFlavorsResponse *rsp = BODY(&fx, r, ListFlavorsResponse);
    assert_int_equal(rsp->n_cloud_results, 1);
    assert_string_equal(rsp->cloud_results[0]->cloud, "down");
    assert_int_equal(rsp->cloud_results[0]->result->code, RESULT_CODE_UNAVAILABLE);
    bool box = false, other = false;
    for (size_t i = 0; i < rsp->n_flavors; i++) {
        box |= strcmp(rsp->flavors[i]->cloud, "box") == 0;
        other |= strcmp(rsp->flavors[i]->cloud, "other") == 0;
    }
    assert_true(box && other);
}

static void test_own_services(void **state)
{
    (void)state;
    pb_Reply *r = ask("isobar.v1.CloudService/ListClouds", NEW(&fx, ListCloudsRequest));
    assert_int_equal(BODY(&fx, r, ListCloudsResponse)->n_clouds, 4);
    pb_GetCloudRequest *get = NEW(&fx, GetCloudRequest);
    get->cloud = TEXT("slow");
    r = ask("isobar.v1.CloudService/GetCloud", get);
    assert_int_equal(BODY(&fx, r, GetCloudResponse)->cloud->max_in_flight, 2);
    get->cloud = TEXT("sloww");
    r = ask("isobar.v1.CloudService/GetCloud", get);
    assert_int_equal(r->result->code, RESULT_CODE_NOT_FOUND);
    pb_DescribeAdapterRequest *describe = NEW(&fx, DescribeAdapterRequest);
    for (size_t i = 0; adapters_builtin[i]; i++) {
        describe->name = TEXT(adapters_builtin[i]->name);
        r = ask("isobar.v1.AdapterService/DescribeAdapter", describe);
        assert_int_equal(r->result->code, RESULT_CODE_OK);
        pb_Adapter *a = BODY(&fx, r, DescribeAdapterResponse)->adapter;
        assert_true(a->manifest->n_methods > 20);
        /* The sixteen attributes of the specification, in its order. */
        assert_true(a->manifest->n_attributes >= 16);
        for (unsigned k = 0; k < 16; k++)
            assert_string_equal(
                a->manifest->attributes[k]->name,
                protobuf_c_message_descriptor_get_field(&pb_VmSpec_desc, k + 1)->name);
    }
    pb_HealthCheckRequest *health = NEW(&fx, HealthCheckRequest);
    r = ask("grpc.health.v1.Health/Check", health);
    assert_int_equal(BODY(&fx, r, HealthCheckResponse)->status, HEALTH_CHECK_RESPONSE_SERVING);
    health->service = TEXT("isobar.v1.VmService");
    r = ask("grpc.health.v1.Health/Check", health);
    assert_int_equal(r->result->code, RESULT_CODE_OK);
    health->service = TEXT("no.Such");
    r = ask("grpc.health.v1.Health/Check", health);
    assert_int_equal(r->result->code, RESULT_CODE_NOT_FOUND);
}

/* Every method that an adapter says it has can be called, and answers something typed. */
static void test_every_read_of_the_sandbox(void **state)
{
    (void)state;
    size_t n;
    const struct method *all = methods_all(&n);
    for (size_t i = 0; i < n; i++) {
        if (all[i].policy->kind != KIND_LIST)
            continue;
        ProtobufCMessage *req = arena_message(&fx.arena, all[i].input);
        *(char **)(void *)((char *)req + all[i].in.cloud->offset) = TEXT("box");
        pb_Reply *r = ask(all[i].full_name, req);
        assert_int_equal(r->result->code, RESULT_CODE_OK);
        assert_non_null(protobuf_c_message_unpack(all[i].output, arena_allocator(&fx.arena),
                                                  r->body.len, r->body.data));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_unknown_field_of_a_mutating_call),
        cmocka_unit_test(test_missing_attributes),
        cmocka_unit_test(test_not_present_is_a_warning_or_strictly_an_error),
        cmocka_unit_test(test_unknown_parameter),
        cmocka_unit_test(test_defaults_of_the_connection),
        cmocka_unit_test(test_unknown_names),
        cmocka_unit_test(test_ambiguous_name),
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_list_of_all_clouds),
        cmocka_unit_test(test_own_services),
        cmocka_unit_test(test_every_read_of_the_sandbox),
    };
    return cmocka_run_group_tests(tests, start, end);
}
