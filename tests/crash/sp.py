"""Calls to an isobard from asyncio: one connection, as many calls at once as are wanted.

The messages are those of tests/cloud/gateway.py, the wire is nng's: a greeting of 8 bytes, and for
each message a byte, a length of 8 and an id of 4.
"""

import asyncio
import struct

GREETING = b'\0SP\0\0\x30\0\0'
FIRST_ID = 0x80000000


class Client:
    """Raises ConnectionError from every call when the daemon is gone."""

    def __init__(self, messages):
        self.messages = messages
        self.waiting, self.last_id, self.gone = {}, FIRST_ID, False

    async def connect(self, path):
        self.reader, self.writer = await asyncio.open_unix_connection(path)
        self.writer.write(GREETING)
        await self.reader.readexactly(len(GREETING))
        self.task = asyncio.create_task(self.read())
        return self

    async def read(self):
        try:
            while True:
                length, = struct.unpack('>Q', (await self.reader.readexactly(9))[1:])
                data = await self.reader.readexactly(length)
                future = self.waiting.pop(struct.unpack('>I', data[:4])[0], None)
                if future and not future.done():
                    future.set_result(data[4:])
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            self.gone = True
            for future in self.waiting.values():
                if not future.done():
                    future.set_exception(ConnectionError('the daemon is gone'))
            self.waiting.clear()

    async def call(self, method, request, request_id='', timeout_ms=20000):
        """(Result, response), both as messages."""
        if self.gone:
            raise ConnectionError('the daemon is gone')
        request_type, response_type = self.messages.of_method(method)
        call = self.messages.new('isobar.v1.Call')
        call.method, call.timeout_ms, call.request_id = method, timeout_ms, request_id
        call.body = self.messages.new(request_type, request).SerializeToString()
        self.last_id = id = FIRST_ID + (self.last_id + 1 - FIRST_ID) % FIRST_ID
        data = struct.pack('>I', id) + call.SerializeToString()
        future = self.waiting[id] = asyncio.get_running_loop().create_future()
        self.writer.write(b'\x01' + struct.pack('>Q', len(data)) + data)
        try:
            # The gateway ends it; that it does not is a hang, and is said so.
            data = await asyncio.wait_for(future, timeout_ms / 1000 + 20)
        except asyncio.TimeoutError:
            raise AssertionError('no answer to %s, long after its deadline' % method) from None
        reply = self.messages.new('isobar.v1.Reply')
        reply.ParseFromString(data)
        response = self.messages.new(response_type)
        response.ParseFromString(reply.body)
        return reply.result, response

    def close(self):
        self.task.cancel()
        self.writer.close()
