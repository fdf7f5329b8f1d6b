// The tool as a process: how it starts, what it says when it cannot, and how it stops.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { closeFrame, frame, opcodes, RawConnection, request } from './raw_connection.mjs';
import { requireEngine, run, serve } from './tool.mjs';

requireEngine();

const repeat = (count, make) => Promise.all(Array.from({ length: count }, make));

describe('start', () => {
  test('--version names the program and its version', async () => {
    const { code, stdout } = await run('--version');
    assert.equal(code, 0);
    assert.match(stdout, /^windhover \d+\.\d+\.\d+\s*$/);
  });

  test('the start is told, and with which engine', async () => {
    const tool = await serve();
    const last = 'Application started. Press Ctrl+C to shut down.';
    await tool.wrote(({ output }) => output.includes(last), 'its last start line');
    assert.match(tool.output, new RegExp(process.env.WINDHOVER_ENGINE ?? 'io_uring|epoll'));
    await tool.stop();
  });

  test('with --busy-poll it says so, and serves', async () => {
    const tool = await serve({ options: ['--busy-poll', '50', '--threads', '1'] });
    assert.match(tool.output, /on 1 thread, looking for events for 50 us before sleeping/);
    const connection = await RawConnection.webSocket({ port: tool.port });
    for (const payload of ['one', 'two', 'three']) {
      connection.write(frame({ opcode: opcodes.text, payload }));
      assert.equal((await connection.frame()).payload.toString(), payload);
    }
    connection.destroy();
    await tool.stop();
  });

  const ipv6 = Object.values(networkInterfaces()).flat().some(({ address }) => address === '::1');
  const skip = !ipv6 && 'no IPv6 here';
  test('several URLs are listened on, IPv6 and Unix-domain sockets too', { skip }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'windhover-socket-'));
    const path = join(folder, 'socket');
    const tool = await serve({ urls: `http://127.0.0.1:0;http://[::1]:0;unix:${path}` });
    const port = (pattern) => Number(pattern.exec(tool.urls.join(' '))[1]);
    const places = [
      { port: port(/127\.0\.0\.1:(\d+)/) },
      { host: '::1', port: port(/\[::1\]:(\d+)/) },
      { path, host: undefined },
    ];
    for (const where of places) {
      const connection = await RawConnection.webSocket(where);
      connection.write(frame({ opcode: opcodes.text, payload: 'here' }));
      assert.equal((await connection.frame()).payload.toString(), 'here');
      connection.destroy();
    }
    await tool.stop();
    rmSync(folder, { recursive: true });
  });
});

describe('a start that fails', () => {
  // One line on stderr for a person, exit code 1, and no sign of life on stdout.
  async function assertRefuses(args, pattern) {
    const { code, stdout, stderr } = await run(...args);
    assert.equal(code, 1, stderr);
    assert.match(stderr, pattern);
    assert.equal(stderr.trim().split('\n').length, 1, `one line:\n${stderr}`);
    assert.doesNotMatch(stdout, /Now listening on/);
  }

  test('a port in use', async () => {
    const holder = net.createServer();
    await new Promise((resolve) => { holder.listen(0, '127.0.0.1', resolve); });
    const { port } = holder.address();
    await assertRefuses(['serve', '--urls', `http://127.0.0.1:${port}`], new RegExp(`127\\.0\\.0\\.1:${port}`));
    holder.close();
  });

  test('a port in use by another windhover', async () => {
    const tool = await serve();
    await assertRefuses(['serve', '--urls', tool.url], new RegExp(`127\\.0\\.0\\.1:${tool.port}`));
    await tool.stop();
  });

  test('a bad URL', () => assertRefuses(['serve', '--urls', 'nonsense'], /nonsense/));

  test('a web root that is not there', () => assertRefuses(
    ['serve', '--urls', 'http://127.0.0.1:0', '--root', '/nowhere/at/all'], /\/nowhere\/at\/all/));

  for (const [what, args, word] of [
    ['an unknown option', ['--nonsense', '1'], /nonsense/],
    ['an unknown engine', ['--engine', 'steam'], /engine/],
    ['a number that is none', ['--threads', 'many'], /threads/],
    ['a number that is too large', ['--busy-poll', '1000001'], /busy-poll.*1000000/],
  ]) {
    test(what, async () => {
      const { code, stdout, stderr } = await run('serve', '--urls', 'http://127.0.0.1:0', ...args);
      assert.ok(code > 0, 'an exit code that says failure');
      assert.match(stderr, word);
      assert.doesNotMatch(stdout, /Now listening on/);
    });
  }
});

describe('stop', () => {
  for (const signal of ['SIGTERM', 'SIGINT']) {
    test(`${signal} closes every open socket with 1001 and ends the process with 0`, async () => {
      const tool = await serve();
      const where = { port: tool.port };
      const connections = await repeat(20, () => RawConnection.webSocket(where));
      // An answered message says that the handler runs; half a message, that the stop does not wait for the other half.
      for (const connection of connections) {
        connection.write(frame({ opcode: opcodes.text, payload: 'hello' }));
        assert.equal((await connection.frame()).payload.toString(), 'hello');
      }
      connections[0].write(frame({ opcode: opcodes.text, payload: 'half', fin: false }));
      tool.signal(signal);
      for (const connection of connections) {
        assert.equal((await connection.closing()).code, 1001);
        connection.write(closeFrame(1001));
        await connection.ended();
      }
      assert.deepEqual(await tool.exited(), { code: 0, signal: null }, tool.output);
    });
  }

  test('idle HTTP connections and half a request do not hold it up', async () => {
    const tool = await serve();
    const where = { port: tool.port };
    const idle = await RawConnection.open(where);
    idle.write(request('GET', '/'));
    await idle.response();
    const silent = await RawConnection.open(where);
    await tool.stop();
    await Promise.all([idle.ended(), silent.ended()]);
  });

  test('a client that vanished without a word does not hold it up', async () => {
    const tool = await serve();
    const connections = await repeat(20, () => RawConnection.webSocket({ port: tool.port }));
    for (const connection of connections) connection.reset();
    await tool.stop();
  });

  test('a second signal stops at once, though a client does not answer the close', async () => {
    const tool = await serve();
    const stubborn = await RawConnection.webSocket({ port: tool.port });
    tool.signal('SIGINT');
    assert.equal((await stubborn.closing()).code, 1001);
    tool.signal('SIGINT');
    await tool.exited();
    await stubborn.ended();
  });

  test('the port is free for the next start', async () => {
    const first = await serve();
    const connection = await RawConnection.webSocket({ port: first.port });
    const { url } = first;
    first.signal('SIGTERM');
    assert.equal((await connection.closing()).code, 1001);
    connection.write(closeFrame(1001));
    await connection.ended();
    await first.exited();
    const second = await serve({ urls: url });
    assert.equal(second.url, url);
    await second.stop();
  });
});
