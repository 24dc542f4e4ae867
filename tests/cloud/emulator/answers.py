"""How the services of OpenStack wrap what they say."""


class Refused(Exception):
    """The request is answered with this status and body."""

    def __init__(self, status, body):
        super().__init__(status, body)
        self.status, self.body = status, body


NOVA_KEYS = {400: 'badRequest', 403: 'forbidden', 404: 'itemNotFound', 409: 'conflictingRequest'}


def nova_fault(status, message):
    """Nova's and Cinder's: the key is the kind of fault."""
    return {NOVA_KEYS[status]: {'code': status, 'message': message}}


def neutron_fault(kind, message):
    return {'NeutronError': {'type': kind, 'message': message, 'detail': ''}}


def one_of(things, id):
    return next((each for each in things if each['id'] == id), None)


def collection(request, key, things):
    """A page of a list: `marker` is the last thing of the page before, `limit` its length."""
    query = request.query
    if 'marker' in query:
        ids = [each.get('id') for each in things]
        marker = query['marker'][0]
        things = things[ids.index(marker) + 1:] if marker in ids else []
    if 'limit' in query and query['limit'][0].isdigit():
        things = things[:int(query['limit'][0])]
    return 200, {key: things}


def filtered(request, things, known):
    """Those that fit the filters which a service knows; it drops the others without a word."""
    for key in known:
        if key in request.query:
            wanted = set(request.query[key])
            things = [each for each in things if text(each.get(key)) in wanted]
    return things


def text(value):
    return '' if value is None else str(value)
