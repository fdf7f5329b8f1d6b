// npm's ws, the most used WebSocket client outside of browsers, against the tool's echo.

import assert from 'node:assert/strict';
import { on, once } from 'node:events';
import { describe, test } from 'node:test';

import WebSocket from 'ws';

import { within } from './bounded.mjs';
import { bytes, sizes, text } from './payloads.mjs';
import { requireEngine, serve } from './tool.mjs';

requireEngine();
const tool = await serve();

class Client {
  constructor(protocols = []) {
    this.socket = new WebSocket(tool.webSocketUrl, protocols);
    this.messages = on(this.socket, 'message', { close: ['close'] });
    this.closed = once(this.socket, 'close').then(([code, reason]) => ({ code, reason: reason.toString() }));
  }

  static async open() {
    const client = new Client();
    await within(once(client.socket, 'open'), 'an open WebSocket');
    return client;
  }

  async receive() {
    const { done, value } = await within(this.messages.next(), 'a message');
    if (done) throw new Error('the WebSocket was closed instead of a message');
    const [data, binary] = value;
    return binary ? data : data.toString();
  }

  async assertEchoes(payload) {
    this.socket.send(payload);
    await this.assertReceives(payload);
  }

  // Not deepEqual: it would print 10 MB.
  async assertReceives(payload) {
    const echo = await this.receive();
    assert.equal(typeof echo, typeof payload, 'text comes back as text, binary as binary');
    assert.equal(echo.length, payload.length);
    assert.ok(typeof echo === 'string' ? echo === payload : echo.equals(payload), 'an unchanged echo');
  }

  async close(code, reason) {
    this.socket.close(code, reason);
    return await within(this.closed, 'the end of the close handshake');
  }
}

describe('messages', () => {
  for (const size of sizes) {
    test(`text of ${size} bytes comes back`, async () => {
      const client = await Client.open();
      await client.assertEchoes(text(size));
      await client.close();
    });

    test(`binary of ${size} bytes comes back`, async () => {
      const client = await Client.open();
      await client.assertEchoes(bytes(size));
      await client.close();
    });
  }

  test('a thousand messages sent at once come back in order', async () => {
    const client = await Client.open();
    for (let number = 0; number < 1000; ++number) client.socket.send(`message ${number}`);
    for (let number = 0; number < 1000; ++number) assert.equal(await client.receive(), `message ${number}`);
    await client.close();
  });
});

describe('fragments', () => {
  async function assertFragmentsEcho(fragments, { binary, between = () => {} }) {
    const client = await Client.open();
    fragments.forEach((fragment, index) => {
      client.socket.send(fragment, { binary, compress: false, fin: index + 1 === fragments.length });
      between(client.socket);
    });
    const whole = Buffer.concat(fragments);
    await client.assertReceives(binary ? whole : whole.toString());
    await client.close();
  }

  test('text in fragments that cut characters comes back whole', async () => {
    const whole = Buffer.from(text(300));
    const fragments = Array.from(whole, (_, index) => whole.subarray(index, index + 1));
    await assertFragmentsEcho(fragments, { binary: false });
  });

  test('fragments may be empty, and all of them', async () => {
    await assertFragmentsEcho(['', 'a', '', 'b', ''].map((piece) => Buffer.from(piece)), { binary: false });
    await assertFragmentsEcho([Buffer.alloc(0), Buffer.alloc(0)], { binary: true });
  });

  test('pings between the fragments do not disturb them', async () => {
    const fragments = ['Wind', 'ho', 'ver'].map((piece) => Buffer.from(piece));
    await assertFragmentsEcho(fragments, { binary: false, between: (socket) => socket.ping('between') });
  });

  test('10 MB in fragments of many sizes come back whole', async () => {
    const whole = bytes(10 * 1024 * 1024);
    const fragments = [];
    for (let start = 0, size = 1; start < whole.length; start += size, size = (size * 3 + 1) % 300_000) {
      fragments.push(whole.subarray(start, start + size));
    }
    await assertFragmentsEcho(fragments, { binary: true });
  });
});

