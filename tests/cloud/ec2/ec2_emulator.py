#!/usr/bin/python3
"""An EC2-like cloud that is bad on purpose, and keeps count: EC2 and STS on one port, for as many labs
as are wanted. A lab is an account, known by the access key of a request.

    ec2_emulator.py [--port N] [--control-port N]

prints `{"url": .., "control": ..}` and serves until its standard input ends. ../emulator/serving.py says
what the control port has; a request of a kill or a rule is known by `action`, a regular expression
that its Action as a whole fits. A new lab takes `region` and `empty` too, and is answered with
`access_key_id`, `secret_access_key`, `account`, `region` and `url`. Besides there are

    GET    /violations?lab=LAB  requests that were not of the protocol: {"violations", "count", "total"}
    POST   /expire {"lab"}      all sessions are over
    POST   /session {"lab", "seconds"}     a session, as AssumeRole gives one
    POST   /metadata {"lab", "role", "zone", "seconds", "token"}
           a port of its own with the metadata of a machine and the credentials of a container;
           {"url", "credentials_url"}: see ec2_metadata.py
    GET    /orders?lab=LAB      what RunInstances was asked for, by ClientToken
    GET    /asked?lab=LAB       how often credentials and tokens were asked for
"""

import os
import re
import sys
import time
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'emulator'))

import ec2_addresses  # noqa: E402, F401
import ec2_groups  # noqa: E402, F401
import ec2_launch  # noqa: E402, F401
import ec2_metadata  # noqa: E402
import ec2_others  # noqa: E402, F401
import ec2_sts  # noqa: E402, F401
import serving  # noqa: E402
from ec2_actions import ACTIONS  # noqa: E402
from ec2_answers import Call, check_form, error, headers_of, parse, sender, success  # noqa: E402
from ec2_lab import Lab  # noqa: E402
from ec2_model import Refused  # noqa: E402
from ec2_signature import BadSignature  # noqa: E402

ACTION = re.compile(rb'(^|&)Action=[^&]*&')
READS = re.compile(r'Describe|Get|AssumeRole|$')


class EmulatedLab(Lab):
    """`request.about` is a Call."""

    def __init__(self, url, name, **more):
        super().__init__(name, **more)
        self.url, self.caller = url, ''

    def told(self):
        return dict(super().told(), url=self.url)

    def fits(self, rule, request):
        return re.fullmatch(rule['action'], request.about.action) is not None

    def change_of(self, request):
        action = request.about.action
        return None if READS.match(action) else action

    def answer(self, request):
        call = request.about
        self.sweep(time.time())
        try:
            self.caller = sender(self, request, call)
            if self.throttled():
                raise Refused('RequestLimitExceeded', 'Request limit exceeded.', 503)
            check_form(request, call)
            model, operation, parameters = parse(call)
            handler = ACTIONS.get(call.action)
            if handler is None:
                raise Refused('UnsupportedOperation', 'This emulator has no %s' % call.action)
            value = handler(self, parameters)
            if parameters.get('DryRun'):
                raise Refused('DryRunOperation', 'Request would have succeeded, but DryRun flag is '
                              'set.', 412)
            return success(model, operation, value, self.clock)
        except Refused as refused:
            if refused.breach:
                self.breach(call.action, refused.code, refused.message)
            return error(call, refused, self.clock)
        except Exception as e:      # the emulator's own fault has to show, whatever it is
            self.breach(call.action, 'emulator', ''.join(traceback.format_exception(e)[-3:]))
            return error(call, Refused('InternalError', repr(e), 500), self.clock)

    # For rules.

    def refused(self, request, status, code, message):
        return error(request.about, Refused(code, message, status), self.clock)

    def nested(self, depth):
        return 200, b'<a>' * depth + b'</a>' * depth, headers_of('nested', self.clock)


class Cloud(serving.Cloud):
    def __init__(self, loop):
        super().__init__(loop)
        self.metadata = {}      # lab -> its ports

    def new_lab(self, wanted):
        return EmulatedLab(self.url, **wanted)

    def forget(self, lab):
        for server in self.metadata.pop(lab.name, ()):
            server.close()

    def lab_of(self, key_id):
        return next((lab for lab in self.labs.values()
                     if key_id == lab.key_id or key_id in lab.sessions), None)

    def knows(self, request):
        """Its action, that is, or there is none."""
        return ACTION.search(request.body) is not None or \
            len(request.body) == int(request.headers.get('content-length', 0))

    def half(self, request):
        if not any(lab.kills for lab in self.labs.values()):
            return False
        return super().half(request)

    def find(self, request):
        call = request.about = Call(request)
        return self.lab_of(call.claim.key_id) if call.claim else None

    def stranger(self, request):
        call = request.about
        return error(call, call.refused(call.bad or BadSignature('unknown', '')))

    def more(self, lab, method, path, body):
        if (method, path) == ('GET', '/violations'):
            return {'violations': lab.violations, 'count': len(lab.violations),
                    'total': sum(len(each.violations) for each in self.labs.values())}
        if (method, path) == ('POST', '/expire'):
            lab.expire()
            return {}
        if (method, path) == ('POST', '/session'):
            session = lab.new_session('arn:aws:sts::%s:assumed-role/given/by-control' % lab.account,
                                      body.get('seconds', 3600))
            return {'access_key_id': session.key_id, 'secret_access_key': session.secret,
                    'session_token': session.token}
        if (method, path) == ('POST', '/metadata'):
            server = ec2_metadata.Server(lab, **body)
            self.metadata.setdefault(lab.name, []).append(server)
            return server.start(self.loop)
        if (method, path) == ('GET', '/orders'):
            return {token: order[0] for (kind, token), order in lab.orders.items()
                    if kind == 'instance'}
        if (method, path) == ('GET', '/asked'):
            return lab.asked
        return None


class Emulator(serving.Process):
    """For tests: the emulator as a process of its own."""

    program = __file__


if __name__ == '__main__':
    serving.run_main(__doc__.split('\n')[0], Cloud)
