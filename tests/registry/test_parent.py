#!/usr/bin/python3
"""The gateway dies and comes back while the processes that serve its clouds live: they are known
again by themselves, and what was under way ends exactly once.
"""

import os
import signal
import time
import unittest

from fixture import UP, at_once, sandboxes, side_by_side
from isobar_wire import Server, pb
from load import Load, Orders, creates
from registrant import nursery, registered, serve

load_tests = side_by_side
ORDER = dict(image='ubuntu', flavor='m1.small')
ORDERS = 60


class Parent(Orders):

    def all_serve(self, gw, *clouds):
        self.wait_for('%s serve' % (clouds,), lambda: all(
            gw.admin.ask('VmService/ListVms', cloud=each, timeout_s=10).code == 'OK'
            for each in clouds))

    def family(self, **more):
        """A gateway with two toys on one state, a child, and a child of that one with a toy."""
        gw = self.gateway()
        toys = [self.toy(gw, id) for id in ('toy-a', 'toy-b')]
        child = self.child(gw)
        grandchild = self.child(child, sandboxes())
        self.toy(grandchild, 'deep', cloud='deep', state='deep.json')
        self.all_serve(gw, 'toy', 'far', 'deep')
        return gw, toys, child

    def test_known_still(self):
        """Its state is there: all is served at once."""
        gw, _, _ = self.family()
        ids = {cloud: gw.admin.created('rex', cloud, **order)
               for cloud, order in (('toy', {}), ('far', ORDER), ('deep', {}))}
        for number in signal.SIGKILL, signal.SIGTERM:
            gw.restart(number)
            self.assertEqual({each.cloud: each.id for each in gw.admin.machines()}, ids)
        time.sleep(5)
        self.assertEqual({each.status for each in gw.admin.adapters().values()}, {UP})

    def test_known_again(self):
        """Its state is lost: who renews is told so, and registers."""
        gw, _, _ = self.family()
        gw.admin.created('rex', 'deep')
        gw.end(signal.SIGKILL)
        for each in os.listdir(gw.folder):
            if each.startswith(('store', 'lock')):
                os.unlink(os.path.join(gw.folder, each))
        gw.start()
        self.wait_for('all have registered', lambda: sorted(gw.admin.clouds()) == [
            'box', 'deep', 'far', 'toy'])
        self.all_serve(gw, 'toy', 'far', 'deep')
        self.assertEqual([each.name for each in gw.admin.machines()], ['rex'])

    def test_away_for_long(self):
        """Longer than any lease, with those who register trying all the while."""
        gw, toys, child = self.family()
        gw.end(signal.SIGKILL)
        time.sleep(15)
        gw.start()
        self.all_serve(gw, 'toy', 'far', 'deep')
        time.sleep(12)
        self.assertEqual({each.status for name in ('toy', 'sandbox')
                          for each in gw.admin.adapters(name).values()}, {UP})
        self.assertLess(len(child.events('not registered')), 10)

    def orders(self, cloud, happens, **order):
        """Orders under way while something happens to the gateway; all of them end."""
        gw, toys, child = self.family()
        load = Load(gw, creates(cloud, **order), 4)
        try:
            self.wait_for('there are orders', lambda: load.count() > ORDERS)
            happens(gw, toys, child)
            begun = load.count()
            self.wait_for('there are orders again', lambda: load.count() > begun + ORDERS)
        finally:
            outcomes = load.stop()
        codes = self.exactly_once(gw, outcomes, cloud)
        self.assertLessEqual(set(codes), {'CREATED', 'NONE', 'UNAVAILABLE'}, codes)
        self.assertGreater(codes['CREATED'], ORDERS)
        # Who repeats an order gets the machine that there is.
        made = [n for n, outcome in outcomes]
        before = len(gw.admin.machines(cloud))
        repeated = [gw.admin.create('load-%d' % n, cloud, request_id='load-%d' % n, **order)
                    for n in made if codes['CREATED'] == len(made) or n % 5 == 0]
        self.assertLessEqual({each.code for each in repeated}, {'CREATED', 'UNAVAILABLE'})
        names = [each.name for each in gw.admin.machines(cloud)]
        self.assertEqual(len(names), len(set(names)))
        self.assertGreaterEqual(len(names), before)

    def test_orders_toy_killed(self):
        self.orders('toy', lambda gw, toys, child: gw.restart(signal.SIGKILL))

    def test_orders_toy_ended(self):
        self.orders('toy', lambda gw, toys, child: gw.restart(signal.SIGTERM))

    def test_orders_far(self):
        self.orders('far', lambda gw, toys, child: gw.restart(signal.SIGKILL), **ORDER)

    def test_orders_deep(self):
        self.orders('deep', lambda gw, toys, child: gw.restart(signal.SIGKILL))

    def test_orders_both_killed(self):
        """The gateway and the adapters at the same moment."""
        def happens(gw, toys, child):
            at_once(gw.process.kill, toys[0].kill, toys[1].kill)
            gw.process.wait()
            gw.start()
            for each in toys:
                each.start()
        self.orders('toy', happens)

    def test_orders_deep_child_killed(self):
        """The one in the middle, with orders that pass it."""
        self.orders('deep', lambda gw, toys, child: child.restart(signal.SIGKILL))

    def test_waiting(self):
        """A machine that boots while the gateway dies: the operation goes on by itself."""
        gw = self.gateway()
        self.toy(gw, 'toy-a', '--boot-ms', '3000')
        load = Load(gw, creates(wait=pb.WAIT_RUNNING, timeout_s=20), 4)
        self.wait_for('they boot', lambda: len(gw.admin.machines('toy')) == 4)
        load.ended.set()
        gw.restart(signal.SIGKILL)
        outcomes = load.stop()
        self.assertTrue(all(isinstance(outcome, OSError) for _, outcome in outcomes), outcomes)
        codes = self.exactly_once(gw, outcomes)
        self.assertEqual(codes, {'CREATED': 4})
        self.assertEqual({each.state for each in gw.admin.machines('toy')}, {pb.VM_STATE_RUNNING})

    def test_away_while_it_boots(self):
        """The cloud is away when the gateway looks at a machine, and when it is started again."""
        gw = self.gateway()
        toy = self.toy(gw, 'toy-a', '--boot-ms', '9000')
        load = Load(gw, creates(wait=pb.WAIT_RUNNING, timeout_s=60), 4)
        self.wait_for('they boot', lambda: len(gw.admin.machines('toy')) == 4)
        load.ended.set()
        toy.kill()
        time.sleep(3)       # time for many looks
        gw.end(signal.SIGKILL)
        outcomes = load.stop()
        gw.start()
        time.sleep(1)
        self.gets(gw.asker('toys').ask('AdapterService/DeregisterAdapter', name='toy', id='toy-a'),
                  'DELETED')
        self.assertEqual(gw.admin.clouds(), ['box'])
        time.sleep(1)
        # Others come and go meanwhile.
        registered(gw.asker('anything'), 'other', 'gadget', clouds=['gadgets'])
        self.assertEqual(gw.admin.clouds(), ['box', 'gadgets'])
        again = self.toy(gw, 'toy-b')
        self.assertIsNone(again.process.poll())
        self.assertEqual(self.exactly_once(gw, outcomes), {'CREATED': 4})

    def test_another_adapter_has_the_name(self):
        """Who was ordered from is not known any more, and another one offers a cloud of that name."""
        gw = self.gateway()
        toy = self.toy(gw, 'toy-a', '--boot-ms', '9000')
        load = Load(gw, creates(wait=pb.WAIT_RUNNING, timeout_s=60), 2)
        self.wait_for('they boot', lambda: len(gw.admin.machines('toy')) == 2)
        load.ended.set()
        toy.kill()
        gw.end(signal.SIGKILL)
        outcomes = load.stop()
        gw.start()
        self.gets(gw.asker('toys').ask('AdapterService/DeregisterAdapter', name='toy', id='toy-a'),
                  'DELETED')
        registered(gw.asker('anything'), 'other', 'gadget', clouds=['toy'],
                   endpoints=[serve(self, Server, 'other', nursery()).url])
        self.assertEqual(gw.admin.machines('toy'), [])
        time.sleep(3)
        self.assertEqual(gw.admin.machines('toy'), [])
        self.gets(gw.asker('anything').ask('AdapterService/DeregisterAdapter', name='gadget',
                                           id='other'), 'DELETED')
        self.toy(gw, 'toy-b')
        self.assertEqual(self.exactly_once(gw, outcomes), {'CREATED': 2})

    def test_deleted_while_it_boots(self):
        """Somebody deletes it there: who waits for it is told so."""
        gw = self.gateway()
        self.toy(gw, 'toy-a', '--boot-ms', '60000')
        load = Load(gw, creates(wait=pb.WAIT_RUNNING, timeout_s=90), 2)
        self.wait_for('they boot', lambda: len(gw.admin.machines('toy')) == 2)
        load.ended.set()
        gw.restart(signal.SIGKILL)
        for vm in gw.admin.machines('toy'):
            self.gets(gw.admin.ask('VmService/DeleteVm', cloud='toy', id=vm.id), 'DELETED')
        for n, _ in load.stop():
            self.assertNotIn(self.ended(gw, None, 'load-%d' % n), ('NONE', 'CREATED'))
        self.assertEqual(gw.admin.machines('toy'), [])


if __name__ == '__main__':
    unittest.main()
