"""Many runs at once, and what they came to."""

import argparse
import asyncio
import collections
import logging
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, '..', 'cloud')]
import gateway  # noqa: E402
from plan import TARGETS as POINTS, Plan, plans  # noqa: E402
from run import Run  # noqa: E402
from targets import TARGETS, check_there  # noqa: E402

# A run waits most of its time: for settling clouds, for late commits.
PARALLEL, PARALLEL_REAL = 12, 2
KINDS = ('lost', 'doubled', 'unknown')
CLOUDS = ('emulator', 'ec2', 'azure', 'remote')


def sanitized():
    with open(os.path.join(gateway.BUILD, 'CMakeCache.txt')) as f:
        return any(line.startswith('ISOBAR_SANITIZE:') and line.strip()[-1] != '=' for line in f)


class Tally:
    def __init__(self):
        self.runs, self.counts, self.again = 0, collections.Counter(), 0
        self.reached = collections.defaultdict(lambda: [0, 0])

    def add(self, run, found):
        self.runs += 1
        machines, operations = run.made
        self.again += max(0, machines - operations)
        for death in run.plan.deaths + run.plan.adapter_deaths:
            if death.reached is not None:
                row = self.reached[run.plan.target, (death.point.split(':')[0] or
                                                     'http-' + death.rule['when'])]
                row[0] += death.reached
                row[1] += 1
        if found:
            print('\n%s\n  kept: %s' % (run.plan, run.folder))
        for kind, words in found:
            self.counts[kind] += 1
            print('  %s: %s' % (kind, words), flush=True)

    def show(self, elapsed):
        print('\n%-10s %-15s %s' % ('cloud', 'point', 'died there'))
        for (target, point), (reached, n) in sorted(self.reached.items()):
            print('%-10s %-15s %d of %d' % (target, point, reached, n))
        print('machines that were made twice for a moment, and one taken back: %d' % self.again)
        print('%.1f s, %.2f s a run' % (elapsed, elapsed / max(1, self.runs)))
        print('figure: runs=%d %s' % (self.runs, ' '.join(
            '%s=%d' % (kind, self.counts[kind]) for kind in KINDS)))

    def clean(self):
        return not any(self.counts.values())


async def run_all(wanted, parallel, slow):
    """Run all plans of `wanted`; a Tally."""
    tally, messages, room = Tally(), gateway.Messages(), asyncio.Semaphore(parallel)
    names = sorted({plan.target for plan in wanted})
    begun = []

    async def one(plan):
        async with room:
            run = Run(plan, messages, slow)
            tally.add(run, await run.go())
    try:
        for name in names:
            await TARGETS[name].begin()
            begun.append(name)
        tasks = [asyncio.create_task(one(plan)) for plan in wanted]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
    finally:
        for name in begun:
            for words in await TARGETS[name].end():
                tally.counts['unknown'] += 1
                print('  unknown: %s' % words)
    return tally


def main(args=None):
    parser = argparse.ArgumentParser(
        description='Kill isobard with SIGKILL, start it again, and count what there is.')
    parser.add_argument('runs', nargs='?', type=int, help='2,000; with --openstack 30')
    parser.add_argument('--openstack', action='store_true',
                        help='against the OpenStack that ISOBAR_TEST_OPENSTACK names')
    parser.add_argument('--target', choices=CLOUDS, action='append')
    parser.add_argument('--point', help='only this one (with one run a seed: the same run again)')
    parser.add_argument('--seed', type=int, default=1, help='of the first run')
    parser.add_argument('--parallel', type=int)
    args = parser.parse_args(args)
    names = ['openstack'] if args.openstack else args.target or list(CLOUDS)
    runs = args.runs or (30 if args.openstack else 2000)
    check_there(names)
    if args.point:
        if any(args.point not in POINTS[name] for name in names):
            parser.error('the points of %s: %s' % (names[0], ', '.join(POINTS[names[0]])))
        wanted = [Plan(args.seed + i, names[i % len(names)], args.point) for i in range(runs)]
    else:
        wanted = list(plans(args.seed, runs, names))
    parallel = args.parallel or (PARALLEL_REAL if args.openstack else PARALLEL)
    # It warns of writes to a daemon that has just died.
    logging.getLogger('asyncio').setLevel(logging.ERROR)
    begun = time.monotonic()
    tally = asyncio.run(run_all(wanted, parallel, sanitized()))
    tally.show(time.monotonic() - begun)
    return 0 if tally.clean() and tally.runs == runs else 1
