#!/usr/bin/python3
"""Watching the registry by long poll: all that there is, then what changes, never less."""

import random
import signal
import socket
import threading
import time
import unittest

from fixture import CALL_S, DRAINING, OUT, UP, Asker, Case, sanitized, side_by_side
from isobar_wire import pb
from registrant import Hearts, deregister, register, registered

load_tests = side_by_side


def watch(asker, after=0, timeout_s=CALL_S, name=''):
    return asker.ok('AdapterService/WatchAdapters', after=after, timeout_s=timeout_s, name=name)


class Parked:
    """A watch in a thread of its own."""

    def __init__(self, gw, after, **more):
        self.answer, self.error, self.since = None, None, time.monotonic()
        self.thread = threading.Thread(target=self.run, args=[gw.asker(), after, more])
        self.thread.start()

    def run(self, asker, after, more):
        try:
            self.answer = watch(asker, after, **more)
        except Exception as error:
            self.error = error
        self.took = time.monotonic() - self.since

    def is_parked(self):
        return self.thread.is_alive()

    def end(self):
        """What it has answered."""
        self.thread.join()
        if self.error:
            raise self.error
        return self.answer


def told(answer):
    """[(id, status)] of an answer."""
    return [(each.instance.id, each.instance.status) for each in answer.adapters]


