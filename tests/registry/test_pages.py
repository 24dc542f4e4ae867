#!/usr/bin/python3
"""Pages of what the gateway itself has: adapters and clouds, which come and go, operations."""

import unittest

from fixture import Case, sandboxes
from isobar_wire import pb
from registrant import deregister, registered


class Pages(Case):

    def setUp(self):
        super().setUp()
        self.gw = self.gateway(sandboxes('box', 'able'))
        toys = self.gw.asker('toys')
        for id in 'abcd':
            registered(toys, id, clouds=['cloud-' + id])
        registered(self.gw.asker('gadgets'), 'g', 'gadget', clouds=['gadgets'])

    def walk(self, method, show, size, **more):
        """What is shown, page after page, and the tokens."""
        seen, tokens, token = [], [], ''
        while True:
            page = self.gw.admin.ok(method, page_size=size, page_token=token, **more)
            shown = show(page)
            self.assertLessEqual(len(shown), size)
            seen += shown
            token = page.next_page_token
            if not token:
                return seen, tokens
            tokens.append(token)

    def none(self, method, *tokens, **more):
        for each in tokens:
            with self.subTest(method=method, token=each):
                self.gets(self.gw.admin.ask(method, page_token=each, **more), 'BAD_REQUEST_DATA',
                          'page_token')


class Adapters(Pages):
    METHOD = 'AdapterService/ListAdapters'

    @staticmethod
    def show(page):
        return [(each.name, each.instance.id) for each in page.adapters]

    def rest(self, token, **more):
        return [id for _, id in self.show(self.gw.admin.ok(self.METHOD, page_token=token, **more))]

    def test_whole(self):
        whole = self.show(self.gw.admin.ok(self.METHOD))
        for size in 1, 2, 3, 100:
            self.assertEqual(self.walk(self.METHOD, self.show, size)[0], whole)
        toys = [('toy', id) for id in 'abcd']
        self.assertEqual(self.walk(self.METHOD, self.show, 1, name='toy')[0], toys)
        self.assertEqual(whole[-5:], [('gadget', 'g')] + toys)

    def test_no_token(self):
        self.none(self.METHOD, 'bogus', 'toy', 'toy/', '/a', 'toy/a/b', 'toy/ a', 'x' * 5000)
        # Those of another list.
        self.none(self.METHOD, 'sandbox', 'gadget/g', name='toy')

    def test_gone_meanwhile(self):
        _, tokens = self.walk(self.METHOD, self.show, 1, name='toy')
        self.assertEqual(self.rest(tokens[1], name='toy'), ['c', 'd'])
        self.gets(deregister(self.gw.asker('toys'), 'b'), 'DELETED')
        self.gw.restart()
        self.assertNotIn('b', self.gw.admin.adapters())
        self.assertEqual(self.rest(tokens[1], name='toy'), ['c', 'd'])
        self.assertEqual(self.rest(tokens[1])[-2:], ['c', 'd'])


class Clouds(Pages):
    METHOD = 'CloudService/ListClouds'

    @staticmethod
    def show(page):
        return [each.name for each in page.clouds]

    def rest(self, token):
        return self.show(self.gw.admin.ok(self.METHOD, page_token=token))

    def test_whole(self):
        whole = ['box', 'able', 'cloud-a', 'cloud-b', 'cloud-c', 'cloud-d', 'gadgets']
        for size in 1, 2, 3, 100:
            self.assertEqual(self.walk(self.METHOD, self.show, size)[0], whole)

    def test_no_token(self):
        self.none(self.METHOD, 'bogus', '/', 'offered/', 'offered/ a', '!!!!', 'x' * 5000)

    def test_gone_meanwhile(self):
        _, tokens = self.walk(self.METHOD, self.show, 1)
        toys = self.gw.asker('toys')
        for id in 'ba':
            self.gets(deregister(toys, id), 'DELETED')
        self.assertEqual(self.rest(tokens[3]), ['cloud-c', 'cloud-d', 'gadgets'])
        # Behind the configuration's own are all that are offered.
        self.assertEqual(self.rest(tokens[1]), ['cloud-c', 'cloud-d', 'gadgets'])
        self.assertEqual(self.rest(tokens[6 - 1]), ['gadgets'])


class Operations(Pages):
    METHOD = 'OperationService/ListOperations'
    IN_MEMORY = dict(states=[pb.OPERATION_STATE_RUNNING])

    @staticmethod
    def show(page):
        return [each.id for each in page.operations]

    def setUp(self):
        super().setUp()
        for n in range(3):
            self.gets(self.gw.admin.ask('VmService/DeleteVm', cloud='box', id='none-%d' % n),
                      'NOT_FOUND')

    def test_whole(self):
        whole = self.show(self.gw.admin.ok(self.METHOD))
        self.assertEqual(len(whole), 3)
        for size in 1, 2, 100:
            self.assertEqual(self.walk(self.METHOD, self.show, size)[0], whole)

    def test_no_token(self):
        whole = self.show(self.gw.admin.ok(self.METHOD))
        wrong = ['bogus', '0', whole[0][:-1], whole[0] + '0', whole[0].replace('-', ''), 'x' * 5000]
        self.none(self.METHOD, *wrong)
        self.none(self.METHOD, *wrong, **self.IN_MEMORY)
        # Of one that is not known (any more), its place.
        token = whole[1][:-1] + ('0' if whole[1][-1] != '0' else '1')
        rest = self.show(self.gw.admin.ok(self.METHOD, page_token=token))
        self.assertIn(rest, (whole[1:], whole[2:]))


if __name__ == '__main__':
    unittest.main()
