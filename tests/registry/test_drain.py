#!/usr/bin/python3
"""Processes that are ended, started and drained while they are called: nobody notices."""

import os
import signal
import threading
import time
import unittest

from fixture import BOX, CALL_S, DRAINING, OUT, UP, Case, sandboxes
from isobar_wire import pb
from load import Load, failures, reads

CALLS = 200


def both(id, cloud='toy'):
    """Work for a load: reads, and an order now and then."""
    read = reads(id, cloud)

    def work(asker, n):
        if n % 20:
            return read(asker, n)
        return asker.create('load-%d' % n, cloud, request_id='load-%d' % n)
    return work


class Drained(Case):

    def nobody_notices(self, gw, work, *happens, threads=4):
        """A load during which the one thing happens after the other."""
        load = Load(gw, work, threads)
        try:
            for each in happens:
                begun = load.count()
                self.wait_for('calls are made', lambda: load.count() > begun + CALLS)
                each()
            begun = load.count()
            self.wait_for('calls are made', lambda: load.count() > begun + CALLS)
        finally:
            outcomes = load.stop()
        self.assertEqual(failures(outcomes), [])
        return outcomes

    def test_toys(self):
        """Each in turn is ended and started again, several times."""
        gw = self.gateway()
        toys = [self.toy(gw, id) for id in ('toy-a', 'toy-b')]
        id = gw.admin.created('teddy')
        steps = [step for toy in toys * 2 for step in (toy.stop, toy.start)]
        outcomes = self.nobody_notices(gw, both(id), *steps)
        made = sum(each.code == 'CREATED' for each in outcomes)
        self.assertEqual(len(gw.admin.machines('toy')), made + 1)

    def test_stopped_is_gone(self):
        """What a process says at its end: nothing is left of it here."""
        gw = self.gateway()
        toy = self.toy(gw)
        toy.stop()
        shown = gw.admin.adapters()['toy-a']
        self.assertEqual((shown.status, shown.status_reason), (OUT, 'it has deregistered'))
        self.assertEqual(gw.admin.clouds(), ['box'])

    def test_children(self):
        """Two gateways that serve one cloud, each through a process of its own."""
        gw = self.gateway()
        children = [self.child(gw, sandboxes()) for _ in range(2)]
        for n, child in enumerate(children):
            self.toy(child, 'toy-%d' % n)
        self.wait_for('both have registered',
                      lambda: [each.status for each in gw.admin.adapters().values()] == [UP, UP])
        id = gw.admin.created('teddy')

        def start(child):
            child.start()
            self.wait_for('it serves again', lambda: [
                each.status for each in gw.admin.adapters().values()] == [UP, UP])
        self.nobody_notices(gw, both(id), children[0].end, lambda: start(children[0]),
                            children[1].end, lambda: start(children[1]))
        for child in children:
            self.assertEqual(child.process.poll(), None)
            self.assertEqual(child.events('not drained'), [])

    def test_child_reloads(self):
        """SIGHUP of a gateway that offers: its clouds do not vanish for a moment."""
        gw = self.gateway()
        child = self.child(gw)
        self.wait_for('it has registered', lambda: 'far' in gw.admin.clouds())
        id = gw.admin.created('rex', 'far', image='ubuntu', flavor='m1.small')

        def reload():
            done = len(child.events('reloaded'))
            child.process.send_signal(signal.SIGHUP)
            self.wait_for('it has reloaded', lambda: len(child.events('reloaded')) > done)
        self.nobody_notices(gw, reads(id, 'far'), *[reload] * 8, threads=12)

    def reload(self, gw, change, event='reloaded'):
        """Its configuration, changed; what it says then."""
        path = os.path.join(gw.folder, 'isobard.yaml')
        with open(path) as f:
            config = change(f.read())
        with open(path, 'w') as f:
            f.write(config)
        done = len(gw.events(event))
        gw.process.send_signal(signal.SIGHUP)
        self.wait_for(event, lambda: len(gw.events(event)) > done)

    def test_parents_come_and_go(self):
        """Who stays does not notice that another one is added, or left."""
        gw, other = self.gateway(), self.gateway()
        child = self.child(gw)
        self.wait_for('it has registered', lambda: 'far' in gw.admin.clouds())
        id = gw.admin.created('rex', 'far', image='ubuntu', flavor='m1.small')
        one = '{gateway: "%s", token_file: "%s"}' % (gw.url, gw.token_file('anything'))
        two = '{gateway: "%s", token_file: "%s"}' % (other.url, other.token_file('anything'))

        def both():
            self.reload(child, lambda text: text.replace(one, '[%s, %s]' % (two, one)))
            self.wait_for('it has registered there', lambda: 'far' in other.admin.clouds())

        def first():
            self.reload(child, lambda text: text.replace('[%s, %s]' % (two, one), one))
            self.wait_for('it has left there', lambda: 'far' not in other.admin.clouds())
        self.nobody_notices(gw, reads(id, 'far'), both, first, both)
        self.reload(child, lambda text: text.replace('[%s, %s]' % (two, one), two))
        self.wait_for('it has left', lambda: 'far' not in gw.admin.clouds())
        self.assertIn('far', other.admin.clouds())

    def test_parent_that_cannot_be(self):
        """A reload that is refused changes nothing."""
        gw = self.gateway()
        child = self.child(gw)
        self.wait_for('it has registered', lambda: 'far' in gw.admin.clouds())
        junk = os.path.join(self.folder, 'junk.pem')
        with open(junk, 'w') as f:
            f.write('junk')
        more = ', {gateway: "tls+tcp://127.0.0.1:1", token_file: "%s", ca: "%s"}]' % (
            gw.token_file('anything'), junk)
        self.reload(child, lambda text: text.replace('register: {', 'register: [{').replace(
            'anything"}', 'anything"}' + more), 'reload refused')
        time.sleep(5)
        self.assertEqual(child.events('deregistered'), [])
        self.assertEqual([each.status for each in gw.admin.adapters('sandbox').values()], [UP])
        self.reload(child, lambda text: text.replace(more, ']'))
        self.assertIn('far', gw.admin.clouds())

    def test_two_that_serve_each_other(self):
        """Both end at once: neither waits for the other until its time is over."""
        gw = self.gateway(BOX + 'drain_timeout: 900s\n')
        child = self.child(gw, more='drain_timeout: 900s\n')
        self.reload(gw, lambda text: text + 'register: {gateway: "%s", token_file: "%s"}\n' % (
            child.url, child.token_file('anything')))
        self.wait_for('each has the other', lambda: 'far' in gw.admin.clouds() and
                      'box' in child.admin.clouds())
        for each in gw, child:
            each.process.send_signal(signal.SIGTERM)
        for each in gw, child:
            self.assertEqual(each.process.wait(CALL_S), 0)
            self.assertEqual(each.events('not drained'), [])

    def test_parent_reloads(self):
        gw = self.gateway()
        for id in 'toy-a', 'toy-b':
            self.toy(gw, id)
        id = gw.admin.created('teddy')

        def reload():
            done = len(gw.events('reloaded'))
            gw.process.send_signal(signal.SIGHUP)
            self.wait_for('it has reloaded', lambda: len(gw.events('reloaded')) > done)
        self.nobody_notices(gw, both(id), reload, reload, reload)
        self.assertEqual(gw.admin.clouds(), ['box', 'toy'])

    def test_replaced_in_place(self):
        """A newer version is started beside the old one, gets all, and the old one ends."""
        gw = self.gateway()
        old = self.toy(gw, 'v1')
        id = gw.admin.created('teddy')

        def begin():
            self.toy(gw, 'v2', '--adapter-version', '2.0.0')

        def move():
            gw.admin.set('v1', weight=0)
        self.nobody_notices(gw, both(id), begin, move, old.stop)


