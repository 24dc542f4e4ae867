#!/usr/bin/python3
"""The emulated Azure, judged by Azure's own clients and by oav: a machine's life, lists, operations."""

import json
import os
import subprocess
import sys
import unittest

from arm_peer import (COMPUTE, DISKS, GROUP, HOME, KEY, NETWORK, RESOURCES, Test, arm_emulator,
                      eventually)

import arm_judge


class Life(Test):
    def test_a_machine(self):
        """From an address to its end, with what it takes along."""
        lab = self.lab()
        compute, network = lab.compute(), lab.network()
        ip = network.public_ip_addresses.begin_create_or_update(GROUP, 'web-ip', {
            'location': HOME, 'sku': {'name': 'Standard'}, 'tags': {'isobar-token': 't'},
            'public_ip_allocation_method': 'Static', 'zones': ['1']}).result()
        self.assertEqual((ip.provisioning_state, ip.ip_address), ('Succeeded', '20.0.0.11'))
        nic = network.network_interfaces.begin_create_or_update(
            GROUP, 'web-nic', lab.nic_body(public=ip.id)).result()
        config, = nic.ip_configurations
        self.assertEqual((config.private_ip_address, config.public_ip_address.id),
                         ('10.1.0.4', ip.id))
        order = compute.virtual_machines.begin_create_or_update(GROUP, 'web', lab.vm_body(
            nic.id, data=[{'lun': 0, 'createOption': 'Empty', 'diskSizeGB': 5}]))
        vm = compute.virtual_machines.get(GROUP, 'web', expand='instanceView')
        self.assertEqual((vm.provisioning_state, len(vm.instance_view.statuses)), ('Creating', 1))
        vm = order.result()
        self.assertEqual(vm.provisioning_state, 'Succeeded')
        vm = compute.virtual_machines.get(GROUP, 'web', expand='instanceView')
        self.assertEqual([each.code for each in vm.instance_view.statuses],
                         ['ProvisioningState/succeeded', 'PowerState/running'])
        self.assertEqual(vm.storage_profile.image_reference.exact_version, '18.04.202301010')
        self.assertEqual(vm.os_profile.linux_configuration.ssh.public_keys[0].key_data, KEY)
        nic = network.network_interfaces.get(GROUP, 'web-nic')
        self.assertEqual(nic.virtual_machine.id, vm.id)
        self.assertEqual(network.public_ip_addresses.get(GROUP, 'web-ip').ip_configuration.id,
                         nic.ip_configurations[0].id)
        row = lab.count('t')
        self.assertEqual([len(row[each]) for each in ('machines', 'nics', 'addresses', 'disks')],
                         [1, 1, 1, 2])
        self.assertEqual(row['machines_ever'], [vm.vm_id])
        compute.virtual_machines.begin_delete(GROUP, 'web').result()
        self.refused('ResourceNotFound', compute.virtual_machines.get, GROUP, 'web', status=404)
        row = lab.count('t')
        self.assertEqual([len(row[each]) for each in ('machines', 'nics', 'addresses', 'disks')],
                         [0, 0, 0, 1], 'the data disk stays, and the rest ends with the machine')

    def test_power(self):
        lab = self.lab(pace=0.3)
        lab.running()
        vms = lab.compute('2022-08-01').virtual_machines

        def power():
            view = vms.instance_view(GROUP, 'web')
            return [each.code for each in view.statuses][1:]

        for do, meanwhile, after in (
                (vms.begin_power_off, 'stopping', 'stopped'), (vms.begin_start, 'starting', 'running'),
                (vms.begin_restart, 'running', 'running'),
                (vms.begin_deallocate, 'deallocating', 'deallocated'),
                (vms.begin_start, 'starting', 'running'), (vms.begin_reapply, 'running', 'running')):
            order = do(GROUP, 'web')
            self.assertEqual(power(), ['PowerState/' + meanwhile])
            self.refused('Conflict', vms.begin_restart, GROUP, 'web', status=409)
            order.result()
            self.assertEqual(power(), ['PowerState/' + after])
        vms.begin_deallocate(GROUP, 'web').result()
        disk = vms.get(GROUP, 'web').storage_profile.os_disk
        self.assertEqual((disk.disk_size_gb, disk.managed_disk.storage_account_type), (None, None))
        self.refused('OperationNotAllowed', vms.begin_restart, GROUP, 'web')

    def test_hibernation(self):
        lab = self.lab()
        path = lab.running(version='2021-07-01', additionalCapabilities={'hibernationEnabled': True})
        vms = lab.compute('2021-11-01').virtual_machines
        vms.begin_deallocate(GROUP, 'web', hibernate=True).result()
        self.assertEqual([each.code for each in vms.instance_view(GROUP, 'web').statuses][1:],
                         ['PowerState/deallocated', 'HibernationState/Hibernated'])
        vms.begin_start(GROUP, 'web').result()
        self.assertNotIn('Hibernat', str(lab.request('GET', path + '/instanceView', None, COMPUTE)))
        lab.running('other')
        self.refused('OperationNotAllowed', vms.begin_deallocate, GROUP, 'other', hibernate=True)

    def test_changes(self):
        """A PUT of what is there changes it; what cannot be changed is refused."""
        lab = self.lab()
        nic = lab.put_nic()
        status, headers, first = lab.put_vm(nic=nic)
        self.wrong(409, 'Conflict', lab.put_vm(nic=nic, hardwareProfile={'vmSize': 'Standard_B1s'}))
        lab.wait(headers)
        for same in lab.put_vm(nic=nic), lab.request('PUT', lab.path('vm', 'WEB'),
                                                     lab.vm_body(nic.upper()), COMPUTE):
            self.assertEqual((same[0], same[2]['properties']['vmId'], same[2]['id'],
                              same[2]['properties']['provisioningState']),
                             (200, first['properties']['vmId'], first['id'], 'Succeeded'))
        status, headers, _ = lab.put_vm(nic=nic, hardwareProfile={'vmSize': 'Standard_B1s'})
        self.assertEqual(status, 200)
        self.assertEqual(lab.wait(headers)['properties']['output']['properties']['hardwareProfile'],
                         {'vmSize': 'Standard_B1s'})
        body = lab.vm_body(nic)
        body['properties']['osProfile']['customData'] = 'eA=='
        self.wrong(409, 'PropertyChangeNotAllowed', lab.request('PUT', lab.path('vm', 'web'), body,
                                                                COMPUTE))
        for change in ({'zones': ['2']}, {'location': 'eastus'}):
            answer = lab.request('PUT', lab.path('vm', 'web'), dict(lab.vm_body(nic), **change),
                                 COMPUTE)
            self.wrong(409, 'PropertyChangeNotAllowed' if 'zones' in change else
                       'InvalidResourceLocation', answer)
        compute = lab.compute()
        vm = compute.virtual_machines.begin_update(GROUP, 'web', {'tags': {'a': 'b'}}).result()
        self.assertEqual((vm.tags, vm.hardware_profile.vm_size), ({'a': 'b'}, 'Standard_B1s'))

    def test_disks_come_and_go(self):
        lab = self.lab()
        vms, disks = lab.compute().virtual_machines, lab.compute(DISKS).disks
        lab.running()
        disk = disks.begin_create_or_update(GROUP, 'extra', {
            'location': HOME, 'disk_size_gb': 8, 'creation_data': {'create_option': 'Empty'}}).result()
        self.assertEqual(disk.disk_state, 'Unattached')
        vm = vms.begin_update(GROUP, 'web', {'storage_profile': {'data_disks': [
            {'lun': 3, 'create_option': 'Attach', 'managed_disk': {'id': disk.id}}]}}).result()
        self.assertEqual([(each.lun, each.name, each.disk_size_gb)
                          for each in vm.storage_profile.data_disks], [(3, 'extra', 8)])
        disk = disks.get(GROUP, 'extra')
        self.assertEqual((disk.disk_state, disk.managed_by), ('Attached', vm.id))
        self.refused('OperationNotAllowed', disks.begin_delete, GROUP, 'extra', status=409)
        vms.begin_update(GROUP, 'web', {'storage_profile': {'data_disks': []}}).result()
        disks.begin_delete(GROUP, 'extra').result()
        self.assertEqual(len(list(disks.list())), 1)

    def test_if_none_match(self):
        """Heeded by versions that have it; others change what is there."""
        lab = self.lab()
        path = lab.running()
        headers = {'If-None-Match': '*'}
        nic = lab.path('nic', 'web-nic')
        for version, status in (('2021-03-01', 200), ('2023-07-01', 200), ('2023-09-01', 412),
                                ('2024-07-01', 412)):
            self.assertEqual(lab.put_vm(nic=nic, version=version, headers=headers)[0], status, version)
        self.assertIn('etag', lab.request('GET', path, None, '2023-09-01')[2])
        self.assertNotIn('etag', lab.request('GET', path, None, '2023-07-01')[2])
        self.assertEqual(lab.put_vm('new', version='2024-07-01', headers=headers)[0], 201)

    def test_spot_and_zones(self):
        lab = self.lab()
        nic = lab.put_nic()
        body = dict(lab.vm_body(nic, priority='Spot', evictionPolicy='Delete', userData='eA==',
                                billingProfile={'maxPrice': -1}), zones=['2'],
                    identity={'type': 'SystemAssigned'})
        vm = lab.compute().virtual_machines.begin_create_or_update(GROUP, 'web', body).result()
        self.assertEqual((vm.priority, vm.eviction_policy, vm.billing_profile.max_price, vm.zones),
                         ('Spot', 'Delete', -1, ['2']))
        self.assertEqual(vm.identity.tenant_id, lab.told['tenant_id'])
        self.assertIsNone(vm.user_data)
        told = lab.request('GET', vm.id + '?$expand=userData', None, COMPUTE)[2]
        self.assertEqual(told['properties']['userData'], 'eA==')

    def test_own_image(self):
        lab = self.lab()
        image = lab.compute().images.get(GROUP, 'golden')
        body = lab.vm_body(lab.put_nic())
        body['properties']['storageProfile']['imageReference'] = {'id': image.id}
        vm = lab.compute().virtual_machines.begin_create_or_update(GROUP, 'web', body).result()
        self.assertEqual(vm.storage_profile.image_reference.id, image.id)

    def test_galleries(self):
        """Their images are those of machines: one's own, of others, open to all."""
        lab = self.lab()
        old = lab.compute('2021-07-01')
        gallery, = old.galleries.list()
        image, = old.gallery_images.list_by_gallery(GROUP, gallery.name)
        self.assertEqual((image.os_type, image.hyper_v_generation), ('Linux', 'V2'))
        self.assertEqual(old.gallery_images.get(GROUP, gallery.name, 'golden').id, image.id)
        version = list(old.gallery_image_versions.list_by_gallery_image(
            GROUP, gallery.name, image.name))[-1]
        self.assertEqual(version.storage_profile.os_disk_image.size_in_gb, 30)
        for n, (key, id, since) in enumerate((
                ('id', image.id, COMPUTE), ('id', version.id, COMPUTE),
                ('sharedGalleryImageId', '/SharedGalleries/other-1/Images/golden/Versions/1.0.0',
                 '2021-07-01'),
                ('communityGalleryImageId', '/CommunityGalleries/open-1/Images/golden/Versions/latest',
                 '2022-03-01'))):
            body = lab.vm_body(lab.put_nic('nic%d' % n))
            body['properties']['storageProfile']['imageReference'] = {key: id}
            answer = lab.request('PUT', lab.path('vm', 'web%d' % n), body, since)
            self.assertEqual((answer[0], answer[2]['properties']['storageProfile']['imageReference']),
                             (201, {key: id}))
        self.wrong(404, 'InvalidResourceType', lab.request(
            'GET', '/providers/Microsoft.Compute/galleries', None, COMPUTE))

    def test_group(self):
        """A group takes all that is in it along."""
        lab = self.lab(pace=0.3)
        groups = lab.resources().resource_groups
        self.assertFalse(groups.check_existence('more'))
        groups.create_or_update('more', {'location': HOME, 'tags': {'a': 'b'}})
        groups.create_or_update('more', {'location': HOME, 'tags': {'a': 'c'}})
        self.assertEqual(groups.get('MORE').tags, {'a': 'c'})
        self.assertTrue(groups.check_existence('more'))
        network = lab.network()
        network.virtual_networks.begin_create_or_update('more', 'net', {
            'location': HOME, 'address_space': {'address_prefixes': ['10.9.0.0/16']},
            'subnets': [{'name': 'a', 'address_prefix': '10.9.1.0/24'}]}).result()
        order = groups.begin_delete('more')
        self.refused('ResourceGroupBeingDeleted', network.public_ip_addresses.begin_create_or_update,
                     'more', 'ip', {'location': HOME})
        order.result()
        self.assertEqual([each.name for each in groups.list()], [GROUP])
        self.assertEqual([each.id.split('/')[4] for each in network.virtual_networks.list_all()],
                         [GROUP])
        self.refused('ResourceGroupNotFound', groups.get, 'more', status=404)


