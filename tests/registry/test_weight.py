#!/usr/bin/python3
"""Status, weight and version: which of a cloud's processes gets how many of its calls."""

import signal
import unittest

from fixture import DRAINING, OUT, UP, Case, at_once
from isobar_wire import Server
from load import Load, failures, reads
from registrant import Hearts, nursery, offer, register, registered, serve

CALLS = 400
# Of so many calls a share is off by more than this once in a million runs.
TOLERANCE = 0.12
BUSY_TOLERANCE = 0.26


class Shares(Case):

    def counted(self, gw):
        return {id: each.calls for id, each in gw.admin.adapters().items()}

    def shares(self, gw, id, cloud='toy', calls=CALLS):
        """{instance: its part} of calls that are made now, one after the other."""
        before = self.counted(gw)
        for _ in range(calls):
            self.gets(gw.admin.ask('VmService/GetVm', cloud=cloud, id=id), 'OK')
        after = self.counted(gw)
        self.assertEqual(sum(after.values()) - sum(before.values()), calls)
        return {each: (after[each] - before[each]) / calls for each in after}

    def are(self, shares, **wanted):
        for id, share in wanted.items():
            if share in (0, 1):
                self.assertEqual(shares[id], share, shares)
            else:
                self.assertAlmostEqual(shares[id], share, delta=TOLERANCE, msg=shares)


class Status(Shares):

    def test_who_may(self):
        gw = self.gateway()
        registered(gw.asker('toys'))
        for user in 'look', 'work', 'others', 'gadgets', 'anything':
            with self.subTest(user):
                asker = gw.asker(user)
                self.gets(asker.set('one', status=OUT), 'FORBIDDEN')
                self.gets(asker.set('one', weight=0), 'FORBIDDEN')
                self.gets(asker.ask('AdapterService/DrainAdapter', name='toy', id='one'),
                          'FORBIDDEN')
                shown = gw.admin.adapters()['one']
                self.assertEqual((shown.status, shown.weight), (UP, 100))
        for asker in gw.admin, gw.asker('chief'), gw.asker('toys'):
            answer = self.gets(asker.set('one', status=OUT, weight=5), 'CHANGED')
            self.assertEqual((answer.response.instance.status, answer.response.instance.weight),
                             (OUT, 5))
            self.gets(asker.set('one', status=UP, weight=100), 'CHANGED')

    def test_what_is_not_said_stays(self):
        gw = self.gateway()
        registered(gw.asker('toys'), weight=30)
        for change, wanted in [(dict(weight=7), (UP, 7)), (dict(status=OUT), (OUT, 7)),
                               ({}, (OUT, 7)), (dict(weight=0), (OUT, 0)),
                               (dict(status=DRAINING), (DRAINING, 0)), (dict(status=UP), (UP, 0)),
                               (dict(weight=1000000), (UP, 1000000))]:
            self.gets(gw.admin.set('one', **change), 'CHANGED')
            shown = gw.admin.adapters()['one']
            self.assertEqual((shown.status, shown.weight), wanted, change)

    def test_out_of_service(self):
        gw = self.gateway()
        a, b = self.toy(gw, 'toy-a'), self.toy(gw, 'toy-b')
        id = gw.admin.created('teddy')
        for status in OUT, DRAINING:
            gw.admin.set(a.id, status=status)
            self.are(self.shares(gw, id, calls=50), **{a.id: 0, b.id: 1})
            gw.admin.set(a.id, status=UP)
            self.are(self.shares(gw, id), **{a.id: 0.5, b.id: 0.5})
        for each in a, b:
            gw.admin.set(each.id, status=OUT)
        for method in 'GetVm', 'StopVm', 'DeleteVm':
            answer = gw.admin.ask('VmService/' + method, cloud='toy', id=id, timeout_s=5)
            self.gets(answer, 'UNAVAILABLE')
            self.assertIn('in service', answer.result.detail)
        gw.admin.set(b.id, status=UP)
        self.gets(gw.admin.ask('VmService/GetVm', cloud='toy', id=id), 'OK')

    def test_no_weight_at_all(self):
        """Nobody gets anything; the words say so."""
        gw = self.gateway()
        self.toy(gw)
        id = gw.admin.created('teddy')
        gw.admin.set('toy-a', weight=0)
        answer = gw.admin.ask('VmService/GetVm', cloud='toy', id=id, timeout_s=5)
        self.gets(answer, 'UNAVAILABLE')
        self.assertNotIn('failed: ;', answer.result.detail)
        gw.admin.set('toy-a', weight=1)
        self.gets(gw.admin.ask('VmService/GetVm', cloud='toy', id=id), 'OK')


