"""A lab of an emulator, whatever cloud it is: its things, of which none is ever forgotten, its faults, and
what is done to those who ask.

A cloud's own lab says what it has (KINDS), which of its requests change something (`change_of`), which
words of a rule a request has to fit (RULE, `fits`), and what it answers.
"""

import heapq
import os
import random
import signal
import time

WHENS = ('half-sent', 'sent', 'replied')


class Thing:
    """A machine, port, address, volume or key. `base` is as it was made; what has changed since, and
    what will, stands in `changes` with its time."""

    def __init__(self, kind, base, token, now, shown, found=0.0):
        self.kind, self.base, self.token = kind, base, token
        self.made, self.gone = now, None
        self.shown = shown      # since when lists have it,
        self.found = found      # and since when it is found by its id
        self.lingers = 0.0      # how long it is shown after its end
        self.changes = []

    def change(self, t, **fields):
        self.changes.append((t, fields))

    def forget_plans(self, now):
        self.changes = [each for each in self.changes if each[0] <= now]

    def at(self, t):
        if not self.changes:
            return self.base
        fields = dict(self.base)
        for when, change in self.changes:
            if when <= t:
                fields.update(change)
        return fields

    def alive(self, now):
        return self.gone is None or self.gone > now

    def visible(self, then):
        return self.gone is None or self.gone + self.lingers > then

    def listed(self, then):
        """Whether a list shows it that is as things were `then`."""
        return self.shown <= then and self.visible(then)


class BaseLab:
    """One cloud of the emulator, with its own faults: see FAULTS."""

    # Seconds but for shares and `refuse`, the beginning of names that get no machine.
    FAULTS = {'late_commit': 0.0, 'list_lag': 0.0, 'lost_reply': 0.0, 'boot': 0.2, 'pace': 0.1,
              'refuse': ''}
    KINDS = ()
    RULE = ('method', 'path')

    def __init__(self, name, seed=0, **faults):
        self.name, self.seed = name, seed
        for key, value in self.FAULTS.items():
            setattr(self, key, value)
        self.set_faults(faults)
        self.things = {kind: {} for kind in self.KINDS}
        self.drawn, self.journal, self.plans = {}, [], []
        self.pending = 0        # requests that have been read and not yet done
        self.requests = 0       # that there ever were
        self.kills, self.rules = [], []

    def set_faults(self, faults):
        unknown = set(faults) - set(self.FAULTS)
        if unknown:
            raise ValueError('no such fault: %s' % ', '.join(sorted(unknown)))
        for key, value in faults.items():
            setattr(self, key, value)

    def draw(self, what):
        """A generator for the n-th event of this kind: the same in each run with this seed, however
        the kinds are interleaved."""
        n = self.drawn[what] = self.drawn.get(what, 0) + 1
        return random.Random('%s/%s/%d' % (self.seed, what, n))

    def note(self, event, kind, id, token, **more):
        self.journal.append(dict(more, t=time.time(), event=event, kind=kind, id=id, token=token))

    # ---- Time ----

    def plan(self, t, do):
        heapq.heappush(self.plans, (t, len(self.journal), id(do), do))

    def sweep(self, now):
        """What was to happen until now."""
        while self.plans and self.plans[0][0] <= now:
            heapq.heappop(self.plans)[3]()

    # ---- Making and taking away ----

    def half_of_them(self, what, seconds):
        """Seconds that this one is late: none for half of them."""
        if not seconds:
            return 0.0
        draw = self.draw(what)
        return draw.uniform(0, seconds) if draw.random() < 0.5 else 0.0

    def shown_after(self, kind):
        """Seconds until lists have a new thing."""
        return self.half_of_them('show ' + kind, self.late_commit)

    def make(self, kind, base, token, shown_after=0.0, found_after=0.0):
        now = time.time()
        thing = Thing(kind, base, token, now, now + shown_after, now + found_after)
        self.things[kind][base['id']] = thing
        self.note('made', kind, base['id'], token)
        return thing

    def be_old(self):
        """What there is has been there for long, for a list that lags too."""
        for things in self.things.values():
            for each in things.values():
                each.shown = each.found = 0.0
        self.journal.clear()

    def get(self, kind, id):
        thing = self.things[kind].get(id)
        return thing if thing and thing.alive(time.time()) else None

    def remove(self, thing, at=None):
        now = time.time()
        thing.gone = now if at is None else at
        self.note('deleted', thing.kind, thing.base['id'], thing.token)

    def as_of(self, kind):
        """The time that a list is of: some time ago."""
        then = time.time()
        if self.list_lag:
            then -= self.draw('list ' + kind).uniform(0, self.list_lag)
        return then

    def list(self, kind):
        then = self.as_of(kind)
        return [each.at(then) for each in self.things[kind].values() if each.listed(then)]

    # ---- Faults of a request ----

    def fate(self, request):
        """(seconds until it is done, whether nobody hears of it)"""
        kind = self.change_of(request)
        if kind is None:
            return 0.0, False
        draw = self.draw(kind)
        late = draw.uniform(0, self.late_commit) if draw.random() < 0.5 else 0.0
        return late, draw.random() < self.lost_reply

    def add_kill(self, rule):
        if set(rule) != {'pid', 'when', 'nth', *self.RULE} or rule['when'] not in WHENS:
            raise ValueError('not a rule: %s' % rule)
        self.kills.append(rule)

    def kill_at(self, request, when):
        """Whether a process has to die now. A rule counts requests when they are first known."""
        for rule in self.kills:
            if rule['when'] == when and self.fits(rule, request):
                rule['nth'] -= 1
                if rule['nth'] == 0:
                    self.kills.remove(rule)
                    self.note('kill ' + when, 'process', rule['pid'], None)
                    kill(rule['pid'])
                    return True
        return False


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass    # it has died otherwise
