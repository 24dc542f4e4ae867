/* Make a machine, look at it, and delete it again.
 *
 *     create_vm [CLOUD [NAME]]
 *
 * The gateway is the one that $ISOBAR_SERVER names, else the local one; the cloud is "box" unless
 * another is named. Flavor and image are the first that the cloud has.
 */
#include "isobar.h"
#include <stdio.h>
#include <stdlib.h>

/* Print what went wrong, with all that the gateway said. */
static void complain(const char *what, const Isobar__V1__Result *r)
{
    fprintf(stderr, "%s: %s: %s\n", what, isobar_code_name(r->code), r->detail);
    for (size_t i = 0; i < r->n_violations; i++)
        fprintf(stderr, "  %s: %s\n", r->violations[i]->field, r->violations[i]->description);
}

static void show(const Isobar__V1__Vm *vm)
{
    const ProtobufCEnumValue *state =
        protobuf_c_enum_descriptor_get_value(&isobar__v1__vm_state__descriptor, (int)vm->state);
    printf("%-12s %-36s %-10s %s\n", vm->name, vm->id, vm->flavor_name, state ? state->name : "?");
}

/* Services are called through protobuf-c's own stubs; the answer comes to a function. */
static void keep_flavor(const Isobar__V1__ListFlavorsResponse *response, void *data)
{
    if (response && response->n_flavors > 0)
        snprintf(data, 64, "%s", response->flavors[0]->name);
}

static void keep_image(const Isobar__V1__ListImagesResponse *response, void *data)
{
    if (response && response->n_images > 0)
        snprintf(data, 64, "%s", response->images[0]->name);
}

static void show_all(const Isobar__V1__ListVmsResponse *response, void *data)
{
    (void)data;
    for (size_t i = 0; response && i < response->n_vms; i++)
        show(response->vms[i]);
}

static int choose(struct isobar *c, char *cloud, char flavor[64], char image[64])
{
    Isobar__V1__ListFlavorsRequest flavors;
    isobar__v1__list_flavors_request__init(&flavors);
    flavors.cloud = cloud;
    flavors.min_memory_mib = 2048;
    isobar__v1__flavor_service__list_flavors(
        isobar_service(c, &isobar__v1__flavor_service__descriptor), &flavors, keep_flavor, flavor);
    if (!*flavor) {
        complain("cannot find a flavor", isobar_last_result());
        return 0;
    }
    Isobar__V1__ListImagesRequest images;
    isobar__v1__list_images_request__init(&images);
    images.cloud = cloud;
    isobar__v1__image_service__list_images(
        isobar_service(c, &isobar__v1__image_service__descriptor), &images, keep_image, image);
    if (!*image) {
        complain("cannot find an image", isobar_last_result());
        return 0;
    }
    return 1;
}

/* Or any method is called by its name, with options; the reply is the caller's to free. */
static int create(struct isobar *c, char *cloud, char *name, char id[64])
{
    char flavor[64] = "", image[64] = "";
    if (!choose(c, cloud, flavor, image))
        return 0;
    Isobar__V1__VmSpec spec;
    isobar__v1__vm_spec__init(&spec);
    spec.name = name;
    spec.flavor_name = flavor;
    spec.image_id = image;
    Isobar__V1__CreateVmRequest request;
    isobar__v1__create_vm_request__init(&request);
    request.cloud = cloud;
    request.spec = &spec;
    request.wait = ISOBAR__V1__WAIT__WAIT_RUNNING;
    struct isobar_call_options options = {.timeout_ms = 300000};
    struct isobar_reply reply;
    if (isobar_call(c, "isobar.v1.VmService/CreateVm", &request.base, &options, &reply)) {
        const Isobar__V1__CreateVmResponse *response = (void *)reply.message;
        snprintf(id, 64, "%s", response->vm->id);
        show(response->vm);
    } else {
        complain("cannot create the machine", reply.result);
    }
    isobar_reply_done(&reply);
    return *id != '\0';
}

static int get(struct isobar *c, char *cloud, char *id)
{
    Isobar__V1__GetVmRequest request;
    isobar__v1__get_vm_request__init(&request);
    request.cloud = cloud;
    request.id = id;
    struct isobar_reply reply;
    int ok = isobar_call(c, "isobar.v1.VmService/GetVm", &request.base, NULL, &reply);
    if (ok)
        show(((Isobar__V1__GetVmResponse *)(void *)reply.message)->vm);
    else
        complain("cannot get the machine", reply.result);
    isobar_reply_done(&reply);
    return ok;
}

static int list(struct isobar *c, char *cloud)
{
    Isobar__V1__ListVmsRequest request;
    isobar__v1__list_vms_request__init(&request);
    request.cloud = cloud;
    isobar__v1__vm_service__list_vms(isobar_service(c, &isobar__v1__vm_service__descriptor),
                                     &request, show_all, NULL);
    if (isobar_last_result()->code == ISOBAR__V1__RESULT_CODE__RESULT_CODE_OK)
        return 1;
    complain("cannot list the machines", isobar_last_result());
    return 0;
}

static int delete_vm(struct isobar *c, char *cloud, char *id)
{
    Isobar__V1__DeleteVmRequest request;
    isobar__v1__delete_vm_request__init(&request);
    request.cloud = cloud;
    request.id = id;
    request.wait = ISOBAR__V1__WAIT__WAIT_RUNNING; /* until it is gone */
    struct isobar_call_options options = {.timeout_ms = 300000};
    struct isobar_reply reply;
    int ok = isobar_call(c, "isobar.v1.VmService/DeleteVm", &request.base, &options, &reply);
    if (ok)
        printf("deleted\n");
    else
        complain("cannot delete the machine", reply.result);
    isobar_reply_done(&reply);
    return ok;
}

int main(int argc, char **argv)
{
    char box[] = "box", example[] = "example-c";
    char *cloud = argc > 1 ? argv[1] : box;
    char *name = argc > 2 ? argv[2] : example;
    struct isobar_error error;
    struct isobar *c = isobar_connect(NULL, NULL, &error);
    if (!c) {
        fprintf(stderr, "%s\n", error.text);
        return EXIT_FAILURE;
    }
    char id[64] = "";
    int ok = create(c, cloud, name, id);
    if (ok) {
        ok = get(c, cloud, id);
        ok = list(c, cloud) && ok;
        ok = delete_vm(c, cloud, id) && ok;
    }
    isobar_close(c);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
