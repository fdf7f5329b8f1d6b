// HTTP/1.1 and WebSocket frames over a plain TCP connection, for what no well-behaved client sends: requests in pieces
// or in one packet, and frames that break the rules of RFC 6455.

import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';

import { within } from './bounded.mjs';

export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };

// The bytes of a frame as a client sends it. `lengthForm` (7, 16 or 64 bits) overrides the shortest one that fits,
// `declared` the length that the header states.
export function frame({ fin = true, rsv = 0, opcode, payload = '', masked = true, lengthForm, declared }) {
  const data = Buffer.from(payload);
  const length = declared ?? BigInt(data.length);
  const form = lengthForm ?? (length < 126n ? 7 : length < 65536n ? 16 : 64);
  const header = Buffer.alloc({ 7: 2, 16: 4, 64: 10 }[form]);
  header[0] = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  header[1] = (masked ? 0x80 : 0) | (form === 7 ? Number(length) : form === 16 ? 126 : 127);
  if (form === 16) header.writeUInt16BE(Number(length), 2);
  if (form === 64) header.writeBigUInt64BE(length, 2);
  if (!masked) return Buffer.concat([header, data]);
  const key = randomBytes(4);
  return Buffer.concat([header, key, data.map((byte, index) => byte ^ key[index % 4])]);
}

export function closeFrame(code, reason = '') {
  const payload = Buffer.alloc(2);
  payload.writeUInt16BE(code);
  return frame({ opcode: opcodes.close, payload: Buffer.concat([payload, Buffer.from(reason)]) });
}

// A request head. Headers are lines, so that a test says exactly what goes out; a Host is added unless one is named.
export function request(method, target, headers = [], { version = '1.1', body = '' } = {}) {
  const lines = headers.some((line) => /^host:/i.test(line)) ? headers : ['Host: localhost', ...headers];
  return `${method} ${target} HTTP/${version}\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n${body}`;
}

export const sampleKey = 'dGhlIHNhbXBsZSBub25jZQ==';  // RFC 6455 section 1.3

// The headers of a correct opening handshake; a field is replaced by naming it, and left out by null.
export function handshake(changes = {}) {
  const fields = {
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Key': sampleKey,
    'Sec-WebSocket-Version': '13',
    ...changes,
  };
  return Object.entries(fields).filter(([, value]) => value !== null).map(([name, value]) => `${name}: ${value}`);
}

export class RawConnection {
  #socket;
  #chunks = [];
  #length = 0;
  #over = false;
  #wake = () => {};

  // `where` is what net.connect takes: a port and host, or a path.
  static async open(where) {
    const connection = new RawConnection();
    const socket = net.connect({ host: '127.0.0.1', noDelay: true, allowHalfOpen: true, ...where });
    connection.#socket = socket;
    socket.unref();  // what a failed test leaves open does not keep the process alive
    socket.on('data', (chunk) => {
      connection.#chunks.push(chunk);
      connection.#length += chunk.length;
      connection.#wake();
    });
    const over = () => {
      connection.#over = true;
      connection.#wake();
    };
    socket.on('end', over).on('close', over).on('error', over);
    await within(once(socket, 'connect'), 'a TCP connection');
    return connection;
  }

  // A connection that is a WebSocket by the time this resolves.
  static async webSocket(where, target = '/ws') {
    const connection = await RawConnection.open(where);
    connection.write(request('GET', target, handshake()));
    const { status } = await connection.response();
    if (status !== 101) throw new Error(`the handshake was answered with ${status}`);
    return connection;
  }

  write(...pieces) { this.#socket.write(Buffer.concat(pieces.map((piece) => Buffer.from(piece)))); }
  pause() { this.#socket.pause(); }
  resume() { this.#socket.resume(); }
  end() { this.#socket.end(); }
  destroy() { this.#socket.destroy(); }
  reset() { this.#socket.resetAndDestroy(); }

  async #until(condition, what) {
    const arrived = async () => {
      while (!condition()) {
        if (this.#over) throw new Error(`the connection ended before ${what}; left over: ${this.#shown()}`);
        await new Promise((resolve) => { this.#wake = resolve; });
      }
    };
    await within(arrived(), what);
  }

  async #finished(what) {
    const finished = async () => {
      while (!this.#over) await new Promise((resolve) => { this.#wake = resolve; });
    };
    await within(finished(), what);
  }

  #joined() {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? Buffer.alloc(0);
  }

  // The beginning of what nobody took, for a message.
  #shown() { return this.#joined().subarray(0, 500).toString('latin1'); }

  async take(size, what = `${size} bytes`) {
    await this.#until(() => this.#length >= size, what);
    const all = this.#joined();
    this.#chunks = size < all.length ? [all.subarray(size)] : [];
    this.#length -= size;
    return all.subarray(0, size);
  }

  // The next response. `head` says that the request was a HEAD and no body follows.
  async response({ head = false } = {}) {
    let end = -1;
    await this.#until(() => (end = this.#joined().indexOf('\r\n\r\n')) >= 0, 'the head of a response');
    const [statusLine, ...lines] = (await this.take(end + 4)).toString('latin1').trimEnd().split('\r\n');
    const [, version, status] = /^(HTTP\/1\.1) (\d{3})( |$)/.exec(statusLine) ?? [];
    if (!version) throw new Error(`not a status line: ${statusLine}`);
    const headers = new Map(lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }));
    const bodiless = head || /^(1..|204|304)$/.test(status);
    const body = bodiless ? Buffer.alloc(0) : await this.#body(headers);
    return { status: Number(status), headers, body };
  }

  async #body(headers) {
    if (!/^chunked$/i.test(headers.get('transfer-encoding') ?? '')) {
      if (headers.has('content-length')) {
        return Buffer.from(await this.take(Number(headers.get('content-length')), 'the body of a response'));
      }
      if (!/^close$/i.test(headers.get('connection') ?? '')) throw new Error('a response whose body has no end');
      await this.#finished('the end of a response');
      return Buffer.from(await this.take(this.#length));
    }
    const parts = [];
    for (;;) {
      let end = -1;
      await this.#until(() => (end = this.#joined().indexOf('\r\n')) >= 0, 'the size of a chunk');
      const size = parseInt((await this.take(end + 2)).toString('latin1'), 16);
      parts.push(Buffer.from(await this.take(size, 'a chunk')));
      await this.take(2, 'the end of a chunk');
      if (size === 0) return Buffer.concat(parts);
    }
  }

  async frame() {
    const [first, second] = await this.take(2, 'a frame');
    if (second & 0x80) throw new Error('a masked frame from the server');
    let length = second & 0x7f;
    if (length === 126) length = (await this.take(2)).readUInt16BE();
    else if (length === 127) length = Number((await this.take(8)).readBigUInt64BE());
    const payload = Buffer.from(await this.take(length, 'the payload of a frame'));
    return { fin: (first & 0x80) !== 0, rsv: (first >> 4) & 7, opcode: first & 15, payload };
  }

  // The next frame must be a close; what it says. The code is null when it carries none.
  async closing() {
    const { opcode, payload } = await this.frame();
    if (opcode !== opcodes.close) throw new Error(`opcode ${opcode} instead of a close frame`);
    if (payload.length === 0) return { code: null, reason: '' };
    return { code: payload.readUInt16BE(), reason: payload.subarray(2).toString() };
  }

  // Resolves when the server has ended the connection, with FIN or RST; more bytes before that are an error.
  async ended() {
    await this.#finished('the end of the connection');
    if (this.#length > 0) throw new Error(`${this.#length} bytes before the end: ${this.#shown()}`);
    this.destroy();
  }
}

export function expectedAccept(key) {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}
