#!/usr/bin/python3
"""Gateways behind gateways: all clouds show at the top, orders reach through, and nothing goes in
circles.
"""

import os
import signal
import time
import unittest

from fixture import BOX, UP, Case, sandboxes, token
from isobar_wire import Server, pb
from registrant import offer, renew

ORDER = dict(image='ubuntu', flavor='m1.small')
HOPS_MAX = 8


class Cascade(Case):

    def shows(self, gw, *clouds):
        self.wait_for('%s are there' % (clouds,),
                      lambda: sorted(gw.admin.clouds()) == sorted(clouds))

    def paths(self, gw, adapter='sandbox'):
        """{cloud: the gateways on the way to it} of what has registered."""
        return {cloud.name: list(cloud.path) for each in gw.admin.adapters(adapter).values()
                if each.status == UP for cloud in each.clouds}

    def act(self, gw, method, cloud, id, **more):
        return gw.admin.ask('VmService/' + method, cloud=cloud, id=id, wait=pb.WAIT_RUNNING, **more)

    def whole_life(self, gw, cloud, **order):
        """A machine from its order to its end, by what the gateway has at the top."""
        id = gw.admin.created('rex', cloud, **order)
        for method, state, wanted in (('StopVm', pb.VM_STATE_STOPPED, 'rex'),
                                      ('StartVm', pb.VM_STATE_RUNNING, id)):
            answer = self.gets(self.act(gw, method, cloud, wanted), 'CHANGED')
            self.assertEqual((answer.response.vm.state, answer.response.vm.cloud), (state, cloud))
        shown = gw.admin.ok('VmService/GetVm', cloud=cloud, id=id).vm
        self.assertEqual((shown.cloud, shown.name), (cloud, 'rex'))
        self.gets(self.act(gw, 'DeleteVm', cloud, id), 'DELETED')
        self.gets(gw.admin.ask('VmService/GetVm', cloud=cloud, id=id), 'NOT_FOUND')
        # A mistake is told as who found it has told it.
        answer = gw.admin.create('rex', cloud, **dict(order, flavor='m1.smal'))
        self.gets(answer, 'NOT_FOUND', 'spec.flavor_name')
        self.gets(self.act(gw, 'StopVm', cloud, 'nobody'), 'NOT_FOUND')


