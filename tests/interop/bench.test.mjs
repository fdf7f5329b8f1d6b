// `windhover bench`: a load on npm's ws, and on the tool's own echo.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';

import { WebSocketServer } from 'ws';

import { within } from './bounded.mjs';
import { engine, requireEngine, run, serve } from './tool.mjs';

requireEngine();
const folder = mkdtempSync(join(tmpdir(), 'windhover-bench-'));
after(() => rmSync(folder, { recursive: true }));
const options = engine ? ['--engine', engine] : [];
const benchFor = (duration, url, ...further) =>
  run('bench', url, '--warm-up', '0.1', '--duration', duration, '--patience', '60', ...options, ...further);
const bench = (url, ...further) => benchFor('0.3', url, ...further);

const tool = await serve({ options: ['--compress'] });
after(() => tool.stop());

// An echo, and under /all a broadcast.
const foreign = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: { threshold: 0 } });
foreign.on('connection', (socket, request) => {
  socket.on('message', (data, binary) => {
    for (const each of request.url === '/all' ? foreign.clients : [socket]) each.send(data, { binary });
  });
});
await within(once(foreign, 'listening'), 'the foreign server');
after(() => {
  for (const each of foreign.clients) each.terminate();
  foreign.close();
});
const foreignUrl = `ws://127.0.0.1:${foreign.address().port}`;

// The result of a load that went well, as a program reads it. Longer where the machine is too busy for a message in a
// short one, unless none is expected.
async function resultOf(url, ...further) {
  for (const duration of ['0.3', '3', '30']) {
    const { code, stdout, stderr } = await benchFor(duration, url, '--json', '-', ...further);
    assert.deepEqual([code, stderr], [0, '']);
    const result = JSON.parse(stdout);
    if (result.messages > 0 || result.scenario === 'idle') return result;
  }
  return assert.fail(`no message in 30 seconds: ${further.join(' ')}`);
}

for (const [name, url] of [['ws', `${foreignUrl}/`], ['windhover serve', tool.webSocketUrl]]) {
  describe(name, () => {
    test('the result is some lines for people', async () => {
      const { code, stdout, stderr } = await bench(url, '--check');
      assert.deepEqual([code, stderr], [0, '']);
      const lines = stdout.split('\n');
      assert.ok(lines[0].startsWith(`echo: ${url}, 50 connections, 20 bytes, 1 in flight, `), lines[0]);
      assert.match(lines[1], /^ {2}rate {7}[\d.,]+ messages a second, [\d.]+ [KM]?i?B a second$/);
      assert.match(lines[2], /^ {2}latency {4}p50 [\d.]+ [a-z]+ {3}p90 .* p99\.99 .* max [\d.]+ [a-z]+$/);
      assert.match(lines[3], /^ {2}generator {2}[\d.]+ % of a processor on 1 thread, (io_uring|epoll)/);
      assert.deepEqual(lines.slice(4), ['']);
    });

    test('every byte comes back, compressed or not, at full speed or at a rate', async () => {
      for (const further of [[], ['--text'], ['--compress'], ['--compress', '--text'], ['--rate', '300'],
                             ['--in-flight', '20'], ['--threads', '2'], ['--scenario', 'churn']]) {
        const result = await resultOf(url, '--check', '--size', '0..3000', ...further);
        assert.ok(result.checked);
        assert.equal(result.latency_ns.count, result.messages);
      }
    });

    test('connections alone are a load too', async () => {
      const storm = await resultOf(url, '--scenario', 'storm');
      assert.equal(storm.bytes, 0);
      const idle = await resultOf(url, '--scenario', 'idle', '--connections', '200');
      assert.deepEqual([idle.connections, idle.messages], [200, 0]);
    });
  });
}

test('a broadcast comes back to all, compressed or not', async () => {
  for (const further of [[], ['--compress'], ['--text'], ['--rate', '50'], ['--threads', '2']]) {
    await resultOf(`${foreignUrl}/all`, '--scenario', 'broadcast', '--check', '--size', '16..500', ...further);
  }
});