class Survives(Shares):
    """What somebody has set, whatever becomes of the gateway and of the instance."""

    def test_gateway(self):
        for number in signal.SIGTERM, signal.SIGKILL:
            gw = self.gateway()
            asker = gw.asker('toys')
            for id in 'weighs', 'out', 'both', 'drains', 'untouched':
                registered(asker, id, weight=30)
            gw.admin.set('weighs', weight=0)
            gw.admin.set('out', status=OUT)
            gw.admin.set('both', status=OUT, weight=5)
            gw.admin.set('drains', status=DRAINING)
            gw.restart(number)
            self.assertEqual(
                {id: (each.status, each.weight) for id, each in gw.admin.adapters().items()},
                {'weighs': (UP, 0), 'out': (OUT, 30), 'both': (OUT, 5), 'drains': (DRAINING, 30),
                 'untouched': (UP, 30)})

    def test_instance(self):
        gw = self.gateway()
        toys = [self.toy(gw, id) for id in ('toy-a', 'toy-b', 'toy-c')]
        id = gw.admin.created('teddy')
        gw.admin.set('toy-a', weight=1000)
        gw.admin.set('toy-b', status=OUT)
        gw.admin.set('toy-c', status=DRAINING)
        toys[0].kill()
        toys[1].stop()
        toys[2].kill()
        for each in toys:
            each.start()
        shown = gw.admin.adapters()
        self.assertEqual({each: (shown[each].status, shown[each].weight) for each in shown},
                         {'toy-a': (UP, 1000), 'toy-b': (OUT, 100), 'toy-c': (UP, 100)})
        gw.restart(signal.SIGKILL)
        self.wait_for('they are known', lambda: len(gw.admin.adapters()) == 3)
        self.are(self.shares(gw, id), **{'toy-a': 0.91, 'toy-b': 0, 'toy-c': 0.09})

    def test_said_weight_is_but_the_beginning(self):
        """What is set goes before what a registration says."""
        gw = self.gateway()
        asker = gw.asker('toys')
        registered(asker, weight=10)
        self.assertEqual(gw.admin.adapters()['one'].weight, 10)
        self.assertEqual(registered(asker, weight=20).weight, 20)
        gw.admin.set('one', weight=0)
        self.assertEqual(registered(asker, weight=30).weight, 0)
        self.assertEqual(registered(asker).weight, 0)
        self.assertEqual(registered(asker, 'two', weight=0).weight, 0)

    def test_set_while_it_registers(self):
        """The two at once: what is set is there in the end, and after a restart too."""
        gw = self.gateway()
        registered(gw.asker('toys'))
        for n in range(1, 21):
            at_once(lambda: register(gw.asker('toys')),
                    lambda: self.gets(gw.asker().set('one', weight=n), 'CHANGED'))
            self.assertEqual(gw.admin.adapters()['one'].weight, n)
            if n % 5 == 0:
                gw.restart(signal.SIGKILL)
                self.assertEqual(gw.admin.adapters()['one'].weight, n)


