"""A gateway in front of the Azure emulator, for tests."""

import os

from gateway import Gateway


def start(lab, test, **settings):
    """A gateway whose cloud `lab` is that lab; ended with the test (a class or a case)."""
    clean_up = getattr(test, 'addClassCleanup' if isinstance(test, type) else 'addCleanup')
    for name in [name for name in os.environ if name.startswith('AZURE_')]:
        del os.environ[name]
    os.environ['AZURE_CLIENT_SECRET'] = lab['client_secret']
    all = dict({'adapter': 'azure', 'subscription_id': lab['subscription_id'],
                'tenant_id': lab['tenant_id'], 'client_id': lab['client_id'],
                'authority': lab['authority'], 'endpoint': lab['url']}, **settings)
    gateway = Gateway('clouds:\n  lab: {%s}\n' % ', '.join('%s: %s' % each for each in all.items()))
    clean_up(gateway.stop)
    return gateway