class Watch(Case):

    def parked(self, gw, after, **more):
        started = Parked(gw, after, **more)
        time.sleep(0.3)
        self.assertTrue(started.is_parked(), started.error or started.answer)
        return started

    def test_everything_at_once(self):
        gw = self.gateway()
        empty = watch(gw.admin)
        self.assertEqual((told(empty), empty.complete), ([], True))
        registered(gw.asker('toys'), 'b')
        registered(gw.asker('toys'), 'a')
        registered(gw.asker('gadgets'), 'g', 'gadget', clouds=['gadgets'])
        whole = watch(gw.admin)
        self.assertEqual((told(whole), whole.complete), ([('g', UP), ('a', UP), ('b', UP)], True))
        self.assertGreater(whole.revision, empty.revision)
        self.assertFalse(any(each.HasField('manifest') for each in whole.adapters))
        self.assertEqual([each.instance.id for each in watch(gw.admin, name='toy').adapters],
                         ['a', 'b'])
        self.assertEqual(told(watch(gw.admin, name='none')), [])
        # From an earlier revision: what has changed since.
        since = watch(gw.admin, empty.revision or 1)
        self.assertEqual({id for id, _ in told(since)}, {'a', 'b', 'g'})

    def test_each_change(self):
        """Each wakes the watch, which tells of that one alone."""
        gw = self.gateway()
        asker = gw.asker('toys')
        registered(asker, 'other')
        hearts = Hearts(gw, ['one', 'other'])
        self.addCleanup(hearts.stop)
        at = watch(gw.admin).revision
        set = gw.asker().set
        changes = [
            (lambda: register(asker, 'one'), UP),
            (lambda: set('one', weight=5), UP),
            (lambda: set('one', status=OUT), OUT),
            (lambda: set('one', status=UP), UP),
            (lambda: gw.asker().ask('AdapterService/DrainAdapter', name='toy', id='one'), DRAINING),
            (lambda: register(asker, 'one', version='1.1.0'), UP),
            (lambda: deregister(asker, 'one'), OUT),
            (lambda: register(asker, 'one'), UP),
            # It lapses.
            (lambda: hearts.ids.remove('one'), OUT),
        ]
        for n, (change, status) in enumerate(changes):
            parked = self.parked(gw, at)
            change()
            answer = parked.end()
            self.assertEqual((told(answer), answer.complete), ([('one', status)], False), n)
            self.assertGreater(answer.revision, at)
            at = answer.revision
        self.assertEqual(answer.adapters[0].instance.status_reason,
                         'its lease has ended without a renewal')

    def test_renewals_wake_nobody(self):
        gw = self.gateway()
        registered(gw.asker('toys'))
        hearts = Hearts(gw, ['one'])
        self.addCleanup(hearts.stop)
        parked = self.parked(gw, watch(gw.admin).revision, timeout_s=12)
        answer = parked.end()
        self.assertEqual((told(answer), answer.complete), ([], False))
        self.assertGreater(parked.took, 11)
        self.assertGreater(len(hearts.codes), 3)

    def test_deadline(self):
        """The answer is empty, and the next watch goes on from it."""
        gw = self.gateway()
        registered(gw.asker('toys'))
        at = watch(gw.admin).revision
        parked = self.parked(gw, at, timeout_s=20)
        other = self.parked(gw, at, timeout_s=4, name='toy')
        registered(gw.asker('gadgets'), 'g', 'gadget', clouds=['gadgets'])
        self.assertEqual(told(parked.end()), [('g', UP)])
        # Another adapter's change is none of it.
        answer = other.end()
        self.assertEqual((told(answer), answer.complete), ([], False))
        self.assertGreater(other.took, 3)
        self.assertGreaterEqual(answer.revision, at)
        parked = self.parked(gw, answer.revision, timeout_s=20, name='toy')
        registered(gw.asker('toys'), 'two')
        self.assertEqual(told(parked.end()), [('two', UP)])

    def test_restart(self):
        """A restarted gateway tells all there is: what the watcher knows may be gone."""
        for number in signal.SIGTERM, signal.SIGKILL:
            gw = self.gateway()
            registered(gw.asker('toys'), 'stays')
            registered(gw.asker('toys'), 'leaves')
            at = watch(gw.admin).revision
            parked = self.parked(gw, at)
            deregister(gw.asker('toys'), 'leaves')
            parked.end()
            gw.restart(number)
            answer = watch(gw.admin, at)
            self.assertEqual((told(answer), answer.complete), ([('stays', UP)], True))
            self.assertGreater(answer.revision, at)
            # Of a time that has not come yet: somebody has turned the clock back.
            answer = watch(gw.admin, answer.revision + (1 << 50))
            self.assertEqual((told(answer), answer.complete), ([('stays', UP)], True))

    def test_end_of_the_gateway(self):
        """Who is parked is answered, and does not hold it up."""
        gw = self.gateway()
        registered(gw.asker('toys'))
        parked = [self.parked(gw, watch(gw.admin).revision) for _ in range(3)]
        since = time.monotonic()
        gw.end()
        for each in parked:
            self.assertEqual(told(each.end()), [])
        self.assertLess(time.monotonic() - since, CALL_S / 2)
        gw.start()

    def test_who_does_not_wait(self):
        """A thousand watches whose callers have gone: the gateway has none of them in the end."""
        gw = self.gateway()
        registered(gw.asker('toys'))
        at = watch(gw.admin).revision
        call = pb.Call(method='isobar.v1.AdapterService/WatchAdapters', timeout_ms=5000,
                       body=pb.WatchAdaptersRequest(after=at).SerializeToString())
        data = call.SerializeToString()
        descriptors = gw.descriptors()
        for n in range(20):
            s = socket.socket(socket.AF_UNIX)
            s.connect(gw.socket_path)
            message = b''.join(
                b'\x01' + (len(data) + 4).to_bytes(8, 'big') + (1 << 31 | k).to_bytes(4, 'big') +
                data for k in range(50))
            s.sendall(b'\0SP\0\0\x30\0\0' + message)
            s.recv(8)
            s.close()
        registered(gw.asker('toys'), 'two')
        self.assertEqual(told(watch(gw.admin, at)), [('two', UP)])
        self.wait_for('no descriptor is left', lambda: gw.descriptors() <= descriptors + 1)

    def test_nobody_waits_any_more(self):
        """Whose caller has gone is ended soon, and not when its time is over."""
        for empty in True, False:
            gw = self.gateway()
            if not empty:
                registered(gw.asker('toys'))
            body = pb.WatchAdaptersRequest(after=watch(gw.admin).revision).SerializeToString()
            data = pb.Call(method='isobar.v1.AdapterService/WatchAdapters', timeout_ms=3600000,
                           body=body).SerializeToString()
            self.wait_for('the log tells of the first', lambda: self.watches_told(gw) == 1)
            s = socket.socket(socket.AF_UNIX)
            s.connect(gw.socket_path)
            s.sendall(b'\0SP\0\0\x30\0\0\x01' + (len(data) + 4).to_bytes(8, 'big') +
                      (1 << 31).to_bytes(4, 'big') + data)
            time.sleep(2.5)
            self.assertEqual(self.watches_told(gw), 1)
            s.close()
            self.wait_for('the watch has ended', lambda: self.watches_told(gw) == 2)

    def watches_told(self, gw):
        """How many have ended, as the log says."""
        return gw.said().count('AdapterService/WatchAdapters')

    @unittest.skipIf(sanitized(), 'sanitizers keep what is freed')
    def test_memory_of_the_parked(self):
        """What changes of other adapters costs a parked watch nothing."""
        gw = self.gateway()
        asker = gw.asker('gadgets')
        for n in range(100):
            registered(asker, 'g%d' % n, 'gadget', clouds=['gadgets'])
        hearts = Hearts(gw, ['g%d' % n for n in range(100)], 'gadgets', 'gadget')
        self.addCleanup(hearts.stop)
        at = watch(gw.admin).revision
        parked = [Parked(gw, at, name='toy') for _ in range(50)]

        def change(times):
            for n in range(times):
                self.gets(gw.admin.set('g%d' % (n % 100), 'gadget', weight=n), 'CHANGED')
        change(50)
        before = gw.memory_kib()
        change(500)
        # It was 50 * 500 * 1.6 KiB.
        self.assertLess(gw.memory_kib() - before, 10000)
        registered(gw.asker('toys'))
        for each in parked:
            self.assertEqual(told(each.end()), [('one', UP)])

    def test_many_changes(self):
        """Who follows by watching knows in the end what a list shows."""
        gw = self.gateway()
        known, at, ended = {}, 0, threading.Event()

        def follow():
            nonlocal at
            asker = gw.asker()
            while not ended.is_set():
                answer = watch(asker, at, timeout_s=1)
                at = answer.revision
                if answer.complete:
                    known.clear()
                known.update({id: (status, weight) for id, status, weight in (
                    (e.instance.id, e.instance.status, e.instance.weight)
                    for e in answer.adapters)})
        thread = threading.Thread(target=follow)
        thread.start()
        asker, random_ = Asker(gw.url, gw.asker('toys').token), random.Random(1)
        for _ in range(400):
            id = 'i%d' % random_.randrange(20)
            random_.choice([
                lambda: register(asker, id), lambda: register(asker, id),
                lambda: deregister(asker, id),
                lambda: gw.admin.set(id, weight=random_.randrange(100)),
                lambda: gw.admin.set(id, status=random_.choice([UP, OUT, DRAINING]))])()
        ids = [id for id, each in gw.admin.adapters().items() if each.status == UP]
        hearts = Hearts(gw, ids)
        time.sleep(2)
        ended.set()
        thread.join()
        hearts.stop()
        self.assertEqual(known, {id: (each.status, each.weight)
                                 for id, each in gw.admin.adapters().items()})


if __name__ == '__main__':
    unittest.main()
