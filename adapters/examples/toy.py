#!/usr/bin/python3
"""An adapter for a toy cloud, as a process that registers with a gateway:

    toy.py --token-file FILE [--gateway ipc:///run/isobar/isobar.sock] [--cloud toy]

It ends on SIGTERM when the gateway has no call here any more. With --state FILE the machines
outlive it, and several processes with one file have one and the same cloud.
"""

import argparse
import difflib
import os
import secrets
import shutil
import signal
import sys
import tempfile
import threading
import time

import toy_machines
from isobar_adapter import Adapter, Refusal, Registration, say
from isobar_wire import Server, pb

STOP_S = 30     # what is still being answered at the end has so long

# The cloud's words in ours; one that is not here is UNKNOWN.
map_state = {
    'unpacking': pb.VM_STATE_CREATING, 'waking': pb.VM_STATE_STARTING,
    'playing': pb.VM_STATE_RUNNING, 'tumbling': pb.VM_STATE_REBOOTING,
    'tidying': pb.VM_STATE_STOPPING, 'resting': pb.VM_STATE_STOPPED,
    'yawning': pb.VM_STATE_SUSPENDING, 'asleep': pb.VM_STATE_SUSPENDED,
    'stretching': pb.VM_STATE_UPDATING, 'packing': pb.VM_STATE_DELETING,
    'gone': pb.VM_STATE_DELETED,
}
# The cloud's errors, and the HTTP status that it would have.
map_error = {
    'BoxFull': ('QUOTA_EXCEEDED', 403),
    'NoRoom': ('OUT_OF_CAPACITY', 503),
    'SlowDown': ('RATE_LIMITED', 429),
    'WrongMoment': ('FAILED_PRECONDITION', 409),
    'OrderSpent': ('FAILED_PRECONDITION', 409),
}

MANDATORY, ABSENT = pb.PRESENCE_MANDATORY, pb.PRESENCE_NOT_PRESENT
ATTRIBUTES = [
    ('name', MANDATORY, 'The machine\'s name; several may have the same.'),
    ('region', ABSENT, 'There is but one: nursery.'),
    ('resource_group_name', ABSENT, 'The toy cloud does not group what it has.'),
    ('instance_count', ABSENT, 'The gateway orders one after the other.'),
    ('flavor_name', MANDATORY, 'A size: small, medium, large.'),
    ('source_type', ABSENT, 'Machines come from an image.'),
    ('volume_created', ABSENT, 'There are no volumes.'),
    ('image_type', ABSENT, 'An image is referred to in one way only.'),
    ('os_type', ABSENT, 'The image says.'),
    ('image_id', MANDATORY, 'An image: bear, robot.'),
    ('subnet_name', ABSENT, 'The only network has no parts.'),
    ('network_id', ABSENT, 'There is but one: floor.'),
    ('security_group_name', ABSENT, 'Everybody may play with everybody.'),
    ('public_ip_type', ABSENT, 'Nothing is reached from outside.'),
    ('public_ip', ABSENT, 'Nothing is reached from outside.'),
    ('keypair', ABSENT, 'Toys have no keyholes.'),
    ('zone', ABSENT, 'The nursery has one corner.'),
    ('user_data', ABSENT, 'Toys cannot read.'),
    ('tags', ABSENT, 'Toys have no labels.'),
    ('volumes', ABSENT, 'There are no volumes.'),
    ('extra_security_groups', ABSENT, 'Everybody may play with everybody.'),
]
# What this cloud alone has. A machine shows its own under the same names.
COLORS, BLOCKS_MAX = ['red', 'green', 'blue'], 1000
PARAMETERS = [
    dict(name='color', type=pb.PARAMETER_TYPE_STRING, default_value='blue', allowed_values=COLORS,
         description='What color the machine has.'),
    dict(name='blocks', type=pb.PARAMETER_TYPE_INTEGER, default_value='0',
         description='Of how many blocks it is built, at most %d.' % BLOCKS_MAX),
    dict(name='glow', type=pb.PARAMETER_TYPE_BOOLEAN, default_value='false',
         description='Whether it glows in the dark.'),
]


def in_blocks(text):
    return text.isascii() and text.isdecimal() and int(text) <= BLOCKS_MAX


