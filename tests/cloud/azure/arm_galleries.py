"""Galleries of images: one that the subscription comes with, one that others share with it, and one
that is open to all. Nobody makes more."""

import arm_catalogue as catalogue
from arm_answers import Refused, not_found, page
from arm_routes import COMPUTE, GROUP, route

GALLERIES = COMPUTE + '/galleries'
TYPE = 'Microsoft.Compute/galleries'
GALLERY, IMAGE, IMAGE_VERSIONS = 'shelf', 'golden', ('1.0.0', '1.1.0')
PAGE = 1000
# Those of others are known by these ids, and a member of a machine's image each, since this version:
# "API version change log for deployment of Microsoft.Compute/virtualMachines".
OTHERS = {'sharedGalleryImageId': ('/SharedGalleries/other-1/Images/golden', '2021-07-01'),
          'communityGalleryImageId': ('/CommunityGalleries/open-1/Images/golden', '2022-03-01')}


def base(lab, group, *names):
    """What all that is shown has: of a gallery, an image of it, a version of that."""
    group = lab.need_group(group).base['name']
    known = group == catalogue.GROUP_NAME and not lab.empty
    there = (GALLERY, IMAGE, IMAGE_VERSIONS)[:len(names)]
    if not known or any(name.lower() not in ((has,) if isinstance(has, str) else has)
                        for name, has in zip(names, there)):
        raise not_found('/'.join((TYPE, 'images', 'versions')[:len(names)]), '/'.join(names), group)
    id = '/subscriptions/%s/resourceGroups/%s/providers/%s' % (lab.subscription, group, TYPE)
    type = TYPE
    for part, name in zip(('', '/images', '/versions'), names):
        id, type = '%s%s/%s' % (id, part, name), type + part
    return {'id': id, 'name': names[-1], 'type': type, 'location': catalogue.HOME, 'tags': {}}


def shown_gallery(lab, group):
    return dict(base(lab, group, GALLERY), properties={
        'description': 'images of the lab', 'provisioningState': 'Succeeded',
        'identifier': {'uniqueName': '%s-%s' % (lab.subscription, GALLERY.upper())}})


def shown_image(lab, group, *names):
    return dict(base(lab, group, *names), properties={
        'osType': 'Linux', 'osState': 'Generalized', 'hyperVGeneration': 'V2',
        'identifier': {'publisher': 'lab', 'offer': 'golden', 'sku': 'one'},
        'provisioningState': 'Succeeded'})


def shown_version(lab, group, *names):
    return dict(base(lab, group, *names), properties={
        'provisioningState': 'Succeeded', 'publishingProfile': {
            'targetRegions': [{'name': 'West Europe', 'regionalReplicaCount': 1}], 'replicaCount': 1,
            'excludeFromLatest': False},
        'storageProfile': {'osDiskImage': {'sizeInGB': 30, 'hostCaching': 'ReadWrite', 'source': {}}}})


@route('GET', GALLERIES, 'galleries')
def list_all(lab, call):
    return page(lab, call, [] if lab.empty else [shown_gallery(lab, catalogue.GROUP_NAME)], PAGE)


@route('GET', GROUP + GALLERIES, 'galleries')
def list_group(lab, call, group):
    here = lab.need_group(group).base['name'] == catalogue.GROUP_NAME and not lab.empty
    return page(lab, call, [shown_gallery(lab, group)] if here else [], PAGE)


@route('GET', GROUP + GALLERIES + '/{}', 'galleries')
def get(lab, call, group, gallery):
    base(lab, group, gallery)
    return 200, shown_gallery(lab, group)


@route('GET', GROUP + GALLERIES + '/{}/images', 'galleries')
def list_images(lab, call, group, gallery):
    return page(lab, call, [shown_image(lab, group, gallery, IMAGE)], PAGE)


@route('GET', GROUP + GALLERIES + '/{}/images/{}', 'galleries')
def get_image(lab, call, group, gallery, image):
    return 200, shown_image(lab, group, gallery, image)


@route('GET', GROUP + GALLERIES + '/{}/images/{}/versions', 'galleries')
def list_versions(lab, call, group, gallery, image):
    return page(lab, call, [shown_version(lab, group, gallery, image, each)
                            for each in IMAGE_VERSIONS], PAGE)


@route('GET', GROUP + GALLERIES + '/{}/images/{}/versions/{}', 'galleries')
def get_version(lab, call, group, gallery, image, version):
    return 200, shown_version(lab, group, gallery, image, version)


# ---- For machines ----

def is_image(lab, id):
    """Whether there is such an image, or version of one, in the subscription's own gallery."""
    parts = str(id).split('/')
    if len(parts) not in (11, 13) or '/'.join(parts[6:8]).lower() != TYPE.lower():
        return False
    try:
        base(lab, parts[4], *parts[8::2])
    except Refused:
        return False
    return parts[2].lower() == lab.subscription


def others_image(reference, version):
    """(member, id) of an image that others share, or None. Refused where this version of the API has
    no such member."""
    for member, (known, since) in OTHERS.items():
        id = reference.get(member)
        if id is None:
            continue
        if version < since:
            raise Refused(400, 'InvalidRequestContent', "The request content was invalid: could not "
                          "find member '%s' on object of type 'ImageReference'." % member, breach=True)
        path, _, number = id.lower().partition('/versions/')
        if path != known.lower() or number not in ('', 'latest', *IMAGE_VERSIONS):
            raise Refused(404, 'GalleryImageNotFound', 'The gallery image %s is not available in %s '
                          'region.' % (id, catalogue.HOME), 'imageReference')
        return member, id
    return None