class Ways(Cascade):

    def three(self):
        """The top, its child, and the child's child with a process of its own."""
        top = self.gateway()
        middle = self.child(top, sandboxes('mid'))
        bottom = self.child(middle)
        self.toy(bottom)
        self.shows(top, 'box', 'mid', 'far', 'toy')
        return top, middle, bottom

    def test_three_levels(self):
        top, middle, bottom = self.three()
        self.shows(middle, 'mid', 'far', 'toy')
        self.shows(bottom, 'far', 'toy')
        ways = self.paths(top)
        self.assertEqual({each: len(path) for each, path in ways.items()}, {'mid': 1, 'far': 2})
        self.assertEqual(ways['far'][0], ways['mid'][0])
        self.assertEqual([len(path) for path in self.paths(top, 'toy').values()], [2])
        made = {cloud: top.admin.created('on-' + cloud, cloud, **ORDER)
                for cloud in ('box', 'mid', 'far')}
        made['toy'] = top.admin.created('on-toy')
        self.assertEqual({each.cloud: (each.id, each.name) for each in top.admin.machines()},
                         {cloud: (id, 'on-' + cloud) for cloud, id in made.items()})
        listed = top.ok('vm', 'list', '-o', 'json').json()
        self.assertEqual({each['cloud'] for each in listed}, set(made))
        self.assertEqual({each.cloud for each in bottom.admin.machines()}, {'far', 'toy'})
        for gw in top, middle, bottom:
            self.assertIn('toy', gw.ok('adapter', 'describe', 'toy').out)
            spec = pb.VmSpec(name='x', image_id='bear', flavor_name='small',
                             parameters={'color': 'pink'})
            self.gets(gw.admin.ask('VmService/CreateVm', cloud='toy', spec=spec),
                      'BAD_REQUEST_DATA', 'spec.parameters.color')

    def test_orders(self):
        top, middle, bottom = self.three()
        self.whole_life(top, 'far', **ORDER)
        self.whole_life(top, 'toy')
        # The journal is that of who was asked.
        for gw in middle, bottom:
            self.assertEqual(list(gw.admin.ok('OperationService/ListOperations').operations), [])
        self.wait_for('all have ended, clean-up too', lambda: {
            each.state for each in top.admin.ok('OperationService/ListOperations').operations
        } == {pb.OPERATION_STATE_DONE})

    def test_request_ids(self):
        top, _, _ = self.three()
        for cloud, order in ('far', ORDER), ('toy', {}):
            ids = {top.admin.create('rex', cloud, request_id='one-' + cloud,
                                    **order).response.vm.id for _ in range(5)}
            self.assertEqual(len(ids), 1)
            self.assertEqual([each.id for each in top.admin.machines(cloud)], list(ids))

    def test_the_bottom_ends(self):
        """What it had vanishes all the way up, and comes back."""
        top, middle, bottom = self.three()
        id = top.admin.created('rex')
        bottom.end()
        self.shows(middle, 'mid')
        self.shows(top, 'box', 'mid')
        self.gets(top.admin.ask('VmService/GetVm', cloud='toy', id=id), 'NOT_FOUND', 'cloud')
        bottom.start()
        self.shows(top, 'box', 'mid', 'far', 'toy')
        self.wait_for('the machine is there', lambda: top.admin.ask(
            'VmService/GetVm', cloud='toy', id=id).code == 'OK')

    def test_the_middle_dies(self):
        top, middle, bottom = self.three()
        id = top.admin.created('rex')
        middle.end(signal.SIGKILL)
        self.gets(top.admin.ask('VmService/GetVm', cloud='toy', id=id, timeout_s=10),
                  'UNAVAILABLE')
        self.gets(top.admin.ask('VmService/ListVms', timeout_s=10), 'PARTIAL')
        middle.start()
        self.wait_for('the machine is there', lambda: top.admin.ask(
            'VmService/GetVm', cloud='toy', id=id).code == 'OK')
        self.assertEqual(top.admin.clouds(), ['box', 'far', 'mid', 'toy'])

    def test_offer(self):
        """Only what is offered is registered, and only that may be called."""
        top = self.gateway()
        child = self.child(top, sandboxes('far', 'secret'),
                           register=', offer: [far], weight: 7, metadata: {where: cellar}')
        self.shows(top, 'box', 'far')
        shown, = top.admin.adapters('sandbox').values()
        self.assertEqual((shown.weight, dict(shown.metadata)), (7, {'where': 'cellar'}))
        self.assertEqual(child.admin.clouds(), ['far', 'secret'])
        # A fake gateway gets the token that the child hands out: it opens what is offered.
        fake = self.gateway('clouds: {}\n')
        fake.end()
        got = []

        class Gateway(Server):
            def reply(self, line, data):
                line.send(data)

        def answer(data):
            call = pb.Call.FromString(data)
            got.append(pb.RegisterAdapterRequest.FromString(call.body)
                       if 'Register' in call.method else call)
            return pb.Reply(result=pb.Result(code=pb.RESULT_CODE_CREATED)).SerializeToString()
        server = Gateway(fake.url, answer)
        server.start()
        self.addCleanup(fake.start)
        self.addCleanup(server.stop, 1)
        thief = self.child(fake, sandboxes('far', 'secret'),
                           register=', offer: [far]')
        self.wait_for('it has registered', lambda: got)
        asker = thief.asker()
        asker.token = got[0].call_token
        self.assertGreater(len(asker.token), 20)
        self.gets(asker.ask('VmService/ListVms', cloud='far'), 'OK')
        self.gets(asker.ask('VmService/ListVms', cloud='secret'), 'NOT_FOUND', 'cloud')
        self.gets(asker.ask('CloudService/GetCloud', cloud='far'), 'OK')
        self.gets(asker.ask('CloudService/GetCloud', cloud='secret'), 'NOT_FOUND', 'cloud')
        for method in ('VmService/ListVms', 'CloudService/ListClouds',
                       'AdapterService/ListAdapters', 'AdapterService/RegisterAdapter',
                       'OperationService/ListOperations'):
            self.assertIn(asker.ask(method, timeout_s=2).code, ('FORBIDDEN', 'NOT_FOUND'), method)

    def test_clouds_that_come_and_go(self):
        """A child's reload shows at the top."""
        top = self.gateway()
        child = self.child(top)
        self.shows(top, 'box', 'far')
        path = os.path.join(child.folder, 'isobard.yaml')
        with open(path) as f:
            config = f.read()
        for clouds in ('far', 'new'), ('new',), ('far',):
            with open(path, 'w') as f:
                f.write(config.replace(sandboxes('far'), sandboxes(*clouds)))
            child.process.send_signal(signal.SIGHUP)
            self.shows(top, 'box', *clouds)

    def test_wrong_token(self):
        """It says so, serves on by itself, and registers when that is mended."""
        top = self.gateway()
        path = os.path.join(self.folder, 'token-wrong')
        with open(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), 'w') as f:
            f.write('CANARY-wrong\n')
        child = self.gateway(sandboxes('far') +
                             'register: {gateway: "%s", token_file: "%s"}\n' % (top.url, path))
        self.wait_for('it says so', lambda: child.events('not registered'))
        self.assertIn('Forbidden', child.events('not registered')[0])
        self.assertEqual(child.admin.machines(), [])
        self.assertEqual(top.admin.clouds(), ['box'])
        with open(path, 'w') as f:
            f.write(token('anything') + '\n')
        child.process.send_signal(signal.SIGHUP)
        self.shows(top, 'box', 'far')


