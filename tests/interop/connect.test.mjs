// The tool against itself: `windhover connect` and `windhover echo-client` with the echo of `windhover serve`, over TCP, a
// Unix socket and a proxy.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';

import { within } from './bounded.mjs';
import { ended, engine, requireEngine, run, runWith, serve, start } from './tool.mjs';

requireEngine();
const folder = mkdtempSync(join(tmpdir(), 'windhover-connect-'));
after(() => rmSync(folder, { recursive: true }));
const socketPath = join(folder, 'echo.sock');
const tool = await serve({ urls: `http://127.0.0.1:0;http://unix:${socketPath}` });
const options = engine ? ['--engine', engine] : [];
const connect = (input, url, ...further) => runWith(input, 'connect', url, ...options, ...further);
const lines = (count) => Array.from({ length: count }, (_, number) => `line ${number}\n`).join('');

describe('in a pipe', () => {
  test('everything comes back before the close is answered', async () => {
    const input = lines(20_000);
    const { code, stdout, stderr } = await connect(input, tool.webSocketUrl);
    assert.equal(stdout, input);
    assert.equal(stderr, 'connected\nclosed: 1000\n');
    assert.equal(code, 0);
  });

  test('a Unix socket does as well', async () => {
    const input = lines(100);
    const { code, stdout } = await connect(input, `ws://unix:${socketPath}:/ws`);
    assert.deepEqual([code, stdout], [0, input]);
  });
});

describe('what goes wrong is said in one line', () => {
  const cases = [
    ['https://localhost:1/', /^windhover: .* the scheme must be ws or wss; write it as ws:\/\/example.com\/path\n$/],
    ['localhost:1', /^windhover: .* the scheme is missing; write it as ws:\/\/example.com\/path\n$/],
    [`ws://unix:${socketPath}.nowhere:/ws`, /^windhover: no WebSocket to .*: No such file or directory\n$/],
    ['ws://127.0.0.1:1/ws', /^windhover: no WebSocket to ws:\/\/127.0.0.1:1: 127.0.0.1:1: Connection refused\n$/],
  ];
  for (const [url, said] of cases) {
    test(url.replace(socketPath, 'PATH'), async () => {
      for (const command of ['connect', 'echo-client']) {
        const { code, stdout, stderr } = await run(command, url, ...options);
        assert.match(stderr, said);
        assert.deepEqual([code, stdout], [1, '']);
      }
    });
  }

  test('an option that cannot be', async () => {
    const header = await connect('', tool.webSocketUrl, '--header', 'no colon');
    assert.deepEqual([header.code, header.stderr],
                     [1, "windhover: 'no colon' is no header; write it as 'Name: value'\n"]);
    const protocols = await connect('', tool.webSocketUrl, '--subprotocol', 'a', '--subprotocol', 'A');
    assert.deepEqual([protocols.code, protocols.stderr],
                     [1, 'windhover: WebSocket handshake: this sub-protocol is named twice: A\n']);
  });
});

// A proxy of the simplest kind, for whoever knows the password.
async function startProxy() {
  const seen = [];
  const proxy = createServer();
  proxy.on('connect', (request, client, head) => {
    seen.push(`${request.url} ${request.headers['proxy-authorization']}`);
    if (request.headers['proxy-authorization'] !== `Basic ${Buffer.from('user:s e').toString('base64')}`) {
      client.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 6\r\n\r\nlog in');
      return;
    }
    const [host, port] = request.url.split(':');
    const server = connectSocket(Number(port), host, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      server.write(head);
      server.pipe(client).pipe(server);
    });
    for (const socket of [server, client]) socket.on('error', () => {});
  });
  proxy.listen(0, '127.0.0.1');
  await within(once(proxy, 'listening'), 'the proxy');
  after(() => proxy.close());
  return { seen, port: proxy.address().port };
}

describe('through a proxy', () => {
  test('the echo is reached, and the proxy knows who asks', async () => {
    const proxy = await startProxy();
    const { code, stdout } = await connect('one\ntwo\n', tool.webSocketUrl, '--proxy',
                                           `http://user:s%20e@127.0.0.1:${proxy.port}`);
    assert.deepEqual([code, stdout], [0, 'one\ntwo\n']);
    assert.deepEqual(proxy.seen, [`127.0.0.1:${tool.port} Basic dXNlcjpzIGU=`]);
  });

  test('its refusal is said', async () => {
    const proxy = await startProxy();
    const { code, stderr } = await connect('', tool.webSocketUrl, '--proxy', `http://127.0.0.1:${proxy.port}`);
    assert.equal(stderr, `windhover: no WebSocket to ws://127.0.0.1:${tool.port}: the proxy answered with 407 Proxy ` +
      'Authentication Required instead of opening a tunnel\nlog in\n');
    assert.equal(code, 1);
  });
});

test('a server that stops says so, and that is a proper end', async () => {
  const client = start('connect', tool.webSocketUrl, ...options);
  client.write('hello\n');
  await client.wrote(({ stdout }) => stdout === 'hello\n', 'an echo');
  await tool.stop();
  const { code, stderr } = await ended(client);
  assert.deepEqual([code, stderr], [0, "connected\nclosed: 1001 'the server is shutting down'\n"]);
});
