// Frames that no well-behaved client sends, over plain TCP: what the server refuses and with which close code, and what
// it does with a client that reads late. Each case ends with the server going on for everybody else.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { bytes } from './payloads.mjs';
import { closeFrame, frame, opcodes, RawConnection } from './raw_connection.mjs';
import { requireEngine, serve } from './tool.mjs';

requireEngine();
const tool = await serve();
const here = { port: tool.port };
const { continuation, text, binary, close, ping, pong } = opcodes;

async function assertFails(frames, expected, where = here) {
  const connection = await RawConnection.webSocket(where);
  connection.write(...frames);
  const { code } = await connection.closing();
  assert.equal(code, expected);
  connection.write(closeFrame(code));
  await connection.ended();
}

describe('the server closes with 1002 (protocol error) on', () => {
  const cases = {
    'an unmasked frame': [frame({ opcode: text, payload: 'bare', masked: false })],
    'a reserved bit': [frame({ opcode: text, payload: 'x', rsv: 1 })],
    'RSV1 without an extension': [frame({ opcode: text, payload: 'x', rsv: 4 })],
    'a reserved data opcode': [frame({ opcode: 3, payload: 'x' })],
    'a reserved control opcode': [frame({ opcode: 11 })],
    'a fragmented ping': [frame({ opcode: ping, fin: false })],
    'a ping of 126 bytes': [frame({ opcode: ping, payload: bytes(126) })],
    'a continuation of nothing': [frame({ opcode: continuation, payload: 'x' })],
    'a message inside a message': [
      frame({ opcode: text, payload: 'a', fin: false }),
      frame({ opcode: text, payload: 'b' }),
    ],
    'a length of 125 in 16 bits': [frame({ opcode: binary, payload: bytes(125), lengthForm: 16 })],
    'a length of 65535 in 64 bits': [frame({ opcode: binary, payload: bytes(65535), lengthForm: 64 })],
    'a length with the highest bit': [frame({ opcode: binary, lengthForm: 64, declared: 1n << 63n })],
    'a close frame of one byte': [frame({ opcode: close, payload: 'x' })],
    'a close frame of 126 bytes': [closeFrame(1000, 'k'.repeat(124))],
  };
  for (const [what, frames] of Object.entries(cases)) {
    test(what, () => assertFails(frames, 1002));
  }
  for (const code of [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535]) {
    test(`close code ${code}`, () => assertFails([closeFrame(code)], 1002));
  }
});

describe('the server closes with 1007 (invalid payload data) on', () => {
  const cases = {
    'text that is not UTF-8': [frame({ opcode: text, payload: Buffer.from([0x61, 0xff, 0x62]) })],
    'an overlong character': [frame({ opcode: text, payload: Buffer.from([0xc0, 0xaf]) })],
    'a surrogate': [frame({ opcode: text, payload: Buffer.from([0xed, 0xa0, 0x80]) })],
    'a character beyond U+10FFFF': [frame({ opcode: text, payload: Buffer.from([0xf4, 0x90, 0x80, 0x80]) })],
    'text that ends within a character': [frame({ opcode: text, payload: Buffer.from([0xe2, 0x82]) })],
    'fragments that break a character': [
      frame({ opcode: text, payload: Buffer.from([0xe2, 0x82]), fin: false }),
      frame({ opcode: continuation, payload: 'a' }),
    ],
    'a close reason that is not UTF-8': [closeFrame(1000, Buffer.from([0xff]))],
  };
  for (const [what, frames] of Object.entries(cases)) {
    test(what, () => assertFails(frames, 1007));
  }

  test('a bad first fragment, without waiting for the rest', () => assertFails(
    [frame({ opcode: text, payload: Buffer.from([0xff]), fin: false })], 1007));
});

