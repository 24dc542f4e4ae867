"""An adapter as a process of its own: it serves the calls of a gateway, and is known to it by
registering.

A subclass of Adapter says what it speaks to, and has a method for each of the protocol that it
serves: `create_vm` is isobar.v1.VmService/CreateVm. Registration keeps it known at a gateway.
"""

import hmac
import os
import random
import re
import secrets
import socket
import sys
import threading
import time
import traceback

from google.protobuf.message import DecodeError

from isobar_wire import Client, pb

PAGE_MAX = 1000
BACKOFF_FIRST_S, BACKOFF_MAX_S = 0.2, 3
CALL_S = 5          # a call to the gateway, but for the one that waits
DRAIN_STEP_S = 10   # one that waits for our calls to end,
DRAIN_S = 120       # and all of them together

SUCCESSES = {'OK', 'CREATED', 'DELETED', 'CHANGED', 'ACCEPTED'}
# What follows from a failure's code where nobody says better: whether trying again helps, and who
# is to blame. All of these have changed nothing.
CONSEQUENCES = {
    'RATE_LIMITED': (pb.RETRY_CLASS_AFTER_BACKOFF, pb.BLAME_GATEWAY),
    'OUT_OF_CAPACITY': (pb.RETRY_CLASS_AFTER_BACKOFF, pb.BLAME_CLOUD),
    'UNAVAILABLE': (pb.RETRY_CLASS_AFTER_BACKOFF, pb.BLAME_CLOUD),
}
USUAL = (pb.RETRY_CLASS_NEVER, pb.BLAME_CALLER)


def say(text, *args):
    print(text % args, file=sys.stderr, flush=True)


class Refusal(Exception):
    """A call fails, and nothing was changed. `detail` is one sentence: what is wrong, and what to
    do. `field` is what is wrong in the request, and `why`; `said`, the cloud's own words: an HTTP
    status, and a code."""

    def __init__(self, code, detail, field='', why='', said=None, after_ms=0):
        super().__init__(detail)
        retry, blame = CONSEQUENCES.get(code, USUAL)
        self.result = pb.Result(
            code=getattr(pb, 'RESULT_CODE_' + code), detail=detail,
            side_effects=pb.SIDE_EFFECTS_NONE, blame=pb.BLAME_CLOUD if said else blame)
        self.result.retry.after_ms = after_ms
        setattr(self.result.retry, 'class', pb.RETRY_CLASS_AFTER_BACKOFF if after_ms else retry)
        if field:
            self.result.violations.add(field=field, description=why or detail)
        if said:
            self.result.native.http_status, self.result.native.code = said
            self.result.native.message = detail


# What asking a gateway may end with; ValueError: a token file that is no text.
FAILURES = (Refusal, OSError, DecodeError, ValueError)


class Asked:
    """A call: its request, the cloud that it is for, and the step of an operation that it is."""

    def __init__(self, method, request, call):
        self.method, self.request, self.step = method, request, call.step
        self.cloud = getattr(request, 'cloud', '')
        self.dry_run = getattr(request, 'dry_run', False)
        self.noted = pb.Noted()     # what it finds out besides the response


