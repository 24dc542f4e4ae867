#!/usr/bin/python3
"""Registrations that lie, or are damaged: each is refused with the field that is wrong, nothing of
it is there afterwards, and the gateway serves on.
"""

import os
import unittest

from fixture import Asker, Case, token
from registrant import NOWHERE, offer, register, registered
from isobar_wire import pb

MIB = 1 << 20
LONG = 'x' * 70


def change(path, **fields):
    """A registration with something changed in the message at `path` (`manifest.parameters.0`)."""
    request = offer()
    message = request
    for part in path.split('.'):
        message = message[int(part)] if part.isdecimal() else getattr(message, part)
    for name, value in fields.items():
        setattr(message, name, value)
    return request


def twice(path):
    """The last of a list stands there a second time."""
    request = offer()
    owner, _, name = ('request.' + path).rpartition('.')
    message = request
    for part in owner.split('.')[1:]:
        message = getattr(message, part)
    rows = getattr(message, name)
    rows.add().CopyFrom(rows[-1])
    return request


def methods(*names):
    request = offer()
    del request.manifest.methods[:]
    request.manifest.methods.extend(names)
    return request


def attributes_with(count):
    request = offer()
    for n in range(count):
        request.manifest.attributes.add(name='name', presence=pb.PRESENCE_OPTIONAL)
    return request


def parameters_with(count):
    request = offer()
    for n in range(count):
        request.manifest.parameters.add(name='p%d' % n, type=pb.PARAMETER_TYPE_STRING)
    return request


def unknown(path=''):
    """With a field that no version has, in the message at `path`."""
    request = offer()
    message = request
    for part in path.split('.') if path else []:
        message = message[int(part)] if part.isdecimal() else getattr(message, part)
    message.MergeFromString(b'\xa2\xfa\x03\x04junk')       # field 8100
    return request


