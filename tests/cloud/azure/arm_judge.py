"""oav as the judge of what goes to and fro: one process for all labs of an emulator, from the first
exchange on that it is to judge. See arm_judge.mjs.

It takes 1.5 s to load the specifications and 150 MB, and then a few ms an exchange.
"""

import json
import os
import re
import shutil
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.abspath(os.path.join(HERE, '..', '..', '..'))
MODULES = os.path.join(ROOT, 'build', 'npm')
SPECIFICATIONS = os.path.abspath(os.path.join(
    ROOT, '..', 'shared', 'data', 'azure-swagger', 'specification'))
# (whose version, which): what of the specifications it is in.
SPECS = {
    ('compute', '2021-03-01'): ['compute/**/stable/2021-03-01/compute.json'],
    ('disks', '2020-12-01'): ['compute/**/stable/2020-12-01/disk.json'],
    ('network', '2021-02-01'): ['network/**/stable/2021-02-01/%s.json' % each for each in (
        'networkInterface', 'networkSecurityGroup', 'publicIpAddress', 'virtualNetwork')],
    ('resources', '2021-04-01'): ['resources/**/stable/2021-04-01/resources.json'],
    ('subscriptions', '2021-01-01'): ['resources/**/stable/2021-01-01/subscriptions.json'],
}
# What Azure does and these editions of the specifications do not have: (operation, a part of the words).
TOLERATED = [('Providers_List', 'zoneMappings'),
             ('Subscriptions_List', 'Missing required property: nextLink')]
# oav takes a read of a provider for one of that provider's own.
UNFINDABLE = re.compile(r'/providers/[^/]+$', re.I)


def why_not():
    """What is missing, or None."""
    if shutil.which('node') is None:
        return 'there is no node'
    if not os.path.isdir(os.path.join(MODULES, 'node_modules', 'oav')):
        return 'there is no oav: tools/setup test'
    if not os.path.isdir(SPECIFICATIONS):
        return 'there are no specifications in ' + os.path.relpath(SPECIFICATIONS, ROOT)
    return None


class Judge:
    def __init__(self, loop):
        self.loop, self.process = loop, None
        self.asked, self.waiting = 0, {}    # id -> (lab, method, target)
        self.buffer, self.unsent = b'', b''

    def start(self):
        specs = [each for some in SPECS.values() for each in some]
        self.process = subprocess.Popen(
            ['node', os.path.join(HERE, 'arm_judge.mjs'), MODULES, SPECIFICATIONS, *specs],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        os.set_blocking(self.process.stdin.fileno(), False)
        self.loop.add_reader(self.process.stdout, self.read)

    def write(self):
        """As much as it takes now."""
        try:
            n = os.write(self.process.stdin.fileno(), self.unsent)
        except BlockingIOError:
            n = 0
        except BrokenPipeError:
            n = len(self.unsent)    # read() hears of its end
        self.unsent = self.unsent[n:]
        if self.unsent:
            self.loop.add_writer(self.process.stdin, self.write)
        else:
            self.loop.remove_writer(self.process.stdin)

    def tell(self, lab, call, answer):
        """An exchange that the specifications have."""
        if (call.kind, call.version) not in SPECS or UNFINDABLE.match(call.path):
            return
        if self.process is None:
            self.start()
        status, body, headers = answer
        self.asked += 1
        self.waiting[self.asked] = (lab, call.method, call.request.target)
        asked = {'method': call.method, 'url': call.request.target,
                 'headers': {name: value for name, value in call.request.headers.items()
                             if name != 'authorization'}}
        said = {'statusCode': str(status), 'headers': {
            name.lower(): value for name, value in headers}}
        if call.request.body:
            asked['body'] = json.loads(call.request.body)
        if body is not None:
            said['headers']['content-type'] = 'application/json'
            said['body'] = body
        self.unsent += json.dumps(
            {'id': self.asked, 'liveRequest': asked, 'liveResponse': said}).encode() + b'\n'
        self.write()

    def read(self):
        data = os.read(self.process.stdout.fileno(), 1 << 16)
        if not data:
            self.end()
            return
        *lines, self.buffer = (self.buffer + data).split(b'\n')
        for line in lines:
            verdict = json.loads(line)
            lab, method, target = self.waiting.pop(verdict['id'])
            lab.judged += 1
            for fault in verdict['faults']:
                if any(verdict['operation'] == operation and part in fault['message']
                       for operation, part in TOLERATED):
                    continue
                lab.breach(method, target, '%s of %s: %s' % (
                    fault['side'], verdict['operation'], fault['code']),
                    '%s: %s' % (', '.join(fault['at']), fault['message']))

    def end(self):
        """It has ended, though nobody told it to: what it has not judged is a violation."""
        self.loop.remove_reader(self.process.stdout)
        self.loop.remove_writer(self.process.stdin)
        self.process, self.unsent = None, b''
        for lab, method, target in self.waiting.values():
            lab.breach(method, target, 'judge', 'it has ended')
        self.waiting.clear()

    def unjudged(self, lab):
        return sum(each is lab for each, _, _ in self.waiting.values())
