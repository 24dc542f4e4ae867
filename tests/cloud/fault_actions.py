"""What fault_proxy.py can do to a request: a function an action, and the table of them. Nothing but
the standard library.

A function gets the exchange (see fault_proxy.Exchange: ask() sends a request on and gives the
answer, answer() gives it to the client) and the rule, whose parameters have the defaults of the
table. Returning CLOSE ends the client's connection.

Where an answer is replaced, the request has gone through first: `forward: false` keeps it back.
"""

import calendar
import json
import re
import socket
import struct
import time
import urllib.parse
from email.utils import formatdate, parsedate_to_datetime

from bad_cloud import CLOSE, head, huge, reply

STAMP = re.compile(rb'"(issued_at|expires_at)": *"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?Z"')
JSON = {'Content-Type': 'application/json'}


def reset(sock):
    """Close it so that the other side sees a reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    sock.close()
    return CLOSE


def forward(exchange, request, rule):
    """What the service says, or None where the request is kept back."""
    return exchange.ask(request) if rule['forward'] else None


def passed(exchange, request, rule):
    return exchange.answer(exchange.ask(request))


def delay(exchange, request, rule):
    exchange.wait(rule['ms'] / 1000)
    return passed(exchange, request, rule)


def reset_request(exchange, request, rule):
    """The service sees the first bytes of it, and then a reset."""
    upstream = exchange.upstream()
    upstream.sendall(request.data()[:rule['at']])
    exchange.wait(0.05)     # a reset takes back what has not been read
    reset(upstream)
    return reset(exchange.client)


def reset_answer(exchange, request, rule):
    exchange.send(exchange.ask(request).data()[:rule['at']])
    exchange.wait(0.05)
    return reset(exchange.client)


def drop_reply(exchange, request, rule):
    exchange.ask(request)
    return reset(exchange.client) if rule['reset'] else CLOSE


def late_commit(exchange, request, rule):
    """The client sees a reset now; the service gets the request later."""
    reset(exchange.client)
    exchange.wait(rule['ms'] / 1000)
    exchange.ask(request)
    return CLOSE


def hang(exchange, request, rule):
    """No answer, till the client goes."""
    forward(exchange, request, rule)
    exchange.wait_for_client(rule['ms'] / 1000)
    return CLOSE


def refuse(exchange, request, rule):
    headers = dict(JSON)
    if rule['retry_after'] is not None:
        headers['Retry-After'] = formatdate(time.time() + rule['retry_after'], usegmt=True) \
            if rule['date'] else str(rule['retry_after'])
    body = rule['body'] or {'error': {'code': rule['status'], 'title': 'Injected',
                                      'message': 'injected by the fault proxy'}}
    exchange.entry['status'] = rule['status']
    return reply(rule['status'], json.dumps(body).encode(), headers)(exchange, request)


def unauthorized(exchange, request, rule):
    return refuse(exchange, request, dict(rule, status=401, retry_after=None, body=None))


def trickle(exchange, request, rule):
    for byte in exchange.ask(request).data():
        exchange.send(bytes([byte]))
        if exchange.wait(1 / rule['bytes_per_s']):
            break
    return CLOSE


def garbage(exchange, request, rule):
    forward(exchange, request, rule)
    if rule['kind'] == 'json':
        return reply(200, b'\0\1\2{"', JSON)(exchange, request)
    exchange.send(b'\x00\xff SSH-2.0-OpenSSH\r\n\r\n')
    return CLOSE


def half_close(exchange, request, rule):
    """So many bytes of the answer, then our half ends and the client's stays open."""
    exchange.send(exchange.ask(request).data()[:rule['at']])
    exchange.client.shutdown(socket.SHUT_WR)
    exchange.wait_for_client(rule['ms'] / 1000)
    return CLOSE


def cut_body(exchange, request, rule):
    """Fewer bytes than its Content-Length says."""
    answer = exchange.ask(request)
    at = len(answer.body) // 2 if rule['at'] is None else rule['at']
    exchange.send(answer.data()[:len(answer.data()) - len(answer.body) + at])
    return CLOSE


def huge_body(exchange, request, rule):
    forward(exchange, request, rule)
    return huge(rule['announced'], rule['bytes'])(exchange, request)


def deep(exchange, request, rule):
    forward(exchange, request, rule)
    before, after = (b'{"a":', b'}') if rule['objects'] else (b'[', b']')
    body = before * rule['depth'] + b'0' + after * rule['depth']
    exchange.send(head(200, len(body), JSON) + body)
    return None


def skew(exchange, request, rule):
    """The service's clock is so much ahead: in its Date, and in the tokens that it gives."""
    answer = exchange.ask(request)
    seconds = rule['seconds']
    date = answer.get('date')
    if date:
        answer.set('Date', formatdate(parsedate_to_datetime(date).timestamp() + seconds,
                                      usegmt=True))

    def later(found):
        then = calendar.timegm(time.strptime(found[2].decode(), '%Y-%m-%dT%H:%M:%S')) + seconds
        return b'"%s": "%s%sZ"' % (found[1], time.strftime('%Y-%m-%dT%H:%M:%S',
                                   time.gmtime(then)).encode(), found[3] or b'')
    if answer.get('x-subject-token'):
        answer.set_body(STAMP.sub(later, answer.body))
    return exchange.answer(answer)


def word(exchange, request, rule):
    """A state that nobody knows."""
    answer = exchange.ask(request)
    known = re.compile(rb'("status": *")%s"' % re.escape(rule['from']).encode())
    answer.set_body(known.sub(rb'\g<1>' + rule['to'].encode() + b'"', answer.body))
    return exchange.answer(answer)


def query(exchange, request, rule):
    """Ask for something else: `limit=1` makes the service give a page an item."""
    path, _, text = request.target().partition('?')
    fields = dict(urllib.parse.parse_qsl(text, keep_blank_values=True), **rule['set'])
    request.set_target(path + '?' + urllib.parse.urlencode(fields))
    return passed(exchange, request, rule)


# Name -> (what does it, its parameters and their defaults).
ACTIONS = {
    'pass': (passed, {}),
    'delay': (delay, {'ms': 1000}),
    'reset_request': (reset_request, {'at': 0}),
    'reset_answer': (reset_answer, {'at': 0}),
    'drop_reply': (drop_reply, {'reset': False}),
    'late_commit': (late_commit, {'ms': 500}),
    'hang': (hang, {'ms': 60000, 'forward': False}),
    'refuse': (refuse, {'status': 503, 'retry_after': None, 'date': False, 'body': None}),
    'unauthorized': (unauthorized, {}),
    'trickle': (trickle, {'bytes_per_s': 20}),
    'garbage': (garbage, {'kind': 'http', 'forward': True}),
    'half_close': (half_close, {'at': 0, 'ms': 60000}),
    'cut_body': (cut_body, {'at': None}),
    'huge': (huge_body, {'bytes': 100 << 20, 'announced': True, 'forward': True}),
    'deep': (deep, {'depth': 100000, 'objects': False, 'forward': True}),
    'skew': (skew, {'seconds': 7200}),
    'state': (word, {'from': 'ACTIVE', 'to': 'FLABBERGASTED'}),
    'query': (query, {'set': {}}),
}
