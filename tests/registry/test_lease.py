#!/usr/bin/python3
"""A registration's life: its lease, its end, the gateway's restarts, and what the gateway does
where many fall silent at once.
"""

import signal
import time
import unittest

from fixture import LEASE_S, OUT, UP, Case, side_by_side
from isobar_wire import Server
from registrant import Hearts, deregister, register, registered, renew, serve

# By then a lease that nobody renews has ended, and one that is kept is kept.
LAPSED_S = LEASE_S + 3
LAPSE_REASON = 'its lease has ended without a renewal'
MANY = ['i%02d' % n for n in range(20)]

load_tests = side_by_side


class Leases(Case):

    def hearts(self, gw, ids, **more):
        started = Hearts(gw, ids, **more)
        self.addCleanup(started.stop)
        return started

    def lapses(self, gw, id, name='toy'):
        """Its time is over at last, and not before it is."""
        since = time.monotonic()
        self.wait_for('%s is out of service' % id,
                      lambda: gw.admin.adapters(name)[id].status == OUT)
        # What renewed last may have done so as long ago as a heartbeat.
        self.assertGreater(time.monotonic() - since, LEASE_S - 3.5)
        self.assertEqual(gw.admin.adapters(name)[id].status_reason, LAPSE_REASON)


class Life(Leases):

    def test_life(self):
        gw = self.gateway()
        asker, url = gw.asker('toys'), serve(self, Server, 'one').url
        registered(asker, endpoints=[url])
        # It is there when the registration is answered.
        self.assertEqual(gw.admin.clouds(), ['box', 'toy'])
        self.assertEqual(gw.admin.machines('toy'), [])
        self.assertEqual(gw.admin.machines(), [])
        id = gw.admin.created('teddy')
        self.assertEqual([each.id for each in gw.admin.machines()], [id])
        self.gets(renew(asker), 'OK')
        self.lapses(gw, 'one')
        # The cloud is known still, and nobody serves it.
        self.assertEqual(gw.admin.clouds(), ['box', 'toy'])
        answer = self.gets(gw.admin.ask('VmService/GetVm', cloud='toy', id=id), 'UNAVAILABLE')
        self.assertIn('toy', answer.result.detail)
        self.gets(gw.admin.ask('VmService/ListVms'), 'PARTIAL')
        self.gets(renew(asker), 'NOT_FOUND')
        self.gets(deregister(asker), 'NOT_FOUND')
        self.gets(gw.admin.set('one', status=UP), 'NOT_FOUND')
        registered(asker, endpoints=[url])
        self.assertEqual([each.id for each in gw.admin.machines('toy')], [id])
        shown = gw.admin.adapters()['one']
        self.assertEqual((shown.status, shown.status_reason), (UP, ''))
        self.gets(renew(asker), 'OK')
        self.gets(deregister(asker), 'DELETED')
        self.assertEqual(gw.admin.clouds(), ['box'])
        self.gets(gw.admin.ask('VmService/GetVm', cloud='toy', id=id), 'NOT_FOUND', 'cloud')
        self.gets(gw.admin.ask('VmService/ListVms'), 'OK')
        shown = gw.admin.adapters()['one']
        self.assertEqual((shown.status, shown.status_reason), (OUT, 'it has deregistered'))
        for method in renew, deregister:
            self.gets(method(asker), 'NOT_FOUND')
        registered(asker, endpoints=[url])
        self.assertEqual([each.id for each in gw.admin.machines('toy')], [id])

    def test_lapsed_keeps_its_clouds(self):
        """No other adapter gets their names, until it is forgotten or an administrator says so."""
        gw = self.gateway()
        toys, gadgets = gw.asker('toys'), gw.asker('gadgets')
        registered(toys, clouds=['attic', 'cellar'])
        self.lapses(gw, 'one')
        wanted = dict(name='gadget', clouds=['shed', 'cellar'])
        answer = self.gets(register(gadgets, 'g', **wanted), 'ALREADY_EXISTS')
        for word in 'cellar', 'toy/one', 'lapsed':
            self.assertIn(word, answer.result.detail)
        self.assertEqual(gw.admin.clouds(), ['box', 'attic', 'cellar'])
        # Its owner comes again as if nothing had been, with a second one.
        registered(toys, clouds=['attic', 'cellar'])
        registered(toys, 'two', clouds=['cellar'])
        hearts = self.hearts(gw, ['two'])
        self.lapses(gw, 'one')
        answer = self.gets(register(gadgets, 'g', **wanted), 'ALREADY_EXISTS')
        self.assertNotIn('lapsed', answer.result.detail)
        hearts.ids = []
        self.lapses(gw, 'two')
        self.gets(deregister(toys), 'NOT_FOUND')
        self.gets(deregister(gw.asker('work')), 'FORBIDDEN')
        gw.ok('adapter', 'deregister', 'toy/one')
        self.assertEqual(gw.admin.adapters()['one'].status_reason, 'it has deregistered')
        answer = self.gets(register(gadgets, 'g', **wanted), 'ALREADY_EXISTS')
        self.assertIn('toy/two', answer.result.detail)
        gw.ok('adapter', 'deregister', 'toy/two')
        self.gets(deregister(gw.admin, 'two'), 'NOT_FOUND')
        self.gets(register(gadgets, 'g', **wanted), 'CREATED')
        self.assertEqual(gw.admin.clouds(), ['box', 'cellar', 'shed'])
        self.gets(register(toys, clouds=['cellar']), 'ALREADY_EXISTS')

    def test_renewals_keep_it(self):
        gw = self.gateway()
        asker = gw.asker('toys')
        registered(asker)
        self.hearts(gw, ['one'])
        until = time.monotonic() + 2 * LEASE_S
        while time.monotonic() < until:
            shown = gw.admin.adapters()['one']
            self.assertEqual((shown.status, shown.status_reason), (UP, ''))
            self.assertLess(shown.lease_age_ms, LEASE_S * 1000)
            time.sleep(0.5)

    def test_registering_anew_keeps_it(self):
        """The end of the first lease is not that of the second."""
        gw = self.gateway()
        asker = gw.asker('toys')
        registered(asker)
        time.sleep(LEASE_S / 2)
        registered(asker)
        hearts = self.hearts(gw, ['one'])
        time.sleep(LEASE_S)
        self.assertEqual(gw.admin.adapters()['one'].status, UP)
        gw.restart(signal.SIGKILL)
        time.sleep(2)
        self.assertEqual(gw.admin.adapters()['one'].status, UP)
        self.assertEqual(set(hearts.codes), {'OK'})

    def test_killed_process(self):
        gw = self.gateway()
        toys = [self.toy(gw, id) for id in ('toy-a', 'toy-b')]
        id = gw.admin.created('teddy')
        toys[0].kill()
        self.lapses(gw, 'toy-a')
        self.assertEqual(gw.admin.adapters()['toy-b'].status, UP)
        self.gets(gw.admin.ask('VmService/GetVm', cloud='toy', id=id), 'OK')
        toys[0].start()
        shown = gw.admin.adapters()['toy-a']
        self.assertEqual((shown.status, shown.status_reason), (UP, ''))

    def restarted(self, signal_number):
        """Who renews knows nothing of it, and who has gone lapses."""
        gw = self.gateway()
        asker, url = gw.asker('toys'), serve(self, Server, 'one').url
        registered(asker, endpoints=[url], metadata={'where': 'here'}, weight=50, version='1.2.3')
        registered(asker, 'silent', clouds=['silent'])
        registered(asker, 'left', clouds=['left'])
        id = gw.admin.created('teddy')
        self.gets(deregister(asker, 'left'), 'DELETED')
        before = gw.admin.adapters()['one']
        hearts = self.hearts(gw, ['one'])
        gw.restart(signal_number)
        # At once: before anybody has renewed.
        self.assertEqual(gw.admin.clouds(), ['box', 'silent', 'toy'])
        self.gets(gw.admin.ask('VmService/GetVm', cloud='toy', id=id), 'OK')
        after = gw.admin.adapters()
        self.assertNotIn('left', after)
        for field in ('status', 'weight', 'clouds', 'metadata', 'owner', 'endpoints',
                      'registered_at'):
            self.assertEqual(getattr(after['one'], field), getattr(before, field), field)
        self.lapses(gw, 'silent')
        time.sleep(2)
        self.assertEqual(gw.admin.adapters()['one'].status, UP)
        self.assertEqual(set(hearts.codes), {'OK'})
        # What has lapsed is not there after the next restart.
        gw.restart(signal_number)
        self.assertEqual(gw.admin.clouds(), ['box', 'toy'])

    def test_restarted(self):
        self.restarted(signal.SIGTERM)

    def test_killed(self):
        self.restarted(signal.SIGKILL)

    def test_away_for_long(self):
        """Nobody could renew while the gateway was away: each has its whole time again."""
        gw = self.gateway()
        registered(gw.asker('toys'))
        gw.end(signal.SIGKILL)
        time.sleep(LEASE_S + 1)
        gw.start()
        self.assertEqual(gw.admin.adapters()['one'].status, UP)
        self.gets(renew(gw.asker('toys')), 'OK')

    def test_answered_is_durable(self):
        gw = self.gateway()
        for n in range(5):
            registered(gw.asker('toys'), 'i%d' % n)
            gw.restart(signal.SIGKILL)
            self.assertEqual(gw.admin.adapters()['i%d' % n].status, UP)
        for n in range(5):
            self.gets(deregister(gw.asker('toys'), 'i%d' % n), 'DELETED')
            gw.restart(signal.SIGKILL)
            self.assertEqual(len(gw.admin.adapters()), 4 - n)


