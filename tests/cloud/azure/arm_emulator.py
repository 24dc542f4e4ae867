#!/usr/bin/python3
"""An Azure-like cloud that is bad on purpose, and keeps count: Entra ID and Resource Manager with
Compute, Network and Resources on one port, for as many labs as are wanted. A lab is a subscription.

    arm_emulator.py [--port N] [--control-port N]

prints `{"url": .., "control": ..}` and serves until its standard input ends. ../emulator/serving.py says
what the control port has; a request of a kill or a rule is known by `method`, a regular expression
that its method as a whole fits, and `path`, one that is found in its path without regard to case. A new
lab takes `empty` too, and is answered with `subscription_id`, `tenant_id`, `client_id`,
`client_secret`, `url` and `authority`. Besides there are

    GET    /violations?lab=LAB  {"violations", "count", "total"}: requests that no client should send,
                                and with a judge what it refuses; it has looked at "judged"
                                exchanges, "unjudged" are still with it
    POST   /expire {"lab"}      all tokens are over
    POST   /token {"lab", "seconds"}       a token
    GET    /asked?lab=LAB       how often tokens were asked for, and refused
    GET    /orders?lab=LAB      the body of the last PUT of each type, by the type in lower case

The answer to a new lab that wants a judge and cannot have one has `no_judge`, the reason.
"""

import os
import re
import sys
import time
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'emulator'))

import arm_actions  # noqa: E402, F401
import arm_groups  # noqa: E402, F401
import arm_images  # noqa: E402, F401
import arm_judge  # noqa: E402
import arm_login  # noqa: E402
import arm_routes  # noqa: E402
import serving  # noqa: E402
from arm_answers import Call, Refused, headers_of  # noqa: E402
from arm_lab import Lab  # noqa: E402

TOKEN_PATH = re.compile(r'/([^/]+)/oauth2/v2\.0/token$')


class EmulatedLab(Lab):
    """`request.about` is a Call."""

    def __init__(self, cloud, name, **more):
        super().__init__(name, **more)
        self.url, self.the_judge = cloud.url, cloud.judge

    def set_faults(self, faults):
        super().set_faults(faults)
        self.no_judge = arm_judge.why_not() if self.judge else None
        if self.no_judge:
            print('%s: no judge: %s' % (self.name, self.no_judge), file=sys.stderr)
            self.judge = False

    def told(self):
        found = dict(super().told(), url=self.url, authority=self.url)
        return dict(found, no_judge=self.no_judge) if self.no_judge else found

    def fits(self, rule, request):
        return re.fullmatch(rule['method'], request.method) is not None and \
            re.search(rule['path'], request.path, re.I) is not None

    def change_of(self, request):
        if request.method in ('GET', 'HEAD') or TOKEN_PATH.match(request.path):
            return None
        return request.method

    def answer(self, request):
        call = request.about
        self.sweep(time.time())
        if call.method == 'PUT':
            self.orders[call.path.lower().split('/')[-2]] = call.request.body.decode()
        if TOKEN_PATH.match(request.path):
            return arm_login.token(self, call)
        try:
            status, body, *more = self.do(call)
        except Refused as refused:
            if refused.breach:
                self.breach(call.method, request.target, refused.code, refused.message)
            status, body, more = refused.status, refused.body, [refused.headers]
        except Exception as e:      # the emulator's own fault has to show, whatever it is
            words = ''.join(traceback.format_exception(e)[-3:])
            self.breach(call.method, request.target, 'emulator', words)
            status, body, more = 500, Refused(500, 'InternalServerError', repr(e)).body, []
        answer = status, body, headers_of(self, call.method) + [each for one in more for each in one]
        if self.judge:
            self.the_judge.tell(self, call, answer)
        return answer

    def do(self, call):
        if self.redirect:
            return 307, None, [('Location', self.redirect + call.request.target)]
        arm_login.check_sender(self, call)
        if self.throttled():
            raise Refused(429, 'TooManyRequests', 'The request is being throttled as the limit has '
                          'been reached for operation type. Please try again after 1 seconds.',
                          headers=[('Retry-After', '1')])
        if self.disabled and call.method not in ('GET', 'HEAD'):
            raise Refused(409, 'ReadOnlyDisabledSubscription', "The subscription '%s' is disabled and "
                          'therefore marked as read only. You cannot perform any write actions on '
                          'this subscription until it is re-enabled.' % self.subscription)
        return arm_routes.answer(self, call)

    # For rules.

    def refused(self, request, status, code, message):
        return status, Refused(status, code, message).body, headers_of(self, request.method)

    def nested(self, depth):
        return 200, b'[' * depth + b']' * depth, [('Content-Type', 'application/json')]


class Cloud(serving.Cloud):
    def __init__(self, loop):
        super().__init__(loop)
        self.judge = arm_judge.Judge(loop)

    def new_lab(self, wanted):
        return EmulatedLab(self, **wanted)

    def half(self, request):
        if not any(lab.kills for lab in self.labs.values()):
            return False
        return super().half(request)

    def find(self, request):
        call = request.about = Call(request)
        tenant = TOKEN_PATH.match(request.path)
        if tenant:
            return next((lab for lab in self.labs.values()
                         if lab.tenant == tenant.group(1).lower()), None)
        if call.subscription:
            return next((lab for lab in self.labs.values()
                         if lab.subscription == call.subscription), None)
        return next((lab for lab in self.labs.values() if call.bearer in lab.tokens), None)

    def stranger(self, request):
        call = request.about
        tenant = TOKEN_PATH.match(request.path)
        if tenant:
            return arm_login.unknown_tenant(tenant.group(1)).answer(0.0)
        if any(call.bearer in lab.tokens for lab in self.labs.values()):
            no = Refused(404, 'SubscriptionNotFound', "The subscription '%s' could not be found."
                         % call.subscription)
        else:
            no = arm_login.unauthorized(self.url, 'common', 'AuthenticationFailed',
                                        'Authentication failed.')
        return no.status, no.body, no.headers

    def more(self, lab, method, path, body):
        if (method, path) == ('GET', '/violations'):
            return {'violations': lab.violations, 'count': len(lab.violations),
                    'judged': lab.judged, 'unjudged': self.judge.unjudged(lab),
                    'total': sum(len(each.violations) for each in self.labs.values())}
        if (method, path) == ('POST', '/expire'):
            lab.expire()
            return {}
        if (method, path) == ('POST', '/token'):
            return {'access_token': lab.new_token(body.get('seconds', 3600))}
        if (method, path) == ('GET', '/asked'):
            return lab.asked
        if (method, path) == ('GET', '/orders'):
            return lab.orders
        return None


class Emulator(serving.Process):
    """For tests: the emulator as a process of its own."""

    program = __file__


if __name__ == '__main__':
    serving.run_main(__doc__.split('\n')[0], Cloud)
