"""A certificate authority of a test's own, by openssl's command line, and calls over TLS."""

import socket
import ssl
import subprocess

from fixture import Client
from isobar_wire import HELLO_REP, HELLO_REQ, Line


def openssl(*args):
    subprocess.run(['openssl', *args], check=True, capture_output=True)


def key(folder, name):
    return ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout',
            '%s/%s.key' % (folder, name)]


def authority(folder, name='ca'):
    openssl('req', '-x509', *key(folder, name), '-out', '%s/%s.crt' % (folder, name), '-days', '2',
            '-subj', '/CN=' + name)


def certificate(folder, name, ca='ca'):
    """NAME.crt and NAME.key, with the name as its CN; for 127.0.0.1."""
    at = '%s/%s' % (folder, name)
    openssl('req', *key(folder, name), '-out', at + '.csr', '-subj', '/CN=' + name)
    with open(at + '.ext.crt', 'w') as f:
        f.write('subjectAltName = IP:127.0.0.1\n')
    openssl('x509', '-req', '-in', at + '.csr', '-CA', '%s/%s.crt' % (folder, ca), '-CAkey',
            '%s/%s.key' % (folder, ca), '-CAcreateserial', '-days', '2', '-extfile',
            at + '.ext.crt', '-out', at + '.crt')


class TlsClient(Client):
    """Shows the certificate `name` to a gateway."""

    def __init__(self, folder, port, name):
        super().__init__('tcp://127.0.0.1:%d' % port)
        self.context = ssl.create_default_context(cafile=folder + '/ca.crt')
        self.context.load_cert_chain('%s/%s.crt' % (folder, name), '%s/%s.key' % (folder, name))

    def connect(self, timeout_s):
        end = self.context.wrap_socket(socket.create_connection(self.address, timeout_s),
                                       server_hostname=self.address[0])
        return Line(end, False, HELLO_REQ, HELLO_REP)
