"""A run: a daemon, calls to it, its deaths, and what came of it."""

import asyncio
import json
import os
import shutil
import tempfile
import time
import traceback

from daemon import BadEnd, Daemon      # also finds the modules of tests and tests/cloud
import canary
from judge import PENDING, SUCCESS, Facts, judge
from targets import CLOUD, TARGETS

VM = 'isobar.v1.VmService/'
OPERATIONS = 'isobar.v1.OperationService/'
METHODS = {'create': 'CreateVm', 'delete': 'DeleteVm', 'stop': 'StopVm', 'start': 'StartVm'}
# What may have been refused before there was an operation: it is asked again, a few times.
PASSING = {'RESULT_CODE_UNAVAILABLE', 'RESULT_CODE_OVERLOADED', 'RESULT_CODE_DEADLINE_EXCEEDED'}
PASSING_TRIES = 4
CALLS_S, ENDED_S = 60, 60       # sanitizers have twice as much, and a real OpenStack even more


class Run:
    def __init__(self, plan, messages, slow=False):
        self.plan, self.messages = plan, messages
        self.target = TARGETS[plan.target](plan)
        self.factor = self.target.patience * (2 if slow else 1)
        self.folder = tempfile.mkdtemp(prefix='isobar-crash.')
        self.daemon, self.bad_ends = None, []
        self.finished = False           # all calls are answered for good
        self.made = (0, 0)
        code = messages.pool.FindEnumTypeByName('isobar.v1.ResultCode')
        self.codes = {value.number: value.name for value in code.values}
        state = messages.pool.FindEnumTypeByName('isobar.v1.OperationState')
        self.states = {value.number: value.name for value in state.values}

    # ---- The daemon ----

    async def client(self):
        """A client of the daemon that lives now, or of the next one."""
        while True:
            daemon = self.daemon
            if daemon.client and not daemon.client.gone:
                return daemon.client
            dead = daemon.dead
            try:
                client = await daemon.connect()
            except ConnectionError:
                while daemon.dead is dead:      # until the next start
                    if self.bad_ends:
                        raise BadEnd('there is no daemon') from None
                    await asyncio.sleep(0.005)
                continue
            if daemon.client is None or daemon.client.gone:
                daemon.client = client
            else:
                client.close()

    async def live(self, daemon, deaths):
        """The lives of a daemon, one after the other; the last one goes on."""
        for death in deaths:
            daemon.start(death.point)
            if death.rule:
                await self.target.arm(death.rule, daemon.process.pid)
            dead = daemon.dead
            begun = time.monotonic()
            while not dead.is_set() and time.monotonic() - begun < death.after_s:
                await asyncio.sleep(0.005 if death.after_s < 0.8 else 0.02)
            death.reached = dead.is_set() if death.point or death.rule else None
            daemon.kill()
            await dead.wait()
            if daemon.process.returncode != -9:
                self.bad_ends.append('isobard ended by itself with %d' % daemon.process.returncode)
                return
        daemon.start()

    async def live_all(self):
        """The gateway's, and at the same time those of the adapter, where it is a process."""
        lives = [self.live(self.daemon, self.plan.deaths)]
        if self.target.adapter:
            lives.append(self.live(self.target.adapter, self.plan.adapter_deaths))
        await asyncio.gather(*lives)

    # ---- Calls ----

    def request(self, call):
        if call.kind != 'create':
            return {'cloud': CLOUD, 'id': call.name if call.by_name else call.target_id}
        spec = dict(self.target.spec, name=call.name, tags={'run': str(self.plan.seed)})
        if call.count > 1:
            spec['instanceCount'] = call.count
        if call.public:
            spec['publicIpType'] = self.target.public
        if call.refused:
            spec.update(self.target.refused)
        request = {'cloud': CLOUD, 'spec': spec}
        if call.wait:
            request['wait'] = call.wait
        return request

    def note(self, call, result, response):
        """What an answer says: a code and an id for each machine of the call."""
        answer = {'t': time.time(), 'code': self.codes[result.code], 'detail': result.detail,
                  'operation_id': result.operation_id}
        answer['codes'] = [answer['code']] * call.count
        answer['ids'] = [''] * call.count
        if call.kind == 'create' and call.count > 1 and len(response.results) == call.count:
            parts = response.results
            answer['codes'] = [self.codes[each.result.code] for each in parts]
            answer['ids'] = [each.vm.id for each in parts]
        elif call.kind == 'create' and call.count == 1 and answer['code'] in SUCCESS:
            answer['ids'] = [response.vm.id]
        call.answers.append(answer)
        return answer

    async def once(self, call):
        """An answer; None where the daemon died before."""
        try:
            client = await self.client()
            answer = self.note(call, *await client.call(
                VM + METHODS[call.kind], self.request(call), call.request_id))
            id = answer['operation_id']
            if answer['code'] == 'RESULT_CODE_ACCEPTED' and id and call.count == 1:
                answer = await self.waited(client, call, id) or answer
            return answer
        except ConnectionError:
            return None

    async def waited(self, client, call, id):
        """What became of an operation that goes on; None where it still does, or is not known: then
        the call is repeated."""
        result, response = await client.call(OPERATIONS + 'WaitOperation', {'id': id},
                                             timeout_ms=10000)
        operation = response.operation
        if self.codes[result.code] != 'RESULT_CODE_OK' or operation.state != 3:
            return None
        body = self.messages.new('isobar.v1.%sResponse' % METHODS[call.kind])
        body.ParseFromString(operation.response)
        answer = self.note(call, operation.result, body)
        answer['operation_id'] = id
        return answer

    async def insist(self, call):
        """Until there is an answer for good, under one request id."""
        passing = 0
        until = time.monotonic() + CALLS_S * self.factor
        while time.monotonic() < until:
            answer = await self.once(call)
            if answer is None:
                continue
            passing += answer['code'] in PASSING
            if not PENDING & set(answer['codes']) and (
                    answer['code'] not in PASSING or passing >= PASSING_TRIES):
                call.final = answer
                return
            await asyncio.sleep(0.1)

    async def do(self, call):
        await asyncio.sleep(call.start_s)
        early = [asyncio.create_task(self.do(each)) for each in call.then if each.by_name]
        await self.insist(call)
        for each in call.then:
            if each.by_name:
                continue
            each.target_id = call.final['ids'][0] if call.final and call.kind == 'create' else ''
            if each.target_id:
                await self.do(each)
            else:
                each.final = {'codes': ['(not called)'], 'code': '(not called)'}
        for task in early:
            await task

    # ---- The end ----

    async def operations(self):
        found, token = [], ''
        client = await self.client()
        while True:
            result, page = await client.call(OPERATIONS + 'ListOperations', {'pageToken': token})
            if self.codes[result.code] != 'RESULT_CODE_OK':
                raise BadEnd('ListOperations: %s %s' % (self.codes[result.code], result.detail))
            found += [{'id': each.id, 'request_id': each.request_id, 'method': each.method,
                       'state': self.states[each.state], 'native_id': each.native_id,
                       'attempt': each.attempt, 'code': self.codes[each.result.code],
                       'detail': each.result.detail} for each in page.operations]
            token = page.next_page_token
            if not token:
                return found

    async def facts(self):
        operations = await self.operations() if not self.bad_ends else []
        machines, rest, coming = await self.target.count(operations)
        return Facts(self.plan.calls, operations, machines, rest, self.bad_ends), coming

    async def judged(self):
        """When all operations have ended, and the cloud too has done what it was told; what is
        cleaned up after that has a moment."""
        until = time.monotonic() + ENDED_S * self.factor
        while time.monotonic() < until and not self.bad_ends:
            if all(each['state'] == 'OPERATION_STATE_DONE' for each in await self.operations()):
                break
            await asyncio.sleep(0.05)
        until = time.monotonic() + self.target.settled_s
        while True:
            facts, coming = await self.facts()
            found = judge(facts)
            if not coming and not found or time.monotonic() > until:
                return facts, found
            await asyncio.sleep(self.target.settled_s / 100)

    async def go(self):
        """[(lost|doubled|unknown, words)]"""
        found, facts = [], None
        try:
            clouds = await self.target.open(self.folder, self.messages)
            self.daemon = Daemon(os.path.join(self.folder, 'gateway'), clouds, self.messages,
                                 self.target.env)
            lives = asyncio.create_task(self.live_all())
            await asyncio.sleep(0)
            try:
                calls = [asyncio.create_task(self.do(each)) for each in self.plan.calls]
                await asyncio.gather(lives, *calls)
                facts, found = await self.judged()
                self.made = await self.target.made()
                if hasattr(self.target, 'clean'):
                    await self.target.clean(facts.machines, facts.rest)
            finally:
                lives.cancel()
                if self.daemon.client:
                    self.daemon.client.close()
                await self.daemon.stop()
        except Exception as e:      # also what is wrong with the run itself must not pass for good
            found = found + [('lost', ''.join(traceback.format_exception(e)[-3:]))]
        try:
            found = found + [('leaked', each) for each in canary.leaks(self.folder)]
            if found:
                await self.keep(found, facts)
            await self.target.close()
        except BadEnd as e:
            found = found + [('lost', 'the cloud: %s' % e)]
        if not found:
            shutil.rmtree(self.folder)
        return found

    async def keep(self, found, facts):
        """All that tells why, beside the log of the daemon."""
        def plain(call):
            return dict(vars(call), then=[plain(each) for each in call.then])
        with open(os.path.join(self.folder, 'facts.json'), 'w') as f:
            json.dump({'run': str(self.plan), 'faults': self.plan.faults, 'found': found,
                       'calls': [plain(each) for each in self.plan.calls],
                       'operations': facts and facts.operations,
                       'machines': facts and facts.machines, 'rest': facts and facts.rest,
                       'cloud': await self.target.evidence()}, f, indent=1)
