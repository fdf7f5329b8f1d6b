// TLS from the outside: the tool with a certificate of its own or of `windhover dev-certs`, seen by curl, by `openssl
// s_client` and by ws over wss; and certificates that are exchanged while connections live.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createSecureServer } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import tls from 'node:tls';
import { promisify } from 'node:util';

import WebSocket, { WebSocketServer } from 'ws';

import { within } from './bounded.mjs';
import { requireEngine, run, runWith, serve } from './tool.mjs';

requireEngine();
const folder = mkdtempSync(join(tmpdir(), 'windhover-https-'));
after(() => rmSync(folder, { recursive: true }));
// The user's own development certificate is none of these tests' business.
process.env.XDG_DATA_HOME = join(folder, 'data');
const developmentFile = join(folder, 'data', 'windhover', 'development.pem');
const execute = promisify(execFile);
const patience = { timeout: 60_000 };

// A certificate of openssl's making, in <name>.pem and <name>.key.
async function makeCertificate(name, ...further) {
  const [key, certificate] = [join(folder, `${name}.key`), join(folder, `${name}.pem`)];
  await execute('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', certificate,
    '-subj', `/CN=${name}`, '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', ...further], patience);
  return { key, certificate };
}

async function curl(...options) {
  try {
    const { stdout } = await execute('curl', ['--silent', '--show-error', '--max-time', '30', ...options], patience);
    return { code: 0, stdout };
  } catch ({ code, stdout, stderr }) {
    return { code, stdout, stderr };
  }
}