test('--json has the members that are promised', async () => {
  const file = join(folder, 'result.json');
  const { code, stdout } = await bench(tool.webSocketUrl, '--json', file, '--rate', '200', '--pid', String(tool.pid));
  assert.equal(code, 0);
  assert.match(stdout, /^echo: /);
  const result = JSON.parse(readFileSync(file, 'utf8'));
  assert.deepEqual(Object.keys(result), [
    'windhover_bench', 'scenario', 'url', 'connections', 'size', 'in_flight', 'rate_wanted', 'compress', 'text',
    'checked', 'engine', 'threads', 'seconds', 'messages', 'bytes', 'rate', 'latency_ns', 'sent_late_ns', 'server',
    'generator']);
  assert.deepEqual(Object.keys(result.latency_ns),
                   ['count', 'min', 'mean', 'p50', 'p90', 'p99', 'p99.9', 'p99.99', 'max']);
  assert.deepEqual(Object.keys(result.sent_late_ns), ['p50', 'p99', 'max']);
  assert.deepEqual(Object.keys(result.server), [
    'pid', 'cpu_seconds', 'cpu_ns_per_message', 'resident_bytes', 'resident_bytes_before',
    'resident_bytes_per_connection']);
  assert.deepEqual(Object.keys(result.generator), ['cpu', 'busiest_thread', 'was_the_limit']);
  assert.equal(result.windhover_bench, 1);
  assert.equal(result.url, tool.webSocketUrl);
  if (engine) assert.equal(result.engine, engine);
});

test('--pid shows what the server costs', async () => {
  const { stdout } = await benchFor('3', tool.webSocketUrl, '--pid', String(tool.pid));
  assert.match(stdout, /\n {2}server {5}[\d.]+ % of a processor, [\d.]+ us for each of the messages, [\d.]+ MiB of /);
  const { server } = await resultOf(tool.webSocketUrl, '--pid', String(tool.pid));
  assert.equal(server.pid, tool.pid);
  assert.ok(server.cpu_seconds > 0);
  assert.ok(server.resident_bytes > 1_000_000);
});

test('--plot is an SVG', async () => {
  const file = join(folder, 'latency.svg');
  const { code } = await bench(tool.webSocketUrl, '--plot', file);
  assert.equal(code, 0);
  const svg = readFileSync(file, 'utf8');
  assert.match(svg, /^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" [^>]*>\n<title>echo, 50 connections: /);
  assert.match(svg, /<polyline class="curve" points="[\d., ]+"\/>/);
  assert.match(svg, /<\/svg>\n$/);
});

describe('what goes wrong is said in one line', () => {
  const cases = [
    [['https://localhost:1/'], /^windhover: .* the scheme must be ws or wss; write it as ws:\/\/example.com\/path\n$/],
    [['wss://localhost:1/', '--authorities', '/nowhere.pem'], /^windhover: the file '\/nowhere.pem' cannot be opened: No such file or directory\n$/],
    [['ws://127.0.0.1:1/'], /^windhover: no WebSocket to ws:\/\/127.0.0.1:1: 127.0.0.1:1: Connection refused\n$/],
    [[`ws://127.0.0.1:${tool.port}/nowhere`], /^windhover: no WebSocket to .*: the server answered with status 404\n$/],
    [[tool.webSocketUrl, '--connections', '0'], /^windhover: --connections is 0; it must be from 1 to 1000000\n$/],
    [[tool.webSocketUrl, '--size', 'big'], /^windhover: --size is 'big'; write it as 125, or as 20..2000\n$/],
    [[tool.webSocketUrl, '--size', '20..10'], /^windhover: --size, at its end, is 10; it must be from 20 to 67108864\n$/],
    [[tool.webSocketUrl, '--rate', '5', '--scenario', 'storm'], /^windhover: --rate is 5.*; it must be 0 \(left out\) .*\n$/],
    [[tool.webSocketUrl, '--pid', '1073741824'], /^windhover: there is no process 1073741824, or it may not .*\n$/],
    [[tool.webSocketUrl, '--plot', 'x.svg', '--scenario', 'idle'], /^windhover: --plot shows latencies, and .*\n$/],
    [[tool.webSocketUrl, '--json', join(folder, 'no', 'such.json')], /^windhover: '.*such.json' could not be written\n$/],
  ];
  for (const [args, said] of cases) {
    test(args.slice(1).join(' ') || args[0], async () => {
      const { code, stderr } = await bench(...args);
      assert.match(stderr, said);
      assert.equal(code, 1);
    });
  }

  test('options that the command line does not know', async () => {
    for (const further of [['--scenario', 'quiet'], ['--text', '--binary'], ['--what']]) {
      const { code, stdout, stderr } = await bench(tool.webSocketUrl, ...further);
      assert.notEqual(code, 0);
      assert.equal(stdout, '');
      assert.notEqual(stderr, '');
    }
  });
});

test('a wrong echo is found by --check', async () => {
  const liar = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  liar.on('connection', (socket) => socket.on('message', () => socket.send(Buffer.alloc(20))));
  await within(once(liar, 'listening'), 'the liar');
  const { code, stderr } = await bench(`ws://127.0.0.1:${liar.address().port}/`, '--check');
  assert.deepEqual([code, stderr],
                   [1, 'windhover: a connection has ended: what came back is not what was sent\n']);
  for (const each of liar.clients) each.terminate();
  liar.close();
});
