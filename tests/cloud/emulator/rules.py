"""What the control port can have done to single requests: a function an action, and their table.

A rule fits requests by the words of the lab's RULE. It is done from the nth that fits on (1), so
many times (1; 0: always); the first that is due is done. A function gets the cloud, the connection,
the lab, the request and the rule, and answers or loses the connection itself.
"""

MATCH = {'nth': 1, 'times': 1}
CHUNK = 1 << 16


def drop_reply(cloud, connection, lab, request, rule):
    lab.answer(request)
    connection.lose()


def late_commit(cloud, connection, lab, request, rule):
    """The client sees a reset now; it is done later."""
    lab.pending += 1
    connection.lose()

    def do():
        lab.pending -= 1
        lab.answer(request)
    cloud.loop.call_later(rule['ms'] / 1000, do)


def refuse(cloud, connection, lab, request, rule):
    status, body, headers = lab.refused(request, rule['status'], rule['code'], rule['message'])
    if rule['retry_after']:
        headers = [*headers, ('Retry-After', str(rule['retry_after']))]
    connection.reply(status, body, headers)


def hang(cloud, connection, lab, request, rule):
    """No answer, and it is not done."""
    cloud.loop.call_later(rule['ms'] / 1000, connection.lose)


def cut_body(cloud, connection, lab, request, rule):
    head, body = connection.encode(*lab.answer(request))
    connection.end_with(head + body[:len(body) // 2])


def huge(cloud, connection, lab, request, rule):
    """So many bytes of nothing that ends."""
    head, _ = connection.encode(200, b'', lab.nested(1)[2])
    head = head.replace(b'Content-Length: 0', b'Content-Length: %d' % rule['bytes'])
    connection.transport.write(head)
    left = [rule['bytes']]

    def more():
        if not connection.open:
            return
        if connection.transport.get_write_buffer_size() < 4 * CHUNK:
            n = min(left[0], CHUNK)
            connection.transport.write(b' ' * n)
            left[0] -= n
        if left[0]:
            cloud.loop.call_later(0 if connection.transport.get_write_buffer_size() == 0
                                  else 0.001, more)
        else:
            connection.end_with(b'')
    more()


def deep(cloud, connection, lab, request, rule):
    connection.reply(*lab.nested(rule['depth']))


def trickle(cloud, connection, lab, request, rule):
    """A byte at a time."""
    data = b''.join(connection.encode(*lab.answer(request)))

    def more(at):
        if not connection.open:
            return
        if at == len(data):
            connection.end_with(b'')
            return
        connection.transport.write(data[at:at + 1])
        cloud.loop.call_later(1 / rule['bytes_per_s'], more, at + 1)
    more(0)


# Name -> (what does it, its parameters and their defaults).
ACTIONS = {
    'drop_reply': (drop_reply, {}),
    'late_commit': (late_commit, {'ms': 500}),
    'refuse': (refuse, {'status': 503, 'code': 'RequestLimitExceeded', 'message': 'injected',
                        'retry_after': 0}),
    'hang': (hang, {'ms': 60000}),
    'cut_body': (cut_body, {}),
    'huge': (huge, {'bytes': 100 << 20}),
    'deep': (deep, {'depth': 100000}),
    'trickle': (trickle, {'bytes_per_s': 20}),
}


def add(lab, given):
    """A rule of the control port: ValueError where it is none."""
    if given.get('what') not in ACTIONS:
        raise ValueError('`what` is one of %s' % ', '.join(sorted(ACTIONS)))
    known = dict(MATCH, **ACTIONS[given['what']][1])
    unknown = set(given) - set(known) - set(lab.RULE) - {'what'}
    if unknown:
        raise ValueError('%s has no %s' % (given['what'], ', '.join(sorted(unknown))))
    lab.rules.append(dict(known, **given, seen=0, done=0))


def due(lab, request):
    """The rule that is due for this request, or None."""
    found = None
    for rule in lab.rules:
        if lab.fits(rule, request):
            rule['seen'] += 1
            if found is None and rule['seen'] >= rule['nth'] and (
                    rule['times'] == 0 or rule['done'] < rule['times']):
                found = rule
                rule['done'] += 1
    return found


def act(cloud, connection, lab, request, rule):
    ACTIONS[rule['what']][0](cloud, connection, lab, request, rule)
