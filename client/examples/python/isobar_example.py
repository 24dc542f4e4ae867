#!/usr/bin/env python3
"""Make a machine, look at it, and delete it again: isobar_example.py [CLOUD [NAME]]

Needs the protobuf package and what protoc makes of the .proto files, in a folder of the Python path:

    protoc -I PROTO --python_out=GENERATED $(cd PROTO && find isobar grpc -name '*.proto')

The gateway is the one that $ISOBAR_SERVER names (tcp:// or ipc://), else the local one of root.
"""

import os
import socket
import sys
import urllib.parse
import uuid

from isobar.v1 import envelope_pb2, flavor_pb2, image_pb2, result_pb2, vm_pb2


SERVER = os.environ.get('ISOBAR_SERVER') or 'ipc:///run/isobar/isobar.sock'


class Client:
    """A connection to a gateway: SP's request protocol, one call at a time."""

    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        if parts.scheme == 'ipc':
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.connect(parts.path)
        else:
            self.socket = socket.create_connection((parts.hostname, parts.port or 7461))
        # nng puts a byte before each length on local sockets.
        self.prefix = b'\x01' if parts.scheme == 'ipc' else b''
        self.stream = self.socket.makefile('rb')
        self.requests = 0
        self.socket.sendall(b'\0SP\0\0\x30\0\0')
        if self.read(8) != b'\0SP\0\0\x31\0\0':
            raise ConnectionError('what listens at %s is not a gateway' % url)

    def read(self, size):
        data = self.stream.read(size)
        if len(data) < size:
            raise ConnectionError('the gateway closed the connection')
        return data

    def exchange(self, message):
        """Send a message and return the reply to it."""
        self.requests += 1
        request_id = (0x80000000 | self.requests).to_bytes(4, 'big')
        size = (4 + len(message)).to_bytes(8, 'big')
        self.socket.sendall(self.prefix + size + request_id + message)
        while True:
            head = self.read(len(self.prefix) + 8)
            reply = self.read(int.from_bytes(head[-8:], 'big'))
            if reply[:4] == request_id:
                return reply[4:]

    def call(self, method, request, response, timeout_ms=60000):
        """Call a method; fills in the response, or raises Failure."""
        self.socket.settimeout(timeout_ms / 1000 + 1)
        reply = envelope_pb2.Reply.FromString(self.exchange(envelope_pb2.Call(
            method='isobar.v1.' + method, request_id=str(uuid.uuid4()), timeout_ms=timeout_ms,
            token=os.environ.get('ISOBAR_TOKEN', ''),
            body=request.SerializeToString()).SerializeToString()))
        if reply.result.code not in SUCCESSES:
            raise Failure(method, reply.result)
        response.ParseFromString(reply.body)
        return response


SUCCESSES = {result_pb2.ResultCode.Value('RESULT_CODE_' + name)
             for name in ('OK', 'CREATED', 'DELETED', 'CHANGED', 'ACCEPTED')}


class Failure(Exception):
    def __init__(self, method, result):
        words = [result.detail] + [v.field + ': ' + v.description for v in result.violations]
        super().__init__('%s: %s: %s' % (
            method, result_pb2.ResultCode.Name(result.code), '; '.join(words)))
        self.result = result


def show(vm):
    print('%-12s %-36s %-10s %s' % (
        vm.name, vm.id, vm.flavor_name, vm_pb2.VmState.Name(vm.state)))


def main(cloud='box', name='example-python'):
    client = Client(SERVER)
    flavors = client.call('FlavorService/ListFlavors',
                          flavor_pb2.ListFlavorsRequest(cloud=cloud, min_memory_mib=2048),
                          flavor_pb2.ListFlavorsResponse()).flavors
    images = client.call('ImageService/ListImages', image_pb2.ListImagesRequest(cloud=cloud),
                         image_pb2.ListImagesResponse()).images
    spec = vm_pb2.VmSpec(name=name, flavor_name=flavors[0].name, image_id=images[0].name)
    vm = client.call('VmService/CreateVm', vm_pb2.CreateVmRequest(
        cloud=cloud, spec=spec, wait=vm_pb2.WAIT_RUNNING), vm_pb2.CreateVmResponse(), 300000).vm
    show(vm)
    try:
        show(client.call('VmService/GetVm', vm_pb2.GetVmRequest(cloud=cloud, id=vm.id),
                         vm_pb2.GetVmResponse()).vm)
        for each in client.call('VmService/ListVms', vm_pb2.ListVmsRequest(cloud=cloud),
                                vm_pb2.ListVmsResponse()).vms:
            show(each)
    finally:
        # The wait of a delete is for the machine to be gone.
        client.call('VmService/DeleteVm', vm_pb2.DeleteVmRequest(
            cloud=cloud, id=vm.id, wait=vm_pb2.WAIT_RUNNING), vm_pb2.DeleteVmResponse(), 300000)
    print('deleted')


if __name__ == '__main__':
    try:
        main(*sys.argv[1:])
    except Failure as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit('%s: %s' % (SERVER, error))