# What is wrong: the registration, and the field that is named.
WRONG = {
    'no version': (offer(version=''), 'version'),
    'half a version': (offer(version='1.0'), 'version'),
    'four numbers': (offer(version='1.0.0.0'), 'version'),
    'a leading zero': (offer(version='01.0.0'), 'version'),
    'a letter v': (offer(version='v1.0.0'), 'version'),
    'a blank behind': (offer(version='1.0.0 '), 'version'),
    'nothing behind the dash': (offer(version='1.0.0-'), 'version'),
    'a number that is too large': (offer(version='1.0.99999999999999999999'), 'version'),
    'a range': (offer(version='>=1.0.0'), 'version'),
    'a long version': (offer(version='1.0.0-' + LONG), 'version'),
    'an id with a slash': (offer('a/b'), 'id'),
    'an id with an upper case letter': (offer('Toy'), 'id'),
    'an id with a blank': (offer('a b'), 'id'),
    'a long id': (offer('x' * 300), 'id'),
    'an id that is a path': (offer('../../etc'), 'id'),
    'no cloud': (offer(clouds=[]), 'clouds'),
    'a cloud without a name': (offer(clouds=['']), 'clouds[0]'),
    'a cloud with a slash': (offer(clouds=['toy', 'a/b']), 'clouds[1]'),
    'a cloud with a line end': (offer(clouds=['toy\n']), 'clouds[0]'),
    'a cloud twice': (offer(clouds=['toy', 'other', 'toy']), 'clouds[2]'),
    'too many clouds': (offer(clouds=['c%d' % n for n in range(257)]), 'clouds'),
    'an endless settle time': (change('clouds.0.traits', settle_ms=600001), 'clouds[0]'),
    'no endpoint': (offer(endpoints=[]), 'endpoints'),
    'too many endpoints': (offer(endpoints=[NOWHERE] * 9), 'endpoints'),
    'a local endpoint with TLS': (offer(endpoints=['tls+ipc:///run/toy.sock']), 'endpoints'),
    'an endpoint without a host': (offer(endpoints=['tls+tcp://']), 'endpoints'),
    'an endpoint that is a web page': (offer(endpoints=['http://127.0.0.1/']), 'endpoints'),
    'an endpoint that is nothing': (offer(endpoints=['']), 'endpoints'),
    'an endpoint that is rubbish': (offer(endpoints=['\x01\x02 %s %n']), 'endpoints'),
    'a second endpoint that is wrong': (offer(endpoints=[NOWHERE, 'tcp://:::']), 'endpoints'),
    'a relative path': (offer(endpoints=['ipc://toy.sock']), 'endpoints'),
    'a path that is too long': (offer(endpoints=['ipc:///' + 'x' * 300]), 'endpoints'),
    'a port that is none': (offer(endpoints=['tcp://127.0.0.1:99999']), 'endpoints'),
    'no port at all': (offer(endpoints=['tcp://127.0.0.1:0']), 'endpoints'),
    'a weight that is too large': (offer(weight=1000001), 'weight'),
    'the largest number as weight': (offer(weight=0xffffffff), 'weight'),
    'a token with a line end': (offer(call_token='abc\ndef'), 'call_token'),
    'a token with a control character': (offer(call_token='abc\x01'), 'call_token'),
    'a token with a blank': (offer(call_token='a b'), 'call_token'),
    'a token with an umlaut': (offer(call_token='t\xf6ken'), 'call_token'),
    'a token that is too long': (offer(call_token='x' * 1025), 'call_token'),
    'a long description': (offer(description='x' * 1025), 'description'),
    'too much metadata': (offer(metadata={str(n): '' for n in range(65)}), 'metadata'),
    'no manifest': (offer(manifest=None), 'manifest'),
    'an empty manifest': (offer(manifest=pb.Manifest()), 'manifest.methods'),
    'no method': (methods(), 'manifest.methods'),
    'methods of nobody': (methods('isobar.v1.VmService/FlyVm', 'x', ''), 'manifest.methods'),
    'methods that are the gateway\'s': (methods('isobar.v1.AdapterService/ListAdapters'),
                                        'manifest.methods'),
    'an attribute that no machine has': (change('manifest.attributes.3', name='colour'),
                                         'manifest.attributes[3]'),
    'an attribute without a name': (change('manifest.attributes.0', name=''),
                                    'manifest.attributes[0]'),
    'an attribute that is the parameters': (change('manifest.attributes.0', name='parameters'),
                                            'manifest.attributes[0]'),
    'an attribute without presence': (change('manifest.attributes.1', presence=0),
                                      'manifest.attributes[1]'),
    'an attribute twice': (twice('manifest.attributes'), 'manifest.attributes[21]'),
    'too many attributes': (attributes_with(65), 'manifest'),
    'a parameter without a type': (change('manifest.parameters.1', type=0),
                                   'manifest.parameters[1]'),
    'a parameter with a wrong name': (change('manifest.parameters.1', name='a b'),
                                      'manifest.parameters[1]'),
    'a parameter twice': (twice('manifest.parameters'), 'manifest.parameters[3]'),
    'too many parameters': (parameters_with(512), 'manifest'),
    'a default that is not allowed': (change('manifest.parameters.0', default_value='pink'),
                                      'manifest.parameters[0]'),
    'a number that is none': (change('manifest.parameters.1', default_value='many'),
                              'manifest.parameters[1]'),
    'a truth that is none': (change('manifest.parameters.2', default_value='yes'),
                             'manifest.parameters[2]'),
    'an unknown field': (unknown(), '#8100'),
    'an unknown field in the manifest': (unknown('manifest'), 'manifest.#8100'),
    'an unknown field in an attribute': (unknown('manifest.attributes.2'),
                                         'manifest.attributes.#8100'),
    'an unknown field in a cloud': (unknown('clouds.0.traits'), 'clouds.traits.#8100'),
    'a manifest of 300 KB': (change('manifest.attributes.0', description='x' * 300000), 'manifest'),
    '300 KB of metadata': (offer(metadata={'big': 'x' * 300000}), 'metadata'),
}