def remote(url):
    """A cloud of the configuration that is that gateway's, of the same name."""
    return 'x: {adapter: remote, server: "%s", cloud: x}' % url


class Circles(Cascade):

    def setUp(self):
        super().setUp()
        self.token_file = os.path.join(self.folder, 'token')
        with open(os.open(self.token_file, os.O_CREAT | os.O_WRONLY, 0o600), 'w') as f:
            f.write(token('anything') + '\n')

    def registers(self, url):
        """The lines of a configuration that offer everything there."""
        return 'register: {gateway: "%s", token_file: "%s"}\n' % (url, self.token_file)

    def known_before(self):
        """Where a gateway is to be found that is not there yet: a name for its socket."""
        link = os.path.join(self.folder, 'later.sock')
        return 'ipc://' + link, lambda gw: os.symlink(gw.socket_path, link)

    def pair(self, config_a, config_b):
        """Two gateways, each with a configuration that is made of the other's URL."""
        url, is_there = self.known_before()
        a = self.gateway(config_a(url))
        b = self.gateway(config_b(a.url))
        is_there(b)
        return a, b

    def test_each_others_child(self):
        a, b = self.pair(lambda url: sandboxes('on-a') + self.registers(url),
                         lambda url: sandboxes('on-b') + self.registers(url))
        for gw in a, b:
            self.shows(gw, 'on-a', 'on-b')
        for gw in a, b:
            for cloud in 'on-a', 'on-b':
                self.whole_life(gw, cloud, **ORDER)
        # Nothing of it moves on: not after some heartbeats either.
        time.sleep(7)
        for gw, other in (a, 'on-b'), (b, 'on-a'):
            self.assertEqual({each: len(path) for each, path in self.paths(gw).items()}, {other: 1})
            self.assertLess(len(gw.events('adapter registered')), 20)
            self.assertLess(len([each for each in gw.events('call') if 'Vm' in each]), 200)
            self.gets(gw.admin.ask('VmService/ListVms'), 'OK')
        # One dies: the other lists it no longer, after a while, and serves its own.
        b.end(signal.SIGKILL)
        self.gets(a.admin.ask('VmService/ListVms', cloud='on-a'), 'OK')
        self.gets(a.admin.ask('VmService/ListVms', timeout_s=10), 'PARTIAL')
        b.start()
        self.wait_for('all is well', lambda: a.admin.ask('VmService/ListVms').code == 'OK')

    def test_three_in_a_ring(self):
        """a offers to b, b to c, c to a."""
        url, is_there = self.known_before()
        b = self.gateway(sandboxes('on-b') + self.registers(url))
        a = self.gateway(sandboxes('on-a') + self.registers(b.url))
        c = self.gateway(sandboxes('on-c') + self.registers(a.url))
        is_there(c)
        everything = ['on-a', 'on-b', 'on-c']
        for gw in a, b, c:
            self.shows(gw, *everything)
        for gw in a, b, c:
            for cloud in everything:
                id = gw.admin.created('rex', cloud, **ORDER)
                self.gets(self.act(gw, 'DeleteVm', cloud, id), 'DELETED')
        for gw in a, b, c:
            self.assertLessEqual(max(len(path) for path in self.paths(gw).values()), 2)

    def test_its_own_child(self):
        """A gateway that registers with itself is refused, and serves on."""
        url, is_there = self.known_before()
        gw = self.gateway(BOX + self.registers(url))
        is_there(gw)
        self.wait_for('it is refused', lambda: any(
            'FailedPrecondition' in each for each in gw.events('not registered')))
        self.assertEqual(gw.admin.clouds(), ['box'])
        self.assertEqual(gw.admin.adapters('sandbox'), {})
        self.whole_life(gw, 'box', **ORDER)

    def test_registered_loop(self):
        """A cloud whose way leads through here is refused, and the rest of the offer taken."""
        gw = self.gateway()
        child = self.child(gw)
        self.shows(gw, 'box', 'far')
        own = self.paths(gw)['far'][0]
        asker = child.asker('toys')
        loop = pb.OfferedCloud(name='loop', path=['aaaaaaaa', own])
        answer = asker.ask('AdapterService/RegisterAdapter', offer(clouds=[]))
        self.gets(answer, 'BAD_REQUEST_DATA', 'clouds')
        request = offer()
        request.clouds.add().CopyFrom(loop)
        answer = self.gets(asker.ask('AdapterService/RegisterAdapter', request), 'CREATED')
        self.assertIn('loop', ' '.join(answer.result.warnings))
        self.assertEqual([each.name for each in answer.response.instance.clouds], ['toy'])
        del request.clouds[0]
        answer = self.gets(asker.ask('AdapterService/RegisterAdapter', request),
                           'FAILED_PRECONDITION', 'clouds')
        # What was registered before is still.
        self.gets(renew(asker), 'OK')
        # A way that is too long.
        request = offer('long', clouds=['long'])
        request.clouds[0].path.extend('%08x' % n for n in range(HOPS_MAX + 1))
        self.gets(asker.ask('AdapterService/RegisterAdapter', request), 'FAILED_PRECONDITION')

    def refused(self, gw, cloud):
        """Whatever is asked or ordered, after some hops, and before its time is over."""
        asked = [gw.admin.ask('VmService/ListVms', cloud=cloud),
                 gw.admin.ask('VmService/GetVm', cloud=cloud, id='x'),
                 gw.admin.ask('CloudService/CheckCloud', cloud=cloud),
                 gw.admin.create('rex', cloud, **ORDER),
                 gw.admin.ask('VmService/StopVm', cloud=cloud, id='x'),
                 gw.admin.ask('VmService/DeleteVm', cloud=cloud, id='x')]
        for answer in asked:
            self.gets(answer, 'FAILED_PRECONDITION')
            self.assertIn('circles', answer.result.detail)
            self.assertLess(len(answer.result.detail), 2000)

    def test_static_loop(self):
        """Connections of the configurations that lead to each other."""
        a, b = self.pair(lambda url: sandboxes('on-a', more=remote(url)),
                         lambda url: sandboxes('on-b', more=remote(url)))
        for gw in a, b:
            self.refused(gw, 'x')
            self.assertEqual(gw.admin.ask('VmService/ListVms').code, 'PARTIAL')
            self.assertLess(len([each for each in gw.events('call') if '"cloud":"x"' in each]), 400)
        # Those that are none go on.
        self.whole_life(a, 'on-a', **ORDER)

    def test_static_loop_of_one(self):
        url, is_there = self.known_before()
        gw = self.gateway('clouds: {%s}\n' % remote(url))
        is_there(gw)
        self.refused(gw, 'x')

    def test_mixed_loop(self):
        """One way is registered, and the other a connection of the configuration."""
        a, b = self.pair(lambda url: 'clouds: {%s}\n' % remote(url), lambda url: sandboxes('y'))
        b.end()
        # b is to serve x by what a offers.
        path = os.path.join(a.folder, 'isobard.yaml')
        with open(path, 'a') as f:
            f.write(self.registers(b.url))
        b.start()
        a.restart()
        self.shows(b, 'y', 'x')
        self.refused(b, 'x')
        self.refused(a, 'x')


if __name__ == '__main__':
    unittest.main()
