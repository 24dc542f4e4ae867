#!/usr/bin/python3
"""A cloud that misbehaves in every way that could be thought of: each gets a clear result in time,
memory stays bounded, nothing is ordered twice, and another cloud of the same gateway never notices.
"""

import json
import socket
import sys
import threading
import time
import unittest

import bad_cloud
from bad_cloud import (BOOT, CLOSE, FLAVOR, FLAVORS, NOVA, SERVER, SERVERS, TOKENS, first, hang,
                       json_reply, reply)
from bad_cloud_fixture import (CREATE, DOWN, ENDLESS_KIB, HUGE_KIB, LATE, LATE_S, LIST, LIST_VMS,
                               LOGIN_FAULTS, NOVA_FAULTS, OK, SPEC, TIMEOUT_MS, VERSIONS,
                               Fixture, html, page_without_end)
from daemon import HELLO, frame, read_frame, sanitized


class AllClouds(Fixture):

    def test_all_clouds(self):
        """Asked side by side: the good ones are heard, each bad one has a result of its own."""
        for name, (fault, _, _) in NOVA_FAULTS.items():
            self.server.clouds[name].on['GET', FLAVORS] = fault
        endless = self.server.clouds['endless']
        endless.on['GET', FLAVORS] = page_without_end(endless)
        result, response, took = self.gateway.timed(LIST, {}, 6000)
        self.assertEqual(result['code'], 'RESULT_CODE_PARTIAL', result)
        self.assertLess(took, 6 + LATE_S)
        heard = {f['cloud'] for f in response['flavors']}
        failed = {r['cloud']: r['result']['code'] for r in response['cloudResults']}
        print('%-24s %.1f s, %d clouds heard, %d failed: %s' % (
            self.cloud.name, took, len(heard), len(failed), sorted(set(failed.values()))))
        self.assertLessEqual({'box', 'all_clouds'}, heard)
        self.assertLessEqual({'down', 'hole', 'hang', 'trickle', 'html-200', 'huge', 'deep-list',
                              'endless'}, set(failed))
        self.assertEqual(failed['hole'], 'RESULT_CODE_DEADLINE_EXCEEDED')


