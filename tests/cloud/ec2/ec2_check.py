#!/usr/bin/python3
"""Whether requests are of EC2's and STS's models: those that the unit tests of the adapter have sent to
their stub, a line each, in the files of a folder, which goes with them.

    ec2_check.py FOLDER
"""

import glob
import os
import shutil
import sys
from urllib.parse import parse_qsl

try:
    from ec2_answers import MODELS
    from ec2_model import ModelError, Refused, tree_of
except ImportError as e:
    print('skipped: %s' % e)
    sys.exit(77)


def wrong(line):
    """What is wrong with a request, or None."""
    fields = parse_qsl(line, keep_blank_values=True, strict_parsing=True)
    named = dict(fields)
    if named.get('Version') not in MODELS:
        return 'there is no version %s' % named.get('Version')
    try:
        MODELS[named['Version']].operation(named.get('Action', '')).read(
            tree_of([each for each in fields if each[0] not in ('Action', 'Version')]), '')
    except (ModelError, Refused, ValueError) as e:
        return '%s: %s' % (type(e).__name__, e)
    return None


def main(folder):
    lines = set()
    for path in glob.glob(os.path.join(folder, '*')):
        with open(path) as f:
            lines.update(line.strip() for line in f if line.strip())
    if not lines:
        print('skipped: no test has sent anything')
        return 77
    found = [(why, line) for line in sorted(lines) for why in [wrong(line)] if why]
    for each in found:
        print('%s\n    %s' % each)
    print('%d different requests, %d are none of the models' % (len(lines), len(found)))
    shutil.rmtree(folder)
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))
