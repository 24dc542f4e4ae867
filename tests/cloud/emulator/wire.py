"""HTTP/1.1 by hand, on asyncio: a request costs a fraction of a millisecond.

A connection reads requests one after the other and hands each to `serve(connection, request)`, which
answers with connection.reply() or connection.lose(), at once or later; only then the next is read. A
request of which the client goes away before it has sent all of it is as if it had never been.
"""

import asyncio
import json
import socket
import struct
from urllib.parse import parse_qs, unquote

REASONS = {200: 'OK', 201: 'Created', 202: 'Accepted', 204: 'No Content', 300: 'Multiple Choices',
           400: 'Bad Request', 401: 'Unauthorized', 403: 'Forbidden', 404: 'Not Found',
           409: 'Conflict', 412: 'Precondition Failed', 500: 'Internal Server Error',
           503: 'Service Unavailable'}


class Request:
    __slots__ = ('method', 'target', 'path', 'query', 'headers', 'body', 'about')

    def __init__(self, method, target, headers):
        self.method, self.target, self.headers, self.body = method, target, headers, b''
        self.about = None       # for the server: what it has found out of it
        path, _, query = target.partition('?')
        self.path = unquote(path)
        self.query = parse_qs(query, keep_blank_values=True) if query else {}

    def json(self):
        return json.loads(self.body) if self.body else {}


class Connection(asyncio.Protocol):
    def __init__(self, server):
        # serve(connection, request); half(request), with the body that has come so far: whether it
        # ends here, or None to be asked again with more of it.
        self.server = server
        self.buffer = b''
        self.request = None         # whose head is read
        self.length = 0
        self.halved = False         # half() has said
        self.busy = False           # one is being answered
        self.open = True

    def connection_made(self, transport):
        self.transport = transport
        transport.get_extra_info('socket').setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def connection_lost(self, error):
        self.open = False

    def data_received(self, data):
        self.buffer += data
        while not self.busy and self.open and self.read_one():
            pass

    def read_one(self):
        """Whether there was a whole request."""
        if self.request is None and not self.read_head():
            return False
        if not self.halved:
            self.request.body = self.buffer[:self.length]
            ends = self.server.half(self.request)
            self.halved = ends is not None
            if ends:
                self.lose()
        if not self.open or len(self.buffer) < self.length:
            return False
        request, self.request = self.request, None
        request.body, self.buffer = self.buffer[:self.length], self.buffer[self.length:]
        self.busy = True
        self.server.serve(self, request)
        return not self.busy

    def read_head(self):
        end = self.buffer.find(b'\r\n\r\n')
        if end < 0:
            return False
        lines = self.buffer[:end].decode('latin-1').split('\r\n')
        self.buffer = self.buffer[end + 4:]
        words = lines[0].split(' ')
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(':')
            headers[name.strip().lower()] = value.strip()
        length = headers.get('content-length', '0')
        if len(words) != 3 or not length.isdigit():
            self.transport.close()
            self.open = False
            return False
        if headers.get('expect', '').lower() == '100-continue':
            self.transport.write(b'HTTP/1.1 100 Continue\r\n\r\n')
        self.request, self.length = Request(words[0], words[1], headers), int(length)
        self.halved = False
        return True

    @staticmethod
    def encode(status, body=None, headers=()):
        """(head, body), the body as it is where it is bytes, else as JSON."""
        data = b'' if body is None else body if isinstance(body, bytes) else \
            json.dumps(body).encode()
        lines = ['HTTP/1.1 %d %s' % (status, REASONS.get(status, 'Status')),
                 'Content-Length: %d' % len(data), *('%s: %s' % each for each in headers)]
        if data and not isinstance(body, bytes):
            lines.append('Content-Type: application/json')
        return '\r\n'.join(lines + ['', '']).encode(), data

    def reply(self, status, body=None, headers=()):
        self.busy = False
        if self.open:
            self.transport.write(b''.join(self.encode(status, body, headers)))

    def end_with(self, data):
        """The last of an answer; then the connection is closed."""
        self.busy = False
        if self.open:
            self.transport.write(data)
            self.open = False
            self.transport.close()

    def lose(self):
        """No answer: the connection is reset."""
        self.busy = False
        if self.open:
            self.open = False
            self.transport.get_extra_info('socket').setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            self.transport.abort()

    def go_on(self):
        """After an answer that came later: what the client has sent meanwhile."""
        self.data_received(b'')
