// The HTTP/1.1 side of the tool over plain TCP: the echo page, what /ws answers to requests that are no WebSocket
// requests, keep-alive and pipelining up to and into the upgrade, and static files from a folder.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { expectedAccept, frame, handshake, opcodes, RawConnection, request, sampleKey } from './raw_connection.mjs';
import { requireEngine, serve } from './tool.mjs';

requireEngine();
const tool = await serve();
const here = { port: tool.port };
const page = readFileSync(fileURLToPath(new URL('../../samples/echo/wwwroot/index.html', import.meta.url)));

// One request on a connection of its own.
async function ask(method, target, headers, options) {
  const connection = await RawConnection.open(options?.where ?? here);
  connection.write(request(method, target, headers, options));
  const response = await connection.response({ head: method === 'HEAD' });
  connection.destroy();
  return response;
}

async function assertEchoes(connection, payload) {
  connection.write(frame({ opcode: opcodes.text, payload }));
  const expected = { fin: true, rsv: 0, opcode: opcodes.text, payload: Buffer.from(payload) };
  assert.deepEqual(await connection.frame(), expected);
}

describe('the page', () => {
  test('GET / answers with the echo page', async () => {
    const { status, headers, body } = await ask('GET', '/');
    assert.equal(status, 200);
    assert.match(headers.get('content-type'), /^text\/html(; ?charset=utf-8)?$/i);
    assert.match(headers.get('etag'), /^(W\/)?"[^"]+"$/);
    assert.ok(!Number.isNaN(Date.parse(headers.get('date'))), 'a Date');
    assert.ok(body.equals(page), 'the page as it stands in samples/echo/wwwroot');
  });

  test('HEAD / answers with the same headers and no body, and the connection goes on', async () => {
    const connection = await RawConnection.open(here);
    connection.write(request('HEAD', '/'));
    const head = await connection.response({ head: true });
    connection.write(request('GET', '/'));
    const get = await connection.response();
    connection.destroy();
    assert.equal(head.status, 200);
    assert.equal(head.headers.get('content-length'), String(page.length));
    for (const name of ['content-type', 'content-length', 'etag']) {
      assert.equal(head.headers.get(name), get.headers.get(name), name);
    }
  });

  test('a GET with the page\'s ETag is answered 304 without a body', async () => {
    const { headers } = await ask('GET', '/');
    const connection = await RawConnection.open(here);
    connection.write(request('GET', '/', [`If-None-Match: ${headers.get('etag')}`]), request('GET', '/nowhere'));
    assert.equal((await connection.response()).status, 304);
    assert.equal((await connection.response()).status, 404, 'nothing stands between the two responses');
    connection.destroy();
  });

  test('POST / is refused', async () => {
    const { status } = await ask('POST', '/', ['Content-Length: 3'], { body: 'abc' });
    assert.ok([404, 405].includes(status), `status ${status}`);
  });

  for (const target of ['/nowhere', '/ws/nowhere', '/index.htm']) {
    test(`GET ${target} is answered 404`, async () => {
      assert.equal((await ask('GET', target)).status, 404);
    });
  }

  test('a request without Host is answered 400', async () => {
    const connection = await RawConnection.open(here);
    connection.write('GET / HTTP/1.1\r\n\r\n');
    assert.equal((await connection.response()).status, 400);
    connection.destroy();
  });

  test('what is not HTTP is answered 400 and the connection ended', async () => {
    const connection = await RawConnection.open(here);
    connection.write('what is this?\r\n\r\n');
    assert.equal((await connection.response()).status, 400);
    await connection.ended();
  });

  for (const [what, status, target, headers] of [
    ['a request line of 9,000 bytes', 414, `/${'k'.repeat(9000)}`, []],
    ['a header of 40,000 bytes', 431, '/', [`X-Long: ${'k'.repeat(40_000)}`]],
    ['200 headers', 431, '/', Array.from({ length: 200 }, (_, index) => `X-${index}: k`)],
  ]) {
    test(`${what} is answered ${status}`, async () => {
      assert.equal((await ask('GET', target, headers)).status, status);
    });
  }

  test('Connection: close is obeyed', async () => {
    const connection = await RawConnection.open(here);
    connection.write(request('GET', '/', ['Connection: close']));
    assert.equal((await connection.response()).status, 200);
    await connection.ended();
  });
});