class Adapter:
    """What speaks to one kind of cloud. A method of a subclass gets an Asked, and returns the name
    of a code with the response, or raises Refusal. Many threads call it at once."""

    name, description, version = '', '', '1.0.0'
    # How long after its sender is dead an order may still take effect, or its effect be missing in
    # lists; and whether the cloud itself makes nothing a second time under one operation's id.
    settle_ms, dedupes = 0, False

    def __init__(self, clouds, call_token=None):
        """`clouds` are the names of those that are offered. Without a token anybody may call."""
        self.clouds, self.call_token = clouds, call_token

    def manifest(self):
        raise NotImplementedError

    # ---- what it serves ----

    def slot(self, method):
        """create_vm of isobar.v1.VmService/CreateVm, or None."""
        name = re.sub('(?<=.)(?=[A-Z])', '_', method.split('/')[-1]).lower()
        return getattr(self, name, None) if method in pb.methods else None

    def methods(self):
        """Those for the manifest: what a gateway knows of us without asking is not of them."""
        return [each for each in pb.methods
                if self.slot(each) and not each.endswith('/GetCloud')]

    def traits(self):
        return pb.CloudTraits(settle_ms=self.settle_ms, dedupes=self.dedupes)

    def get_cloud(self, asked):
        return 'OK', pb.GetCloudResponse(cloud=pb.Cloud(
            name=asked.cloud, adapter=self.name, adapter_version=self.version,
            traits=self.traits()))

    # ---- a call ----

    def answer(self, data):
        """The bytes of a Reply to those of a Call."""
        reply, method = pb.Reply(), '?'
        try:
            call = self.parse(pb.Call, data, 'the message is no Call')
            method = call.method
            asked = self.open(call)
            code, response = self.slot(method)(asked)
            reply.result.code = getattr(pb, 'RESULT_CODE_' + code)
            reply.body = response.SerializeToString()
            if asked.noted.ByteSize():
                reply.noted.CopyFrom(asked.noted)
        except Refusal as refusal:
            reply.result.CopyFrom(refusal.result)
        except ConnectionError:
            raise
        except Exception as error:      # a fault of ours must not take the others' calls with it
            traceback.print_exc()
            reply.result.code = pb.RESULT_CODE_INTERNAL_ERROR
            reply.result.detail = 'the adapter failed with %s; its log says more' % (
                type(error).__name__)
            reply.result.side_effects = pb.SIDE_EFFECTS_POSSIBLE
            reply.result.blame = pb.BLAME_GATEWAY
        self.log(method, reply)
        return reply.SerializeToString()

    def parse(self, type, data, complaint):
        try:
            return type.FromString(data)
        except DecodeError:
            raise Refusal('INVALID_REQUEST', complaint) from None

    def open(self, call):
        """What is asked, where it may be asked."""
        if self.call_token is not None and not hmac.compare_digest(
                call.token.encode(), self.call_token.encode()):
            raise Refusal('UNAUTHORIZED', 'this process takes calls only from the gateway that it '
                          'has registered with')
        if self.slot(call.method) is None:
            raise Refusal('METHOD_NOT_ALLOWED',
                          'adapter %s has no %.100s' % (self.name, call.method))
        asked = Asked(call.method, self.parse(pb.methods[call.method][0], call.body,
                                              'the body is no request of ' + call.method), call)
        if asked.cloud not in self.clouds:
            raise Refusal('NOT_FOUND', 'adapter %s has no cloud "%.100s"; it has %s' % (
                self.name, asked.cloud, ', '.join(self.clouds)), 'cloud', 'is not offered here')
        return asked

    def log(self, method, reply):
        """A line for each call that may have changed something, or has failed."""
        name = method.split('/')[-1]
        if not name.startswith(('Get', 'List', 'Check')) or reply.result.detail:
            say('%s: %s %s %s', self.name, name, pb.code_name(reply.result.code),
                reply.result.detail or reply.noted.native_id)

    def page(self, asked, rows, response, field):
        """Fill in the page of a list that is asked for. `rows` are (number, message) with numbers
        that rise and stay with their things: a page begins right whatever has gone meanwhile."""
        token, size = asked.request.page_token, asked.request.page_size
        if token and not (token.isdecimal() and len(token) < 19):
            raise Refusal('BAD_REQUEST_DATA', 'page_token is none that a list has given',
                          'page_token')
        size = min(size or PAGE_MAX, PAGE_MAX)
        rest = [row for row in rows if not token or row[0] > int(token)]
        getattr(response, field).extend(message for _, message in rest[:size])
        if len(rest) > size:
            response.next_page_token = str(rest[size - 1][0])
        return 'OK', response


