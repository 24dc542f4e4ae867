#!/usr/bin/python3
"""Who may register as what, and what stands in the way of a registration that is in order."""

import unittest

from certificates import TlsClient, authority, certificate
from fixture import OUT, UP, Asker, Case, at_once, free_port, sandboxes, token
from registrant import deregister, offer, register, registered, renew


class Users(Case):
    """Over the local socket, where who can open it is an administrator, and over TCP."""

    def setUp(self):
        super().setUp()
        self.port = free_port()
        self.gw = self.gateway(listen=['tcp://127.0.0.1:%d' % self.port])

    def askers(self, shown):
        for url in self.gw.url, 'tcp://127.0.0.1:%d' % self.port:
            yield url[:3], Asker(url, shown)

    def refused(self, shown, name='toy', code='FORBIDDEN'):
        for where, asker in self.askers(shown):
            with self.subTest(token=shown, name=name, where=where):
                self.gets(register(asker, 'refused', name), code)
                self.gets(renew(asker, 'there', name), code)
                self.gets(deregister(asker, 'there', name), code)
                self.gets(asker.ask('AdapterService/DrainAdapter', name=name, id='there'), code)

    def test_own_token(self):
        for where, asker in self.askers(token('toys')):
            answer = self.gets(register(asker, where), 'CREATED')
            instance = answer.response.instance
            self.assertEqual((instance.id, instance.owner, instance.status), (where, 'toys', UP))
            self.assertEqual((answer.response.lease_ms, answer.response.heartbeat_ms),
                             (10000, 3000))
            self.gets(renew(asker, where), 'OK')
        self.assertEqual(set(self.gw.admin.adapters()), {'ipc', 'tcp'})

    def test_any_adapter(self):
        asker = self.gw.asker('anything')
        self.gets(register(asker, 'one', 'gizmo', clouds=['gizmos']), 'CREATED')
        self.gets(register(asker, 'two'), 'CREATED')

    def test_strangers(self):
        registered(self.gw.asker('toys'), 'there')
        self.refused('CANARY-unknown')
        self.refused(token('look'))
        self.refused(token('work'))
        self.refused(token('gadgets'))
        self.refused(token('toys'), 'gadget')
        self.refused(token('toys') + ' ')
        self.assertEqual(set(self.gw.admin.adapters()), {'there'})
        self.assertEqual(self.gw.admin.adapters('gadget'), {})

    def test_without_token(self):
        registered(self.gw.asker('toys'), 'there')
        for where, asker in self.askers(''):
            with self.subTest(where=where):
                self.gets(register(asker, 'refused'), 'FORBIDDEN')
        # An administrator may not register, and may do the rest.
        self.gets(self.gw.admin.ask('AdapterService/DeregisterAdapter', name='toy', id='there'),
                  'DELETED')

    def test_tokens_are_not_for_clouds(self):
        """Who may register may do nothing else."""
        for method in ('VmService/ListVms', 'CloudService/ListClouds',
                       'AdapterService/ListAdapters', 'AdapterService/WatchAdapters',
                       'OperationService/ListOperations'):
            for where, asker in self.askers(token('toys')):
                with self.subTest(method=method, where=where):
                    self.gets(asker.ask(method, timeout_s=2), 'FORBIDDEN')

    def test_another_owner(self):
        """An instance is its owner's, also when it has gone."""
        mine, theirs = self.gw.asker('toys'), self.gw.asker('others')
        registered(mine, 'one')
        for again in range(2):
            with self.subTest(gone=again):
                self.gets(register(theirs, 'one'), 'FORBIDDEN')
                self.gets(renew(theirs, 'one'), 'FORBIDDEN')
                self.gets(deregister(theirs, 'one'), 'FORBIDDEN')
                self.gets(theirs.ask('AdapterService/SetAdapterStatus', name='toy', id='one',
                                     status=OUT), 'FORBIDDEN')
                self.assertEqual(self.gw.admin.adapters()['one'].owner, 'toys')
                if not again:
                    self.gets(deregister(mine, 'one'), 'DELETED')
        self.gets(register(theirs, 'two'), 'CREATED')
        self.gets(register(mine, 'one'), 'CREATED')

    def test_id_that_the_gateway_chooses(self):
        asker = self.gw.asker('toys')
        ids = [registered(asker, '').id for _ in range(3)]
        self.assertEqual(len(set(ids)), 3)
        self.assertTrue(all(ids))
        self.assertEqual(set(self.gw.admin.adapters()), set(ids))
        self.gets(renew(asker, ids[0]), 'OK')

    def test_replaced(self):
        """The second registration of an id says all anew."""
        asker = self.gw.asker('toys')
        registered(asker, 'one', clouds=['first', 'second'], weight=7)
        registered(asker, 'one', clouds=['second', 'third'], version='1.1.0',
                   metadata={'where': 'here'})
        self.assertEqual(self.gw.admin.clouds(), ['box', 'second', 'third'])
        found = self.gw.admin.ok('AdapterService/ListAdapters', name='toy').adapters
        self.assertEqual([(each.version, each.instance.weight, dict(each.instance.metadata))
                          for each in found], [('1.1.0', 100, {'where': 'here'})])