# What is wrong with a parameter's value, where this says no.
CHECKS = {
    'color': (COLORS.__contains__, 'must be one of: ' + ', '.join(COLORS)),
    'blocks': (in_blocks, 'must be a whole number from 0 to %d' % BLOCKS_MAX),
    'glow': (('true', 'false').__contains__, 'must be true or false'),
}


def pick(what, field, wanted, rows):
    """The row that a name or an id refers to, as in all of Isobar: an id is taken first."""
    found = [row for row in rows if row['id'] == wanted] or \
        [row for row in rows if row['name'] == wanted]
    if len(found) > 1:
        ids = ', '.join(row['id'] for row in found[:10])
        raise Refusal('BAD_REQUEST_DATA', '%s \'%s\' is ambiguous: %d have that name; give the id '
                      'of one: %s' % (what, wanted, len(found), ids), field, ids)
    if not found:
        near = difflib.get_close_matches(wanted, [row['name'] for row in rows])
        why = 'did you mean %s?' % ' or '.join(dict.fromkeys(near)) if near else \
            'none has that name or id'
        raise Refusal('NOT_FOUND', 'no %s \'%.100s\'; %s' % (what, wanted, why), field, why)
    return found[0]


def extras_of(spec):
    """The parameters with their defaults; checked here too, since a gateway may have an older
    manifest, or none."""
    extras = {each['name']: each['default_value'] for each in PARAMETERS}
    for name, value in spec.parameters.items():
        field = 'spec.parameters.%.100s' % name
        fits, why = CHECKS.get(name, (lambda value: False, 'is no parameter of this cloud'))
        if not fits(value):
            raise Refusal('BAD_REQUEST_DATA', '%s %s' % (field, why), field, why)
        extras[name] = value
    return extras


