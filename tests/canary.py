#!/usr/bin/python3
"""Whether a secret of a test has got into what Isobar wrote: logs, journals, what its commands print.

    canary.py PATH...       files, and all that is in folders; a line each of what is found, and exit code 1

Secrets of tests (keys, passwords, tokens) have the word CANARY in them. Signatures and
the tokens of a real Keystone are known by their form. Folders of tests hold files that have secrets
in them on purpose, such as a configuration: those are left out by their names.
"""

import os
import re
import sys

SECRETS = re.compile(rb'CANARY[^\s"]*'
                     rb'|AWS4-HMAC-SHA256'
                     rb'|(?:X-Amz-)?Signature=[0-9a-f]{16,}'
                     rb'|gAAAAA[A-Za-z0-9_-]{40,}')
# What a test itself writes for a program to read.
GIVEN = re.compile(r'\.(ya?ml|pem|key|crt|py|sh)$|^(config|credentials|token|secret)[^/]*$')
# A program or library that was installed has the words of its own.
PROGRAM = b'\x7fELF', b'!<arch>'
# Said of a secret, so that the finding itself is none.
SHOWN = 12


def find(data):
    """What there is in some bytes or a text, each as a short sentence."""
    if isinstance(data, str):
        data = data.encode(errors='replace')
    return ['%s... at byte %d: %s' % (
        m[0][:SHOWN].decode(errors='replace'), m.start(),
        data[max(0, m.start() - 60):m.start()].decode(errors='replace')[-60:].replace('\n', ' '))
        for m in SECRETS.finditer(data)]


def files(path):
    if not os.path.isdir(path):
        yield path
    for folder, _, names in os.walk(path):
        for name in names:
            at = os.path.join(folder, name)
            if os.path.isfile(at) and not GIVEN.search(name):
                yield at


def leaks(*paths):
    """What there is in these files or folders."""
    found = []
    for path in paths:
        for each in files(path):
            with open(each, 'rb') as f:
                data = f.read()
            if not data.startswith(PROGRAM):
                found += ['%s: %s' % (each, one) for one in find(data)]
    return found


def check(*paths):
    """Raise AssertionError where a secret is in one of these files or folders."""
    found = leaks(*paths)
    if found:
        raise AssertionError('secrets were written:\n' + '\n'.join(found[:20]))


def check_text(what, text):
    found = find(text)
    if found:
        raise AssertionError('%s shows secrets:\n%s' % (what, '\n'.join(found[:20])))


if __name__ == '__main__':
    try:
        check(*sys.argv[1:])
    except AssertionError as e:
        sys.exit(str(e))
