"""A gateway of a test's own: isobard on a local socket, asked through the command line and through
the wire.

The environment gives ISOBAR_BUILD, the build folder. The wire client is the standard library's
socket and protobuf with the descriptors that the build made; it has nothing of libisobar.
"""

import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))

import canary  # noqa: E402
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

BUILD = os.environ.get('ISOBAR_BUILD', '')
ISOBAR = os.path.join(BUILD, 'client', 'isobar')
ISOBARD = os.path.join(BUILD, 'server', 'isobard')
START_S = 20        # sanitizers are slow, and so are two cores that do other things too


def skip(why):
    """End the test program: what it needs is absent."""
    print('skipped: %s' % why)
    sys.exit(77)


class Messages:
    """The message types, from the descriptors that the build made."""

    def __init__(self):
        self.pool = descriptor_pool.DescriptorPool()
        files = descriptor_pb2.FileDescriptorSet()
        with open(os.path.join(BUILD, 'proto', 'gen', 'isobar.binpb'), 'rb') as f:
            files.ParseFromString(f.read())
        for each in files.file:
            self.pool.Add(each)
        self.factory = message_factory.MessageFactory(self.pool)

    def new(self, name, fields=None):
        message = self.factory.GetPrototype(self.pool.FindMessageTypeByName(name))()
        return json_format.ParseDict(fields, message, descriptor_pool=self.pool) if fields \
            else message

    def of_method(self, method):
        """(name of the request's type, name of the response's)"""
        service, name = method.split('/')
        found = self.pool.FindServiceByName(service).FindMethodByName(name)
        return found.input_type.full_name, found.output_type.full_name


class Outcome:
    """What a command did."""

    def __init__(self, args, done):
        self.args, self.code, self.out, self.err = args, done.returncode, done.stdout, done.stderr

    def __str__(self):
        return 'isobar %s -> %d\n%s%s' % (' '.join(self.args), self.code, self.out, self.err)

    def json(self):
        return json.loads(self.out)


class Gateway:
    """isobard with a configuration, in a folder that goes with it."""

    def __init__(self, config):
        self.folder = tempfile.mkdtemp(prefix='isobar-test.')
        self.socket_path = os.path.join(self.folder, 'isobar.sock')
        self.url = 'ipc://' + self.socket_path
        self.process = None
        self.messages = Messages()
        path = os.path.join(self.folder, 'isobard.yaml')
        with open(path, 'w') as f:
            f.write('state_dir: %s/state\nlisten: [%s]\n%s' % (self.folder, self.url, config))
        os.mkdir(os.path.join(self.folder, 'state'))
        self.log = open(os.path.join(self.folder, 'log'), 'w+')
        self.process = subprocess.Popen([ISOBARD, '--config', path], stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=self.log)
        until = time.monotonic() + START_S
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > until:
                self.stop()
                raise AssertionError('isobard does not answer')
            time.sleep(0.02)

    def answers(self):
        try:
            return self.call('grpc.health.v1.Health/Check', {})[0].get('code') == 'RESULT_CODE_OK'
        except OSError:
            return False

    def said(self):
        with open(self.log.name, errors='replace') as f:
            return f.read()

    def stop(self):
        """End it as an init system does; it has to end well (a sanitizer's finding is no such end)."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(START_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        said = self.said()
        self.log.close()
        try:
            canary.check(self.folder)
        finally:
            shutil.rmtree(self.folder)
        if self.process.returncode != 0:
            raise AssertionError('isobard ended with %d:\n%s' % (
                self.process.returncode, said[-20000:]))

    def run(self, *args, stdin=None):
        """A command of the command line."""
        env = {k: v for k, v in os.environ.items() if not k.startswith(('OS_', 'ISOBAR_'))}
        env.update(ISOBAR_SERVER=self.url, NO_COLOR='1', LC_ALL='C.UTF-8')
        outcome = Outcome(args, subprocess.run([ISOBAR, *args], env=env, input=stdin or '',
                                               capture_output=True, text=True, timeout=300))
        canary.check_text('isobar ' + args[0], outcome.out + outcome.err)
        return outcome

    def ok(self, *args):
        """A command that has to succeed; what it printed."""
        outcome = self.run(*args)
        if outcome.code != 0:
            raise AssertionError(str(outcome))
        return outcome

    def call(self, method, request, timeout_ms=120000):
        """A call through the wire: (result, response), both as protobuf's JSON has them."""
        request_type, response_type = self.messages.of_method(method)
        body = self.messages.new(request_type, request).SerializeToString()
        call = self.messages.new('isobar.v1.Call')
        call.method, call.timeout_ms, call.body = method, timeout_ms, body
        data = struct.pack('>I', 0x80000001) + call.SerializeToString()
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(timeout_ms / 1000 + 10)
            s.connect(self.socket_path)
            s.sendall(b'\0SP\0\0\x30\0\0' + b'\x01' + struct.pack('>Q', len(data)) + data)
            self.receive(s, 8)
            length, = struct.unpack('>Q', self.receive(s, 9)[1:])
            data = self.receive(s, length)[4:]
        reply = self.messages.new('isobar.v1.Reply')
        reply.ParseFromString(data)
        response = self.messages.new(response_type)
        response.ParseFromString(reply.body)
        return self.plain(reply.result), self.plain(response)

    def plain(self, message):
        return json_format.MessageToDict(message, descriptor_pool=self.messages.pool)

    @staticmethod
    def receive(s, n):
        data = b''
        while len(data) < n:
            more = s.recv(n - len(data))
            if not more:
                raise ConnectionError('the gateway closed the connection')
            data += more
        return data