describe('pipelining', () => {
  test('the answers come in the order of the requests', async () => {
    const connection = await RawConnection.open(here);
    const round = [request('GET', '/'), request('GET', '/nowhere'), request('HEAD', '/'), request('GET', '/ws')];
    connection.write(...Array(10).fill(round).flat());
    for (let count = 0; count < 10; ++count) {
      const first = await connection.response();
      assert.ok(first.status === 200 && first.body.equals(page));
      assert.equal((await connection.response()).status, 404);
      assert.equal((await connection.response({ head: true })).status, 200);
      assert.equal((await connection.response()).status, 400);
    }
    connection.destroy();
  });

  test('an upgrade may be the last of the pipelined requests, with frames behind it in the same packet', async () => {
    const connection = await RawConnection.open(here);
    connection.write(request('GET', '/nowhere'), request('GET', '/ws', handshake()),
      frame({ opcode: opcodes.text, payload: 'early' }), frame({ opcode: opcodes.ping, payload: 'bird' }));
    assert.equal((await connection.response()).status, 404);
    assert.equal((await connection.response()).status, 101);
    const echo = await connection.frame();
    const pong = await connection.frame();
    const [text, control] = echo.opcode === opcodes.text ? [echo, pong] : [pong, echo];
    assert.equal(text.payload.toString(), 'early');
    assert.deepEqual([control.opcode, control.payload.toString()], [opcodes.pong, 'bird']);
    connection.destroy();
  });
});