describe('ping and pong', () => {
  for (const size of [0, 4, 125]) {
    test(`a ping of ${size} bytes is answered with its payload`, async () => {
      const client = await Client.open();
      const pong = once(client.socket, 'pong');
      client.socket.ping(bytes(size));
      const [payload] = await within(pong, 'a pong');
      assert.ok(payload.equals(bytes(size)));
      await client.close();
    });
  }

  test('a pong that nobody asked for is taken as life', async () => {
    const client = await Client.open();
    client.socket.pong('still here');
    await client.assertEchoes('and well');
    await client.close();
  });
});

describe('closing', () => {
  const closes = [
    [1000, 'Closing from client'], [1000, ''], [1001, 'going'], [1003, ''], [1011, 'broken'], [3000, 'library'],
    [4999, 'application'], [1000, `${'\uc885'.repeat(41)}`],
  ];
  for (const [code, reason] of closes) {
    test(`the server answers close ${code} "${reason.slice(0, 20)}" with the same`, async () => {
      const client = await Client.open();
      assert.deepEqual(await client.close(code, reason), { code, reason });
    });
  }

  test('a close without a code is answered without a code', async () => {
    const client = await Client.open();
    assert.deepEqual(await client.close(), { code: 1005, reason: '' });
  });

  test('echoes that are under way arrive before the answer to the close', async () => {
    const client = await Client.open();
    const payloads = [text(100), text(100_000), text(5)];
    for (const payload of payloads) client.socket.send(payload);
    client.socket.close(1000, 'done');
    const received = [];
    client.socket.on('message', (data) => received.push(data.toString()));
    assert.deepEqual(await within(client.closed, 'the close'), { code: 1000, reason: 'done' });
    assert.deepEqual(received.map((message) => message.length), payloads.map((payload) => payload.length));
  });
});

describe('sub-protocols', () => {
  test('the echo selects none of those offered, and ws, which offered them, says so', async () => {
    const client = new Client(['alpha', 'bravo']);
    client.closed.catch(() => {});  // the error below
    const upgraded = once(client.socket, 'upgrade');
    const failed = once(client.socket, 'error');
    const [response] = await within(upgraded, 'the answer to the handshake');
    assert.equal(response.statusCode, 101);
    assert.equal(response.headers['sec-websocket-protocol'], undefined);
    const [error] = await within(failed, 'the refusal of ws');
    assert.equal(error.message, 'Server sent no subprotocol');
  });
});

describe('many clients', () => {
  test('clients that die without a word do not disturb the others', async () => {
    const survivor = await Client.open();
    const dying = await Promise.all(Array.from({ length: 50 }, () => Client.open()));
    dying.forEach((client, index) => {
      client.socket.send(text(index * 1000));
      if (index % 3 === 0) client.socket.send('the beginning of a message', { fin: false });
      if (index % 2 === 0) client.socket.terminate();
      else client.socket._socket.resetAndDestroy();
    });
    await within(Promise.all(dying.map((client) => client.closed)), 'their end');
    await survivor.assertEchoes('still served');
    const newcomer = await Client.open();
    await newcomer.assertEchoes('served as well');
    await Promise.all([survivor.close(), newcomer.close()]);
  });

  test('a thousand connections at once each get their own echo', async () => {
    const clients = await Promise.all(Array.from({ length: 1000 }, () => Client.open()));
    clients.forEach((client, index) => client.socket.send(`client ${index}`));
    const echoes = await Promise.all(clients.map((client) => client.receive()));
    assert.deepEqual(echoes, clients.map((_, index) => `client ${index}`));
    const closes = await Promise.all(clients.map((client) => client.close(1000, 'done')));
    assert.ok(closes.every(({ code }) => code === 1000));
  });
});

test('the tool ends cleanly', () => tool.stop());
