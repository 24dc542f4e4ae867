"""Whether what there is in the cloud is what clients were told and the journal says. Pure.

lost       an order of which nothing came although it was said to be done, or no answer ever came
doubled    done more than once
unknown    there, and no operation of the journal accounts for it
"""

SUCCESS = {'RESULT_CODE_OK', 'RESULT_CODE_CREATED', 'RESULT_CODE_DELETED', 'RESULT_CODE_CHANGED'}
PENDING = {'RESULT_CODE_ACCEPTED', 'RESULT_CODE_OUTCOME_UNKNOWN', 'RESULT_CODE_PARTIAL'}


class Facts:
    def __init__(self, calls, operations, machines, rest, bad_ends=()):
        self.calls = calls              # of plan.py, with their answers
        self.operations = operations    # [{id, request_id, state, code}], the journal
        self.machines = machines        # [{id, name, token, stopped}], alive in the cloud
        self.rest = rest                # [{kind, id, token, used_by}], what belongs to machines
        self.bad_ends = bad_ends        # words on daemons that did not start or end as they should


def all_calls(calls):
    for call in calls:
        yield call
        yield from all_calls(call.then)


def judge(facts):
    """[(lost|doubled|unknown, words)]"""
    found = [('lost', words) for words in facts.bad_ends]
    found += judge_journal(facts)
    deletes = [call for call in all_calls(facts.calls) if call.kind == 'delete']
    for call in all_calls(facts.calls):
        if call.final is None:
            found.append(('lost', '%s %s: never answered for good' % (call.kind, call.name)))
        elif call.kind == 'create':
            for i, name in enumerate(call.names()):
                found += judge_machine(facts, call, i, name, [
                    each for each in deletes if each.name == name])
        elif call.kind in ('stop', 'start'):
            found += judge_state(facts, call)
    return found + list(judge_tokens(facts))


def judge_journal(facts):
    """All have ended, none that was named in an answer is forgotten, and at most one of a request id
    was successful: the call may be repeated after one that changed nothing."""
    ids, requests = {each['id'] for each in facts.operations}, {}
    for operation in facts.operations:
        if operation['state'] != 'OPERATION_STATE_DONE':
            yield 'lost', 'operation %s (%s) has not ended: %s' % (
                operation['id'], operation['request_id'], operation['state'])
        if operation['state'] != 'OPERATION_STATE_DONE' or operation['code'] in SUCCESS:
            requests.setdefault(operation['request_id'], []).append(operation['id'])
    for request_id, those in requests.items():
        if request_id and len(those) > 1:
            yield 'doubled', 'request %s has the operations %s' % (request_id, those)
    for call in all_calls(facts.calls):
        for id in {each['operation_id'] for each in call.answers} - ids - {''}:
            yield 'lost', 'operation %s of %s %s is forgotten' % (id, call.kind, call.name)


def judge_machine(facts, create, i, name, deletes):
    there = [each for each in facts.machines if each['name'] == name]
    code = create.final['codes'][i]
    told = {each['ids'][i] for each in create.answers if each['ids'][i]}
    deleted = any(each.final and each.final['codes'][0] == 'RESULT_CODE_DELETED'
                  for each in deletes)
    expected = 1 if code in SUCCESS and not deleted else 0
    if len(told) > 1:
        yield 'doubled', '%s: clients were told of %s' % (name, sorted(told))
    if len(there) > 1:
        yield 'doubled', '%s: there are %s' % (name, [each['id'] for each in there])
    elif len(there) < expected:
        yield 'lost', '%s: the answer was %s, and there is none' % (name, code)
    elif there and deleted:
        yield 'lost', '%s: the answer was Deleted, and %s is there' % (name, there[0]['id'])
    elif there and not expected:
        yield 'unknown', '%s: the answer was %s, and %s is there' % (name, code, there[0]['id'])
    elif there and told and there[0]['id'] not in told:
        yield 'lost', '%s: clients were told of %s, and there is %s' % (
            name, told, there[0]['id'])
    # All that is there was made by the operation of this very request.
    request_id = create.request_ids()[i]
    mine = {each['id'] for each in facts.operations if each['request_id'] == request_id}
    for each in there:
        if each['token'] not in mine:
            yield 'unknown', '%s: %s was made by operation %s, and request %s is %s' % (
                name, each['id'], each['token'] or '(none)', request_id, sorted(mine))


def judge_state(facts, call):
    """The last that was done to a machine shows."""
    last = [each for each in all_calls(facts.calls) if each.name == call.name and
            each.kind in ('stop', 'start')][-1]
    if call is not last or call.final['codes'][0] not in SUCCESS:
        return
    for each in facts.machines:
        if each['id'] == call.target_id and each['stopped'] != (call.kind == 'stop'):
            yield 'lost', '%s %s: the answer was %s, and it is %s' % (
                call.kind, call.name, call.final['codes'][0],
                'stopped' if each['stopped'] else 'not stopped')


def judge_tokens(facts):
    known = {each['id'] for each in facts.operations}
    alive = {}
    for each in facts.machines:
        alive.setdefault(each['token'], []).append(each['id'])
    for token, those in alive.items():
        if token not in known:
            yield 'unknown', 'machines %s: the journal has no operation %s' % (
                those, token or '(none)')
        if len(those) > 1:
            yield 'doubled', 'operation %s has the machines %s' % (token, those)
    for each in facts.rest:
        if not alive.get(each['token']):
            yield 'unknown', '%s %s of operation %s: there is no machine of it' % (
                each['kind'], each['id'], each['token'])
        elif each['kind'] == 'port' and each['used_by'] not in alive[each['token']]:
            yield 'unknown', 'port %s of operation %s: its machine does not use it' % (
                each['id'], each['token'])
