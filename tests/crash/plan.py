"""What a run does, all of it from its seed."""

import random

# Points that a daemon knows (isobar/point.h), and what kills it from outside. What it has sent of an
# HTTP request, the emulator knows better.
POINTS = ('before-intent', 'after-intent', 'reply-read', 'second-commit', 'recovery')
EMULATOR = POINTS + ('clean-up', 'http-half-sent', 'http-sent', 'http-replied', 'random')
# With an adapter process between the daemon and the cloud: either dies, or both.
REMOTE = EMULATOR + ('half-sent', 'sent')
REAL = POINTS + ('clean-up', 'random')
TARGETS = {'emulator': EMULATOR, 'ec2': EMULATOR, 'azure': EMULATOR, 'remote': REMOTE, 'openstack': REAL}
# Requests at which an emulator has it killed, and up to the how-manieth.
REQUESTS = {
    'emulator': [({'method': 'POST', 'path': '/compute/v2.1/servers'}, 5),
                 ({'method': 'POST', 'path': '/network/v2.0/ports'}, 5),
                 ({'method': 'DELETE', 'path': '/compute/v2.1/servers/'}, 1),
                 ({'method': 'GET', 'path': '/compute/v2.1/servers'}, 4)],
    'ec2': [({'action': 'RunInstances'}, 5), ({'action': 'CreateNetworkInterface'}, 1),
            ({'action': 'A(llocate|ssociate)Address'}, 1), ({'action': 'TerminateInstances'}, 1),
            ({'action': 'DescribeInstances'}, 4)],
    'azure': [({'method': 'PUT', 'path': '/virtualMachines/'}, 5),
              ({'method': 'PUT', 'path': '/networkInterfaces/'}, 5),
              ({'method': 'PUT', 'path': '/publicIPAddresses/'}, 1),
              ({'method': 'DELETE', 'path': '/virtualMachines/'}, 1),
              ({'method': 'GET', 'path': '/virtualMachines'}, 4)],
}
REQUESTS['remote'] = REQUESTS['emulator']
REFUSED = 'refused-'


class Death:
    """At a point of the daemon (`point`), at a request to the emulator (`rule`), or when `after_s` is
    over, which is also the end of waiting for the others."""

    def __init__(self, after_s, point='', rule=None):
        self.after_s, self.point, self.rule = after_s, point, rule
        self.reached = None         # whether it died by itself

    def __str__(self):
        what = self.point or (self.rule and ' '.join(map(str, self.rule.values())))
        return '%s%s' % (what or 'after %.3f s' % self.after_s,
                         {None: '', True: ' (reached)', False: ' (not reached)'}[self.reached])


class Call:
    """One thing that a client wants, under a request id of its own. A create may be followed by what
    is done to its machine, the first of several."""

    def __init__(self, kind, name, request_id, start_s=0.0, count=1, wait='', refused=False,
                 public=False, by_name=False):
        self.kind, self.name, self.request_id, self.start_s = kind, name, request_id, start_s
        self.count, self.wait, self.refused, self.public = count, wait, refused, public
        self.by_name = by_name      # a delete that does not wait for the create's answer
        self.then = []
        self.target_id = ''         # of what is done to a machine
        self.answers = []           # all that were given, as run.py notes them
        self.final = None           # the last of them

    def names(self):
        return [self.name] if self.count == 1 else [
            '%s-%d' % (self.name, i + 1) for i in range(self.count)]

    def request_ids(self):
        """Of each machine, as the gateway numbers them."""
        return [self.request_id] if self.count == 1 else [
            '%s#%d' % (self.request_id, i + 1) for i in range(self.count)]