class Preservation(Leases):
    """Twenty, of which some fall silent at the same moment."""

    def twenty(self, gw):
        asker = gw.asker('toys')
        for id in MANY:
            registered(asker, id)
        return self.hearts(gw, MANY)

    def shown(self, gw):
        return {id: (each.status, each.status_reason)
                for id, each in gw.admin.adapters().items()}

    def test_half(self):
        gw = self.gateway()
        hearts = self.twenty(gw)
        hearts.ids, silent = MANY[10:], MANY[:10]
        time.sleep(LAPSED_S)
        for id, (status, reason) in self.shown(gw).items():
            self.assertEqual(status, UP, id)
            self.assertEqual('kept' in reason, id in silent, (id, reason))
        # They are back: nothing is said of them any more.
        self.gets(renew(gw.asker('toys'), silent[0]), 'OK')
        hearts.ids = MANY
        self.wait_for('nobody is silent', lambda: not any(
            reason for _, reason in self.shown(gw).values()))
        # One that falls silent then is alone, and lapses.
        hearts.ids = MANY[1:]
        self.lapses(gw, MANY[0])
        self.assertEqual({self.shown(gw)[id][0] for id in MANY[1:]}, {UP})

    def test_all(self):
        gw = self.gateway()
        self.twenty(gw).ids = []
        time.sleep(LAPSED_S + 2)
        self.assertEqual({status for status, _ in self.shown(gw).values()}, {UP})
        self.assertTrue(all('kept' in reason for _, reason in self.shown(gw).values()))
        # Others that come make the silent ones few: then they lapse.
        asker, fresh = gw.asker('toys'), ['new%03d' % n for n in range(150)]
        for id in fresh:
            registered(asker, id)
        self.hearts(gw, fresh)
        self.wait_for('the silent ones are out of service', lambda: {
            self.shown(gw)[id] for id in MANY} == {(OUT, LAPSE_REASON)})

    def few(self, count):
        gw = self.gateway()
        self.twenty(gw).ids = MANY[count:]
        time.sleep(LAPSED_S)
        for id, shown in self.shown(gw).items():
            self.assertEqual(shown, (OUT, LAPSE_REASON) if id in MANY[:count] else (UP, ''), id)

    def test_two(self):
        self.few(2)

    def test_three(self):
        """Of 20, 85 % have renewed: that is enough."""
        self.few(3)

    def test_two_of_two(self):
        """Two are not many."""
        gw = self.gateway()
        for id in MANY[:2]:
            registered(gw.asker('toys'), id)
        time.sleep(LAPSED_S)
        self.assertEqual(set(self.shown(gw).values()), {(OUT, LAPSE_REASON)})


if __name__ == '__main__':
    unittest.main()