describe('the size of a message', () => {
  test('a message declared longer than 64 MiB is refused with 1009 before it is sent', () => assertFails(
    [frame({ opcode: binary, lengthForm: 64, declared: (64n << 20n) + 1n })], 1009));

  test('--max-message-size is obeyed to the byte, over fragments too', async () => {
    const small = await serve({ options: ['--max-message-size', '1000'] });
    const where = { port: small.port };
    const connection = await RawConnection.webSocket(where);
    connection.write(frame({ opcode: binary, payload: bytes(1000) }));
    assert.ok((await connection.frame()).payload.equals(bytes(1000)));
    connection.write(frame({ opcode: binary, payload: bytes(600), fin: false }),
      frame({ opcode: continuation, payload: bytes(400) }));
    assert.equal((await connection.frame()).payload.length, 1000);
    connection.destroy();
    await assertFails([frame({ opcode: binary, payload: bytes(1001) })], 1009, where);
    await assertFails([
      frame({ opcode: binary, payload: bytes(600), fin: false }),
      frame({ opcode: continuation, payload: bytes(401) }),
    ], 1009, where);
    await small.stop();
  });
});

describe('the close handshake', () => {
  for (const [code, reason] of [[1000, 'done'], [1000, ''], [3000, 'library'], [4999, 'application']]) {
    test(`close ${code} "${reason}" is answered in kind, and the server ends the connection first`, async () => {
      const connection = await RawConnection.webSocket(here);
      connection.write(closeFrame(code, reason));
      assert.deepEqual(await connection.closing(), { code, reason });
      await connection.ended();
    });
  }

  test('an empty close is answered with an empty close', async () => {
    const connection = await RawConnection.webSocket(here);
    connection.write(frame({ opcode: close }));
    assert.deepEqual(await connection.closing(), { code: null, reason: '' });
    await connection.ended();
  });

  test('the end of the connection without a close frame is noticed', async () => {
    const connection = await RawConnection.webSocket(here);
    connection.end();
    await connection.ended();
  });
});

describe('the echo', () => {
  test('is one frame, however many the message came in, with the answers to pings before it', async () => {
    const connection = await RawConnection.webSocket(here);
    connection.write(frame({ opcode: text, payload: 'Wind', fin: false }), frame({ opcode: ping, payload: 'one' }),
      frame({ opcode: continuation, payload: 'ho', fin: false }), frame({ opcode: pong, payload: 'unasked' }),
      frame({ opcode: continuation, payload: 'ver' }));
    assert.deepEqual(await connection.frame(), { fin: true, rsv: 0, opcode: pong, payload: Buffer.from('one') });
    assert.deepEqual(await connection.frame(), { fin: true, rsv: 0, opcode: text, payload: Buffer.from('Windhover') });
    connection.destroy();
  });

  test('does not depend on where the stream is cut', async () => {
    const connection = await RawConnection.webSocket(here);
    const stream = Buffer.concat([text, binary].map((opcode) => frame({ opcode, payload: 'k'.repeat(200) })));
    for (const step of [1, 2, 3, 4, 5, 6, 7, 8, 16, 31]) {
      for (let start = 0; start < stream.length; start += step) connection.write(stream.subarray(start, start + step));
      for (const opcode of [text, binary]) {
        const echo = await connection.frame();
        assert.deepEqual([echo.fin, echo.opcode, echo.payload.toString()], [true, opcode, 'k'.repeat(200)]);
      }
    }
    connection.destroy();
  });

  test('waits for a client that reads late, and loses nothing', async () => {
    const connection = await RawConnection.webSocket(here);
    const payload = bytes(1 << 20);
    connection.pause();
    for (let count = 0; count < 32; ++count) connection.write(frame({ opcode: binary, payload }));
    // While this client's echoes pile up, another one is served.
    const other = await RawConnection.webSocket(here);
    other.write(frame({ opcode: text, payload: 'not held up' }));
    assert.equal((await other.frame()).payload.toString(), 'not held up');
    other.destroy();
    connection.resume();
    for (let count = 0; count < 32; ++count) {
      assert.ok((await connection.frame()).payload.equals(payload), `echo ${count}`);
    }
    connection.destroy();
  });
});

test('the tool ends cleanly', () => tool.stop());