class Versions(Shares):

    CONFIG = '''clouds:
  box: {adapter: sandbox}
  old: {adapter: toy, version: "<2", cloud: toy}
  next: {adapter: toy, version: ">=2 <3", cloud: toy}
  any: {adapter: toy, version: "*", cloud: toy}
  exact: {adapter: toy, version: "=1.0.0", cloud: toy}
  none: {adapter: toy, version: ">=3", cloud: toy}
'''

    def test_side_by_side(self):
        """Traffic moves from one version to the next, step by step, and back."""
        gw = self.gateway()
        self.toy(gw, 'v1')
        self.toy(gw, 'v2', '--adapter-version', '2.0.0')
        id = gw.admin.created('teddy')
        steps = [(100, 0), (75, 25), (50, 50), (0, 100)]
        for one, two in steps + steps[-2::-1]:
            gw.admin.set('v1', weight=one)
            gw.admin.set('v2', weight=two)
            self.are(self.shares(gw, id), v1=one / 100, v2=two / 100)
            # What is described is the newest that gets any.
            shown = gw.admin.ok('CloudService/GetCloud', cloud='toy').cloud
            self.assertEqual(shown.adapter_version, '2.0.0' if two else '1.0.0')

    def test_under_load(self):
        """The weights hold for many calls at once, and none is lost while they change."""
        gw = self.gateway()
        self.toy(gw, 'v1')
        self.toy(gw, 'v2', '--adapter-version', '2.0.0')
        id = gw.admin.created('teddy')
        load = Load(gw, reads(id))
        try:
            for one, two in (100, 0), (75, 25), (50, 50), (25, 75), (0, 100), (100, 0):
                gw.admin.set('v1', weight=one)
                gw.admin.set('v2', weight=two)
                before, begun = self.counted(gw), load.count()
                self.wait_for('calls are made', lambda: load.count() > begun + CALLS)
                after = self.counted(gw)
                made = {each: after[each] - before[each] for each in after}
                share = made['v1'] / sum(made.values())
                # What was under way when the weight was set is counted too; and of two that are drawn
                # the less busy is taken, so that one which happens to be slow gets less.
                self.assertAlmostEqual(share, one / 100, msg=(one, made),
                                       delta=BUSY_TOLERANCE if one in (25, 50, 75) else TOLERANCE)
        finally:
            outcomes = load.stop()
        self.assertEqual(failures(outcomes), [])

    def test_ranges(self):
        gw = self.gateway(self.CONFIG)
        self.gets(gw.admin.ask('VmService/ListVms', cloud='old'), 'UNAVAILABLE')
        self.toy(gw, 'v1')
        self.toy(gw, 'v2', '--adapter-version', '2.0.0')
        id = gw.admin.created('teddy', 'any')
        self.are(self.shares(gw, id, 'old', 50), v1=1, v2=0)
        self.are(self.shares(gw, id, 'exact', 50), v1=1, v2=0)
        self.are(self.shares(gw, id, 'next', 50), v1=0, v2=1)
        self.are(self.shares(gw, id, 'any'), v1=0.5, v2=0.5)
        self.are(self.shares(gw, id), v1=0.5, v2=0.5)
        versions = {each.name: each.adapter_version
                    for each in gw.admin.ok('CloudService/ListClouds').clouds}
        self.assertEqual([versions[each] for each in ('old', 'exact', 'next', 'any')],
                         ['1.0.0', '1.0.0', '2.0.0', '2.0.0'])
        # A machine is shown with the name of the cloud that was asked.
        for cloud in 'old', 'next', 'any', 'toy':
            vm = gw.admin.ok('VmService/GetVm', cloud=cloud, id=id).vm
            self.assertEqual((vm.cloud, vm.name), (cloud, 'teddy'))
        for method in 'GetVm', 'StopVm':
            answer = gw.admin.ask('VmService/' + method, cloud='none', id=id, timeout_s=5)
            self.gets(answer, 'UNAVAILABLE')
        self.gets(gw.admin.create('rex', 'none', timeout_s=5), 'UNAVAILABLE')
        gw.admin.set('v1', status=OUT)
        self.gets(gw.admin.ask('VmService/GetVm', cloud='old', id=id, timeout_s=5), 'UNAVAILABLE')
        self.are(self.shares(gw, id, 'any', 50), v1=0, v2=1)
        # A version that comes later is taken at once.
        self.toy(gw, 'v3', '--adapter-version', '3.1.0-rc.1')
        self.gets(gw.admin.ask('VmService/GetVm', cloud='none', id=id), 'OK')
        self.are(self.shares(gw, id, 'next', 50), v1=0, v2=1, v3=0)

    def test_each_version_has_its_manifest(self):
        """A create is held against that of the version that will get it."""
        gw = self.gateway(self.CONFIG)
        asker, adapter = gw.asker('toys'), nursery()
        url = serve(self, Server, 'both', adapter).url
        registered(asker, 'v1', endpoints=[url])
        later = offer().manifest
        later.methods.extend(adapter.methods())
        later.parameters.add(name='wings', type=1, required=True, description='Two, or four.')
        registered(asker, 'v2', version='2.0.0', endpoints=[url], manifest=later)
        hearts = Hearts(gw, ['v1', 'v2'])
        self.addCleanup(hearts.stop)
        self.gets(gw.admin.create('teddy', 'old'), 'CREATED')
        self.gets(gw.admin.create('teddy', 'next'), 'BAD_REQUEST_DATA', 'spec.parameters.wings')
        gw.admin.set('v2', weight=0)
        self.gets(gw.admin.create('teddy', 'any'), 'CREATED')
        gw.admin.set('v2', weight=1)
        self.gets(gw.admin.create('teddy', 'any'), 'BAD_REQUEST_DATA', 'spec.parameters.wings')

    def test_wrong_ranges(self):
        """The configuration is refused whole, with the place."""
        for text in '', '1..2', '>=', 'latest', '>=2 || <1', '1.0.0.0':
            with self.subTest(text):
                with self.assertRaises(AssertionError):
                    self.gateway('clouds: {a: {adapter: toy, version: "%s"}}\n' % text)


if __name__ == '__main__':
    unittest.main()