class Plan:
    def __init__(self, seed, target, point):
        self.seed, self.target, self.point = seed, target, point
        self.rng = random.Random('%s/%s/%s' % (seed, target, point))
        self.faults = self.draw_faults()
        self.deaths, self.adapter_deaths = self.draw_deaths(), []
        if target == 'remote':
            self.share_deaths()
        self.calls = self.draw_calls()

    def draw_faults(self):
        draw = self.rng
        faults = {'late_commit': 0.5 if draw.random() < 0.7 else 0.0,
                  'list_lag': draw.choice((0.0, 0.2, 0.5)),
                  'lost_reply': draw.choice((0.0, 0.1, 0.3))}
        if self.target == 'ec2':
            faults['eventual'] = draw.choice((0.0, 0.3, 0.8))
        return {name: value for name, value in faults.items() if value}

    def draw_deaths(self):
        draw, point = self.rng, self.point
        patience = draw.uniform(1.0, 2.0)
        if point == 'random':
            first = [Death(draw.uniform(0.0, 0.8))]
        elif point == 'recovery':
            first = [Death(draw.uniform(0.3, 0.6), draw.choice(('after-intent:2', 'reply-read:2'))),
                     Death(patience, 'recovery:%d' % draw.randint(1, 2))]
        elif point.startswith('http-'):
            words, most = draw.choice(REQUESTS[self.target])
            first = [Death(patience, rule=dict(words, when=point[len('http-'):],
                                               nth=draw.randint(1, most)))]
        else:
            most = 1 if point == 'clean-up' else 4
            first = [Death(patience, '%s:%d' % (point, draw.randint(1, most)))]
        if draw.random() < 0.25:    # and again, soon after
            first.append(draw.choice((Death(draw.uniform(0.0, 0.3)),
                                      Death(patience / 2, 'recovery:1'))))
        return first

    def share_deaths(self):
        """What the cloud sees dies with the adapter process; so may the rest, at any time."""
        draw = self.rng
        if self.point.startswith('http-') or self.point == 'clean-up':
            self.adapter_deaths, self.deaths = self.deaths, []
        elif self.point == 'random' and draw.random() < 0.4:
            self.adapter_deaths, self.deaths = self.deaths, []
        if draw.random() < 0.4:
            other = self.deaths if self.adapter_deaths else self.adapter_deaths
            other.append(Death(draw.uniform(0.0, 0.8)))

    def new_id(self):
        return '%032x' % self.rng.getrandbits(128)

    def create(self, n, **more):
        """Names are of the run alone."""
        prefix = REFUSED if more.get('refused') else 'vm-'
        return Call('create', '%s%s-%d' % (prefix, self.seed, n), self.new_id(),
                    self.rng.uniform(0, 0.4), **more)

    def follow(self, call, kind, **more):
        call.then.append(Call(kind, call.names()[0], self.new_id(), **more))

    def draw_calls(self):
        draw = self.rng
        if self.target == 'openstack':
            return self.few_calls()
        plain, unseen = self.create(0), self.create(1, wait='WAIT_NONE')
        several = self.create(2, count=draw.choice((2, 3)))
        moved = self.create(3, wait='WAIT_RUNNING')
        gone = self.create(4, public=self.target in REQUESTS and draw.random() < 0.5)
        calls = [plain, unseen, several, moved, gone]
        if draw.random() < 0.5:
            self.follow(unseen, 'delete', by_name=True, start_s=draw.uniform(0, 0.2))
        if draw.random() < 0.5:
            self.follow(several, 'delete')
        self.follow(moved, 'stop')
        if draw.random() < 0.5:
            self.follow(moved, 'start')
        self.follow(gone, 'delete')
        if self.point == 'clean-up' or draw.random() < 0.3:
            calls.append(self.create(5, refused=True))
        return calls

    def few_calls(self):
        """A real OpenStack takes seconds for a machine."""
        kept, gone = self.create(0), self.create(1, wait='WAIT_NONE')
        self.follow(gone, 'delete', by_name=self.rng.random() < 0.3)
        if self.point == 'clean-up':
            return [kept, self.create(2, refused=True)]
        return [kept, gone]

    def __str__(self):
        said = 'seed %s, %s, %s' % (self.seed, self.target, ', then '.join(map(str, self.deaths)))
        if self.adapter_deaths:
            said += '; the adapter ' + ', then '.join(map(str, self.adapter_deaths))
        return said


def plans(first_seed, n, targets):
    """All points of all targets in turn."""
    turn = [(target, point) for i in range(max(len(TARGETS[each]) for each in targets))
            for target in targets for point in TARGETS[target][i:i + 1]]
    for i in range(n):
        yield Plan(first_seed + i, *turn[i % len(turn)])