class Refused(Case):

    def setUp(self):
        super().setUp()
        self.gw = self.gateway()
        self.asker = self.gw.asker('toys')

    def nothing_is_there(self):
        self.assertEqual(self.gw.admin.adapters(), {})
        self.assertEqual(self.gw.admin.clouds(), ['box'])

    def test_wrong(self):
        for name, (request, field) in WRONG.items():
            with self.subTest(name):
                answer = self.asker.ask('AdapterService/RegisterAdapter', request)
                self.gets(answer, 'BAD_REQUEST_DATA', field)
                self.assertTrue(all(each.description for each in answer.result.violations))
                self.assertLess(len(answer.result.detail), 1000)
                self.nothing_is_there()
        # The same without the mistake.
        registered(self.asker)
        self.assertEqual(self.gw.admin.clouds(), ['box', 'toy'])

    def test_wrong_is_not_put_in_the_place_of_what_is_right(self):
        """Who registers anew with a mistake stays what he was."""
        registered(self.asker, weight=7)
        for request, field in WRONG.values():
            if field == 'id':
                continue
            request.id = 'one'
            self.asker.ask('AdapterService/RegisterAdapter', request)
        self.assertEqual(self.gw.admin.adapters()['one'].weight, 7)
        self.assertEqual(self.gw.admin.clouds(), ['box', 'toy'])

    def test_all_mistakes_at_once(self):
        answer = register(self.asker, 'A B', version='1', clouds=['', 'ok', 'ok'], weight=2000000,
                          endpoints=[], call_token='\n')
        self.gets(answer, 'BAD_REQUEST_DATA', 'id', 'version', 'clouds[0]', 'clouds[2]', 'weight',
                  'endpoints', 'call_token')

    def test_adapter_names(self):
        """Of who may register as any adapter."""
        asker = self.gw.asker('anything')
        for name in '', '*', 'A', 'a/b', 'a b', '-a', 'x' * 300, '..', '../toy', 't\xf6y', 'a\nb':
            with self.subTest(name):
                self.gets(register(asker, name=name), 'BAD_REQUEST_DATA', 'name')
                self.nothing_is_there()

    def test_what_is_no_message(self):
        good = offer().SerializeToString()
        for data in b'\xff', good[:-1], good + b'\x0a\x7f', os.urandom(2000), b'\x0a\x02\xff\xfe':
            with self.subTest(data[:20]):
                answer = self.asker.ask('AdapterService/RegisterAdapter', data)
                self.assertIn(answer.code, ('INVALID_REQUEST', 'BAD_REQUEST_DATA'), str(answer))
        self.nothing_is_there()

    def test_enormous(self):
        """A manifest of 10 MB is refused by a word, or by a closed connection."""
        before = self.gw.memory_kib()
        for size in 3 * MIB, 5 * MIB, 10 * MIB:
            with self.subTest(size):
                request = change('manifest.attributes.0', description='x' * size)
                try:
                    self.gets(Asker(self.gw.url, token('toys')).ask(
                        'AdapterService/RegisterAdapter', request), 'BAD_REQUEST_DATA', 'manifest')
                except ConnectionError:
                    self.assertGreater(size, 4 * MIB)
                self.nothing_is_there()
        request = offer()
        for n in range(300000):
            request.manifest.attributes.add(name='name')
        self.gets(self.asker.ask('AdapterService/RegisterAdapter', request), 'BAD_REQUEST_DATA',
                  'manifest')
        self.assertLess(self.gw.memory_kib() - before, 200 * 1024)
        registered(self.asker)

    def test_the_most_that_is_allowed(self):
        request = offer(clouds=['c%d' % n for n in range(256)], endpoints=[NOWHERE] * 8,
                        weight=1000000, call_token='x' * 1024, description='x' * 1024,
                        metadata={'m%d' % n: 'v' for n in range(64)}, version='1.0.0-rc.1+b.2')
        request.manifest.methods.append('isobar.v1.VmService/OfNextYear')
        answer = self.gets(self.asker.ask('AdapterService/RegisterAdapter', request), 'CREATED')
        self.assertEqual(len(answer.response.instance.clouds), 256)
        self.assertEqual(len(self.gw.admin.clouds()), 257)
        shown = self.gw.admin.ok('AdapterService/DescribeAdapter', name='toy').adapter.manifest
        self.assertNotIn('isobar.v1.VmService/OfNextYear', shown.methods)

    def test_other_requests(self):
        """Of what is not registered, or with what is no status."""
        registered(self.asker)
        for id in '', 'two', 'x' * 100000, '%n', 'a/../one', '\n':
            with self.subTest(id[:10]):
                for method in ('RenewAdapter', 'DeregisterAdapter', 'DrainAdapter',
                               'SetAdapterStatus'):
                    for asker in self.asker, self.gw.admin:
                        self.gets(asker.ask('AdapterService/' + method, name='toy', id=id),
                                  'NOT_FOUND')
        self.gets(self.gw.admin.set('one', weight=1000001), 'BAD_REQUEST_DATA', 'weight')
        request = pb.SetAdapterStatusRequest(name='toy', id='one').SerializeToString()
        self.gets(self.gw.admin.ask('AdapterService/SetAdapterStatus', request + b'\x18\x63'),
                  'BAD_REQUEST_DATA', 'status')
        shown = self.gw.admin.adapters()['one']
        self.assertEqual((shown.status, shown.weight), (pb.ADAPTER_STATUS_UP, 100))


if __name__ == '__main__':
    unittest.main()
