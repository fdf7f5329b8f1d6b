// npm's ws with permessage-deflate against the tool's echo: every parameter, random messages, byte for byte.

import assert from 'node:assert/strict';
import { on, once } from 'node:events';
import { describe, test } from 'node:test';

import WebSocket from 'ws';

import { within } from './bounded.mjs';
import { bytes, randomNumbers, text } from './payloads.mjs';
import { requireEngine, serve } from './tool.mjs';

requireEngine();
const tool = await serve({ options: ['--compress'] });
const plainTool = await serve();

// Other messages in every run, unless WINDHOVER_SEED says which; each connection has numbers of its own.
const seed = Number(process.env.WINDHOVER_SEED ?? Date.now() % 2 ** 32);
console.log(`the messages follow from WINDHOVER_SEED=${seed}`);
const generator = (which) => randomNumbers(seed + which);

// Noise, text that compresses well, text of one letter, nothing.
function randomMessage(below) {
  const size = below(4) === 0 ? below(100_000) : below(600);
  switch (below(4)) {
    case 0: return bytes(size);
    case 1: return text(size);
    case 2: return 'a'.repeat(size);
    default: return below(3) === 0 ? '' : JSON.stringify({ id: below(1000), value: below(1000) / 7, name: 'kestrel' });
  }
}

class Client {
  constructor(options, url = tool.webSocketUrl) {
    this.socket = new WebSocket(url, { perMessageDeflate: options });
    this.messages = on(this.socket, 'message', { close: ['close'] });
    this.closed = once(this.socket, 'close').then(([code, reason]) => ({ code, reason: reason.toString() }));
  }

  static async open(options, url) {
    const client = new Client(options, url);
    const upgraded = once(client.socket, 'upgrade');
    await within(once(client.socket, 'open'), 'an open WebSocket');
    const [response] = await upgraded;
    client.agreed = response.headers['sec-websocket-extensions'];
    return client;
  }

  async assertReceives(payload) {
    const { done, value } = await within(this.messages.next(), 'a message');
    if (done) throw new Error('the WebSocket was closed instead of a message');
    const [data, binary] = value;
    assert.equal(binary, typeof payload !== 'string', 'text comes back as text, binary as binary');
    assert.equal(data.length, Buffer.byteLength(payload));
    assert.ok(data.equals(Buffer.from(payload)), 'an unchanged echo');
  }

  async close() {
    this.socket.close(1000, 'done');
    assert.deepEqual(await within(this.closed, 'the end of the close handshake'), { code: 1000, reason: 'done' });
  }
}

const sets = [
  [{}, 'permessage-deflate; client_max_window_bits=15'],
  [{ serverNoContextTakeover: true }, 'server_no_context_takeover'],
  [{ clientNoContextTakeover: true }, 'client_no_context_takeover'],
  [{ serverNoContextTakeover: true, clientNoContextTakeover: true }, 'server_no_context_takeover'],
  [{ serverMaxWindowBits: 9 }, 'server_max_window_bits=9'],
  [{ serverMaxWindowBits: 12, serverNoContextTakeover: true }, 'server_max_window_bits=12'],
  [{ clientMaxWindowBits: 9 }, 'client_max_window_bits=9'],
  [{ clientMaxWindowBits: 8 }, 'client_max_window_bits=8'],
  [{ clientMaxWindowBits: 11, clientNoContextTakeover: true }, 'client_max_window_bits=11'],
  [{ serverMaxWindowBits: 10, clientMaxWindowBits: 10, zlibDeflateOptions: { level: 9, memLevel: 1 } },
    'server_max_window_bits=10'],
  [{ serverMaxWindowBits: 15, clientMaxWindowBits: 15, zlibDeflateOptions: { level: 1 } }, 'server_max_window_bits=15'],
];

describe('messages', () => {
  for (const [which, [options, expected]] of sets.entries()) {
    test(`come back with ${JSON.stringify(options)}`, async () => {
      const client = await Client.open({ threshold: 0, ...options });
      assert.ok(client.agreed.includes(expected), client.agreed);
      const below = generator(which);
      const payloads = Array.from({ length: 200 }, () => randomMessage(below));
      for (const payload of payloads) client.socket.send(payload, { compress: below(5) !== 0 });
      for (const payload of payloads) await client.assertReceives(payload);
      await client.close();
    });
  }

  test('of 10 MB come back', async () => {
    const client = await Client.open({ threshold: 0 });
    for (const payload of [bytes(10 * 1024 * 1024), text(10 * 1024 * 1024), 'z'.repeat(10 * 1024 * 1024)]) {
      client.socket.send(payload);
      await client.assertReceives(payload);
    }
    await client.close();
  });

  test('in fragments come back whole, with pings between them', async () => {
    const client = await Client.open({ threshold: 0 });
    for (const size of [1, 7, 1000]) {
      const whole = text(10 * size);
      const octets = Buffer.from(whole);
      for (let start = 0; start < octets.length; start += size) {
        const fin = start + size >= octets.length;
        client.socket.send(octets.subarray(start, start + size), { binary: false, compress: true, fin });
        client.socket.ping('between');
      }
      await client.assertReceives(whole);
    }
    await client.close();
  });
});

describe('without agreement', () => {
  test('a server that was not told to compress declines, and messages come back', async () => {
    const client = await Client.open({ threshold: 0 }, plainTool.webSocketUrl);
    assert.equal(client.agreed, undefined);
    const below = generator(sets.length);
    const payloads = Array.from({ length: 200 }, () => randomMessage(below));
    for (const payload of payloads) client.socket.send(payload);
    for (const payload of payloads) await client.assertReceives(payload);
    await client.close();
  });

  test('a client that does not offer is served without', async () => {
    const client = await Client.open(false);
    assert.equal(client.agreed, undefined);
    client.socket.send(text(5000));
    await client.assertReceives(text(5000));
    await client.close();
  });

  test('a window of 8 for the server is declined: zlib cannot deflate with it', async () => {
    const client = await Client.open({ serverMaxWindowBits: 8 });
    assert.equal(client.agreed, undefined);
    client.socket.send(text(5000));
    await client.assertReceives(text(5000));
    await client.close();
  });
});

describe('limits', () => {
  test('a bomb is stopped at the limit and disturbs nobody', async () => {
    const small = await serve({ options: ['--compress', '--max-message-size', '100000'] });
    const other = await Client.open({ threshold: 0 }, small.webSocketUrl);
    const client = await Client.open({ threshold: 0 }, small.webSocketUrl);
    client.socket.on('error', () => {});
    client.socket.send(Buffer.alloc(10_000_000));
    const { code } = await within(client.closed, 'the close');
    assert.equal(code, 1009);
    other.socket.send(text(99_999));
    await other.assertReceives(text(99_999));
    await other.close();
    await small.stop();
  });

  test('many clients at once each get their own echo', async () => {
    const clients = await Promise.all(Array.from({ length: 100 }, (_, index) =>
      Client.open({ threshold: 0, serverNoContextTakeover: index % 2 === 0, clientNoContextTakeover: index % 3 === 0 })));
    for (let round = 0; round < 10; ++round) {
      clients.forEach((client, index) => client.socket.send(text(index * 50 + round)));
      await Promise.all(clients.map((client, index) => client.assertReceives(text(index * 50 + round))));
    }
    await Promise.all(clients.map((client) => client.close()));
  });
});

test('the tools end cleanly', () => Promise.all([tool.stop(), plainTool.stop()]));
