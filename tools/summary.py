#!/usr/bin/python3
"""Add up what was tested: summary.py RESULT-FILE...

A file that ends with .xml is what `ctest --output-junit` wrote; its name without the end says which
build it was. Any other has lines "ok NAME", "FAIL NAME" and "skip NAME: reason"; the file's name is put
before theirs. Names what failed and what was skipped, each skipped test with its reason, and prints
last "N passed, N failed, N skipped". The exit status says whether nothing failed and something passed.
"""

import os
import re
import sys
import xml.etree.ElementTree


def from_junit(path):
    build = os.path.basename(path)[:-len('.xml')]
    cases = list(xml.etree.ElementTree.parse(path).getroot().iter('testcase'))
    if not cases:
        yield 'FAIL', build, 'no test fits'
    for case in cases:
        name = '%s %s' % (build, case.get('name'))
        output = (case.findtext('system-out') or '').strip().split('\n')
        if case.find('failure') is not None or case.get('status') == 'fail':
            yield 'FAIL', name, ''
        elif case.get('status') == 'run':
            yield 'ok', name, ''
        else:   # skipped, disabled, or its program is missing
            said = [line for line in output if re.search(r'skip', line, re.I)] or output
            missing = 'Unable to find executable' in output[-1]
            yield 'FAIL' if missing else 'skip', name, said[-1][:200] or case.get('status')


def from_lines(path):
    with open(path, encoding='utf-8', errors='replace') as f:
        for line in f:
            m = re.match(r'(ok|FAIL|skip) +([^:\n]+)(?:: (.*))?$', line)
            if m:
                yield m[1], '%s %s' % (os.path.basename(path), m[2]), m[3] or ''


def main():
    results = []
    for path in sys.argv[1:]:
        results += (from_junit if path.endswith('.xml') else from_lines)(path)
    count = {what: [r for r in results if r[0] == what] for what in ('ok', 'FAIL', 'skip')}
    for what, title in ('skip', 'skipped'), ('FAIL', 'failed'):
        for _, name, reason in count[what]:
            print('%s: %s%s' % (title, name, reason and ': ' + reason))
    print('%d passed, %d failed, %d skipped' % tuple(len(count[w]) for w in ('ok', 'FAIL', 'skip')))
    return 1 if count['FAIL'] or not count['ok'] else 0


if __name__ == '__main__':
    sys.exit(main())
