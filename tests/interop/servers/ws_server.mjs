// npm's ws as a server for the tool's commands that connect. Prints its port, and ends with its standard input. What each
// path does stands in client.test.mjs.

import assert from 'node:assert/strict';
import { on, once } from 'node:events';
import { createServer } from 'node:http';

import { WebSocketServer } from 'ws';

import { within } from '../bounded.mjs';
import { bytes, randomNumbers, sizes, text } from '../payloads.mjs';

// The tool echoes: everything that is sent must come back.
async function drive(socket) {
  const messages = on(socket, 'message', { close: ['close'] });
  const receive = async () => {
    const { done, value } = await within(messages.next(), 'an echo');
    if (done) throw new Error('closed instead of an echo');
    return value[1] ? value[0] : value[0].toString();
  };
  const assertReceives = async (payload) => {
    const echo = await receive();
    assert.equal(typeof echo, typeof payload);
    assert.equal(echo.length, payload.length);
    assert.ok(typeof echo === 'string' ? echo === payload : echo.equals(payload), `an echo of ${payload.length}`);
  };
  for (const size of sizes) {
    for (const payload of [text(size), bytes(size)]) {
      socket.send(payload);
      await assertReceives(payload);
    }
  }
  for (let number = 0; number < 1000; ++number) socket.send(`message ${number}`);
  for (let number = 0; number < 1000; ++number) await assertReceives(`message ${number}`);
  const whole = text(300_000);
  for (let start = 0, size = 1, left = Buffer.from(whole); start < left.length; start += size, size *= 2) {
    socket.send(left.subarray(start, start + size), { binary: false, fin: start + size >= left.length });
    socket.ping();
  }
  await assertReceives(whole);
  // Sequences of messages that nobody has thought of, in fragments cut anywhere.
  const seed = Number(process.env.WINDHOVER_SEED ?? Date.now());
  const random = randomNumbers(seed);
  for (let round = 0; round < 300; ++round) {
    const size = random(random(4) === 0 ? 100_000 : 300);
    const binary = random(2) === 0;
    const payload = binary ? bytes(size) : Buffer.from(text(size));
    let start = 0;
    while (random(3) !== 0 && start < size) {
      const end = start + random(size - start + 1);
      socket.send(payload.subarray(start, end), { binary, fin: false });
      if (random(4) === 0) socket.ping();
      start = end;
    }
    socket.send(payload.subarray(start), { binary });
    await assertReceives(binary ? payload : payload.toString()).catch((error) => {
      throw new Error(`seed ${seed}: ${error.message}`);
    });
  }
  for (const size of [0, 4, 125]) {
    const pong = once(socket, 'pong');
    socket.ping(bytes(size));
    const [payload] = await within(pong, 'a pong');
    assert.ok(payload.equals(bytes(size)));
  }
}

const paths = {
  '/drive': (socket) => drive(socket).then(() => socket.close(1000, 'done'),
                                           (error) => socket.close(4999, error.message.slice(0, 100))),
  '/echo': (socket) => socket.on('message', (data, binary) => socket.send(data, { binary })),
  '/binary': (socket) => {
    socket.send(Buffer.from([0, 0xff, 0x10]));
    socket.close(1000);
  },
  '/seen': (socket, request) => {
    const { origin, 'x-test': test } = request.headers;
    socket.send(`${origin} ${test} ${request.url}`);
    socket.close(1000);
  },
  '/close': (socket) => socket.close(4321, 'Gr\u00fc\u00dfe'),
  '/drop': (socket) => {
    socket.send('speak');
    socket.on('message', () => socket.terminate());
  },
};
const refusals = {
  '/refuse': 'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer\r\nContent-Length: 12\r\n\r\nwho are you?',
  '/missing': 'HTTP/1.1 404 Not Found\r\nContent-Length: 8\r\n\r\nnot here',
};

const server = createServer();
const websockets = new WebSocketServer({
  noServer: true,
  maxPayload: 0,
  perMessageDeflate: { threshold: 0 },  // for clients that offer it
  handleProtocols: (offered) => (offered.has('bravo') ? 'bravo' : false),
});
server.on('upgrade', (request, socket, head) => {
  const path = new URL(request.url, 'http://localhost').pathname;
  if (refusals[path]) {
    socket.end(refusals[path]);
    return;
  }
  websockets.handleUpgrade(request, socket, head, (opened) => paths[path](opened, request));
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.on('end', () => process.exit(0)).resume();
