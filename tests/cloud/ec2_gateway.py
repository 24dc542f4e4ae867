"""A gateway in front of the EC2 emulator, for tests."""

import os
import shutil
import tempfile

from gateway import Gateway


def start(lab, test, **settings):
    """A gateway whose cloud `lab` is that lab; ended with the test (a class or a case)."""
    folder = tempfile.mkdtemp(prefix='isobar-test.')
    clean_up = getattr(test, 'addClassCleanup' if isinstance(test, type) else 'addCleanup')
    clean_up(shutil.rmtree, folder)
    path = os.path.join(folder, 'credentials')
    with open(path, 'w') as f:
        f.write('[lab]\naws_access_key_id = %s\naws_secret_access_key = %s\n' % (lab.key, lab.secret))
    for name in [name for name in os.environ if name.startswith('AWS_')]:
        del os.environ[name]
    os.environ['AWS_SHARED_CREDENTIALS_FILE'] = path
    os.environ['AWS_CONFIG_FILE'] = os.path.join(folder, 'config')
    all = dict({'adapter': 'aws', 'profile': 'lab', 'region': lab.region, 'endpoint_url': lab.url,
                'sts_endpoint_url': lab.url}, **settings)
    gateway = Gateway('clouds:\n  lab: {%s}\n' % ', '.join('%s: %s' % each for each in all.items()))
    clean_up(gateway.stop)
    return gateway
