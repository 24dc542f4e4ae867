"""HTTP/1.1 messages off a socket and onto it, for fault_proxy.py. Nothing but the standard library."""


class Ended(Exception):
    """The other side has closed in the middle of something."""


class Message:
    """A request or an answer: first line, headers, body."""

    def __init__(self, text, body=b''):
        self.first, *lines = text.decode('latin-1').split('\r\n')
        self.headers = [line.partition(':')[::2] for line in lines if line]
        self.body, self.bodiless = body, False

    def get(self, name):
        return next((v.strip() for n, v in self.headers if n.lower() == name), None)

    def drop(self, name):
        self.headers = [each for each in self.headers if each[0].lower() != name]

    def set(self, name, value):
        self.drop(name.lower())
        self.headers.append((name, ' ' + str(value)))

    def set_body(self, body):
        self.body = body
        self.set('Content-Length', len(body))

    def target(self):
        return self.first.split(' ')[1]

    def set_target(self, target):
        method, _, version = self.first.split(' ')
        self.first = ' '.join([method, target, version])

    def status(self):
        return int(self.first.split(' ')[1])

    def keeps(self):
        """Whether the connection stays open after it."""
        return self.first.find('HTTP/1.0') < 0 and (self.get('connection') or '').lower() != 'close'

    def data(self):
        lines = [self.first] + ['%s:%s' % each for each in self.headers]
        return '\r\n'.join(lines + ['', '']).encode('latin-1') + self.body


class Stream:
    """Messages out of a socket."""

    def __init__(self, sock):
        self.sock, self.rest = sock, b''

    def more(self):
        got = self.sock.recv(1 << 18)
        if not got:
            raise Ended
        self.rest += got

    def until(self, mark):
        while mark not in self.rest:
            self.more()
        text, self.rest = self.rest.split(mark, 1)
        return text

    def exactly(self, n):
        parts, have = [self.rest], len(self.rest)
        while have < n:
            got = self.sock.recv(min(n - have, 1 << 20))
            if not got:
                raise Ended
            parts.append(got)
            have += len(got)
        text = b''.join(parts)
        self.rest = text[n:]
        return text[:n]

    def chunks(self):
        body = b''
        while True:
            size = int(self.until(b'\r\n').split(b';')[0], 16)
            if size == 0:
                while self.until(b'\r\n'):
                    continue
                return body
            body += self.exactly(size)
            self.exactly(2)

    def to_end(self):
        try:
            while True:
                self.more()
        except Ended:
            body, self.rest = self.rest, b''
            return body

    def take_body(self, message, to_end):
        """Chunks become one piece with a length."""
        if 'chunked' in (message.get('transfer-encoding') or '').lower():
            message.drop('transfer-encoding')
            message.set_body(self.chunks())
        elif message.get('content-length') is not None:
            message.body = self.exactly(int(message.get('content-length')))
        elif to_end:
            message.set_body(self.to_end())

    def request(self):
        """The next one, or None where the client has closed."""
        try:
            message = Message(self.until(b'\r\n\r\n'))
        except Ended:
            return None
        if message.get('expect'):
            message.drop('expect')
            self.sock.sendall(b'HTTP/1.1 100 Continue\r\n\r\n')
        self.take_body(message, False)
        return message

    def answer(self, method):
        while True:
            message = Message(self.until(b'\r\n\r\n'))
            if message.status() >= 200:
                break
        if method == 'HEAD' or message.status() in (204, 304):
            message.bodiless = True
        else:
            self.take_body(message, message.get('content-length') is None)
        return message