class BadCloud(Fixture):

    def create(self, codes, timeout_ms=5000):
        return self.ask(codes, CREATE, {'spec': SPEC}, timeout_ms=timeout_ms)

    # ---- answers that are none ----

    def test_nova_faults(self):
        for name, (fault, codes, asked) in NOVA_FAULTS.items():
            with self.subTest(name):
                cloud = self.server.clouds[name]
                cloud.on['GET', FLAVORS] = fault
                before = self.gateway.memory_kib()
                self.gateway.reset_peak()
                self.ask(codes, cloud=name)
                grown = self.gateway.memory_kib('VmHWM') - before
                if asked:
                    self.assertEqual(cloud.count('GET', FLAVORS), asked)
                if grown > 8192:
                    print('%-24s %d KiB more at most' % (name, grown))
                if not sanitized():
                    self.assertLess(grown, HUGE_KIB)

    def test_login_faults(self):
        for name, (fault, codes) in LOGIN_FAULTS.items():
            with self.subTest(name):
                self.server.clouds[name].on['POST', TOKENS] = fault
                self.ask(codes, cloud=name)

    def test_numbers_that_are_none(self):
        """A negative or an enormous number does not become another number."""
        self.cloud.on['GET', FLAVORS] = NOVA_FAULTS['wrong-numbers'][0]
        _, response = self.ask(OK + DOWN)
        for each in response.get('flavors', []):
            for field in 'vcpus', 'memoryMib', 'diskGib', 'swapMib':
                self.assertEqual(int(each.get(field, 0)), 0, each)

    def test_after_all_of_them(self):
        """A cloud that has come to itself is served again at once."""
        self.cloud.on['GET', FLAVORS] = first([html(200), bad_cloud.cut, bad_cloud.cut,
                                               bad_cloud.cut], self.cloud.normal)
        self.ask(DOWN)
        self.ask(DOWN)
        _, response = self.ask(OK)
        self.assertEqual([f['name'] for f in response['flavors']], ['m1.tiny'])

    # ---- no answer at all ----

    def test_down(self):
        result, _ = self.ask(DOWN, cloud='down')
        self.assertIn('refused', result['detail'].lower())
        self.assertEqual(self.gateway.run('flavor', 'list', '--cloud', 'down').code, 7)

    def test_hole(self):
        """It accepts connections, and never says a word."""
        self.ask(LATE, cloud='hole')
        self.assertEqual(self.gateway.run('flavor', 'list', '--cloud', 'hole', '--timeout',
                                          '500ms').code, 8)

    def test_many_hang(self):
        """More calls than the cloud may have at a time hang; all end in time."""
        self.cloud.on['GET', FLAVORS] = hang
        ends, threads = [], []

        def one():
            result, _, took = self.gateway.timed(LIST, {'cloud': self.cloud.name}, TIMEOUT_MS)
            ends.append((result['code'], took))
        for _ in range(100):
            threads.append(threading.Thread(target=one))
            threads[-1].start()
        for each in threads:
            each.join()
        self.assertEqual({code for code, _ in ends}, {'RESULT_CODE_DEADLINE_EXCEEDED'})
        late = max(took for _, took in ends) - TIMEOUT_MS / 1000
        print('100 calls that hang: the last one %.0f ms late' % (late * 1000))
        self.assertLess(late, LATE_S)

    # ---- credentials ----

    def test_wrong_password(self):
        """The cloud's refusal is told apart from the gateway's own."""
        self.cloud.on['POST', TOKENS] = json_reply({'error': {
            'code': 401, 'title': 'Unauthorized',
            'message': 'The request you have made requires authentication.'}}, 401)
        result, _ = self.ask(('UNAUTHORIZED',))
        self.assertEqual(result['native']['httpStatus'], 401)
        self.assertIn('requires authentication', result['native']['message'])
        self.assertEqual(self.gateway.run('flavor', 'list', '--cloud', self.cloud.name).code, 4)
        self.assertNotIn('secret', json.dumps(result))
        for token in '', 'wrong':
            with socket.create_connection(('127.0.0.1', self.port)) as s:
                s.settimeout(10)
                s.sendall(HELLO + frame(self.gateway.serialised(
                    LIST, {'cloud': self.cloud.name}, token), False))
                self.gateway.receive(s, len(HELLO))
                own = self.gateway.result_of(read_frame(s, False))
            self.assertEqual(own['code'], 'RESULT_CODE_UNAUTHORIZED')
            self.assertEqual(own.get('blame'), 'BLAME_CALLER', own)
            self.assertNotIn('native', own)
            self.assertIn('gateway', own['detail'])

    def test_token_refused_once(self):
        """One new token, and the call succeeds."""
        self.ask(OK)
        self.assertEqual(self.cloud.count('POST', TOKENS), 1)
        self.cloud.tokens[0] = 'revoked'
        self.ask(OK)
        self.ask(OK)
        self.assertEqual(self.cloud.count('POST', TOKENS), 2)
        self.assertEqual(self.cloud.count('GET', FLAVORS), 4)

    def test_token_refused_to_many(self):
        """Many calls find out together; one of them fetches a new token for all."""
        self.ask(OK)
        self.cloud.tokens[0] = 'revoked'
        threads = [threading.Thread(target=self.ask, args=(OK,), kwargs={'timeout_ms': 20000})
                   for _ in range(20)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        self.assertEqual(self.cloud.count('POST', TOKENS), 2)

    def test_token_refused_always(self):
        self.cloud.on['GET', FLAVORS] = json_reply({'error': {'code': 401}}, 401)
        self.ask(('UNAUTHORIZED',))
        self.assertEqual(self.cloud.count('GET', FLAVORS), 2)
        self.assertEqual(self.cloud.count('POST', TOKENS), 2)

    def test_token_expires(self):
        """It is renewed before the cloud refuses it."""
        self.cloud.token_seconds = 2
        self.ask(OK)
        time.sleep(2.2)
        self.ask(OK)
        self.assertEqual(self.cloud.count('POST', TOKENS), 2)
        self.assertEqual(self.cloud.count('GET', FLAVORS), 2)

    # ---- try again ----

    def test_rate_limited(self):
        self.cloud.on['GET', FLAVORS] = first(
            [json_reply({'overLimit': {'code': 429, 'message': 'slowly'}}, 429,
                        {'Retry-After': '1'})], self.cloud.normal)
        begun = time.monotonic()
        self.ask(OK, timeout_ms=10000)
        self.assertGreaterEqual(time.monotonic() - begun, 1)
        self.assertEqual(self.cloud.count('GET', FLAVORS), 2)

    def test_rate_limited_for_long(self):
        """Nobody waits longer than the caller would."""
        self.cloud.on['GET', FLAVORS] = json_reply(
            {'overLimit': {'code': 429, 'message': 'slowly'}}, 429, {'Retry-After': '3600'})
        begun = time.monotonic()
        result, _ = self.ask(('RATE_LIMITED',), timeout_ms=10000)
        self.assertLess(time.monotonic() - begun, 5)
        self.assertEqual(result['retry']['afterMs'], 3600000)
        self.assertEqual(self.cloud.count('GET', FLAVORS), 1)

    def test_unavailable_once(self):
        self.cloud.on['GET', FLAVORS] = first([html(503)], self.cloud.normal)
        self.ask(OK)
        self.assertEqual(self.cloud.count('GET', FLAVORS), 2)

    # ---- orders ----

    def test_order_in_endless_lists(self):
        """A create that needs more memory than it may have ends before it orders anything."""
        def page(connection, request):
            next_page = self.cloud.base + request.path + '?marker=%d' % len(self.cloud.requests)
            json_reply({'flavors': [dict(FLAVOR, name='x')] * 1000, 'flavors_links': [
                {'rel': 'next', 'href': next_page}]})(connection, request)
        self.cloud.on['GET', FLAVORS] = page
        result, _, took = self.gateway.timed(CREATE, {'cloud': self.cloud.name, 'spec': SPEC}, 9000)
        print('%-24s %s after %.1f s: %s' % (self.cloud.name, result['code'], took,
                                             result.get('detail')))
        self.assertIn(result['code'], ('RESULT_CODE_UNAVAILABLE', 'RESULT_CODE_INTERNAL_ERROR',
                                       'RESULT_CODE_DEADLINE_EXCEEDED'))
        self.assertEqual({r.method for r in self.cloud.requests if r.path != TOKENS}, {'GET'})

    def test_order(self):
        """What the faults below are faults of."""
        _, response = self.create(('CREATED',))
        self.assertEqual(response['vm']['id'], SERVER['id'])
        self.assertEqual(self.cloud.count('POST', BOOT), 1)

    def test_order_fails(self):
        """An error of the cloud's own: nothing is sent again."""
        self.cloud.on['POST', BOOT] = json_reply(
            {'computeFault': {'code': 500, 'message': 'Unexpected API Error.'}}, 500)
        self.cloud.lists[SERVERS] = ('servers', [])
        self.create(('OUTCOME_UNKNOWN', 'UNAVAILABLE'))
        self.assertEqual(self.cloud.count('POST', BOOT), 1)

    def lost(self, fault, timeout_ms=5000):
        self.cloud.on['POST', BOOT] = fault
        self.cloud.lists[SERVERS] = ('servers', [])
        result, _ = self.create(('OUTCOME_UNKNOWN',), timeout_ms)
        self.assertEqual(self.cloud.count('POST', BOOT), 1)
        self.assertEqual(result.get('sideEffects'), 'SIDE_EFFECTS_POSSIBLE', result)
        self.assertEqual(result['retry'].get('class'), 'RETRY_CLASS_AFTER_LOOKUP', result)
        # The port may be the machine's by now.
        self.assertEqual(self.cloud.count('DELETE', '/network/v2.0/ports/' + bad_cloud.PORT['id']),
                         0)

    def test_order_lost(self):
        self.lost(bad_cloud.lose)

    def test_order_lost_by_reset(self):
        self.lost(bad_cloud.lose_with_reset)

    def test_order_cut(self):
        self.lost(bad_cloud.cut)

    def test_order_hangs(self):
        """The caller's time ends, the operation does not; what became of it is not known."""
        self.cloud.on['POST', BOOT] = hang
        self.cloud.lists[SERVERS] = ('servers', [])
        result, _ = self.create(('ACCEPTED', 'OUTCOME_UNKNOWN'), 3000)
        self.assertTrue(result['operationId'])
        _, response = self.gateway.call('isobar.v1.OperationService/GetOperation',
                                        {'id': result['operationId']})
        print('%-24s operation %s' % (self.cloud.name, response['operation']['state']))
        self.assertIn(response['operation']['state'], (
            'OPERATION_STATE_INTENT', 'OPERATION_STATE_RUNNING', 'OPERATION_STATE_UNKNOWN'))
        self.assertEqual(self.cloud.count('POST', BOOT), 1)

    def test_order_html(self):
        """It says yes, in words that nobody can read."""
        self.lost(html(202))

    def test_order_lost_and_found(self):
        """Its answer is lost, and the machine is there: looked up, not ordered again."""
        def order(connection, request):
            sent = json.loads(request.body)['server']
            self.cloud.lists[SERVERS] = ('servers', [dict(
                SERVER, tags=sent.get('tags', []), metadata=sent.get('metadata', {}))])
            return CLOSE
        self.cloud.on['POST', BOOT] = order
        _, response = self.create(('CREATED',))
        self.assertEqual(response['vm']['id'], SERVER['id'])
        self.assertEqual(self.cloud.count('POST', BOOT), 1)

    def test_order_not_taken(self):
        """The port that was made for it goes again."""
        self.cloud.on['POST', BOOT] = json_reply(
            {'badRequest': {'code': 400, 'message': 'Invalid input.'}}, 400)

        def port(connection, request):
            made = dict(bad_cloud.PORT, **json.loads(request.body)['port'])
            self.cloud.lists['/network/v2.0/ports'] = ('ports', [made])
            return json_reply({'port': made}, 201)(connection, request)
        self.cloud.on['POST', '/network/v2.0/ports'] = port
        self.create(('BAD_REQUEST_DATA',))
        self.assertEqual(self.cloud.count('POST', BOOT), 1)
        self.assertEqual(self.cloud.count('DELETE', '/network/v2.0/ports/' + bad_cloud.PORT['id']),
                         1)

    # ---- other ways ----

    def test_redirect(self):
        """It is not followed, and the token goes nowhere else."""
        stranger = self.elsewhere.cloud('redirect')
        for status in 301, 302, 307, 308:
            self.cloud.on['GET', FLAVORS] = reply(status, b'', {
                'Location': stranger.base + FLAVORS})
            self.ask(DOWN)
        self.cloud.on['POST', BOOT] = reply(307, b'', {'Location': stranger.base + BOOT})
        self.create(('UNAVAILABLE', 'OUTCOME_UNKNOWN'))
        self.assertEqual(stranger.requests, [])

    def test_redirected_login(self):
        stranger = self.elsewhere.cloud('redirected_login')
        self.cloud.on['POST', TOKENS] = reply(302, b'', {'Location': stranger.auth_url})
        self.ask(DOWN)
        self.assertEqual(stranger.requests, [])

    def test_unknown_state(self):
        self.cloud.lists[SERVERS] = ('servers', [dict(SERVER, status='WEIRD')])
        _, response = self.ask(OK, LIST_VMS)
        vm, = response['vms']
        self.assertEqual(vm['state'], 'VM_STATE_UNKNOWN')
        self.assertEqual(vm['nativeState'], 'WEIRD')

    def test_wrong_machines(self):
        """Members of the wrong kind are as if they were absent, or make the answer unreadable."""
        for wrong in [dict(SERVER, status=None), dict(SERVER, status=7), dict(SERVER, flavor='x'),
                      dict(SERVER, addresses=[1]), dict(SERVER, addresses={'net': [1, {}, None]}),
                      dict(SERVER, metadata={'a': {'b': 'c'}}), dict(SERVER, tags={'a': 1}),
                      dict(SERVER, created='yesterday'), dict(SERVER, fault='broken'), {}, None]:
            self.cloud.lists[SERVERS] = ('servers', [wrong, SERVER])
            self.ask(OK + DOWN, LIST_VMS)

    def test_next_page_is_the_same(self):
        self.cloud.on['GET', FLAVORS] = json_reply({
            'flavors': [FLAVOR], 'flavors_links': [
                {'rel': 'next', 'href': self.cloud.base + FLAVORS + '?marker=f1'}]})
        self.ask(OK + DOWN, timeout_ms=5000)
        self.assertLess(self.cloud.count('GET', FLAVORS), 10)

    def endless(self):
        """A list that never ends is ended: by its caller's time, or by what one call may hold."""
        before = self.gateway.memory_kib()
        self.gateway.reset_peak()
        result, _, took = self.gateway.timed(LIST, {'cloud': self.cloud.name}, 5000)
        grown = self.gateway.memory_kib('VmHWM') - before
        print('%-24s %s after %.1f s and %d pages, %d KiB more at most: %s' % (
            self.cloud.name, result['code'], took, self.cloud.count('GET', FLAVORS), grown,
            result.get('detail')), flush=True)
        self.assertIn(result['code'], ('RESULT_CODE_UNAVAILABLE', 'RESULT_CODE_DEADLINE_EXCEEDED',
                                       'RESULT_CODE_INTERNAL_ERROR'))
        self.assertTrue(result['detail'])
        self.assertLess(took, 5 + LATE_S)
        if not sanitized():
            self.assertLess(grown, ENDLESS_KIB)

    def test_pages_in_a_ring(self):
        """Two pages that name each other."""
        def page(connection, request):
            other = 'b' if 'marker=a' in request.query else 'a'
            json_reply({'flavors': [FLAVOR], 'flavors_links': [
                {'rel': 'next', 'href': self.cloud.base + FLAVORS + '?marker=' + other}]})(
                    connection, request)
        self.cloud.on['GET', FLAVORS] = page
        self.endless()

    def test_pages_without_end(self):
        self.cloud.on['GET', FLAVORS] = page_without_end(self.cloud)
        self.endless()

    def test_no_compute(self):
        self.cloud.services = ['identity', 'image', 'network']
        result, _ = self.ask(('NOT_SUPPORTED',))
        self.assertIn('compute', result['detail'])
        self.ask(OK, 'isobar.v1.NetworkService/ListNetworks')

    def test_old_compute(self):
        """A Nova that speaks 2.1 alone is asked in 2.1."""
        self.cloud.versions = ('2.1', '2.1')
        self.ask(OK)
        self.ask(OK, LIST_VMS)
        self.create(('CREATED', 'NOT_SUPPORTED'))
        said = {r.headers.get('x-openstack-nova-api-version') for r in self.cloud.requests
                if r.path.startswith(NOVA + '/') and len(r.path) > len(NOVA) + 1}
        self.assertEqual(said, {'2.1'})
        for each in self.cloud.requests:
            if (each.method, each.path) == ('POST', BOOT):
                self.assertNotIn('tags', json.loads(each.body)['server'])

    def test_versions_in_nonsense(self):
        for name, versions in VERSIONS.items():
            self.server.clouds[name].versions = versions
            self.ask(OK + DOWN + ('NOT_SUPPORTED',), cloud=name)


if __name__ == '__main__':
    sys.exit(0 if unittest.main(exit=False, verbosity=2).result.wasSuccessful() else 1)
