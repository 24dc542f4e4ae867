#!/usr/bin/python3
"""The judge of the crash runs can find a run bad: one that is in order, and each way to break it."""

import copy
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, '..', 'cloud')]
from judge import Facts, judge  # noqa: E402
from plan import TARGETS, Call, Plan, plans  # noqa: E402

CREATED, DELETED, CHANGED = 'RESULT_CODE_CREATED', 'RESULT_CODE_DELETED', 'RESULT_CODE_CHANGED'
REFUSED, DONE = 'RESULT_CODE_QUOTA_EXCEEDED', 'OPERATION_STATE_DONE'


def answered(call, codes, ids, operation_id=''):
    call.answers.append({'codes': codes, 'ids': ids, 'operation_id': operation_id,
                         'code': codes[0]})
    call.final = call.answers[-1]
    return call


def machine(n, token=None, name=None, stopped=False):
    return {'id': 'id%s' % n, 'name': name or 'vm%s' % n, 'token': token or 'op%s' % n,
            'stopped': stopped}


def operation(n, request_id=None, code=CREATED, state=DONE):
    return {'id': 'op%s' % n, 'request_id': request_id or 'r%s' % n, 'state': state, 'code': code}


def good():
    """vm1 is there and stopped; vm2 was deleted; vm3-1 and vm3-2 are there; vm4 was refused."""
    one = answered(Call('create', 'vm1', 'r1'), [CREATED], ['id1'], 'op1')
    answered(one, [CREATED], ['id1'], 'op1')
    stop = answered(Call('stop', 'vm1', 'r1s'), [CHANGED], [''], 'op1s')
    stop.target_id = 'id1'
    one.then = [stop]
    two = answered(Call('create', 'vm2', 'r2'), [CREATED], ['id2'], 'op2')
    two.then = [answered(Call('delete', 'vm2', 'r2d'), [DELETED], [''], 'op2d')]
    three = answered(Call('create', 'vm3', 'r3', count=2), [CREATED] * 2, ['id3-1', 'id3-2'])
    four = answered(Call('create', 'vm4', 'r4'), [REFUSED], [''], 'op4')
    operations = [operation('1'), operation('1s', code=CHANGED), operation('2'),
                  operation('2d', code=DELETED), operation('3-1', 'r3#1'),
                  operation('3-2', 'r3#2'), operation('4', code=REFUSED)]
    machines = [machine('1', stopped=True), machine('3-1'), machine('3-2')]
    port = {'kind': 'port', 'id': 'p1', 'token': 'op1', 'used_by': 'id1'}
    return Facts([one, two, three, four], operations, machines, [port])


class Judge(unittest.TestCase):
    def found(self, break_it):
        facts = copy.deepcopy(good())
        break_it(facts)
        return {kind for kind, _ in judge(facts)}

    def test_good(self):
        self.assertEqual(judge(good()), [])

    def test_lost(self):
        for break_it in (
                lambda f: f.machines.pop(0),                            # it is not there
                lambda f: f.machines.pop(),                             # one of several
                lambda f: f.machines[0].update(id='other'),             # another one is
                lambda f: f.machines[0].update(stopped=False),          # the stop did nothing
                lambda f: f.machines.append(machine('2')),              # the delete did nothing
                lambda f: setattr(f.calls[0], 'final', None),           # no answer
                lambda f: f.operations[0].update(state='OPERATION_STATE_UNKNOWN'),
                lambda f: f.operations.pop(),                           # the journal forgot
                lambda f: setattr(f, 'bad_ends', ['ended with 1'])):
            self.assertIn('lost', self.found(break_it))

    def test_doubled(self):
        for break_it in (
                lambda f: f.machines.append(machine('1b', 'op1', 'vm1')),   # under one token
                lambda f: f.machines.append(machine('1b', 'op1b', 'vm1')),  # under two
                lambda f: f.operations.append(operation('1b', 'r1')),
                lambda f: f.calls[0].answers[0].update(ids=['other'])):
            self.assertIn('doubled', self.found(break_it))

    def test_unknown(self):
        for break_it in (
                lambda f: f.machines.append(machine('9')),              # of nobody
                lambda f: f.machines.append(machine('4')),              # of a refused create
                lambda f: f.machines[0].update(token=''),
                lambda f: f.machines[0].update(token='op4'),            # of another operation
                lambda f: f.rest.append({'kind': 'port', 'id': 'p', 'token': 'op4',
                                         'used_by': ''}),
                lambda f: f.rest.append({'kind': 'fip', 'id': 'p', 'token': 'op2',
                                         'used_by': ''}),
                lambda f: f.rest[0].update(used_by='')):
            self.assertIn('unknown', self.found(break_it))

    def test_repeated_after_a_refusal(self):
        """A request may have a second operation where the first one made nothing."""
        self.assertEqual(self.found(lambda f: f.operations.append(
            operation('1a', 'r1', 'RESULT_CODE_UNAVAILABLE'))), set())


class Plans(unittest.TestCase):
    def test_repeated(self):
        """A seed says all."""
        def words(plan):
            return [str(plan), plan.faults, [vars(call) for call in plan.calls]]
        for target, points in TARGETS.items():
            for point in points:
                first, second = (Plan(5, target, point) for _ in range(2))
                self.assertEqual(repr(words(first)[:2]), repr(words(second)[:2]))
                self.assertEqual([c.request_id for c in first.calls],
                                 [c.request_id for c in second.calls])

    def test_all_points(self):
        seen = {(plan.target, plan.point) for plan in plans(1, 60, ['emulator', 'remote'])}
        self.assertEqual(seen, {(target, point) for target in ('emulator', 'remote')
                                for point in TARGETS[target]})


if __name__ == '__main__':
    unittest.main(verbosity=2)