class Lists(Test):
    def test_what_it_comes_with(self):
        lab = self.lab()
        compute, network, resources = lab.compute(), lab.network(), lab.resources()
        vnet, = network.virtual_networks.list_all()
        self.assertEqual(([each.name for each in network.subnets.list(GROUP, vnet.name)],
                          vnet.address_space.address_prefixes), (['default'], ['10.0.0.0/8']))
        self.assertEqual(network.subnets.get(GROUP, 'net', 'default').address_prefix, '10.1.0.0/16')
        self.assertEqual([each.name for each in network.network_security_groups.list(GROUP)], ['web'])
        self.assertEqual([each.name for each in compute.ssh_public_keys.list_by_subscription()],
                         ['tester'])
        self.assertEqual([each.name for each in compute.images.list()], ['golden'])
        self.assertEqual(len(list(resources.resources.list())), 4)
        self.assertEqual(resources.providers.get('Microsoft.Compute').resource_types[0].zone_mappings[
            0].zones, ['1', '2', '3'])
        self.assertEqual(len(list(resources.providers.list())), 2)
        subscriptions = lab.subscriptions().subscriptions
        self.assertEqual(subscriptions.get(lab.subscription).state, 'Enabled')
        self.assertEqual([each.subscription_id for each in subscriptions.list()], [lab.subscription])
        self.assertEqual([each.name for each in subscriptions.list_locations(lab.subscription)],
                         ['westeurope', 'eastus', 'westus'])

    def test_of_machines(self):
        lab = self.lab(unknown_state='levitating', upper_groups=True)
        lab.running('one')
        compute = lab.compute()
        self.assertEqual([each.name for each in compute.virtual_machines.list(GROUP)], ['one'])
        vm, = compute.virtual_machines.list_all()
        self.assertEqual(vm.id.split('/')[4], 'LAB')
        self.assertIsNone(vm.instance_view)
        vm, = compute.virtual_machines.list_all(status_only='true')
        self.assertEqual([each.code for each in vm.instance_view.statuses],
                         ['ProvisioningState/succeeded', 'PowerState/levitating'])
        self.assertEqual(len(list(compute.virtual_machines.list_by_location(HOME))), 1)
        self.assertIn('Standard_B1s', [each.name for each in compute.virtual_machine_sizes.list(HOME)])
        self.assertEqual(len(list(compute.virtual_machines.list_available_sizes(GROUP, 'one'))), 6)
        cores = next(iter(compute.usage.list(HOME)))
        self.assertEqual((cores.name.value, cores.current_value), ('cores', 2))

    def test_pages(self):
        lab = self.lab(page_size=2)
        network = lab.network()
        for n in range(5):
            lab.put_nic('nic%d' % n)
        self.assertEqual([each.name for each in network.network_interfaces.list(GROUP)],
                         ['nic%d' % n for n in range(5)])
        for n in range(3):
            lab.running('vm%d' % n)
        compute = lab.compute()
        self.assertEqual([each.name for each in compute.virtual_machines.list_all()],
                         ['vm0', 'vm1', 'vm2'])
        pages = [len(list(page)) for page in compute.virtual_machines.list_all(
            status_only='true').by_page()]
        self.assertEqual(pages, [2, 1])

    def test_tags(self):
        lab = self.lab()
        lab.put_nic('a', "it's")
        lab.put_nic('b', 'other')
        found = lab.resources().resources

        def names(text):
            return [each.name for each in found.list(filter=text)]

        self.assertEqual(names("tagName eq 'isobar-token' and tagValue eq 'it''s'"), ['a'])
        self.assertEqual(names("tagName eq 'Isobar-Token'"), ['a', 'b'])
        self.assertEqual(names("tagName eq 'none'"), [])
        lab.network().network_interfaces.update_tags(GROUP, 'b', {'tags': {'none': ''}})
        self.assertEqual(names("tagName eq 'none'"), ['b'])

    def test_marketplace(self):
        images = self.lab().compute().virtual_machine_images
        self.assertEqual([each.name for each in images.list_publishers(HOME)],
                         ['Canonical', 'Debian', 'MicrosoftWindowsServer'])
        self.assertEqual([each.name for each in images.list_offers(HOME, 'debian')], ['debian-12'])
        self.assertEqual([each.name for each in images.list_skus(HOME, 'Debian', 'debian-12')], ['12'])
        newest, = images.list(HOME, 'Debian', 'debian-12', '12', top=1, orderby='name desc')
        self.assertEqual(newest.name, '0.20240201.9', 'as texts, not as versions')
        image = images.get(HOME, 'Debian', 'debian-12', '12', newest.name)
        self.assertEqual(image.os_disk_image.operating_system, 'Linux')
        self.refused('ArtifactNotFound', images.list_skus, HOME, 'Debian', 'none', status=404)

    def test_keys(self):
        keys = self.lab().compute().ssh_public_keys
        keys.create(GROUP, 'mine', {'location': HOME, 'public_key': KEY})
        self.assertEqual(keys.get(GROUP, 'mine').public_key, KEY)
        keys.delete(GROUP, 'mine')
        self.refused('ResourceNotFound', keys.get, GROUP, 'mine')


