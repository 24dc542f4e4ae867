"""The toy cloud itself, which knows nothing of Isobar: machines that start, stop and go, in memory,
or in a file that several processes share. What a machine is at a time is computed when somebody
looks.
"""

import contextlib
import fcntl
import json
import os
import threading
import time
import uuid

MACHINES_MAX = 1000
# Of so many orders whose machines are gone we know that they have been carried out.
SPENT_MAX = 1000

IMAGES = [
    {'id': 'img-bear', 'name': 'bear', 'bytes': 40 << 20},
    {'id': 'img-robot', 'name': 'robot', 'bytes': 900 << 20},
]
FLAVORS = [
    {'id': 'size-1', 'name': 'small', 'cores': 1, 'memory': 512, 'disk': 1},
    {'id': 'size-2', 'name': 'medium', 'cores': 2, 'memory': 2048, 'disk': 20},
    {'id': 'size-3', 'name': 'large', 'cores': 4, 'memory': 8192, 'disk': 80},
]
NETWORKS = [{'id': 'net-floor', 'name': 'floor'}]
REGIONS = [{'id': 'nursery', 'name': 'nursery'}]

GONE = 'gone'
# What can be done: the words of states in which it can, in which it is done already, the one that
# the machine then is in for a while, and the one after that (None: the one that it had).
ACTIONS = {
    'start': (['resting'], ['playing', 'waking'], 'waking', 'playing'),
    'stop': (['playing'], ['resting', 'tidying'], 'tidying', 'resting'),
    'reboot': (['playing'], ['tumbling'], 'tumbling', 'playing'),
    'suspend': (['playing'], ['asleep', 'yawning'], 'yawning', 'asleep'),
    'resume': (['asleep'], ['playing', 'waking'], 'waking', 'playing'),
    'resize': (['playing', 'resting'], [], 'stretching', None),
}


class Error(Exception):
    """The cloud says no: a word of its own, and a sentence."""

    def __init__(self, word, text, after_ms=0):
        super().__init__(text)
        self.word, self.after_ms = word, after_ms


def open_private(path, flags):
    return os.open(path, flags, 0o600)


class Machine(dict):
    """A row as it is kept: id, number, name, order, image, flavor, extras, made, and its change."""

    def word(self, now):
        change = self['change']
        return change['during'] if now < change['until'] else change['after']

    def since(self, now):
        change = self['change']
        return change['since'] if now < change['until'] else change['until']

    def is_gone(self, now):
        return self.word(now) == GONE

    def begin(self, during, after, seconds, now):
        self['change'] = {'during': during, 'after': after, 'since': now, 'until': now + seconds}

    def show(self, now):
        """The row with its state."""
        return dict(self, state=self.word(now), changed=self.since(now))


