"""What the test OpenStack says by itself: Debian's `openstack` client, and a project of the test's
own, so that whatever else goes on there does not disturb.

ISOBAR_TEST_OPENSTACK names the clouds.yaml of an OpenStack with the clouds `admin` and `demo`, as
tests/cloud/openstack makes it. Without it a test ends as skipped.
"""

import base64
import contextlib
import io
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time

import gateway

CLOUDS = os.environ.get('ISOBAR_TEST_OPENSTACK', '')
PYTHON = '/usr/bin/python3'
# The newest that Debian 12's client knows; left alone it would ask for the oldest.
COMPUTE_API = '2.92'


def need():
    """End the test program as skipped where there is no OpenStack to ask."""
    if not CLOUDS:
        gateway.skip('no test OpenStack: ' + os.environ.get(
            'ISOBAR_NO_OPENSTACK', 'ISOBAR_TEST_OPENSTACK is not set'))
    if not os.path.exists(CLOUDS):
        gateway.skip('no test OpenStack: there is no %s' % CLOUDS)


class OpenStackError(Exception):
    pass


class Peer:
    """The `openstack` client's own code, kept running for one cloud: its start takes a second."""

    def __init__(self, clouds, cloud):
        # Each setting of the environment would count for the client as well.
        env = {k: v for k, v in os.environ.items() if not k.startswith('OS_')}
        self.process = subprocess.Popen(
            [PYTHON, __file__, cloud], env=dict(env, OS_CLIENT_CONFIG_FILE=clouds),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, *args):
        self.process.stdin.write(json.dumps(args) + '\n')
        self.process.stdin.flush()
        code, out, err = json.loads(self.process.stdout.readline())
        if code:
            raise OpenStackError('openstack %s -> %s\n%s%s' % (' '.join(args), code, out, err))
        return out

    def stop(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def serve(cloud):
    """The other end of Peer: a command a line in, what came of it a line out."""
    from openstackclient import shell
    answers = sys.stdout
    for line in sys.stdin:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = shell.OpenStackShell().run(
                    ['--os-cloud', cloud, '--os-compute-api-version', COMPUTE_API,
                     *json.loads(line)])
            except SystemExit as e:
                code = e.code
        answers.write(json.dumps([code, out.getvalue(), err.getvalue()]) + '\n')
        answers.flush()


class Project:
    """A project with a user, a network and a subnet, reached by cloud `demo` of self.clouds."""

    def __init__(self):
        self.name = 'e2e-' + secrets.token_hex(4)
        self.folder = tempfile.mkdtemp(prefix='isobar-test.')
        self.clouds = os.path.join(self.folder, 'clouds.yaml')
        self.undo = []
        self.admin, self.user = Peer(CLOUDS, 'admin'), None
        try:
            self.make()
        except BaseException:
            self.remove()
            raise

    def make(self):
        password = secrets.token_hex(8)
        self.admin('project', 'create', self.name)
        self.undo.append(lambda: self.admin('project', 'delete', self.name))
        self.undo.append(self.remove_default_group)
        self.admin('user', 'create', '--password', password, self.name)
        self.undo.append(lambda: self.admin('user', 'delete', self.name))
        self.admin('role', 'add', '--user', self.name, '--project', self.name, 'member')
        import yaml
        with open(CLOUDS) as f:
            config = yaml.safe_load(f)['clouds']['demo']
        config['auth'].update(username=self.name, password=password, project_name=self.name)
        self.region = config['region_name']
        self.auth = config['auth']
        self.write_clouds({'demo': config})
        self.user = Peer(self.clouds, 'demo')
        self('network', 'create', 'private')
        self.undo.append(lambda: self('network', 'delete', 'private'))
        self('subnet', 'create', 'private-subnet', '--network', 'private',
             '--subnet-range', '10.77.0.0/24', '--dns-nameserver', '192.0.2.53')
        self('router', 'create', 'router', '--external-gateway', 'public')
        self.undo.append(lambda: self('router', 'delete', 'router'))
        self('router', 'add', 'subnet', 'router', 'private-subnet')
        self.undo.append(lambda: self('router', 'remove', 'subnet', 'router', 'private-subnet'))

    def write_clouds(self, clouds):
        import yaml
        with open(self.clouds, 'w', opener=lambda p, f: os.open(p, f, 0o600)) as f:
            yaml.safe_dump({'clouds': clouds}, f)

    def __call__(self, *args):
        """A command as the project's user; self.admin does one as the administrator."""
        return self.user(*args)

    def make_key(self, name):
        """A key pair; Nova makes none itself any more."""
        kind, key = b'ssh-ed25519', secrets.token_bytes(32)
        data = b''.join(len(part).to_bytes(4, 'big') + part for part in (kind, key))
        path = os.path.join(self.folder, name + '.pub')
        with open(path, 'wb') as f:
            f.write(kind + b' ' + base64.b64encode(data) + b' test')
        self('keypair', 'create', '--public-key', path, name)
        self.undo.append(lambda: self('keypair', 'delete', name))

    def show(self, *args):
        """What it prints, as data."""
        return json.loads(self(*args, '-f', 'json') or '[]')

    def show_admin(self, *args):
        return json.loads(self.admin(*args, '-f', 'json') or '[]')

    def cleanup(self, *command):
        """A command for the end, before those that were named earlier."""
        self.undo.append(lambda: self(*command))

    def remove_default_group(self):
        for group in self.show_admin('security', 'group', 'list', '--project', self.name):
            self.admin('security', 'group', 'delete', group['ID'])

    def leftovers(self):
        """What machines leave behind if nobody cleans up after them: kind and id of each."""
        kinds = {'server': (), 'port': ('--device-owner', 'compute:nova'), 'volume': (),
                 'floating ip': ()}
        # Nova shows a machine as DELETED, and for a moment goes on to list it.
        found = {(kind, each['ID']) for kind, options in kinds.items()
                 for each in self.show(*kind.split(), 'list', *options)
                 if each.get('Status') != 'DELETED'}
        # A port that was made for a machine that never came to be has no owner.
        found |= {('port', each['ID']) for each in self.show('port', 'list', '--long')
                  if not each['Device Owner']}
        return found

    def remove(self):
        if self.user:
            self.insist(self.remove_machines)
        for step in reversed(self.undo):
            self.insist(step)
        for peer in self.admin, self.user:
            if peer:
                peer.stop()
        shutil.rmtree(self.folder)

    def remove_machines(self):
        """And what they left behind."""
        for kind, each in sorted(self.leftovers(), key=lambda found: found[0] != 'server'):
            self(*kind.split(), 'delete', *(['--wait'] if kind == 'server' else []), each)

    @staticmethod
    def insist(step):
        """Volumes and ports take a moment to go, and until then so does what they are in."""
        for attempt in range(10):
            try:
                return step()
            except OpenStackError as e:
                if attempt == 9:
                    print(e, file=sys.stderr)
            time.sleep(0.5)


if __name__ == '__main__':
    serve(*sys.argv[1:])
