#!/usr/bin/python3
"""Instances that die under load, and such as answer rubbish, nothing, or far too much: the others
go on, and what is ordered is made once.
"""

import time
import unittest

from fixture import UP, sanitized
from isobar_wire import Server, pb
from load import Load, Orders, creates, failures, reads
from registrant import (Deaf, Hearts, Huge, Latin, Liar, Mute, Noise, Rubbish, end, liar, nursery,
                        registered, serve)
import toy_machines

# What a caller's deadline may be late by: the machine may be busy.
LATE_S = 30
CALLS = 300


class Failover(Orders):

    def counted(self, gw, id):
        return gw.admin.adapters()[id].calls

    def under(self, gw, work, happens, threads=6, before=CALLS, after=CALLS):
        """The outcomes of a load, in whose midst something happens."""
        load = Load(gw, work, threads)
        try:
            self.wait_for('there is a load', lambda: load.count() > before)
            happens()
            begun = load.count()
            self.wait_for('the load goes on', lambda: load.count() > begun + after)
        finally:
            outcomes = load.stop()
        return outcomes

    # ---- death ----

    def test_reads(self):
        gw = self.gateway()
        toys = [self.toy(gw, 'toy-a', '--listen', 'tcp://127.0.0.1:0'), self.toy(gw, 'toy-b')]
        id = gw.admin.created('teddy')
        for toy in toys * 2:
            outcomes = self.under(gw, reads(id), toy.kill)
            self.assertEqual(failures(outcomes), [])
            toy.start()
            # It gets calls again.
            before = self.counted(gw, toy.id)
            for _ in range(50):
                gw.admin.ok('VmService/GetVm', cloud='toy', id=id)
            self.assertGreater(self.counted(gw, toy.id), before)

    def comes_back(self, work):
        """The outcomes of a load while one dies, and is at its place again at once, where for a
        moment it is not what has registered: it has another token."""
        gw = self.gateway()
        toys = [self.toy(gw, id) for id in ('toy-a', 'toy-b')]
        id = gw.admin.created('teddy')

        def happens():
            for _ in range(3):
                toys[0].kill()
                toys[0].start()
        return gw, self.under(gw, work or reads(id), happens, before=40, after=40)

    def test_reads_while_it_comes_back(self):
        _, outcomes = self.comes_back(None)
        self.assertEqual(failures(outcomes), [])

    def test_creates_while_it_comes_back(self):
        gw, outcomes = self.comes_back(creates())
        codes = self.exactly_once(gw, outcomes)
        self.assertEqual(set(codes), {'CREATED'}, codes)

    def test_lists(self):
        """The same for what has no machine, over all clouds."""
        gw = self.gateway()
        toys = [self.toy(gw, id) for id in ('toy-a', 'toy-b')]
        gw.admin.created('teddy')
        outcomes = self.under(gw, lambda asker, n: asker.ask('VmService/ListVms'), toys[1].kill)
        self.assertEqual(failures(outcomes), [])
        self.assertEqual({len(each.response.vms) for each in outcomes}, {1})

    def test_both_die(self):
        """With nobody left a call is told so; when one is back all is well."""
        gw = self.gateway()
        toys = [self.toy(gw, id) for id in ('toy-a', 'toy-b')]
        id = gw.admin.created('teddy')
        for each in toys:
            each.kill()
        answer = gw.admin.ask('VmService/GetVm', cloud='toy', id=id, timeout_s=10)
        self.gets(answer, 'UNAVAILABLE')
        self.assertEqual(answer.result.blame, pb.BLAME_CLOUD)
        self.gets(gw.admin.ask('VmService/ListVms', timeout_s=10), 'PARTIAL')
        toys[1].start()
        self.gets(gw.admin.ask('VmService/GetVm', cloud='toy', id=id), 'OK')

    def test_creates(self):
        gw = self.gateway()
        toys = [self.toy(gw, id) for id in ('toy-a', 'toy-b')]
        outcomes = self.under(gw, creates(), toys[0].kill, before=40, after=40)
        codes = self.exactly_once(gw, outcomes)
        self.assertEqual(set(codes), {'CREATED'}, codes)
        # The same under the same ids makes nothing.
        before = len(gw.admin.machines('toy'))
        for n, _ in outcomes[::7]:
            self.gets(gw.admin.create('load-%d' % n, request_id='load-%d' % n), 'CREATED')
        self.assertEqual(len(gw.admin.machines('toy')), before)

    def test_only_one(self):
        """There is no other: orders wait for the one that comes back, and are not given twice."""
        gw = self.gateway()
        toy = self.toy(gw)

        def happens():
            toy.kill()
            time.sleep(1)
            toy.start()
        codes = self.exactly_once(gw, self.under(gw, creates(), happens, before=40, after=40))
        self.assertLessEqual(set(codes), {'CREATED', 'UNAVAILABLE', 'NONE'}, codes)
        self.assertGreater(codes['CREATED'], 80)

    def test_actions(self):
        """Stops and starts of machines, each of its own."""
        gw = self.gateway()
        toys = [self.toy(gw, id) for id in ('toy-a', 'toy-b')]
        ids = [gw.admin.created('m%d' % n) for n in range(4)]

        def work(asker, n):
            answers = []
            for id in ids[n % 4], ids[n % 4]:
                method = 'VmService/' + ('StopVm' if n % 8 < 4 else 'StartVm')
                answers.append(asker.ask(method, cloud='toy', id=id, timeout_s=30,
                                         wait=pb.WAIT_RUNNING))
            return answers[-1]
        outcomes = self.under(gw, work, toys[0].kill, threads=1, before=10, after=10)
        self.assertEqual([each for each in failures(outcomes)
                          if 'FAILED_PRECONDITION' not in each], [])

    # ---- misbehaviour ----

    def beside(self, kind):
        """A gateway, the id of a machine, and an instance of that kind beside a good one."""
        gw = self.gateway()
        asker, adapter = gw.asker('toys'), nursery()
        registered(asker, 'good', endpoints=[serve(self, Server, 'good', adapter).url])
        id = gw.admin.created('teddy')
        self.bad = serve(self, kind, 'bad', adapter)
        registered(asker, 'bad', endpoints=[self.bad.url])
        hearts = Hearts(gw, ['good', 'bad'])
        self.addCleanup(hearts.stop)
        return gw, id

    def no_read_fails(self, kind):
        gw, id = self.beside(kind)
        outcomes = self.under(gw, reads(id), lambda: None, threads=3)
        self.assertEqual(failures(outcomes), [])
        shown = gw.admin.adapters()
        self.assertGreater(shown['bad'].errors, 0)
        self.assertEqual((shown['good'].errors, shown['bad'].status), (0, UP))
        # It is asked now and then, no more.
        self.assertLess(shown['bad'].calls, shown['good'].calls / 2)
        return gw

    def test_rubbish(self):
        gw = self.no_read_fails(Rubbish)
        # An order that it gets may have been carried out: it is looked for, or given anew.
        outcomes = self.under(gw, creates(), lambda: None, before=30, after=10, threads=3)
        codes = self.exactly_once(gw, outcomes)
        self.assertEqual(set(codes), {'CREATED'}, codes)

    def test_no_text(self):
        """A name that is no UTF-8 reaches nobody: another one is asked."""
        self.no_read_fails(Latin)

    def test_no_text_alone(self):
        """Where there is no other, the lists of all clouds lack that cloud, and no more."""
        gw, adapter = self.gateway(), nursery()
        url = serve(self, Latin, 'bad', adapter).url
        registered(gw.asker('toys'), 'bad', endpoints=[url])
        boxed = gw.admin.ok('VmService/CreateVm', cloud='box', wait=pb.WAIT_RUNNING, spec=pb.VmSpec(
            name='web', image_id='ubuntu', flavor_name='m1.small', network_id='private')).vm.id
        image, flavor = toy_machines.IMAGES[0]['id'], toy_machines.FLAVORS[0]['id']
        adapter.machines.create('teddy', image, flavor, {}, '')
        answer = self.gets(gw.admin.ask('VmService/ListVms', timeout_s=10), 'PARTIAL')
        self.assertEqual([each.id for each in answer.response.vms], [boxed])
        # What it says of a failure is made text.
        answer = gw.admin.ask('VmService/GetVm', cloud='toy', id='teddybear')
        self.assertIn('??ddybear', self.gets(answer, 'NOT_FOUND', 'id').result.detail)

    def test_liar(self):
        """A create is no success where its answer shows no machine: the cloud is asked."""
        gw, adapter = self.gateway(), liar()
        registered(gw.asker('toys'), 'bad', endpoints=[serve(self, Server, 'bad', adapter).url])
        hearts = Hearts(gw, ['bad'])
        self.addCleanup(hearts.stop)
        work = creates(timeout_s=10)
        outcomes = [work(gw.admin, n) for n in range(2 * len(Liar.WAYS))]
        codes = self.exactly_once(gw, outcomes)
        self.assertLessEqual(set(codes), {'CREATED', 'UNAVAILABLE', 'DEADLINE_EXCEEDED'}, codes)
        self.assertGreater(adapter.orders, len(Liar.WAYS))
        self.assertEqual(codes['CREATED'], adapter.done)

    def test_noise(self):
        self.no_read_fails(Noise)

    def test_deaf(self):
        self.no_read_fails(Deaf)

    def test_nowhere(self):
        gw, id = self.beside(Server)
        registered(gw.asker('toys'), 'bad')
        outcomes = self.under(gw, reads(id), lambda: None, threads=3)
        self.assertEqual(failures(outcomes), [])

    def test_mute(self):
        """Who is not answered has waited no longer than he wanted to, and the others are served."""
        gw, id = self.beside(Mute)
        timeout_s, took = 2, []

        def work(asker, n):
            since = time.monotonic()
            answer = asker.ask('VmService/GetVm', cloud='toy', id=id, timeout_s=timeout_s)
            took.append(time.monotonic() - since)
            return answer
        outcomes = self.under(gw, work, lambda: None, before=100, after=100)
        self.assertLessEqual({each.code for each in outcomes}, {'OK', 'DEADLINE_EXCEEDED'})
        self.assertLess(max(took), timeout_s + LATE_S)
        served = sum(each.code == 'OK' for each in outcomes)
        self.assertGreater(served, len(outcomes) / 2)
        self.assertEqual(gw.admin.adapters()['good'].errors, 0)
        # Its orders are known to be under way, and end when it is gone.
        orders = self.under(gw, creates(timeout_s=2), lambda: None, before=8, after=4,
                            threads=4)
        gw.asker('toys').ok('AdapterService/DeregisterAdapter', name='toy', id='bad')
        end(self.bad)
        codes = self.exactly_once(gw, orders)
        self.assertLessEqual(set(codes), {'CREATED', 'NONE'}, codes)

    def test_huge(self):
        """A gigabyte is announced: that call fails, at most; no memory is taken for it."""
        gw, id = self.beside(Huge)
        before = gw.memory_kib()
        outcomes = self.under(gw, reads(id), lambda: None, threads=3)
        self.assertLessEqual({each.code for each in outcomes}, {'OK', 'UNAVAILABLE'})
        self.assertLess(gw.memory_kib('VmHWM') - before, (400 if sanitized() else 100) * 1024)
        served = sum(each.code == 'OK' for each in outcomes)
        self.assertGreater(served, len(outcomes) / 3)

    def test_stopped(self):
        """A process that hangs, with connections that are open: it is asked less and less."""
        gw = self.gateway()
        toys = [self.toy(gw, id) for id in ('toy-a', 'toy-b')]
        id = gw.admin.created('teddy')
        toys[0].process.send_signal(19)     # SIGSTOP
        self.addCleanup(toys[0].process.send_signal, 18)
        outcomes = self.under(gw, reads(id, timeout_s=3), lambda: None)
        self.assertLessEqual({each.code for each in outcomes}, {'OK', 'DEADLINE_EXCEEDED'})
        # When its lease has ended nothing goes there.
        self.wait_for('it has lapsed', lambda: gw.admin.adapters()['toy-a'].status != UP)
        outcomes = self.under(gw, reads(id), lambda: None)
        self.assertEqual(failures(outcomes), [])

    def test_second_endpoint(self):
        """Of an instance's addresses the one that works is used."""
        gw = self.gateway()
        good = serve(self, Server, 'good').url
        registered(gw.asker('toys'), endpoints=['ipc:///nonexistent/a', good])
        gw.admin.created('teddy')
        for _ in range(20):
            self.assertEqual(len(gw.admin.machines('toy')), 1)

    def test_another_token(self):
        """Where one was is another, which has not registered yet: no call fails for it."""
        gw = self.gateway()
        asker, adapter, other = gw.asker('toys'), nursery(), nursery()
        other.call_token, other.machines = 'new', adapter.machines
        registered(asker, 'good', endpoints=[serve(self, Server, 'good', adapter).url])
        id = gw.admin.created('teddy')
        registered(asker, 'bad', endpoints=[serve(self, Server, 'bad', other).url],
                   call_token='old')
        outcomes = self.under(gw, reads(id), lambda: None, threads=3, before=50, after=50)
        self.assertEqual(failures(outcomes), [])
        orders = self.under(gw, creates(), lambda: None, threads=3, before=20, after=20)
        self.assertEqual(set(self.exactly_once(gw, orders)), {'CREATED'})

    def test_wrong_token(self):
        """An instance that wants another token: the caller is not told that his is wrong."""
        gw = self.gateway()
        adapter = nursery()
        adapter.call_token = 'right'
        url = serve(self, Server, 'one', adapter).url
        registered(gw.asker('toys'), endpoints=[url], call_token='wrong')
        answer = gw.admin.ask('VmService/ListVms', cloud='toy', timeout_s=5)
        self.gets(answer, 'UNAVAILABLE')
        self.assertNotIn('wrong', answer.result.detail)
        registered(gw.asker('toys'), endpoints=[url], call_token='right')
        self.assertEqual(gw.admin.machines('toy'), [])


if __name__ == '__main__':
    unittest.main()
