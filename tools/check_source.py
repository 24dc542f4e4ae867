#!/usr/bin/python3
"""Checks of the sources that need no compiler: check_source.py layers|libraries|sizes|paths

Prints a line a fault, "FILE:LINE: what"; the exit status says whether there was one. A line that
begins with "note:" is no fault.
"""

import fnmatch
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# Who may include whose headers. The longest folder that a file is in counts; a folder may always
# include its own. Generated headers are proto's.
LAYERS = {
    'proto': [],
    'adapters/include': ['proto'],
    'adapters/kit': ['proto', 'adapters/include'],
    'adapters/*': ['proto', 'adapters/include', 'adapters/kit'],
    'server': ['proto', 'adapters/include'],
    'client': ['proto'],
    'client/cli': ['proto', 'client'],
    'client/examples': ['proto', 'client'],
}

# Where each foreign library may be included: a row allows one file of that pattern.
LIBRARIES = [
    ('curl/', 'adapters/kit/*.c'),
    ('expat.h', 'adapters/kit/*.c'),
    ('yajl/', 'proto/src/*.c'),
    ('yaml.h', 'server/*.c'),
    ('yaml.h', 'adapters/openstack/*.c'),
    ('yaml.h', 'client/cli/*.c'),
    ('nng/', 'server/listener_nng.c'),
    ('nng/', 'client/*.c'),
    ('sqlite3.h', 'server/*.c'),
    ('libsmartcols/', 'client/cli/*.c'),
]

FUNCTION_MAX = 60   # lines, from the first of its signature to its closing brace
FILE_WARN = 400     # lines
FILE_MAX = 500
# What the first comment of a longer file says.
REASON = re.compile(r'\bone file\b[^.]*\b(because|since|so that)\b', re.I | re.S)

PRIVATE_PATH = re.compile(r'(^|[^A-Za-z0-9_.$}~-])/(work|farm|root|home|Users)/[A-Za-z0-9]')


def files(*patterns):
    """What git has or would take: neither build folders nor what is ignored."""
    out = subprocess.run(['git', '-C', ROOT, 'ls-files', '-co', '--exclude-standard'],
                         stdout=subprocess.PIPE, check=True, text=True).stdout
    return [f for f in sorted(set(out.splitlines()))
            if any(fnmatch.fnmatch(f, p) for p in patterns) and os.path.isfile(os.path.join(ROOT, f))]


def lines(name):
    with open(os.path.join(ROOT, name), encoding='utf-8', errors='replace') as f:
        return f.read().split('\n')


def includes(name):
    """(line number, '<' or '"', header)"""
    for n, line in enumerate(lines(name), 1):
        m = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if m:
            yield n, m[1], m[2]


def layer_of(name):
    """The folder of LAYERS that a file is in, with a * filled in."""
    parts = os.path.dirname(name).split('/')
    for n in range(len(parts), 0, -1):
        folder = '/'.join(parts[:n])
        for pattern in sorted(LAYERS, key=lambda p: '*' in p):
            if fnmatch.fnmatch(folder, pattern) and pattern.count('/') == folder.count('/'):
                return folder, pattern
    return None, None


def layers():
    headers = files('*.h')
    for name in files('proto/*.[ch]', 'adapters/*.[ch]', 'server/*.[ch]', 'client/*.[ch]'):
        own, pattern = layer_of(name)
        if own is None:
            yield '%s: is in no folder that tools/check_source.py has under LAYERS' % name
            continue
        for n, quote, header in includes(name):
            if '..' in header.split('/'):
                yield '%s:%d: %s leaves its folder' % (name, n, header)
                continue
            # A header of the project is known by the end of its path; the nearest one counts.
            found = [h for h in headers if ('/' + h).endswith('/' + header)
                     and not h.startswith('tests/')]
            beside = os.path.join(os.path.dirname(name), header)
            if not found or beside in found:
                continue
            owners = {layer_of(h)[0] for h in found}
            if not owners & {own, *LAYERS[pattern]}:
                yield '%s:%d: %s is of %s, which %s must not see' % (
                    name, n, header, ' or '.join(sorted(map(str, owners))), own)
            elif quote == '<':
                yield '%s:%d: <%s> is our own: write it in quotes' % (name, n, header)


def libraries():
    seen = {}
    for name in files('*.[ch]'):
        if name.startswith('tests/') or '/examples/' in name:
            continue
        for n, _, header in includes(name):
            rows = [(i, pattern) for i, (lib, pattern) in enumerate(LIBRARIES)
                    if header == lib or (lib.endswith('/') and header.startswith(lib))]
            if not rows:
                continue
            row = next((i for i, pattern in rows if fnmatch.fnmatch(name, pattern)
                        and name.count('/') == pattern.count('/')), None)
            if row is None:
                yield '%s:%d: <%s> belongs to %s' % (
                    name, n, header, ' and '.join(p for _, p in rows))
            elif seen.setdefault(row, name) != name:
                yield '%s:%d: <%s> is included by %s already: one file knows a library' % (
                    name, n, header, seen[row])


def first_comment(text):
    m = re.match(r'(?:#!.*\n)?\s*(/\*.*?\*/|"""(?:.|\n)*?"""|(?:#.*\n)+|(?://.*\n)+)', text, re.S)
    return m[1] if m else ''


def functions(text_lines):
    """(first line, lines, name) of each function of a file in the project's format: its body begins
    with a brace that is alone in the first column, and ends with one."""
    start = 0   # where the present top-level thing begins
    body = None
    for n, line in enumerate(text_lines, 1):
        if body is None:
            if line == '{':
                body = n
            elif line == '' or line[0] in '#}' or line.endswith((';', '*/')):
                start = n
        elif line == '}':
            head = ' '.join(text_lines[start:body - 1])
            m = re.search(r'(\w+)\s*\(', head)
            if m:   # and no class of C++
                yield start + 1, n - start, m[1]
            body, start = None, n


def sizes():
    for name in files('*.c', '*.h', '*.cpp', '*.cc'):
        for first, count, function in functions(lines(name)):
            if count > FUNCTION_MAX:
                yield '%s:%d: %s has %d lines: more than the %d of a screen' % (
                    name, first, function, count, FUNCTION_MAX)
    for name in files('*.[ch]', '*.cpp', '*.cc', '*.py', '*.sh', '*.js', 'tools/*'):
        text = lines(name)
        count = len(text) - (text[-1] == '')
        if count <= FILE_WARN or name.endswith('.json') or REASON.search(first_comment('\n'.join(text))):
            continue
        yield '%s%s:1: has %d lines: split it by concern, or let its first comment say why it is ' \
            'one file' % ('note: ' if count <= FILE_MAX else '', name, count)


def paths():
    for name in files('*'):
        if name == 'tools/check_source.py' or name.startswith('tests/fuzz/corpus'):
            continue
        for n, line in enumerate(lines(name), 1):
            if PRIVATE_PATH.search(line):
                yield '%s:%d: has a path of one machine: %s' % (name, n, line.strip()[:80])
    for name in files('*package-lock.json'):
        for n, line in enumerate(lines(name), 1):
            if '"resolved"' in line:
                yield '%s:%d: names the host of a registry' % (name, n)


CHECKS = {f.__name__: f for f in (layers, libraries, sizes, paths)}


def main():
    failed = 0
    for fault in CHECKS[sys.argv[1]]():
        print(fault)
        failed |= not fault.startswith('note:')
    return failed


if __name__ == '__main__':
    sys.exit(main())
