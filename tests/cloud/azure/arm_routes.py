"""The table of what can be asked for: a method, a path below the subscription, and whose version."""

import re

from arm_answers import Refused

ROUTES = {}
GROUP = '/resourcegroups/{}'
COMPUTE, NETWORK = '/providers/microsoft.compute', '/providers/microsoft.network'


def route(methods, path, kind):
    """A function of (lab, call, *names in the path) that answers (status, body) or (status, body,
    headers). `kind` is of arm_answers.VERSIONS; None: any version."""
    pattern = re.compile(re.escape(path).replace(r'\{\}', '([^/]+)') + '$', re.I)

    def enter(function):
        for method in methods.split('|'):
            ROUTES.setdefault(method, []).append((pattern, kind, function))
        return function
    return enter


def answer(lab, call):
    for pattern, kind, function in ROUTES.get(call.method, ()):
        found = pattern.match(call.path)
        if found:
            if kind is not None:
                call.kind = kind
                call.check_version(kind)
            return function(lab, call, *found.groups())
    if any(pattern.match(call.path) for routes in ROUTES.values() for pattern, _, _ in routes):
        raise Refused(405, 'MethodNotAllowed', "The request method '%s' is not supported here."
                      % call.method, breach=True)
    raise Refused(404, 'InvalidResourceType', 'The resource type could not be found: %s %s'
                  % (call.method, call.path), breach=True)