class Toy(Adapter):
    description = 'A cloud of toys, to show how an adapter is written.'
    dedupes = True      # the cloud keeps the order's id with what it has made

    def __init__(self, name, version, clouds, machines, call_token=None):
        super().__init__(clouds, call_token)
        self.name, self.version, self.machines = name, version, machines

    def manifest(self):
        manifest = pb.Manifest(parameters=[pb.ManifestParameter(**row) for row in PARAMETERS])
        for name, presence, description in ATTRIBUTES:
            manifest.attributes.add(name=name, presence=presence, description=description)
        return manifest

    def order(self, function, *args, **named):
        """What the cloud says to it; its errors in our words."""
        try:
            return function(*args, **named)
        except toy_machines.Error as error:
            code, status = map_error.get(error.word, ('UNAVAILABLE', 500))
            raise Refusal(code, str(error), said=(status, error.word),
                          after_ms=error.after_ms) from None

    # ---- machines ----

    def shown(self, row, asked):
        flavor = next(each for each in toy_machines.FLAVORS if each['id'] == row['flavor'])
        image = next(each for each in toy_machines.IMAGES if each['id'] == row['image'])
        network = toy_machines.NETWORKS[0]
        vm = pb.Vm(cloud=asked.cloud, id=row['id'], name=row['name'], native_state=row['state'],
                   state=map_state.get(row['state'], pb.VM_STATE_UNKNOWN),
                   flavor_id=flavor['id'], flavor_name=flavor['name'], vcpus=flavor['cores'],
                   memory_mib=flavor['memory'], disk_gib=flavor['disk'], image_id=image['id'],
                   image_name=image['name'], region=toy_machines.REGIONS[0]['id'],
                   native=dict(row['extras'], order=row['order']))
        # Of the range that is set apart for tests of devices, a number a machine.
        vm.addresses.add(network_id=network['id'], network_name=network['name'], ip_version=4,
                         kind=pb.ADDRESS_KIND_FIXED,
                         ip='198.18.%d.%d' % (row['number'] >> 8 & 255, row['number'] & 255))
        for field, at in (vm.created_at, row['made']), (vm.updated_at, row['changed']):
            field.seconds, field.nanos = int(at), int(at % 1 * 1e9)
        return vm

    def find(self, asked):
        return pick('machine', 'id', asked.request.id, self.machines.all())

    def create_vm(self, asked):
        spec = asked.request.spec
        if not 1 <= len(spec.name.encode()) <= 255:
            raise Refusal('BAD_REQUEST_DATA', 'spec.name must have 1 to 255 bytes', 'spec.name',
                          'must have 1 to 255 bytes')
        if asked.step.name_only:
            raise Refusal('INVALID_REQUEST', 'a create refers to no machine yet')
        flavor = pick('flavor', 'spec.flavor_name', spec.flavor_name, toy_machines.FLAVORS)
        image = pick('image', 'spec.image_id', spec.image_id, toy_machines.IMAGES)
        row = self.order(self.machines.create, spec.name, image['id'], flavor['id'],
                         extras_of(spec), asked.step.operation_id, asked.dry_run)
        if row is None:
            return 'OK', pb.CreateVmResponse()
        asked.noted.native_id = row['id']
        return 'CREATED', pb.CreateVmResponse(vm=self.shown(row, asked))

    def get_vm(self, asked):
        return 'OK', pb.GetVmResponse(vm=self.shown(self.find(asked), asked))

    def list_vms(self, asked):
        """The gateway applies the filters, here as with any adapter."""
        return self.page(asked, [(row['number'], self.shown(row, asked))
                                 for row in self.machines.all()], pb.ListVmsResponse(), 'vms')

    def act(self, asked, response, action, flavor=None):
        """A name may mean another machine tomorrow. So the gateway asks first which one it means
        (name_only), and then orders by the id."""
        row = self.find(asked)
        asked.noted.native_id = row['id']
        if asked.step.name_only:
            return 'OK', response
        row = self.order(self.machines.act, row['id'], action, flavor, only_try=asked.dry_run)
        if row is None:         # it has gone since
            row = self.find(asked)
        response.vm.CopyFrom(self.shown(row, asked))
        return 'OK' if asked.dry_run else 'CHANGED', response

    def start_vm(self, asked):
        return self.act(asked, pb.StartVmResponse(), 'start')

    def stop_vm(self, asked):
        return self.act(asked, pb.StopVmResponse(), 'stop')

    def reboot_vm(self, asked):
        return self.act(asked, pb.RebootVmResponse(), 'reboot')

    def suspend_vm(self, asked):
        return self.act(asked, pb.SuspendVmResponse(), 'suspend')

    def resume_vm(self, asked):
        return self.act(asked, pb.ResumeVmResponse(), 'resume')

    def resize_vm(self, asked):
        flavor = pick('flavor', 'flavor_name', asked.request.flavor_name, toy_machines.FLAVORS)
        return self.act(asked, pb.ResizeVmResponse(), 'resize', flavor['id'])

    def delete_vm(self, asked):
        row = self.find(asked)
        asked.noted.native_id, asked.noted.maker = row['id'], row['order']
        if asked.step.name_only:
            return 'OK', pb.DeleteVmResponse()
        gone = self.order(self.machines.delete, row['id'], only_try=asked.dry_run)
        return 'OK' if asked.dry_run else 'DELETED', pb.DeleteVmResponse(
            vm=self.shown(gone or row, asked))

    # ---- what the cloud has from the start ----

    def list_content(self, asked, response, field, rows, show):
        return self.page(asked, list(enumerate(map(show, rows))), response, field)

    def list_images(self, asked):
        return self.list_content(asked, pb.ListImagesResponse(), 'images', toy_machines.IMAGES,
                                 self.image)

    def get_image(self, asked):
        return 'OK', pb.GetImageResponse(image=self.image(
            pick('image', 'id', asked.request.id, toy_machines.IMAGES)))

    def image(self, row):
        return pb.Image(id=row['id'], name=row['name'], status='boxed', size_bytes=row['bytes'],
                        visibility='public')

    def list_flavors(self, asked):
        return self.list_content(asked, pb.ListFlavorsResponse(), 'flavors', toy_machines.FLAVORS,
                                 self.flavor)

    def get_flavor(self, asked):
        return 'OK', pb.GetFlavorResponse(flavor=self.flavor(
            pick('flavor', 'id', asked.request.id, toy_machines.FLAVORS)))

    def flavor(self, row):
        return pb.Flavor(id=row['id'], name=row['name'], vcpus=row['cores'],
                         memory_mib=row['memory'], disk_gib=row['disk'], is_public=True)

    def list_networks(self, asked):
        return self.list_content(asked, pb.ListNetworksResponse(), 'networks',
                                 toy_machines.NETWORKS, self.network)

    def get_network(self, asked):
        return 'OK', pb.GetNetworkResponse(network=self.network(
            pick('network', 'id', asked.request.id, toy_machines.NETWORKS)))

    def network(self, row):
        return pb.Network(id=row['id'], name=row['name'], status='swept', is_shared=True)

    def list_regions(self, asked):
        return self.list_content(asked, pb.ListRegionsResponse(), 'regions', toy_machines.REGIONS,
                                 self.region)

    def get_region(self, asked):
        return 'OK', pb.GetRegionResponse(region=self.region(
            pick('region', 'id', asked.request.id, toy_machines.REGIONS)))

    def region(self, row):
        return pb.Region(id=row['id'], name=row['name'], is_current=True)

    # ---- the cloud as a whole, and what bears our mark ----

    def check_cloud(self, asked):
        since = time.monotonic()
        line = 'toys: %d machines of %d, %s' % (
            len(self.machines.all()), self.machines.machines_max,
            'in ' + self.machines.path if self.machines.path else 'in memory')
        return 'OK', pb.CheckCloudResponse(
            services=[line], elapsed_us=int((time.monotonic() - since) * 1e6))

    def list_operation_vms(self, asked):
        wanted = asked.request.operation_id
        if not wanted:
            raise Refusal('BAD_REQUEST_DATA', 'operation_id is missing: say whose machines are '
                          'looked for', 'operation_id', 'is missing')
        return self.page(asked, [(row['number'], self.shown(row, asked))
                                 for row in self.machines.all() if row['order'] == wanted],
                         pb.ListOperationVmsResponse(), 'vms')

    def list_leftovers(self, asked):
        rows = [(row['number'], pb.Leftover(
            cloud=asked.cloud, id=row['id'], name=row['name'], kind='vm',
            operation_id=row['order'], created_at={'seconds': int(row['made'])}))
            for row in self.machines.all() if row['order']]
        return self.page(asked, rows, pb.ListLeftoversResponse(), 'leftovers')

    def delete_leftover(self, asked):
        """A machine is all that a create makes: there is nothing beside it."""
        return 'OK' if asked.dry_run else 'DELETED', pb.DeleteLeftoverResponse()


