/* The slots of the Azure adapter as tests call them, and sizes for them. */
#ifndef ISOBAR_TESTS_AZURE_CALLS_H
#define ISOBAR_TESTS_AZURE_CALLS_H

#include "az.h"
#include "azure_stub.h"

#define LIST(...) "{\"value\":[" __VA_ARGS__ "]}"
#define SIZES     "GET " SUBSCRIPTION COMPUTE "/locations/westeurope/vmSizes"
#define SIZES_BODY                                                                                 \
    LIST("{\"name\":\"Standard_B1s\",\"numberOfCores\":1,\"osDiskSizeInMB\":1047552,"              \
         "\"resourceDiskSizeInMB\":4096,\"memoryInMB\":1024,\"maxDataDiskCount\":2},"              \
         "{\"name\":\"Standard_M416ms_v2\",\"numberOfCores\":416,\"memoryInMB\":99999999999999,"   \
         "\"resourceDiskSizeInMB\":-1}")

static struct cloud cloud;

/* A request and its response, zeroed, for a call. */
#define CALL(slot_, Method_, METHOD_, id_, ret_)                                                   \
    __extension__({                                                                                \
        pb_##Method_##Request req_ = ISOBAR__V1__##METHOD_##_REQUEST__INIT;                        \
        *(ret_) = (pb_##Method_##Response)ISOBAR__V1__##METHOD_##_RESPONSE__INIT;                  \
        req_.id = (char *)(uintptr_t)(id_);                                                        \
        azure_##slot_(cloud.adapter, cloud_op(&cloud), &req_, (ret_));                             \
    })
#define LISTING(slot_, Method_, METHOD_, ret_)                                                     \
    __extension__({                                                                                \
        pb_##Method_##Request req_ = ISOBAR__V1__##METHOD_##_REQUEST__INIT;                        \
        *(ret_) = (pb_##Method_##Response)ISOBAR__V1__##METHOD_##_RESPONSE__INIT;                  \
        azure_##slot_(cloud.adapter, cloud_op(&cloud), &req_, (ret_));                             \
    })

UNUSED static int setup(void **state)
{
    (void)state;
    cloud_start(&cloud);
    return 0;
}

UNUSED static int setup_bound(void **state)
{
    (void)state;
    cloud_start_with(&cloud, "mine", NULL);
    return 0;
}

UNUSED static int teardown(void **state)
{
    (void)state;
    cloud_stop(&cloud);
    return 0;
}

#define CASE(name_) cmocka_unit_test_setup_teardown(name_, setup, teardown)

#endif
