// The tool's commands that connect, against a foreign server: npm's ws, Debian's python3-websockets, Kestrel or
// Boost.Beast, as WINDHOVER_PEER says; Kestrel over HTTP/2 as well. Each server has the same paths:
//
//   /drive    sends messages of all sizes, fragments and pings, looks at the echoes, and closes with 1000 'done' or with
//             4999 and what was wrong
//   /echo     echoes, and answers the close
//   /binary   sends the bytes 00 ff 10 and closes
//   /seen     sends what it has seen, "origin x-test path?query", and closes
//   /close    closes with 4321 'Grüße'
//   /drop     sends 'speak', and ends the connection without a close as soon as it has got a message
//   /refuse   answers the handshake with 401, /missing with 404
//
// and chooses the sub-protocol bravo when it is offered, and permessage-deflate.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, describe, test } from 'node:test';

import { within } from './bounded.mjs';
import { text } from './payloads.mjs';
import { ended, engine, requireEngine, run, runWith, start } from './tool.mjs';

requireEngine();

const peers = {
  ws: [process.execPath, 'servers/ws_server.mjs'],
  python: ['/usr/bin/python3', 'python/websockets_server.py'],
  beast: [process.env.WINDHOVER_BEAST],
  kestrel: ['dotnet', process.env.WINDHOVER_KESTREL],
  kestrel_http2: ['dotnet', process.env.WINDHOVER_KESTREL],
};
const overHttp2 = process.env.WINDHOVER_PEER.endsWith('http2');
const [command, ...args] = peers[process.env.WINDHOVER_PEER];
const server = spawn('setpriv', ['--pdeathsig', 'KILL', command, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
after(() => server.stdin.end());
const port = await within(new Promise((resolve, reject) => {
  let seen = '';
  server.stdout.setEncoding('utf8').on('data', (piece) => {
    seen += piece;
    if (seen.endsWith('\n')) resolve(Number(seen));
  });
  server.on('exit', () => reject(new Error('the server has ended')));
}), 'the server');

const options = [...(engine ? ['--engine', engine] : []), ...(overHttp2 ? ['--protocols', 'http2'] : [])];
const expected = overHttp2 ? 200 : 101;
const url = (path) => `ws://127.0.0.1:${port}${path}`;
const connect = (input, path, ...further) => runWith(input, 'connect', url(path), ...options, ...further);

// As at a terminal: the input ends when all echoes are there. Some servers answer a close before the messages before it.
async function converse(input, path, ...further) {
  const tool = start('connect', url(path), ...options, ...further);
  tool.write(input);
  await tool.wrote(({ stdout }) => stdout.length >= input.length, 'all echoes');
  tool.end();
  return ended(tool);
}

describe('echo-client', () => {
  test('everything that the server sends comes back', async () => {
    const { code, stderr } = await run('echo-client', url('/drive'), ...options);
    assert.equal(stderr, "closed: 1000 'done'\n");
    assert.equal(code, 0);
  });

  test('everything comes back compressed as well', async () => {
    const { code, stderr } = await run('echo-client', url('/drive'), '--compress', ...options);
    assert.equal(stderr, "closed: 1000 'done'\n");
    assert.equal(code, 0);
  });

  test('it ends with 0 however the connection ends', async () => {
    const closed = await run('echo-client', url('/close'), ...options);
    assert.deepEqual([closed.code, closed.stderr], [0, "closed: 4321 'Gr\u00fc\u00dfe'\n"]);
    const dropped = await run('echo-client', url('/drop'), ...options);
    assert.deepEqual([dropped.code, dropped.stderr], [0, 'closed: 1006 (the connection was lost)\n']);
  });

  test('without a server it ends with 1', async () => {
    const { code, stderr } = await run('echo-client', url('/missing'), ...options);
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`status 404 .*when ${expected} was expected`));
  });
});

describe('connect', () => {
  test('lines of the input become messages, and messages lines of the output', async () => {
    const input = Array.from({ length: 2000 }, (_, number) => `line ${number}\n`).join('');
    const { code, stdout, stderr } = await converse(input, '/echo');
    assert.equal(stdout, input);
    assert.equal(stderr, 'connected\nclosed: 1000\n');
    assert.equal(code, 0);
  });

  test('an empty input closes properly', async () => {
    const { code, stdout } = await connect('', '/echo');
    assert.deepEqual([code, stdout], [0, '']);
  });

  test('an empty line is an empty message', async () => {
    const { stdout } = await converse('\n\na\n', '/echo');
    assert.equal(stdout, '\n\na\n');
  });

  test('the last line needs no end', async () => {
    const { stdout } = await connect('hello', '/drop');
    assert.equal(stdout, 'speak\n');
  });

  test('a line of a megabyte goes there and back', async () => {
    const line = `${text(1_000_000)}\n`;
    const { code, stdout } = await converse(line, '/echo');
    assert.equal(code, 0);
    assert.ok(stdout === line);
  });

  test('binary messages are shown in hexadecimal', async () => {
    const { code, stdout } = await connect(null, '/binary');
    assert.deepEqual([code, stdout], [0, '00ff10\n']);
  });

  test('headers, origin and query arrive', async () => {
    const { code, stdout } = await connect(null, '/seen?a=b%20c', '--header', 'X-Test: one two', '--origin',
                                           'https://example.com');
    assert.deepEqual([code, stdout], [0, 'https://example.com one two /seen?a=b%20c\n']);
  });

  test('the sub-protocol that the server chose is said', async () => {
    const { code, stderr } = await connect('', '/echo', '--subprotocol', 'alpha', '--subprotocol', 'bravo');
    assert.equal(stderr, 'connected, sub-protocol bravo\nclosed: 1000\n');
    assert.equal(code, 0);
  });

  test('compression is said where it is agreed', async () => {
    const input = `${'the same '.repeat(1000)}\n`.repeat(20);
    const { code, stdout, stderr } = await converse(input, '/echo', '--compress');
    assert.match(stderr, /^connected, permessage-deflate[^\n]*\nclosed: 1000\n$/);
    assert.equal(stdout, input);
    assert.equal(code, 0);
  });

  test('a close of the server ends it, though the input goes on', async () => {
    const { code, stderr } = await connect(null, '/close');
    assert.equal(stderr, "connected\nclosed: 4321 'Gr\u00fc\u00dfe'\n");
    assert.equal(code, 2);
  });

  test('a lost connection is said', async () => {
    const tool = start('connect', url('/drop'), ...options);
    tool.write('hello\n');
    const { code, stdout, stderr } = await ended(tool);
    assert.equal(stdout, 'speak\n');
    assert.equal(stderr, 'connected\nclosed: 1006 (the connection was lost)\n');
    assert.equal(code, 2);
  });

  test('a refusal is said with status and body', async () => {
    const { code, stderr } = await connect('', '/refuse');
    assert.equal(code, 1);
    const reason = overHttp2 ? '' : 'Unauthorized ';  // which HTTP/2 has no place for
    assert.equal(stderr, `windhover: no WebSocket to ws://127.0.0.1:${port}: the server answered with status 401 ` +
      `${reason}(WWW-Authenticate: Bearer) when ${expected} was expected\nwho are you?\n`);
  });

  test('a line that is no text is said, and nothing is sent', async () => {
    const { code, stderr } = await connect(Buffer.from([0x61, 0x0a, 0xff, 0x0a]), '/echo');
    assert.equal(code, 1);
    assert.match(stderr, /line 2 of the input is not valid UTF-8/);
  });
});
