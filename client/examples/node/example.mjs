// Make a machine, look at it, and delete it again: node example.mjs [CLOUD [NAME]]
//
// The gateway is the one that $ISOBAR_SERVER names (tcp:// or ipc://), else the local one of root;
// the .proto files are in $ISOBAR_PROTO, else where they are in a checkout.

import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import path from 'node:path';
import nanomsg from 'nanomsg';
import protobuf from 'protobufjs';

const PROTO =
  process.env.ISOBAR_PROTO ?? fileURLToPath(new URL('../../../proto', import.meta.url));
const SUCCESSES = ['OK', 'CREATED', 'DELETED', 'CHANGED', 'ACCEPTED'].map((n) => `RESULT_CODE_${n}`);

async function loadProtocol() {
  const root = new protobuf.Root();
  const { resolve } = createRequire(import.meta.url);
  // protobufjs brings google/protobuf itself; all else is below PROTO.
  root.resolvePath = (origin, target) =>
    target.startsWith('google/') ? resolve(`protobufjs/${target}`) : path.join(PROTO, target);
  const files = ['envelope', 'flavor', 'image', 'vm'].map((name) => `isobar/v1/${name}.proto`);
  await root.load(files);
  return root.lookup('isobar.v1');
}

class Failure extends Error {
  constructor(method, result) {
    const words = [result.detail, ...result.violations.map((v) => `${v.field}: ${v.description}`)];
    super(`${method}: ${result.code}: ${words.join('; ')}`);
    this.result = result;
  }
}

// A REQ socket has one request under way: call() awaits its reply before the next.
class Client {
  constructor(url, protocol) {
    this.protocol = protocol;
    this.socket = nanomsg.socket('req', { rcvmaxsize: 32 << 20 });
    this.socket.connect(url);
  }

  exchange(message, timeoutMs) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('no answer in time')), timeoutMs);
      this.socket.once('data', (reply) => {
        clearTimeout(timer);
        resolve(reply);
      });
      this.socket.send(message);
    });
  }

  async call(method, request, timeoutMs = 60000) {
    const { Call, Reply, [`${method.split('/')[1]}Request`]: Request,
      [`${method.split('/')[1]}Response`]: Response } = this.protocol;
    const call = {
      method: `isobar.v1.${method}`,
      requestId: randomUUID(),
      timeoutMs,
      token: process.env.ISOBAR_TOKEN ?? '',
      body: Request.encode(Request.fromObject(request)).finish(),
    };
    const bytes = await this.exchange(Buffer.from(Call.encode(call).finish()), timeoutMs + 1000);
    const reply = Reply.toObject(Reply.decode(bytes), { enums: String, defaults: true, arrays: true });
    if (!SUCCESSES.includes(reply.result.code)) throw new Failure(method, reply.result);
    return Response.toObject(Response.decode(reply.body), { enums: String, defaults: true, arrays: true });
  }

  close() {
    this.socket.close();
  }
}

function show(vm) {
  console.log(vm.name.padEnd(12), vm.id.padEnd(36), vm.flavorName.padEnd(10), vm.state);
}

async function demonstrate(client, cloud, name) {
  const { flavors } = await client.call('FlavorService/ListFlavors', { cloud, minMemoryMib: 2048 });
  const { images } = await client.call('ImageService/ListImages', { cloud });
  const spec = { name, flavorName: flavors[0].name, imageId: images[0].name };
  // The wait of a create is for the machine to run, that of a delete for it to be gone.
  const wait = 'WAIT_RUNNING';
  const { vm } = await client.call('VmService/CreateVm', { cloud, spec, wait }, 300000);
  show(vm);
  try {
    show((await client.call('VmService/GetVm', { cloud, id: vm.id })).vm);
    (await client.call('VmService/ListVms', { cloud })).vms.forEach(show);
  } finally {
    await client.call('VmService/DeleteVm', { cloud, id: vm.id, wait }, 300000);
  }
  console.log('deleted');
}

const [cloud = 'box', name = 'example-node'] = process.argv.slice(2);
const url = process.env.ISOBAR_SERVER || 'ipc:///run/isobar/isobar.sock';
const client = new Client(url, await loadProtocol());
try {
  await demonstrate(client, cloud, name);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  client.close();
}
