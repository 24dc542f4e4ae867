"""Beside an emulated cloud, for the conformance list: an emulator of its own, a lab in it, and a control
port as openstack_cloud.py has it, where faults are armed and what there is is counted.

    POST /arm?fault=NAME        from now on
    GET /machines?token=T       {"count": 1, "id": "..."}: machines that bear the token
    GET /things?token=T         what else bears it
    DELETE of these two         delete them: {"count": 0}
    GET /hits                   how often one of the rules was done
    DELETE /rules               all faults end: {"count": 0}
"""

import http.server
import json
import os
import signal
import sys
import threading
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, '..', 'cloud', each) for each in ('emulator', 'ec2', 'azure')]
LAB = 'conformance'


class Cloud:
    """A subclass says what is peculiar to its cloud: `faults`, a list a fault, of ('rules', {..}) and
    ('faults', {..}) as the emulator's control port takes them; `calm`, the faults that there are
    without one; `others`, which of a count are no machines; settings() for the harness; and
    drop(kind, ids)."""

    faults, calm, others = {}, {}, ()

    def __init__(self, emulator):
        self.emulator = emulator
        self.told = emulator.ask('POST', '/labs', dict(self.calm, name=LAB))

    def arm(self, fault):
        for what, body in self.faults[fault]:
            self.emulator.ask('POST', '/' + what, dict(body, lab=LAB))
        return len(self.faults[fault])

    def disarm(self):
        self.emulator.ask('DELETE', '/rules?lab=' + LAB)
        self.emulator.ask('POST', '/faults', dict(self.calm, lab=LAB))

    def alive(self, token):
        """(machines, what else there is as (kind, id))"""
        row = self.emulator.ask('GET', '/count?lab=' + LAB)['tokens'].get(token, {})
        return ([each['id'] for each in row.get('machines', ()) if not each['deleting']],
                [(kind, each['id']) for kind in self.others for each in row.get(kind, ())])

    def answer(self, method, path, fields):
        token = fields.get('token', '')
        machines, things = self.alive(token) if token else ((), ())
        if (method, path) == ('POST', '/arm'):
            return {'count': self.arm(fields['fault'])}
        if (method, path) == ('DELETE', '/rules'):
            self.disarm()
            return {'count': 0}
        if (method, path) == ('GET', '/hits'):
            return {'count': self.emulator.ask('GET', '/rules?lab=' + LAB)['count']}
        if (method, path) == ('GET', '/machines'):
            return dict({'count': len(machines)}, **({'id': machines[-1]} if machines else {}))
        if (method, path) == ('GET', '/things'):
            return {'count': len(things)}
        if method == 'DELETE':
            return {'count': self.drop([('machines', each) for each in machines]
                                       if path == '/machines' else things)}
        raise ValueError('there is no %s %s' % (method, path))


def handler_of(cloud):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = 'HTTP/1.1'

        def answer(self):
            path, _, query = self.path.partition('?')
            try:
                status, said = 200, cloud.answer(self.command, path,
                                                 dict(urllib.parse.parse_qsl(query)))
            except Exception as e:      # the harness shows it
                status, said = 500, {'message': repr(e)}
            data = json.dumps(said).encode()
            self.send_response(status)
            self.send_header('Content-Length', str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_DELETE = answer

        def log_message(self, *args):
            pass
    return Handler


def run(make_emulator, make_cloud):
    """Print what the harness needs, and serve until SIGTERM. Ends with 1, and says so, where a request
    was not of the cloud's protocol."""
    ending = threading.Event()
    for each in signal.SIGTERM, signal.SIGINT:
        signal.signal(each, lambda *args: ending.set())
    emulator = make_emulator()
    cloud = make_cloud(emulator)
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler_of(cloud))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps(dict(cloud.settings(), control=server.server_address[1])), flush=True)
    ending.wait()
    wrong = emulator.ask('GET', '/violations?lab=' + LAB)['violations']
    server.shutdown()
    server.server_close()
    emulator.stop()
    if wrong:
        sys.exit('requests that were not of the protocol: %s' % wrong[:5])