class MutualTls(Case):

    def test_peer_name(self):
        """The name in a client's certificate stands for a token."""
        def prepare(folder):
            authority(folder)
            for name in 'server', 'machine-7', 'toys', 'stranger':
                certificate(folder, name)
        port = free_port()
        tls = ('{url: "tls+tcp://127.0.0.1:%d", tls: {cert: "{folder}/server.crt", '
               'key: "{folder}/server.key", ca: "{folder}/ca.crt"}}' % port)
        gw = self.gateway(listen=[tls], prepare=prepare, more_users=(
            '  - {name: machine-7, role: adapter, adapters: [toy]}\n'))

        def over_tls(name, shown=''):
            return Asker('', shown, TlsClient(gw.folder, port, name))
        known = over_tls('machine-7')
        self.assertEqual(registered(known, 'one').owner, 'machine-7')
        self.gets(renew(known), 'OK')
        self.gets(register(known, 'two', 'gadget', clouds=['gadgets']), 'FORBIDDEN')
        self.gets(register(over_tls('stranger'), 'three'), 'FORBIDDEN')
        self.gets(renew(over_tls('stranger')), 'FORBIDDEN')
        # A token may be shown with any certificate; a wrong one is not mended by a right name.
        self.assertEqual(registered(over_tls('stranger', token('toys')), 'four').owner, 'toys')
        self.gets(register(over_tls('machine-7', 'CANARY-wrong'), 'five'), 'FORBIDDEN')
        # The name of a user with a token is as good.
        self.assertEqual(registered(over_tls('toys'), 'six').owner, 'toys')