// What s_client says of a handshake, which ends with it.
async function handshake(port, ...options) {
  const child = execFile('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, ...options], patience);
  let output = '';
  child.stdout.on('data', (text) => { output += text; });
  child.stderr.on('data', (text) => { output += text; });
  child.stdin.on('error', () => {});
  child.stdin.end();
  const [code] = await within(once(child, 'close'), 'the end of s_client');
  return { code, output };
}

// The name in the certificate that is shown.
async function shown(port) {
  const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  await within(once(socket, 'secureConnect'), 'a handshake');
  const name = socket.getPeerCertificate().subject.CN;
  socket.destroy();
  return name;
}

async function open(url, options) {
  const socket = new WebSocket(url, options);
  await within(once(socket, 'open'), `a WebSocket to ${url}`);
  return socket;
}

async function assertEchoes(socket, text) {
  socket.send(text);
  const [data] = await within(once(socket, 'message'), 'the echo');
  assert.equal(data.toString(), text);
}

async function close(socket) {
  socket.close();
  await within(once(socket, 'close'), 'the close');
}

describe('windhover dev-certs', () => {
  test('makes a certificate once, and says whether there is one', async () => {
    assert.equal((await run('dev-certs', '--check')).code, 6);
    const made = await run('dev-certs', 'https');
    assert.equal(made.code, 0);
    assert.match(made.stdout, /^A development certificate was made: .*development\.pem/);
    assert.equal(statSync(developmentFile.replace(/pem$/, 'key')).mode & 0o777, 0o600);
    const before = readFileSync(developmentFile, 'utf8');
    assert.match((await run('dev-certs')).stdout, /^There is a valid development certificate: /);
    assert.equal(readFileSync(developmentFile, 'utf8'), before);
    assert.equal((await run('dev-certs', '--check')).code, 0);
  });

  test('the certificate is what browsers ask for', async () => {
    const { stdout } = await execute('openssl', ['x509', '-in', developmentFile, '-noout', '-text'], patience);
    assert.match(stdout, /NIST CURVE: P-256/);
    assert.match(stdout, /DNS:localhost, IP Address:127\.0\.0\.1, IP Address:0:0:0:0:0:0:0:1/);
    assert.match(stdout, /Basic Constraints: critical\s+CA:FALSE/);
    assert.match(stdout, /Extended Key Usage:\s+TLS Web Server Authentication/);
  });

  test('exports it for openssl', async () => {
    const pfx = join(folder, 'exported.pfx');
    assert.equal((await run('dev-certs', '--export-path', pfx, '--password', 'secret')).code, 0);
    const { stdout } = await execute('openssl', ['pkcs12', '-in', pfx, '-passin', 'pass:secret', '-nodes'], patience);
    assert.match(stdout, /BEGIN PRIVATE KEY/);
    assert.match(stdout, /BEGIN CERTIFICATE/);

    const pem = join(folder, 'exported.pem');
    const key = join(folder, 'exported.key');
    assert.equal((await run('dev-certs', '--export-path', pem, '--format', 'Pem')).code, 0);
    assert.ok(!existsSync(key), 'no key without a password or --no-password');
    assert.equal((await run('dev-certs', '-e', pem, '--format', 'pem', '-p', 'secret')).code, 0);
    await execute('openssl', ['pkey', '-in', key, '-passin', 'pass:secret', '-noout'], patience);
    await assert.rejects(execute('openssl', ['pkey', '-in', key, '-passin', 'pass:wrong', '-noout'], patience));
  });

  test('says how to trust it and changes nothing', async () => {
    const { code, stdout } = await run('dev-certs', '--trust');
    assert.equal(code, 0);
    for (const part of ['Nothing on this system was changed', 'update-ca-certificates', 'certutil -d sql:$HOME/.pki/nssdb',
      'Firefox', `curl --cacert '${developmentFile}'`, `NODE_EXTRA_CA_CERTS='${developmentFile}'`, 'SSL_CERT_FILE=']) {
      assert.ok(stdout.includes(part), part);
    }
  });

  test('a server without a certificate uses it, and clients that trust it are satisfied', async () => {
    const tool = await serve({ urls: 'https://127.0.0.1:0' });
    const page = await curl('--cacert', developmentFile, `${tool.url}/`);
    assert.match(page.stdout, /<html/i);
    const untrusting = await curl(`${tool.url}/`);
    assert.equal(untrusting.code, 60, 'curl does not know the certificate');
    const socket = await open(tool.webSocketUrl, { ca: readFileSync(developmentFile) });
    await assertEchoes(socket, 'hello');
    await close(socket);
    await tool.stop();
  });

  test('removes it, and then a server says what to do', async () => {
    assert.equal((await run('dev-certs', '--clean')).code, 0);
    assert.ok(!existsSync(developmentFile));
    const { code, stderr } = await run('serve', '--urls', 'https://127.0.0.1:0');
    assert.equal(code, 1);
    assert.match(stderr, /^https:\/\/127\.0\.0\.1:0 has no certificate: .*make one with 'windhover dev-certs'\n$/);
  });
});

describe('windhover serve', async () => {
  const own = await makeCertificate('own');
  const options = ['--certificate', own.certificate, '--key', own.key];
  const tool = await serve({ urls: 'https://127.0.0.1:0', options });
  after(() => tool.stop());

  test('serves the page to curl', async () => {
    const page = await curl('--cacert', own.certificate, '--write-out', '%{http_code} %{ssl_verify_result}', '--output',
      '/dev/null', `https://localhost:${tool.port}/`);
    assert.equal(page.stdout, '200 0');
  });

  for (const [option, version] of [['--http2', '2'], ['--http1.1', '1.1']]) {
    test(`curl chooses HTTP/${version}`, async () => {
      const page = await curl('--cacert', own.certificate, option, '--write-out', '%{http_version}', '--output',
        '/dev/null', `https://localhost:${tool.port}/`);
      assert.equal(page.stdout, version);
    });
  }

  test('a WebSocket carries small and large messages', async () => {
    const socket = await open(tool.webSocketUrl, { ca: readFileSync(own.certificate) });
    await assertEchoes(socket, 'hello');
    await assertEchoes(socket, 'k'.repeat(5_000_000));
    await close(socket);
  });

  test('s_client agrees on the newest version, and on 1.2 when it wants that', async () => {
    const newest = await handshake(tool.port, '-alpn', 'http/1.1', '-servername', 'localhost');
    assert.match(newest.output, /New, TLSv1\.3, Cipher is TLS_/);
    assert.match(newest.output, /ALPN protocol: http\/1\.1/);
    const older = await handshake(tool.port, '-tls1_2');
    assert.match(older.output, /New, TLSv1\.2, Cipher is ECDHE-/);
    assert.match(older.output, /Compression: NONE/);
  });

  for (const version of ['-tls1', '-tls1_1']) {
    test(`s_client is refused with ${version}`, async () => {
      const { code, output } = await handshake(tool.port, version, '-cipher', 'ALL:@SECLEVEL=0');
      assert.notEqual(code, 0);
      assert.match(output, /no protocols available|alert protocol version|unsupported protocol/);
    });
  }

  test('suites without forward secrecy are refused', async () => {
    const { code, output } = await handshake(tool.port, '-tls1_2', '-cipher', 'AES128-GCM-SHA256:AES256-SHA');
    assert.notEqual(code, 0);
    assert.match(output, /alert handshake failure/);
  });

  test('what is no TLS gets no answer from HTTP', async () => {
    const { code, stdout } = await curl(`http://127.0.0.1:${tool.port}/`);
    assert.ok([1, 52, 56].includes(code), `curl ended with ${code}`);
    assert.ok(!stdout.startsWith('<'), 'no page');
  });

  for (const [what, files, password] of [
    ['a PKCS#12 file', ['own.pfx'], 'secret'],
    ['an encrypted key', ['own.pem', 'locked.key'], 'secret'],
  ]) {
    test(`takes ${what} with its password, and says what is wrong without`, async () => {
      const at = (name) => join(folder, name);
      await execute('openssl', ['pkcs12', '-export', '-in', own.certificate, '-inkey', own.key, '-out', at('own.pfx'),
        '-passout', `pass:${password}`], patience);
      await execute('openssl', ['pkcs8', '-topk8', '-in', own.key, '-out', at('locked.key'), '-passout',
        `pass:${password}`], patience);
      const named = ['--certificate', at(files[0]), ...(files[1] ? ['--key', at(files[1])] : [])];
      const other = await serve({ urls: 'https://127.0.0.1:0', options: [...named, '--certificate-password', password] });
      assert.equal(await shown(other.port), 'own');
      await other.stop();
      const refused = await run('serve', '--urls', 'https://127.0.0.1:0', ...named);
      assert.equal(refused.code, 1);
      assert.ok(refused.stderr.includes(at(files[0])), refused.stderr);
      assert.match(refused.stderr, /password/);
      assert.equal(refused.stderr.split('\n').length, 2, 'one line');
    });
  }
});

describe('another certificate', async () => {
  const [first, second] = [await makeCertificate('first'), await makeCertificate('second')];
  const served = { key: join(folder, 'served.key'), certificate: join(folder, 'served.pem') };
  // As certbot does it: another file in the place of the old one.
  const put = ({ key, certificate }) => {
    for (const [from, to] of [[key, served.key], [certificate, served.certificate]]) {
      writeFileSync(`${to}.new`, readFileSync(from));
      chmodSync(`${to}.new`, 0o600);
      renameSync(`${to}.new`, to);
    }
  };
  put(first);
  const tool = await serve({ urls: 'https://127.0.0.1:0',
    options: ['--certificate', served.certificate, '--key', served.key] });
  after(() => tool.stop());
  const times = (text) => tool.output.split(text).length - 1;
  const exchanged = (name, count = 1) =>
    tool.wrote(() => times(`were read again: CN=${name}`) >= count, `the tool has read ${name}`);

  test('is for new connections, while those that are open go on', async () => {
    const sockets = await Promise.all(Array.from({ length: 20 },
      () => open(tool.webSocketUrl, { rejectUnauthorized: false })));
    put(second);
    await exchanged('second');
    assert.equal(await shown(tool.port), 'second');
    for (const socket of sockets) await assertEchoes(socket, 'still here');
    await Promise.all(sockets.map(close));
  });

  test('that does not fit its key is refused with a line in the log, and the old one stays', async () => {
    // A look that came between the two files that were put before has complained already.
    const [complaints, exchanges] = [times('stay what they were'), times('were read again: CN=second')];
    renameSync(first.certificate, served.certificate);
    await tool.wrote(() => times('stay what they were') > complaints, 'the tool complained');
    assert.equal(await shown(tool.port), 'second');
    put(second);
    await exchanged('second', exchanges + 1);
  });

  // The same signal, from a terminal that is closed: the kernel sends it to what runs there. g++ 12's thread sanitizer
  // loses a signal that arrives while a thread enters its first blocking call, as the tool does when it has started.
  const losesSignals = process.env.WINDHOVER_SANITIZER === 'thread';
  test('is nothing that a closed terminal asks for, which ends the tool gracefully', { skip: losesSignals }, async () => {
    const script = `
import os, pty, sys
child, terminal = pty.fork()
if child == 0: os.execv(sys.argv[1], sys.argv[1:])
seen = b''
while b'Application started' not in seen: seen += os.read(terminal, 4096)
os.close(terminal)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))`;
    await execute('/usr/bin/python3', ['-c', script, process.env.WINDHOVER_TOOL, 'serve', '--urls', 'https://127.0.0.1:0',
      '--certificate', served.certificate, '--key', served.key], patience);
  });

  test('is looked for at SIGHUP', async () => {
    const before = times('were read again: CN=second');
    tool.signal('SIGHUP');
    await exchanged('second', before + 1);
  });
});

describe('windhover connect', async () => {
  const { key, certificate } = await makeCertificate('foreign');
  // Node.js speaks HTTP/2, where ws cannot take WebSockets, and says so; over HTTP/1.1 ws does.
  const server = createSecureServer({ key: readFileSync(key), cert: readFileSync(certificate), allowHTTP1: true });
  const sockets = new WebSocketServer({ noServer: true });
  sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(data.toString())));
  server.on('upgrade', (...request) => sockets.handleUpgrade(...request, (socket) => sockets.emit('connection', socket)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => server.close());
  const connect = (...options) => runWith('hello\n', 'connect', `wss://127.0.0.1:${server.address().port}/`,
    '--authorities', certificate, ...options);

  test('goes back to HTTP/1.1 where a server that chose HTTP/2 takes no WebSockets there', async () => {
    const { code, stdout, stderr } = await connect('--protocols', 'http1-and-http2');
    assert.deepEqual([code, stdout, stderr], [0, 'hello\n', 'connected\nclosed: 1000\n']);
  });

  test('says so where it may not', async () => {
    const { code, stderr } = await connect('--protocols', 'http2');
    assert.equal(code, 1);
    assert.match(stderr, /takes no WebSockets over HTTP\/2: it has not set ENABLE_CONNECT_PROTOCOL/);
  });
});