class DrainAdapter(Case):

    def drain(self, asker, id='one', name='toy', **more):
        return asker.ask('AdapterService/DrainAdapter', name=name, id=id, **more)

    def test_nothing_in_flight(self):
        gw = self.gateway()
        toy = self.toy(gw)
        answer = self.gets(self.drain(gw.admin, toy.id), 'CHANGED')
        self.assertEqual(answer.response.instance.status, DRAINING)
        self.assertEqual(gw.admin.adapters()[toy.id].status, DRAINING)
        # A second time, and of who is drained already.
        self.gets(self.drain(gw.admin, toy.id), 'CHANGED')
        self.gets(gw.admin.ask('VmService/ListVms', cloud='toy', timeout_s=5), 'UNAVAILABLE')
        self.gets(gw.admin.set(toy.id, status=UP), 'CHANGED')
        self.gets(gw.admin.ask('VmService/ListVms', cloud='toy'), 'OK')

    def test_something_in_flight(self):
        """It is answered when that has ended; or before, where nobody waits for so long."""
        gw = self.gateway()
        child = self.child(gw, sandboxes('slow', latency_ms=10000))
        self.wait_for('it has registered', lambda: 'slow' in gw.admin.clouds())
        id, = gw.admin.adapters('sandbox')
        codes = []

        def call():
            codes.append(gw.asker().ask('FlavorService/ListFlavors', cloud='slow').code)
        thread = threading.Thread(target=call)
        thread.start()
        self.wait_for('it is there', lambda: gw.admin.adapters('sandbox')[id].in_flight == 1)
        answer = self.drain(gw.admin, id, 'sandbox', timeout_s=0.5)
        self.gets(answer, 'ACCEPTED')
        # Nothing new goes there.
        self.gets(gw.admin.ask('FlavorService/ListFlavors', cloud='slow', timeout_s=1),
                  'UNAVAILABLE')
        self.assertEqual(codes, [])
        self.gets(self.drain(gw.admin, id, 'sandbox'), 'CHANGED')
        thread.join()
        self.assertEqual(codes, ['OK'])
        self.assertEqual(gw.admin.adapters('sandbox')[id].in_flight, 0)
        self.assertEqual(sum('ListFlavors' in each for each in child.events('call')), 1)

    def test_child_ends_in_the_midst(self):
        """It waits for the call that it has."""
        gw = self.gateway()
        child = self.child(gw, sandboxes('slow', latency_ms=3000))
        self.wait_for('it has registered', lambda: 'slow' in gw.admin.clouds())
        id, = gw.admin.adapters('sandbox')
        answers = []

        def call():
            answers.append(gw.asker().create('rex', 'slow', image='ubuntu', flavor='m1.small'))
        thread = threading.Thread(target=call)
        thread.start()
        self.wait_for('it is there', lambda: gw.admin.adapters('sandbox')[id].in_flight == 1)
        child.end()
        thread.join()
        self.gets(answers[0], 'CREATED')
        self.assertEqual(gw.admin.clouds(), ['box'])
        self.assertEqual(child.events('not drained'), [])
        child.start()

    def test_parent_is_away(self):
        """A child whose gateway has gone ends all the same."""
        gw = self.gateway()
        child, toy = self.child(gw, more='drain_timeout: 2s\n'), self.toy(gw)
        self.wait_for('it has registered', lambda: 'far' in gw.admin.clouds())
        gw.end()
        since = time.monotonic()
        child.end()
        toy.stop()
        self.assertLess(time.monotonic() - since, CALL_S)
        gw.start()
        child.start()
        self.wait_for('it has registered', lambda: gw.admin.adapters('sandbox') and [
            each.status for each in gw.admin.adapters('sandbox').values()] == [UP])

    def test_operation_between_its_steps(self):
        """A machine that boots while the instance drains: the other one is asked about it."""
        gw = self.gateway()
        toys = [self.toy(gw, id, '--boot-ms', '3000') for id in ('toy-a', 'toy-b')]
        answers = []

        def create(n):
            answers.append(gw.asker().create('rex-%d' % n, wait=pb.WAIT_RUNNING))
        threads = [threading.Thread(target=create, args=[n]) for n in range(4)]
        for each in threads:
            each.start()
        self.wait_for('all boot', lambda: len(gw.admin.machines('toy')) == 4)
        toys[0].stop()
        for each in threads:
            each.join()
        self.assertEqual([each.code for each in answers], ['CREATED'] * 4)
        self.assertEqual({each.response.vm.state for each in answers}, {pb.VM_STATE_RUNNING})


if __name__ == '__main__':
    unittest.main()