class Others(Case):
    """Other adapters, and the gateway's own clouds."""

    def test_cloud_of_another_adapter(self):
        gw = self.gateway()
        toys, gadgets = gw.asker('toys'), gw.asker('gadgets')
        registered(toys, 'one', clouds=['attic', 'cellar'])
        wanted = dict(name='gadget', clouds=['shed', 'cellar'])
        answer = self.gets(register(gadgets, 'g', **wanted), 'ALREADY_EXISTS')
        self.assertIn('cellar', answer.result.detail)
        self.assertNotIn('shed', gw.admin.clouds())
        self.gets(deregister(toys), 'DELETED')
        self.gets(register(gadgets, 'g', **wanted), 'CREATED')
        self.gets(register(toys, 'one', clouds=['attic', 'cellar']), 'ALREADY_EXISTS')
        self.gets(register(toys, 'one', clouds=['attic']), 'CREATED')
        self.assertEqual(gw.admin.clouds(), ['box', 'attic', 'cellar', 'shed'])

    def test_cloud_of_another_adapter_at_once(self):
        """Of two that come at the same time one gets it."""
        gw = self.gateway()
        for n in range(30):
            codes, cloud = [], 'cloud-%d' % n

            def one(user, name):
                codes.append(register(gw.asker(user), 'i%d' % n, name, clouds=[cloud]).code)
            at_once(lambda: one('toys', 'toy'), lambda: one('gadgets', 'gadget'))
            self.assertEqual(sorted(codes), ['ALREADY_EXISTS', 'CREATED'], 'round %d' % n)

    def test_same_instance_at_once(self):
        """A registration is repeated while the first is under way: one instance, which lives."""
        gw = self.gateway()
        for n in range(10):
            id = 'i%d' % n

            def one(version):
                self.assertEqual(register(gw.asker('toys'), id, version=version).code, 'CREATED')
            at_once(*[lambda v=v: one('1.0.%d' % v) for v in range(4)])
            self.gets(renew(gw.asker('toys'), id), 'OK')
        self.assertEqual(len(gw.admin.adapters()), 10)

    def test_configured_clouds(self):
        """The configuration's own names stay; who registers is told how his can be had."""
        gw = self.gateway(sandboxes('box', more=(
            'mine: {adapter: toy, version: "*", cloud: attic}, toy: {adapter: toy}')))
        asker = gw.asker('toys')
        answer = self.gets(register(asker, 'one', clouds=['box', 'attic']), 'CREATED')
        self.assertEqual(len(answer.result.warnings), 1, answer.result.warnings)
        self.assertIn('box', answer.result.warnings[0])
        clouds = {each.name: each.adapter for each in
                  gw.admin.ok('CloudService/ListClouds').clouds}
        self.assertEqual(clouds, {'box': 'sandbox', 'mine': 'toy', 'toy': 'toy', 'attic': 'toy'})
        # The very cloud that the configuration asks for is none to warn of.
        answer = self.gets(register(asker, 'two', clouds=['toy']), 'CREATED')
        self.assertEqual(list(answer.result.warnings), [])

    def test_name_of_a_built_in_adapter(self):
        """A process may serve as one that is built in; the gateway's own clouds stay its own."""
        gw = self.gateway()
        asker = gw.asker('anything')
        registered(asker, 'one', 'sandbox', '9.0.0', ['far'])
        clouds = {each.name: each.adapter_version for each in
                  gw.admin.ok('CloudService/ListClouds').clouds}
        self.assertEqual(clouds['far'], '9.0.0')
        self.assertNotEqual(clouds['box'], '9.0.0')
        shown = gw.admin.ok('AdapterService/DescribeAdapter', name='sandbox').adapter
        self.assertNotEqual(shown.version, '9.0.0')
        shown = gw.admin.ok('AdapterService/DescribeAdapter', name='sandbox', version='9.0.0')
        self.assertEqual(shown.adapter.version, '9.0.0')

    def test_manifest_is_shown(self):
        gw = self.gateway()
        wanted = offer()
        registered(gw.asker('toys'))
        shown = gw.admin.ok('AdapterService/DescribeAdapter', name='toy').adapter
        self.assertEqual(shown.manifest.attributes, wanted.manifest.attributes)
        self.assertEqual(shown.manifest.parameters, wanted.manifest.parameters)
        self.assertLessEqual(set(wanted.manifest.methods), set(shown.manifest.methods))
        self.assertEqual(gw.admin.ask('AdapterService/DescribeAdapter', name='toy',
                                      version='3.0.0').code, 'NOT_FOUND')
        outcome = gw.ok('adapter', 'describe', 'toy')
        self.assertIn('color', outcome.out)

    def test_what_is_described(self):
        """The newest of those that are there; where none is, the newest that is known."""
        gw = self.gateway()
        asker = gw.asker('toys')

        def described(**more):
            return gw.admin.ok('AdapterService/DescribeAdapter', name='toy', **more).adapter.version
        registered(asker, 'old', version='1.0.0')
        registered(asker, 'older', version='0.9.0')
        registered(asker, 'new', version='2.0.0')
        self.assertEqual(described(), '2.0.0')
        self.gets(deregister(asker, 'new'), 'DELETED')
        self.assertEqual(described(), '1.0.0')
        self.assertEqual(described(version='2.0.0'), '2.0.0')
        self.gets(deregister(asker, 'old'), 'DELETED')
        self.assertEqual(described(), '0.9.0')
        self.gets(deregister(asker, 'older'), 'DELETED')
        self.assertEqual(described(), '2.0.0')

    def test_token_is_shown_to_nobody(self):
        """What the gateway is to show to the instance is in no answer and in no log."""
        gw = self.gateway()
        secret = 'not-for-anybody-else'
        answer = register(gw.asker('toys'), call_token=secret)
        watched = gw.admin.ok('AdapterService/WatchAdapters')
        listed = gw.admin.ok('AdapterService/ListAdapters')
        described = gw.admin.ok('AdapterService/DescribeAdapter', name='toy')
        for each in answer.response, watched, listed, described:
            self.assertNotIn(secret.encode(), each.SerializeToString())
        self.assertNotIn(secret, gw.said())


if __name__ == '__main__':
    unittest.main()
