"""An isobard that is killed and started again, with a state that stays."""

import asyncio
import ctypes
import os
import signal
import subprocess

import gateway
from sp import Client

START_S = 30        # sanitizers are slow, and so are two cores that do other things too
END_S = 30


PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


def die_with_parent():
    """In the child: however the harness ends, nothing of it stays behind."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class BadEnd(Exception):
    """The daemon ended by itself, or did not start."""


class Daemon:
    """`folder` has the configuration, the state, the socket and the log of all its lives."""

    def __init__(self, folder, clouds, messages, env=None):
        self.folder, self.messages, self.env = folder, messages, env or {}
        self.socket_path = os.path.join(folder, 'isobar.sock')
        self.log_path = os.path.join(folder, 'log')
        self.process, self.client, self.dead = None, None, None
        os.makedirs(os.path.join(folder, 'state'))
        self.config = os.path.join(folder, 'isobard.yaml')
        with open(self.config, 'w') as f:
            f.write('state_dir: %s/state\nlisten: ["ipc://%s"]\ndrain_timeout: 5s\n%s' % (
                folder, self.socket_path, clouds))

    def start(self, kill_at=''):
        """Does not wait until it answers: it may die before."""
        env = {k: v for k, v in os.environ.items() if not k.startswith(('OS_', 'ISOBAR_'))}
        env.update(self.env)
        if kill_at:
            env['ISOBAR_KILL_AT'] = kill_at
        with open(self.log_path, 'a') as log:
            log.write('--- start %s\n' % kill_at)
            log.flush()
            self.process = subprocess.Popen(
                [gateway.ISOBARD, '--config', self.config], env=env, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, preexec_fn=die_with_parent)
        self.client, self.dead = None, asyncio.Event()
        fd = os.pidfd_open(self.process.pid)
        loop, dead, process = asyncio.get_running_loop(), self.dead, self.process

        def ended():
            loop.remove_reader(fd)
            os.close(fd)
            process.wait()
            dead.set()
        loop.add_reader(fd, ended)

    async def connect(self):
        """A client of this life; ConnectionError where it is over before that."""
        until = asyncio.get_running_loop().time() + START_S
        dead = self.dead
        while not dead.is_set():
            try:
                return await Client(self.messages).connect(self.socket_path)
            except (OSError, asyncio.IncompleteReadError):
                pass
            if asyncio.get_running_loop().time() > until:
                raise BadEnd('isobard does not listen after %d s' % START_S)
            await asyncio.sleep(0.01)
        raise ConnectionError('isobard is dead')

    def kill(self):
        if not self.dead.is_set():
            self.process.send_signal(signal.SIGKILL)

    async def stop(self):
        """As an init system does; it has to end well (a sanitizer's finding is no such end)."""
        if self.process is None or self.dead is None:
            return
        if not self.dead.is_set():
            self.process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(self.dead.wait(), END_S)
            except asyncio.TimeoutError:
                self.kill()
                await self.dead.wait()
                raise BadEnd('isobard did not end within %d s of SIGTERM' % END_S) from None
        if self.process.returncode not in (0, -signal.SIGKILL):
            raise BadEnd('isobard ended with %d' % self.process.returncode)
