// HTTP/2 in clear text, which its clients know beforehand (RFC 9113, section 3.3): curl, nghttp and h2load from Debian,
// and the client of Node.js for what they do not do, WebSockets (RFC 8441).

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http2 from 'node:http2';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { within } from './bounded.mjs';
import { bytes } from './payloads.mjs';
import { closeFrame, frame, opcodes } from './raw_connection.mjs';
import { requireEngine, serve } from './tool.mjs';

requireEngine();
const tool = await serve();
const page = readFileSync(fileURLToPath(new URL('../../samples/echo/wwwroot/index.html', import.meta.url)));
const run = promisify(execFile);
const limits = { timeout: 60_000, maxBuffer: 1 << 26, encoding: 'buffer' };

async function connected() {
  const session = http2.connect(tool.url);
  await within(once(session, 'remoteSettings'), 'the settings of the server');
  return session;
}

// What comes back on a stream, as far as it has come.
function collect(stream) {
  const seen = { headers: null, data: Buffer.alloc(0), ended: false, look: () => {} };
  stream.on('response', (headers) => { seen.headers = headers; seen.look(); });
  stream.on('data', (piece) => { seen.data = Buffer.concat([seen.data, piece]); seen.look(); });
  stream.on('end', () => { seen.ended = true; seen.look(); });
  return seen;
}

async function until(seen, done) {
  while (!done()) await within(new Promise((resolve) => { seen.look = resolve; }), 'more of a stream');
}

describe('requests', () => {
  test('curl gets the page over HTTP/2', async () => {
    const { stdout, stderr } = await run('curl', ['--silent', '--http2-prior-knowledge', '--write-out',
      '%{stderr}%{http_version}', `${tool.url}/`], limits);
    assert.ok(stdout.equals(page));
    assert.equal(stderr.toString(), '2');
  });

  test('curl says that it was HTTP/2, with the fields of an ordinary answer', async () => {
    const { stdout } = await run('curl', ['--silent', '--head', '--http2-prior-knowledge', `${tool.url}/`], limits);
    const head = stdout.toString();
    assert.match(head, /^HTTP\/2 200/);
    assert.match(head, /^content-type: text\/html/m);
    assert.match(head, /^date: /m);
    assert.doesNotMatch(head, /^(connection|transfer-encoding):/mi);
  });

  test('nghttp gets the page, and what it does not find', async () => {
    const { stdout } = await run('nghttp', ['--no-dep', `${tool.url}/`], limits);
    assert.ok(stdout.equals(page));
    const { stdout: verbose } = await run('nghttp', ['--verbose', '--null-out', `${tool.url}/nothing`], limits);
    assert.match(verbose.toString(), /:status: 404/);
    assert.match(verbose.toString(), /SETTINGS_ENABLE_CONNECT_PROTOCOL\(0x08\):1/);
  });

  test('h2load gets ten thousand pages over ten connections without a failure', async () => {
    const { stdout } = await run('h2load', ['--requests=10000', '--clients=10', '--max-concurrent-streams=20', `${tool.url}/`],
      limits);
    assert.match(stdout.toString(), /10000 total, 10000 started, 10000 done, 10000 succeeded, 0 failed/);
    assert.match(stdout.toString(), /10000 2xx/);
  });
});

describe('WebSockets', () => {
  const request = {
    ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/ws', ':scheme': 'http', ':authority': 'localhost',
    'sec-websocket-version': '13',
  };
  const textFrame = (text) => frame({ opcode: opcodes.text, payload: text });
  const echoed = (text) => Buffer.concat([Buffer.from([0x81, text.length]), Buffer.from(text)]);

  test('the server says that it takes them', async () => {
    const session = await connected();
    assert.equal(session.remoteSettings.enableConnectProtocol, true);
    session.close();
  });

  test('a socket echoes, and is closed in both directions', async () => {
    const session = await connected();
    const stream = session.request(request, { endStream: false });
    const seen = collect(stream);
    await until(seen, () => seen.headers);
    assert.equal(seen.headers[':status'], 200);
    assert.equal(seen.headers['sec-websocket-accept'], undefined);
    stream.write(textFrame('hello'));
    await until(seen, () => seen.data.length === 7);
    assert.deepEqual(seen.data, echoed('hello'));
    stream.end(closeFrame(1000));
    await until(seen, () => seen.ended);
    assert.deepEqual(seen.data.subarray(7), Buffer.from([0x88, 2, 0x03, 0xe8]));
    session.close();
  });

  test('a message that is larger than every window comes back whole', async () => {
    const session = await connected();
    const stream = session.request({ ...request }, { endStream: false });
    const seen = collect(stream);
    await until(seen, () => seen.headers);
    const payload = bytes(5 * 1024 * 1024);
    stream.write(frame({ opcode: opcodes.binary, payload }));
    await until(seen, () => seen.data.length === payload.length + 10);
    assert.ok(seen.data.subarray(10).equals(payload));
    stream.close();
    session.close();
  });

  test('fifty sockets and requests share one connection', async () => {
    const session = await connected();
    const sockets = Array.from({ length: 50 }, () => {
      const stream = session.request(request, { endStream: false });
      return { stream, seen: collect(stream) };
    });
    for (const [index, { stream }] of sockets.entries()) stream.write(textFrame(`socket ${index}`));
    const got = collect(session.request({ ':path': '/' }));
    for (const [index, { stream, seen }] of sockets.entries()) {
      const expected = echoed(`socket ${index}`);
      await until(seen, () => seen.data.length >= expected.length);
      assert.deepEqual(seen.data, expected);
    }
    // A reset of one is nobody else's business.
    sockets[0].stream.close(http2.constants.NGHTTP2_CANCEL);
    sockets[1].stream.write(textFrame('again'));
    const { stream, seen } = sockets[1];
    await until(seen, () => seen.data.length === echoed('socket 1').length + 7);
    await until(got, () => got.ended);
    assert.ok(got.data.equals(page));
    session.destroy();
  });

  test('what is no WebSocket request is told so', async () => {
    const session = await connected();
    const stream = session.request({ ...request, 'sec-websocket-version': '8' });
    const seen = collect(stream);
    await until(seen, () => seen.headers);
    assert.equal(seen.headers[':status'], 426);
    assert.equal(seen.headers['sec-websocket-version'], '13');
    assert.equal(seen.headers.upgrade, undefined);
    session.destroy();
  });
});

test('a server that stops says goodbye to a connection with a socket on it', async () => {
  const own = await serve();
  const session = http2.connect(own.url);
  const goaway = once(session, 'goaway');
  const stream = session.request({ ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/ws', 'sec-websocket-version': '13' },
    { endStream: false });
  const seen = collect(stream);
  await until(seen, () => seen.headers);
  const stopped = own.stop();
  await until(seen, () => seen.data.length > 4);
  assert.deepEqual(seen.data.subarray(2, 4), Buffer.from([0x03, 0xe9]));
  stream.end(closeFrame(1001));
  const [code] = await within(goaway, 'GOAWAY');
  assert.equal(code, 0);
  await stopped;
});

test('the tool ends cleanly', async () => { await tool.stop(); });