# ---- the process ----

def arguments():
    parser = argparse.ArgumentParser(description='An adapter for a toy cloud.')
    parser.add_argument('--gateway', metavar='URL', default=os.environ.get('ISOBAR_SERVER') or
                        'ipc:///run/isobar/isobar.sock', help='where to register')
    parser.add_argument('--token-file', metavar='FILE',
                        help='its first line is the token to register with')
    parser.add_argument('--serve-only', action='store_true',
                        help='do not register; whoever may open the local socket may call')
    parser.add_argument('--listen', metavar='URL', help='ipc:///PATH or tcp://HOST:PORT')
    parser.add_argument('--cloud', metavar='NAME', default='toy', help='that is offered: toy')
    parser.add_argument('--name', default='toy', help='of the adapter: toy')
    parser.add_argument('--adapter-version', metavar='VERSION', default='1.0.0')
    parser.add_argument('--id', default='', help='of this instance; else one is made up')
    parser.add_argument('--weight', type=int, help='its share of the calls; 100')
    parser.add_argument('--boot-ms', type=int, default=800, help='how long a machine boots')
    parser.add_argument('--pace-ms', type=int, default=300, help='how long all else takes')
    parser.add_argument('--state', metavar='FILE', help='where the machines are kept')
    args = parser.parse_args()
    if args.serve_only and (args.listen or 'ipc:').startswith('tcp:'):
        parser.error('--serve-only is for local sockets: to tcp anybody could connect')
    return args


def main():
    args = arguments()
    ending = threading.Event()
    for each in signal.SIGTERM, signal.SIGINT:
        signal.signal(each, lambda number, frame: ending.set())
    folder = None if args.listen else tempfile.mkdtemp(prefix='isobar-toy.')
    adapter = Toy(args.name, args.adapter_version, [args.cloud],
                  toy_machines.Cloud(args.state, args.boot_ms / 1000, args.pace_ms / 1000),
                  None if args.serve_only else secrets.token_hex(32))
    try:
        server = Server(args.listen or 'ipc://%s/toy.sock' % folder, adapter.answer)
        server.start()
        say('%s: serves at %s', args.name, server.url)
        registration = None if args.serve_only else Registration(
            adapter, args.gateway, args.token_file, [server.url], args.id, args.weight)
        if registration:
            registration.start()
        ending.wait()
        say('%s: ends', args.name)
        if registration:
            registration.leave()
        server.stop(STOP_S)
    finally:
        if folder:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == '__main__':
    try:
        main()
    except (OSError, ValueError) as error:
        sys.exit('toy: %s' % error)
