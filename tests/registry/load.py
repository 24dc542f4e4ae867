"""Calls from several threads, while something else happens; and what orders have come to."""

import collections
import threading
import time

from fixture import Answer, Asker, Case
from isobar_wire import pb

AWAY_S = 0.05       # a gateway that is away is tried again after so long


class Load:
    """`work(asker, n)` is called again and again by each thread, with numbers that never repeat;
    what it returns is kept, or what it raises."""

    def __init__(self, gateway, work, threads=6):
        self.gateway, self.work = gateway, work
        self.lock, self.number, self.outcomes = threading.Lock(), 0, []
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=self.run) for _ in range(threads)]
        for each in self.threads:
            each.start()

    def run(self):
        asker = Asker(self.gateway.url)
        while not self.ended.is_set():
            with self.lock:
                self.number += 1
                n = self.number
            try:
                outcome = self.work(asker, n)
            except (OSError, AssertionError) as error:
                outcome = error
            if is_away(outcome):
                time.sleep(AWAY_S)
            with self.lock:
                self.outcomes.append(outcome)
        asker.client.close()

    def count(self):
        with self.lock:
            return len(self.outcomes)

    def stop(self):
        """All outcomes."""
        self.ended.set()
        for each in self.threads:
            each.join()
        return self.outcomes


def is_away(outcome):
    return isinstance(outcome, OSError) or isinstance(outcome, tuple) and is_away(outcome[1])


def failures(outcomes):
    return [str(each) for each in outcomes
            if not isinstance(each, Answer) or each.code not in ('OK', 'CREATED', 'CHANGED')]


def reads(id, cloud='toy', timeout_s=30):
    """Work for a load: the machine is looked at."""
    return lambda asker, n: asker.ask('VmService/GetVm', cloud=cloud, id=id, timeout_s=timeout_s)


def creates(cloud='toy', timeout_s=30, **order):
    """Work for a load: orders, each of a name of its own, which is its request's id too."""
    def work(asker, n):
        try:
            return n, asker.create('load-%d' % n, cloud, request_id='load-%d' % n,
                                   timeout_s=timeout_s, **order)
        except OSError as error:
            return n, error
    return work


class Orders(Case):

    def ended(self, gw, outcome, request_id):
        """What an order has come to, whatever its caller has been told."""
        if isinstance(outcome, Answer) and outcome.code == 'CREATED':
            return 'CREATED'
        found = gw.admin.ok('OperationService/ListOperations', pb.ListOperationsRequest(
            request_id=request_id)).operations
        if not found:       # it never got so far
            return 'NONE'
        self.wait_for('%s has ended' % request_id, lambda: gw.admin.ok(
            'OperationService/GetOperation', id=found[0].id).operation.state ==
            pb.OPERATION_STATE_DONE)
        operation = gw.admin.ok('OperationService/GetOperation', id=found[0].id).operation
        return pb.code_name(operation.result.code)

    def exactly_once(self, gw, outcomes, cloud='toy'):
        """Each order has made the one machine that it answers for, or none: {code: how many}."""
        ended = {'load-%d' % n: self.ended(gw, outcome, 'load-%d' % n) for n, outcome in outcomes}
        names = [each.name for each in gw.admin.machines(cloud)]
        for name, code in ended.items():
            self.assertEqual(names.count(name), code == 'CREATED', '%s: %s' % (name, code))
        return collections.Counter(ended.values())