class Registration:
    """Keeps an adapter known at a gateway, whatever becomes of that one meanwhile."""

    def __init__(self, adapter, gateway, token_file, endpoints, instance='', weight=None):
        self.adapter, self.gateway, self.token_file = adapter, gateway, token_file
        self.client, self.ended, self.leaving = Client(gateway), threading.Event(), False
        self.last_said, self.status = None, pb.ADAPTER_STATUS_UP
        # Ours, not the gateway's: so a second registration replaces the first also where the answer
        # to that was lost.
        self.who = {'name': adapter.name,
                    'id': instance or '%s-%s' % (adapter.name, secrets.token_hex(4))}
        manifest = adapter.manifest()
        manifest.methods.extend(adapter.methods())
        self.request = pb.RegisterAdapterRequest(
            **self.who, description=adapter.description, version=adapter.version,
            manifest=manifest, endpoints=endpoints, call_token=adapter.call_token,
            metadata={'host': socket.gethostname(), 'pid': str(os.getpid())},
            clouds=[pb.OfferedCloud(name=each, traits=adapter.traits())
                    for each in adapter.clouds])
        if weight is not None:
            self.request.weight = weight
        self.thread = threading.Thread(target=self.run, daemon=True)

    def start(self):
        self.thread.start()

    def token(self):
        """Read anew each time: it may have been changed while we run."""
        if not self.token_file:
            return ''
        with open(self.token_file, encoding='utf-8') as f:
            return f.readline().strip()

    def ask(self, client, method, request, timeout_s=CALL_S):
        """The response; Refusal where the gateway says no, OSError where it says nothing."""
        method = 'isobar.v1.AdapterService/' + method
        reply = pb.Reply.FromString(client.exchange(pb.Call(
            method=method, token=self.token(), timeout_ms=int(timeout_s * 1000),
            body=request.SerializeToString()).SerializeToString(), timeout_s + 1))
        code = pb.code_name(reply.result.code)
        if code not in SUCCESSES:
            raise Refusal(code if 'RESULT_CODE_' + code in pb.ResultCode.values_by_name
                          else 'UNSPECIFIED', '%s: %s' % (code, reply.result.detail))
        return code, pb.methods[method][1].FromString(reply.body)

    def say_once(self, text, *args):
        """A gateway that is away is said to be so once, not with each try."""
        line = text % args
        if line != self.last_said:
            say('%s: %s', self.adapter.name, line)
        self.last_said = line

    # ---- the thread ----

    def run(self):
        backoff = BACKOFF_FIRST_S
        heartbeat = None        # seconds; None: we are not registered
        while heartbeat is not None or not self.leaving:
            try:
                if heartbeat is None:
                    heartbeat = self.register()
                else:
                    self.renew()
                backoff, pause = BACKOFF_FIRST_S, heartbeat
            except FAILURES as error:
                forgotten = heartbeat is not None and self.is_forgotten(error)
                if forgotten:
                    heartbeat = None
                self.say_once('gateway %s: %s', self.gateway, error)
                # Not all at once: many may wait for one gateway.
                pause = 0 if forgotten else backoff * random.uniform(0.8, 1)
                backoff = min(2 * backoff, BACKOFF_MAX_S)
            if self.ended.wait(pause):
                return

    def register(self):
        _, response = self.ask(self.client, 'RegisterAdapter', self.request)
        self.who['id'] = self.request.id = response.instance.id or self.who['id']
        self.say_once('registered with %s as %s, serves at %s', self.gateway, self.who['id'],
                      ', '.join(self.request.endpoints))
        self.last_said = None
        return max(response.heartbeat_ms, 100) / 1000

    def renew(self):
        _, response = self.ask(self.client, 'RenewAdapter', pb.RenewAdapterRequest(**self.who))
        if self.last_said:
            self.say_once('gateway %s is there again', self.gateway)
        self.last_said = None
        if response.status != self.status:
            self.status = response.status
            value = pb.AdapterStatus.values_by_number.get(self.status)
            say('%s: the gateway has set %s', self.adapter.name,
                value.name if value else self.status)

    def is_forgotten(self, error):
        """The gateway has begun anew, or our lease was over."""
        return isinstance(error, Refusal) and error.result.code == pb.RESULT_CODE_NOT_FOUND

    # ---- the end ----

    def leave(self):
        """Get nothing new, wait until the gateway has no call here, and be known no longer. All the
        while we serve, and renew: a lease that ends would take from calls what they wait for."""
        self.leaving = True
        client = Client(self.gateway)
        for step in self.drain, self.deregister:
            try:
                step(client)
            except FAILURES as error:
                say('%s: %s: %s', self.adapter.name, step.__name__, error)
        client.close()

    def drain(self, client):
        until = time.monotonic() + DRAIN_S
        code = 'ACCEPTED'
        while code == 'ACCEPTED' and time.monotonic() < until:
            code, _ = self.ask(client, 'DrainAdapter', pb.DrainAdapterRequest(**self.who),
                               DRAIN_STEP_S)

    def deregister(self, client):
        self.ended.set()
        if self.thread.is_alive():      # it may be registering right now
            self.thread.join(CALL_S + 2)
        self.ask(client, 'DeregisterAdapter', pb.DeregisterAdapterRequest(**self.who))
        say('%s: deregistered', self.adapter.name)