class Judged(Test):
    @unittest.skipIf(arm_judge.why_not(), arm_judge.why_not())
    def test_the_judge_judges(self):
        """It has looked at what it was given, and finds what is wrong with a request."""
        lab = self.lab(breaches=None)
        lab.request('GET', '/resourceGroups', None, RESOURCES)
        lab.request('PUT', lab.path('nic', 'bad'), dict(lab.nic_body(), bogus=1), NETWORK)
        eventually('judged', lambda: lab.ask('violations')['judged'] == 2)
        found, = lab.ask('violations')['violations']
        self.assertIn('request of NetworkInterfaces_CreateOrUpdate', found['code'])
        self.assertIn('bogus', found['message'])

    def test_no_judge(self):
        """Where there is none, a lab says so and lives without."""
        with subprocess.Popen([sys.executable, arm_emulator.__file__], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env=dict(os.environ, PATH='/nowhere')) as process:
            emulator = arm_emulator.Emulator.__new__(arm_emulator.Emulator)
            emulator.control = json.loads(process.stdout.readline())['control']
            told = emulator.ask('POST', '/labs', {'name': 'a', 'judge': True})
            self.assertEqual(told['no_judge'], 'there is no node')
            process.stdin.close()
            self.assertIn('a: no judge: there is no node', process.stderr.read())


if __name__ == '__main__':
    unittest.main()
