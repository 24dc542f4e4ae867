"""Both ports of an emulator, whatever cloud it is: that of the labs and that of who tests; and how a
test starts it. A cloud's own program has a subclass of Cloud, and its main() is run_main().

The control port has

    POST   /labs {"name", "seed", FAULT: ...}     a new lab; see its FAULTS
    DELETE /labs/LAB
    POST   /faults {"lab", FAULT: ...}            from now on
    GET    /count?lab=LAB       what is alive, a row a token; machines that there ever were; what is
                                still to be done
    GET    /requests?lab=LAB    how many requests there were
    GET    /journal?lab=LAB     what was made and deleted, and when
    POST   /kill {"lab", "pid", "when", RULE.., "nth"}
           kill -9 the process at the nth request that fits: "half-sent" (and nothing of it is
           done), "sent" (it is done all the same), "replied"
    POST   /rules {"lab", "what", RULE.., "nth", "times", ...}   see rules.py
    GET    /rules?lab=LAB       {"rules", "count"}: each with `seen` and `done`; how often one was done
    DELETE /rules?lab=LAB

and what a cloud adds. RULE are the words that a request has to fit.
"""

import argparse
import asyncio
import json
import logging
import os
import subprocess
import sys

import rules
from wire import Connection


class Cloud:
    """The port of the labs."""

    def __init__(self, loop):
        self.loop, self.labs, self.url = loop, {}, ''

    # A cloud's own: new_lab(wanted); find(request), which gives its lab, or None, and leaves in
    # request.about what the lab wants to know of it; stranger(request), the answer without a lab;
    # knows(request), whether enough of it has come for that; and what is gone with a lab.

    def knows(self, request):
        return True

    def forget(self, lab):
        pass

    def half(self, request):
        """Whether it ends here; None where not enough of it has come to tell."""
        if not self.knows(request):
            return None
        lab = self.find(request)
        return lab is not None and lab.kill_at(request, 'half-sent')

    def serve(self, connection, request):
        lab = self.find(request)
        if lab is None:
            connection.reply(*self.stranger(request))
            return
        lab.requests += 1
        lab.kill_at(request, 'sent')
        rule = rules.due(lab, request)
        if rule:
            rules.act(self, connection, lab, request, rule)
            return
        late, lost = lab.fate(request)
        if late:
            lab.pending += 1
            self.loop.call_later(late, self.later, connection, lab, request, lost)
        else:
            self.now(connection, lab, request, lost)

    def later(self, connection, lab, request, lost):
        lab.pending -= 1
        self.now(connection, lab, request, lost)
        connection.go_on()

    def now(self, connection, lab, request, lost):
        answer = lab.answer(request)
        if lost:
            connection.lose()
        else:
            connection.reply(*answer)
            lab.kill_at(request, 'replied')


class Control:
    """The port of who counts."""

    def __init__(self, cloud):
        self.cloud = cloud

    def half(self, request):
        return False

    def serve(self, connection, request):
        try:
            connection.reply(200, self.answer(request))
        except (KeyError, TypeError, ValueError) as e:
            connection.reply(400, {'message': repr(e)})

    def answer(self, request):
        method, path = request.method, request.path
        labs = self.cloud.labs
        if (method, path) == ('POST', '/labs'):
            lab = self.cloud.new_lab(request.json())
            labs[lab.name] = lab
            return lab.told()
        if method == 'DELETE' and path.startswith('/labs/'):
            self.cloud.forget(labs.pop(path[len('/labs/'):]))
            return {}
        body = request.json() if method == 'POST' else {}
        lab = labs[body.pop('lab') if method == 'POST' else request.query['lab'][0]]
        found = self.of_lab(lab, method, path, body)
        if found is None:
            raise ValueError('there is no %s %s' % (method, path))
        return found

    def of_lab(self, lab, method, path, body):
        do = {('POST', '/faults'): lambda: lab.set_faults(body),
              ('GET', '/count'): lab.count,
              ('GET', '/requests'): lambda: {'count': lab.requests},
              ('GET', '/journal'): lambda: {'journal': lab.journal},
              ('POST', '/kill'): lambda: lab.add_kill(body),
              ('POST', '/rules'): lambda: rules.add(lab, body),
              ('DELETE', '/rules'): lab.rules.clear,
              ('GET', '/rules'): lambda: {'rules': lab.rules, 'count': sum(
                  rule['done'] for rule in lab.rules)}}.get((method, path))
        return self.cloud.more(lab, method, path, body) if do is None else do() or {}


async def serve(make_cloud, port, control_port):
    # It warns of writes to a client that has just died.
    logging.getLogger('asyncio').setLevel(logging.ERROR)
    loop = asyncio.get_running_loop()
    cloud = make_cloud(loop)
    server = await loop.create_server(lambda: Connection(cloud), '127.0.0.1', port, backlog=512)
    control = await loop.create_server(lambda: Connection(Control(cloud)), '127.0.0.1',
                                       control_port, backlog=512)
    cloud.url, control_url = ('http://127.0.0.1:%d' % each.sockets[0].getsockname()[1]
                              for each in (server, control))
    print(json.dumps({'url': cloud.url, 'control': control_url}), flush=True)
    ended = asyncio.Event()
    loop.add_reader(0, lambda: os.read(0, 4096) or ended.set())
    await ended.wait()


def run_main(description, make_cloud):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument('--port', type=int, default=0)
    parser.add_argument('--control-port', type=int, default=0)
    args = parser.parse_args()
    asyncio.run(serve(make_cloud, args.port, args.control_port))


class Process:
    """For tests: an emulator as a process of its own. A subclass names its `program`."""

    def __init__(self):
        self.process = subprocess.Popen([sys.executable, os.path.abspath(self.program)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        told = json.loads(self.process.stdout.readline())
        self.url, self.control = told['url'], told['control']

    def ask(self, method, path, body=None):
        import urllib.error
        import urllib.request
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.control + path, data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:
                return json.load(reply)
        except urllib.error.HTTPError as e:
            with e:
                raise ValueError(e.read().decode()) from None

    def stop(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
