"""A home with ~/.aws, and our program that shows what the adapter reads there.

ISOBAR_AWS_CONFIG_DUMP is that program.
"""

import hashlib
import json
import os
import re
import subprocess
import tempfile

FILES = {'c': '.aws/config', 's': '.aws/credentials'}


def digest(secret):
    return secret and hashlib.sha256(secret.encode()).hexdigest()


def at_home(text, home):
    """The text with the home in the place of each '@' that a path begins with."""
    return re.sub('@(?=/|$)', home, text)


class Place:
    """A home with files, and the environment that goes with it; for `with`."""

    def __init__(self, files, env):
        self.files, self.env = files, env

    def __enter__(self):
        self.temporary = tempfile.TemporaryDirectory(prefix='isobar-test.')
        home = self.temporary.name
        for name, content in self.files.items():
            path = os.path.join(home, FILES.get(name, name))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            if isinstance(content, str):
                content = at_home(content, home).encode()
            with open(path, 'wb') as f:
                f.write(content)
        self.before = dict(os.environ)
        for name in [k for k in os.environ if k.startswith('AWS_')]:
            del os.environ[name]
        os.environ.update(HOME=home, AWS_EC2_METADATA_DISABLED='true')
        os.environ.update((k, at_home(v, home)) for k, v in self.env.items())
        return home

    def __exit__(self, *_):
        os.environ.clear()
        os.environ.update(self.before)
        self.temporary.cleanup()


def run(settings, *more):
    """Our program's exit code, what it shows, or None, and its words."""
    done = subprocess.run([os.environ['ISOBAR_AWS_CONFIG_DUMP'], *more] +
                          ['%s=%s' % item for item in settings.items()],
                          capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1, 2):
        raise AssertionError('%d: %s' % (done.returncode, done.stderr))
    shown = json.loads(done.stdout) if done.returncode != 1 else None
    return done.returncode, shown, done.stderr.strip()


def ours(settings, *more):
    """What the adapter has read, or None where it refuses, and its words."""
    code, shown, words = run(settings, *more)
    return shown if code == 0 else None, words
