#!/usr/bin/python3
"""A gateway that answers what it is told: fake_gateway.py SOCKET SCRIPT LOG

SCRIPT is JSON: {"VmService/GetVm": [{"result": {...}, "body": {...}, "delay": 0.5}, ...]}. The n-th
call of a method gets the n-th answer, and all further calls the last; result and body are ProtoJSON,
and result may be left out (OK). Each call goes into LOG as one line of JSON. It speaks nng's REP
protocol over a Unix socket, for tests of what no real gateway can be made to say.
"""

import json
import os
import pathlib
import socket
import struct
import sys
import threading
import time

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

HANDSHAKE_REP = b'\x00SP\x00\x00\x31\x00\x00'


class Protocol:
    """Messages and methods, by the descriptors of the build."""

    def __init__(self, path):
        descriptors = descriptor_pb2.FileDescriptorSet()
        descriptors.ParseFromString(pathlib.Path(path).read_bytes())
        self.pool = descriptor_pool.DescriptorPool()
        for file in descriptors.file:
            self.pool.Add(file)
        self.factory = message_factory.MessageFactory(self.pool)

    def new(self, descriptor):
        return self.factory.GetPrototype(descriptor)()

    def named(self, name):
        return self.new(self.pool.FindMessageTypeByName('isobar.v1.' + name))

    def method(self, path):
        service, name = path.split('/')
        return self.pool.FindServiceByName(service).methods_by_name[name]


class Gateway:
    def __init__(self, protocol, script, log):
        self.protocol, self.script, self.log = protocol, script, log
        self.lock = threading.Lock()
        self.counts = {}

    def answer(self, path):
        """What the script has for this call of the method."""
        key = path.removeprefix('isobar.v1.').removeprefix('grpc.health.v1.')
        answers = self.script.get(key, [{'result': {'code': 'RESULT_CODE_METHOD_NOT_ALLOWED'}}])
        count = self.counts.get(key, 0)
        self.counts[key] = count + 1
        return answers[min(count, len(answers) - 1)]

    def call(self, data):
        call = self.protocol.named('Call')
        call.ParseFromString(data)
        method = self.protocol.method(call.method)
        request = self.protocol.new(method.input_type)
        request.ParseFromString(call.body)
        with self.lock:
            answer = self.answer(call.method)
            line = {'method': call.method, 'requestId': call.request_id, 'token': call.token,
                    'timeoutMs': call.timeout_ms, 'request': json_format.MessageToDict(request)}
            self.log.write(json.dumps(line) + '\n')
            self.log.flush()
        time.sleep(answer.get('delay', 0))
        reply = self.protocol.named('Reply')
        json_format.ParseDict(answer.get('result', {'code': 'RESULT_CODE_OK'}), reply.result)
        if 'body' in answer:
            body = self.protocol.new(method.output_type)
            json_format.ParseDict(answer['body'], body)
            reply.body = body.SerializeToString()
        return reply.SerializeToString()

    def serve(self, connection):
        with connection, connection.makefile('rb') as stream:
            connection.sendall(HANDSHAKE_REP)
            stream.read(8)
            while len(head := stream.read(9)) == 9:
                message = stream.read(struct.unpack('>Q', head[1:])[0])
                reply = message[:4] + self.call(message[4:])
                connection.sendall(b'\x01' + struct.pack('>Q', len(reply)) + reply)


def main():
    path, script, log = sys.argv[1:]
    protocol = Protocol(os.environ['ISOBAR_BUILD'] + '/proto/gen/isobar.binpb')
    with open(log, 'a', encoding='utf-8') as out, socket.socket(socket.AF_UNIX) as listener:
        gateway = Gateway(protocol, json.loads(pathlib.Path(script).read_text()), out)
        listener.bind(path)
        listener.listen(16)
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=gateway.serve, args=[connection], daemon=True).start()


main()