class Cloud:
    """All machines. With a path they are in that file, and every process that names it has the
    same."""

    def __init__(self, path=None, boot_s=0.8, pace_s=0.3):
        self.path, self.boot_s, self.pace_s = path, boot_s, pace_s
        self.machines_max = MACHINES_MAX
        self.lock, self.held = threading.Lock(), None
        self.machines, self.spent, self.number = {}, {}, 0
        if path:
            with self.changing():       # whoever cannot write there should know it now
                pass

    # ---- the file ----

    def load(self):
        """Read the file where it is another one than last time: whoever writes replaces it. That
        one stays open, so that no later one can look like it."""
        try:
            f = open(self.path, encoding='utf-8')
        except FileNotFoundError:
            self.hold(None)
            self.machines, self.spent, self.number = {}, {}, 0
            return
        if self.held and os.path.samestat(os.fstat(f.fileno()), os.fstat(self.held.fileno())):
            f.close()
            return
        self.hold(f)
        rows = json.load(f)
        self.machines = {row['id']: Machine(row) for row in rows['machines']}
        self.spent, self.number = rows['spent'], rows['number']

    def hold(self, f):
        if self.held:
            self.held.close()
        self.held = f

    def save(self):
        """The whole file, or the one before: whenever we are killed."""
        rows = {'machines': list(self.machines.values()), 'spent': self.spent,
                'number': self.number}
        scratch = '%s.%d' % (self.path, os.getpid())
        with open(scratch, 'w', encoding='utf-8', opener=open_private) as f:
            json.dump(rows, f)
            f.flush()
            os.fsync(f.fileno())
        os.rename(scratch, self.path)
        folder = os.open(os.path.dirname(os.path.abspath(self.path)), os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        self.hold(open(self.path, encoding='utf-8'))

    @contextlib.contextmanager
    def changing(self):
        """What is changed inside is durable afterwards; nobody else changes anything meanwhile."""
        with self.lock, contextlib.ExitStack() as stack:
            if self.path:
                guard = stack.enter_context(open(self.path + '.lock', 'a', opener=open_private))
                fcntl.flock(guard, fcntl.LOCK_EX)
                self.load()
            try:
                yield
                self.forget_gone()
                if self.path:
                    self.save()
            except BaseException:
                self.hold(None)         # what is in memory is not what is kept
                raise

    def forget_gone(self):
        now = time.time()
        for machine in [each for each in self.machines.values() if each.is_gone(now)]:
            del self.machines[machine['id']]
            if machine['order']:
                self.spent[machine['order']] = machine['id']
        while len(self.spent) > SPENT_MAX:
            del self.spent[next(iter(self.spent))]

    # ---- looking ----

    def all(self):
        """Rows of the machines that are there, the oldest first."""
        with self.lock:
            if self.path:
                self.load()
            now = time.time()
            return [each.show(now) for each in self.machines.values() if not each.is_gone(now)]

    # ---- changing ----

    def create(self, name, image, flavor, extras, order, only_try=False):
        """One order makes one machine: the same again is the same. None where it is only tried."""
        with self.changing():
            now = time.time()
            found = self.of_order(order, now)
            if found or only_try:
                if not found:
                    self.check_room(now)
                return found and found.show(now)
            self.check_room(now)
            self.number += 1
            machine = Machine(id=str(uuid.uuid4()), number=self.number, name=name, order=order,
                              image=image, flavor=flavor, extras=extras, made=now)
            machine.begin('unpacking', 'playing', self.boot_s, now)
            self.machines[machine['id']] = machine
            return machine.show(now)

    def of_order(self, order, now):
        found = next((each for each in self.machines.values()
                      if order and each['order'] == order), None)
        if order in self.spent or (found and found.is_gone(now)):
            raise Error('OrderSpent', 'order %s has made a machine already, which is gone' % order)
        return found

    def check_room(self, now):
        if sum(not each.is_gone(now) for each in self.machines.values()) >= self.machines_max:
            raise Error('BoxFull', 'all %d machines that there may be exist; delete some' %
                        self.machines_max)

    def act(self, id, action, flavor=None, only_try=False):
        """Start, stop and the like; what is so already stays. None where there is no machine."""
        allowed, already, during, after = ACTIONS[action]
        with self.changing():
            now = time.time()
            machine = self.machines.get(id)
            if machine is None or machine.is_gone(now):
                return None
            word = machine.word(now)
            if machine['change']['after'] == GONE:
                raise Error('WrongMoment', 'machine %s is being deleted' % machine['name'])
            if word in already or (flavor and machine['flavor'] == flavor):
                return machine.show(now)
            if word not in allowed:
                left_ms = round((machine['change']['until'] - now) * 1000)
                raise Error('WrongMoment', 'machine %s is %s; %s needs one that is %s' % (
                    machine['name'], word, action, ' or '.join(allowed)), max(left_ms, 0))
            if not only_try:
                machine['flavor'] = flavor or machine['flavor']
                machine.begin(during, after or word, self.pace_s, now)
            return machine.show(now)

    def delete(self, id, only_try=False):
        """The machine as it goes; None where there is none."""
        with self.changing():
            now = time.time()
            machine = self.machines.get(id)
            if machine is None or machine.is_gone(now):
                return None
            if machine['change']['after'] != GONE and not only_try:
                machine.begin('packing', GONE, self.pace_s, now)
            return machine.show(now)
