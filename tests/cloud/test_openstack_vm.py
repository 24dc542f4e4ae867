#!/usr/bin/python3
"""The life of machines on a real OpenStack, through the command line: how each is made, every
action, and that nothing is left behind. After each step `openstack` is asked too.
"""

import base64
import os
import sys
import tempfile
import time
import unittest

import fields
import openstack_peer
from gateway import Gateway

openstack_peer.need()

# What an action leaves: the state here, and OpenStack's word.
ACTIONS = [
    (('stop',), 'STOPPED', 'SHUTOFF'),
    (('stop',), 'STOPPED', 'SHUTOFF'),      # again: it is stopped, and that is what was wanted
    (('start',), 'RUNNING', 'ACTIVE'),
    (('reboot',), 'RUNNING', 'ACTIVE'),
    (('reboot', '--hard'), 'RUNNING', 'ACTIVE'),
    (('suspend',), 'SUSPENDED', 'SUSPENDED'),
    (('resume',), 'RUNNING', 'ACTIVE'),
    (('resize', '--flavor', 'm1.small'), 'RUNNING', 'ACTIVE'),
]


class Machines(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.os = openstack_peer.Project()
        cls.addClassCleanup(cls.os.remove)
        cls.os.make_key('key')
        for group in 'web', 'ssh':
            cls.os('security', 'group', 'create', group)
            cls.os.cleanup('security', 'group', 'delete', group)
        cls.gateway = Gateway('clouds:\n  lab: {adapter: openstack, cloud: demo, clouds_file: %s}\n'
                              % cls.os.clouds)
        cls.addClassCleanup(cls.gateway.stop)

    def setUp(self):
        # Whatever fails, the next test begins with nothing.
        self.addCleanup(lambda: self.os.insist(self.os.remove_machines))

    def create(self, name, *args, image='test-image'):
        """Make a machine and wait for it; what the gateway shows of it then."""
        return self.vm('create', '--name', name, '--flavor', 'm1.tiny', '--image', image,
                       '--network', 'private', '--wait', *args)

    def vm(self, *args):
        """A command whose answer is one machine."""
        answer = self.gateway.ok('vm', *args[:1], '--cloud', 'lab', *args[1:], '-o', 'json').json()
        return answer[0] if isinstance(answer, list) else answer

    def delete(self, name):
        self.gateway.ok('vm', 'delete', 'lab/' + name, '--wait', '--yes')
        # Nova shows the machine as DELETED, and for a moment goes on to list it.
        for attempt in range(10):
            names = [each['Name'] for each in self.os.show('server', 'list')]
            if name not in names:
                break
            time.sleep(0.5)
        self.assertNotIn(name, names)
        self.assertEqual(self.gateway.run('vm', 'show', 'lab/' + name).code, 3)
        self.assertEqual(self.os.leftovers(), set(), 'left behind')

    def server(self, name):
        return self.os.show('server', 'show', name)

    def test_life(self):
        ours = self.create('life')
        self.assertEqual(ours['state'], 'VM_STATE_RUNNING')
        self.assertEqual(ours['id'], self.server('life')['id'])
        for args, state, status in ACTIONS:
            with self.subTest(' '.join(args)):
                self.vm(args[0], 'life', *args[1:], '--wait')
                theirs = self.server('life')
                self.assertEqual(theirs['status'], status)
                self.assertEqual(theirs['OS-EXT-STS:task_state'], None)
                ours = self.vm('show', 'life')
                self.assertEqual(ours['state'], 'VM_STATE_' + state)
                self.assertEqual(ours['nativeState'], status)
        self.assertEqual(self.server('life')['flavor']['original_name'], 'm1.small')
        self.assertEqual(ours['flavorName'], 'm1.small')
        self.delete('life')

    def test_everything_asked_for(self):
        with tempfile.NamedTemporaryFile('wb') as script:
            script.write(b'#!/bin/sh\necho \xc3\xa4\n\0\xff')
            script.flush()
            ours = self.create('full', '--keypair', 'key', '--security-group', 'web',
                               '--security-group', 'ssh', '--tag', 'role=front', '--tag', 'env=test',
                               '--user-data', script.name, '--zone', 'nova')
            with open(script.name, 'rb') as f:
                user_data = f.read()
        theirs = self.server('full')
        self.assertEqual(theirs['key_name'], 'key')
        self.assertEqual({g['name'] for g in theirs['security_groups']}, {'web', 'ssh'})
        self.assertEqual(theirs['OS-EXT-AZ:availability_zone'], 'nova')
        for key, value in {'role': 'front', 'env': 'test'}.items():
            self.assertEqual(theirs['properties'].get(key), value)
            self.assertEqual(ours['tags'].get(key), value)
        # Only an administrator may see it.
        seen = self.os.show_admin('server', 'show', theirs['id'])
        self.assertEqual(base64.b64decode(seen['OS-EXT-SRV-ATTR:user_data']), user_data)
        self.delete('full')

    def test_floating_ip(self):
        for how, name in (('dynamic', 'float'), ('static', 'static')):
            with self.subTest(how):
                args = ['--public-ip-type', how]
                given = None
                if how == 'static':
                    given = self.os.show('floating', 'ip', 'create', 'public')
                    args += ['--public-ip', given['floating_ip_address']]
                ours = self.create(name, *args)
                public = [a['ip'] for a in ours['addresses']
                          if a['kind'] == 'ADDRESS_KIND_PUBLIC']
                self.assertEqual(len(public), 1, ours['addresses'])
                self.assertIn(public[0], self.server(name)['addresses']['private'])
                theirs = self.os.show('floating', 'ip', 'show', public[0])
                self.assertEqual(theirs['status'], 'ACTIVE')
                if not given:
                    self.delete(name)
                    continue
                self.assertEqual(public[0], given['floating_ip_address'])
                # It was there before the machine, and is there after it.
                self.gateway.ok('vm', 'delete', 'lab/' + name, '--wait', '--yes')
                self.assertEqual(self.os.leftovers(), {('floating ip', given['id'])})
                self.os('floating', 'ip', 'delete', given['id'])

    def test_boot_from_volume(self):
        ours = self.create('disk', '--source-type', 'image', '--volume-created')
        theirs = self.server('disk')
        self.assertIn('booted from volume', theirs['image'])
        self.assertEqual([v['id'] for v in theirs['volumes_attached']],
                         [v['id'] for v in ours['volumes']])
        volume = self.os.show('volume', 'show', ours['volumes'][0]['id'])
        self.assertEqual(volume['status'], 'in-use')
        self.assertEqual(volume['volume_image_metadata']['image_name'], 'test-image')
        self.delete('disk')

    def test_boot_from_a_volume_that_is_there(self):
        volume = self.os.show('volume', 'create', '--image', 'test-image', '--size', '1', 'mine')
        self.os.insist(lambda: self.available('mine'))
        ours = self.create('own', '--source-type', 'volume', image='mine')
        self.assertEqual([v['id'] for v in ours['volumes']], [volume['id']])
        self.gateway.ok('vm', 'delete', 'lab/own', '--wait', '--yes')
        self.os.insist(lambda: self.available('mine'))
        self.assertEqual(self.os.leftovers(), {('volume', volume['id'])})
        self.os('volume', 'delete', 'mine')
        self.os.insist(self.nothing_left)

    def available(self, volume):
        status = self.os.show('volume', 'show', volume)['status']
        if status != 'available':
            raise openstack_peer.OpenStackError('volume %s is %s' % (volume, status))

    def nothing_left(self):
        if self.os.leftovers():
            raise openstack_peer.OpenStackError('left: %s' % self.os.leftovers())

    def test_more_disks(self):
        ours = self.create('disks', '--volume', 'size=1,name=data', '--volume', 'size=2,keep')
        volumes = {v['ID']: v for v in self.os.show('volume', 'list')}
        self.assertEqual(sorted(volumes), sorted(v['id'] for v in ours['volumes']))
        self.assertEqual({v['Size'] for v in volumes.values()}, {1, 2})
        kept, = (v['ID'] for v in volumes.values() if v['Size'] == 2)
        self.gateway.ok('vm', 'delete', 'lab/disks', '--wait', '--yes')
        self.assertEqual(self.os.leftovers(), {('volume', kept)})
        self.os('volume', 'delete', kept)
        self.os.insist(self.nothing_left)

    def test_several(self):
        self.gateway.ok('vm', 'create', '--cloud', 'lab', '--name', 'many', '--count', '2',
                        '--flavor', 'm1.tiny', '--image', 'test-image', '--network', 'private',
                        '--wait')
        theirs = self.os.show('server', 'list')
        self.assertEqual(len(theirs), 2)
        self.assertEqual({each['Status'] for each in theirs}, {'ACTIVE'})
        names = sorted(each['Name'] for each in theirs)
        self.assertEqual(len(set(names)), 2, names)
        self.gateway.ok('vm', 'stop', '--cloud', 'lab', '--wait', *names)
        self.assertEqual({each['Status'] for each in self.os.show('server', 'list')}, {'SHUTOFF'})
        self.gateway.ok('vm', 'delete', '--cloud', 'lab', '--wait', '--yes', *names)
        self.assertEqual(self.os.leftovers(), set())

    def test_made_elsewhere(self):
        """A machine that the gateway has not made is seen and obeys as well."""
        self.os('server', 'create', '--flavor', 'm1.tiny', '--image', 'test-image',
                '--network', 'private', '--wait', 'foreign')
        ours = self.vm('show', 'foreign')
        self.assertEqual(ours['id'], self.server('foreign')['id'])
        self.vm('stop', 'foreign', '--wait')
        self.assertEqual(self.server('foreign')['status'], 'SHUTOFF')
        self.delete('foreign')

    def test_states_on_the_way(self):
        """Whatever is seen of a machine that is being changed is what the table says."""
        seen = self.vm('create', '--name', 'way', '--flavor', 'm1.tiny', '--image', 'test-image',
                       '--network', 'private')
        self.assertIn(seen['state'], ('VM_STATE_CREATING', 'VM_STATE_RUNNING'))
        while seen['state'] != 'VM_STATE_RUNNING':
            self.check_state(seen)
            seen = self.vm('show', 'way')
        seen = self.vm('stop', 'way')
        while seen['state'] != 'VM_STATE_STOPPED':
            self.check_state(seen)
            self.assertIn(seen['state'], ('VM_STATE_STOPPING', 'VM_STATE_RUNNING'))
            seen = self.vm('show', 'way')
        self.delete('way')

    def check_state(self, ours):
        status, _, task = ours['nativeState'].partition(' ')
        self.assertEqual(ours['state'], fields.vm_state(status, task.strip('()')))


if __name__ == '__main__':
    os.umask(0o077)
    sys.exit(0 if unittest.main(exit=False, verbosity=2).result.wasSuccessful() else 1)