describe('the upgrade', () => {
  test('a correct request is answered 101 with the accept key', async () => {
    const { status, headers } = await ask('GET', '/ws', handshake());
    assert.equal(status, 101);
    assert.match(headers.get('connection'), /^upgrade$/i);
    assert.match(headers.get('upgrade'), /^websocket$/i);
    assert.equal(headers.get('sec-websocket-accept'), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
    assert.equal(headers.get('sec-websocket-accept'), expectedAccept(sampleKey));
    assert.ok(!headers.has('content-length') && !headers.has('transfer-encoding'), 'a 101 has no body (RFC 9110 8.6)');
  });

  test('offered sub-protocols are not selected, for the echo speaks none', async () => {
    const { status, headers } = await ask('GET', '/ws', handshake({ 'Sec-WebSocket-Protocol': 'alpha, bravo' }));
    assert.equal(status, 101);
    assert.ok(!headers.has('sec-websocket-protocol'));
  });

  test('an unknown extension is not accepted', async () => {
    const { status, headers } = await ask('GET', '/ws', handshake({ 'Sec-WebSocket-Extensions': 'x-unheard-of; a=1' }));
    assert.equal(status, 101);
    assert.ok(!headers.has('sec-websocket-extensions'));
  });

  const accepted = {
    'with several members in Connection': { Connection: 'Upgrade, keep-alive' },
    'with several members in Upgrade': { Upgrade: 'websocket, example' },
    'in any letter case': { Connection: 'uPGRADE', Upgrade: 'WebSocket' },
    'with 13 among the versions': { 'Sec-WebSocket-Version': '8, 13' },
    'with Content-Length: 0': { 'Content-Length': '0' },
    'from any origin, unless origins are configured': { Origin: 'http://example.com' },
  };
  for (const [how, changes] of Object.entries(accepted)) {
    test(`a request ${how} is accepted`, async () => {
      assert.equal((await ask('GET', '/ws', handshake(changes))).status, 101);
    });
  }

  const refused = {
    'without Upgrade': { Upgrade: null },
    'for another protocol': { Upgrade: 'h2c' },
    'without Connection: Upgrade': { Connection: 'keep-alive' },
    'without a key': { 'Sec-WebSocket-Key': null },
    'with a blank key': { 'Sec-WebSocket-Key': '' },
    'with a key of 15 bytes': { 'Sec-WebSocket-Key': Buffer.alloc(15).toString('base64') },
    'with a key of 17 bytes': { 'Sec-WebSocket-Key': Buffer.alloc(17).toString('base64') },
    'with a key that is not base64': { 'Sec-WebSocket-Key': '!!!!!!!!!!!!!!!!!!!!!!==' },
    'without a version': { 'Sec-WebSocket-Version': null },
  };
  for (const [how, changes] of Object.entries(refused)) {
    test(`a request ${how} is answered 400, and the connection may upgrade afterwards`, async () => {
      const connection = await RawConnection.open(here);
      connection.write(request('GET', '/ws', handshake(changes)));
      assert.equal((await connection.response()).status, 400);
      connection.write(request('GET', '/ws', handshake()));
      assert.equal((await connection.response()).status, 101);
      await assertEchoes(connection, how);
      connection.destroy();
    });
  }

  test('version 12 is answered 426 with the version that is spoken (RFC 6455 section 4.4)', async () => {
    const { status, headers } = await ask('GET', '/ws', handshake({ 'Sec-WebSocket-Version': '12' }));
    assert.equal(status, 426);
    assert.equal(headers.get('sec-websocket-version'), '13');
  });

  test('a plain GET is answered 400', async () => {
    assert.equal((await ask('GET', '/ws')).status, 400);
  });

  test('a POST is answered 400, its body skipped, and the connection goes on', async () => {
    const connection = await RawConnection.open(here);
    for (const headers of [[], handshake()]) {
      connection.write(request('POST', '/ws', ['Content-Length: 5', ...headers], { body: 'hello' }));
      assert.equal((await connection.response()).status, 400);
    }
    const chunks = '5\r\nhello\r\n0\r\n\r\n';
    connection.write(request('POST', '/ws', ['Transfer-Encoding: chunked', ...handshake()], { body: chunks }));
    assert.equal((await connection.response()).status, 400);
    connection.write(request('GET', '/'));
    assert.equal((await connection.response()).status, 200);
    connection.destroy();
  });

  test('a GET with a body is no WebSocket request', async () => {
    assert.equal((await ask('GET', '/ws', handshake({ 'Content-Length': '1' }), { body: 'x' })).status, 400);
  });

  test('an HTTP/1.0 request is no WebSocket request', async () => {
    assert.equal((await ask('GET', '/ws', handshake(), { version: '1.0' })).status, 400);
  });

  test('another path serves a WebSocket request as the GET that it is', async () => {
    const { status, body } = await ask('GET', '/', handshake());
    assert.equal(status, 200);
    assert.ok(body.equals(page));
    assert.equal((await ask('GET', '/nowhere', handshake())).status, 404);
  });

  test('a connection that served requests is upgraded', async () => {
    const connection = await RawConnection.open(here);
    connection.write(request('GET', '/'));
    assert.ok((await connection.response()).body.equals(page));
    connection.write(request('GET', '/ws', handshake()));
    assert.equal((await connection.response()).status, 101);
    await assertEchoes(connection, 'after a GET');
    connection.destroy();
  });

  test('frames in the packet of the request are not lost, wherever the packet is cut', async () => {
    const payload = 'not lost';
    const message = frame({ opcode: opcodes.text, payload });
    const head = Buffer.from(request('GET', '/ws', handshake()));
    const whole = Buffer.concat([head, message]);
    for (const cut of [whole.length, whole.length - 1, head.length + 1, head.length, head.length - 1, 20]) {
      const connection = await RawConnection.open(here);
      connection.write(whole.subarray(0, cut));
      if (cut < whole.length) {
        // An answered request on another connection lets the first part arrive alone.
        await ask('HEAD', '/');
        connection.write(whole.subarray(cut));
      }
      assert.equal((await connection.response()).status, 101);
      assert.equal((await connection.frame()).payload.toString(), payload, `cut after ${cut} bytes`);
      connection.destroy();
    }
  });
});

describe('a folder as web root', () => {
  const folder = mkdtempSync(join(tmpdir(), 'windhover-root-'));
  const root = join(folder, 'root');
  const secret = 'this stands outside of the root';
  let files;

  test('the tool starts with --root', async () => {
    mkdirSync(join(root, 'sub'), { recursive: true });
    mkdirSync(join(root, 'bare'));
    writeFileSync(join(folder, 'secret.txt'), secret);
    writeFileSync(join(root, 'index.html'), '<p>root</p>');
    writeFileSync(join(root, 'sub', 'index.html'), '<p>sub</p>');
    writeFileSync(join(root, 'notes.txt'), '0123456789');
    writeFileSync(join(root, 'with space.txt'), 'space');
    writeFileSync(join(root, 'style.css'), 'p {}');
    writeFileSync(join(root, 'code.js'), 'let a;');
    writeFileSync(join(root, '.hidden.txt'), secret);
    symlinkSync(join(folder, 'secret.txt'), join(root, 'link.txt'));
    symlinkSync(folder, join(root, 'linked'));
    files = await serve({ options: ['--root', root] });
  });

  const get = (target, headers, method = 'GET') => ask(method, target, headers, { where: { port: files.port } });

  test('files come with their content types, folders with their default document', async () => {
    const expected = [
      ['/', /^text\/html/, '<p>root</p>'],
      ['/index.html', /^text\/html/, '<p>root</p>'],
      ['/sub/', /^text\/html/, '<p>sub</p>'],
      ['/notes.txt', /^text\/plain/, '0123456789'],
      ['/notes.txt?version=2', /^text\/plain/, '0123456789'],
      ['/with%20space.txt', /^text\/plain/, 'space'],
      ['/style.css', /^text\/css/, 'p {}'],
      ['/code.js', /^(text|application)\/javascript/, 'let a;'],
    ];
    for (const [target, type, body] of expected) {
      const response = await get(target);
      assert.equal(response.status, 200, target);
      assert.match(response.headers.get('content-type'), type);
      assert.equal(response.body.toString(), body);
    }
    assert.equal((await get('/bare/')).status, 404, 'no listing of a folder');
    assert.equal((await get('/missing.txt')).status, 404);
  });

  const escapes = [
    '/../secret.txt', '/sub/../../secret.txt', '/%2e%2e/secret.txt', '/%2E%2E%2Fsecret.txt', '/..%2fsecret.txt',
    '/sub/..%2f..%2fsecret.txt', '/..%5csecret.txt', '/..\\secret.txt', '//../secret.txt', '/./../secret.txt',
    '/%252e%252e/secret.txt', '/..%00/secret.txt', '/notes.txt%00.html', '/link.txt', '/linked/secret.txt',
    '/.hidden.txt', '/sub/../.hidden.txt', '/%2ehidden.txt',
  ];
  for (const target of escapes) {
    test(`GET ${target} gives nothing away`, async () => {
      const { status, body } = await get(target);
      assert.ok(status >= 400 && status < 500, `status ${status}`);
      assert.ok(!body.includes(secret));
    });
  }

  test('an absolute path does not leave the root', async () => {
    const { status } = await get(`/${folder}/secret.txt`);
    assert.ok(status >= 400 && status < 500, `status ${status}`);
  });

  test('conditional requests are answered 304 by ETag and by date', async () => {
    const { headers } = await get('/notes.txt');
    assert.equal((await get('/notes.txt', [`If-None-Match: ${headers.get('etag')}`])).status, 304);
    assert.equal((await get('/notes.txt', ['If-None-Match: "another"'])).status, 200);
    assert.equal((await get('/notes.txt', [`If-Modified-Since: ${headers.get('last-modified')}`])).status, 304);
  });

  test('a range is answered 206 with that part', async () => {
    const { status, headers, body } = await get('/notes.txt', ['Range: bytes=2-5']);
    assert.equal(status, 206);
    assert.equal(headers.get('content-range'), 'bytes 2-5/10');
    assert.equal(body.toString(), '2345');
  });

  test('a range beyond the end is answered 416', async () => {
    const { status, headers } = await get('/notes.txt', ['Range: bytes=10-']);
    assert.equal(status, 416);
    assert.equal(headers.get('content-range'), 'bytes */10');
  });

  test('/ws echoes beside the files', async () => {
    const connection = await RawConnection.webSocket({ port: files.port });
    await assertEchoes(connection, 'beside the files');
    connection.destroy();
  });

  test('the tool ends cleanly', async () => {
    await files.stop();
    rmSync(folder, { recursive: true });
  });
});

test('the tool ends cleanly', () => tool.stop());
