// The chat sample with npm's ws: rooms, who is present, what is refused, and those who vanish or read slowly. Its four
// event loops share the guests of every room.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';

import WebSocket from 'ws';

import { within } from './bounded.mjs';
import { requireEngine, serveSample } from './tool.mjs';

requireEngine();

const serve = (...options) => serveSample({ options: ['--threads', '4', ...options] });
const chat = await serve();

const repeat = (count, make) => Promise.all(Array.from({ length: count }, (_, index) => make(index)));

let rooms = 0;
const newRoom = () => `room ${++rooms}`;

class Guest {
  #unread = [];
  #wake = () => {};
  #newest = -1;
  present = [];

  constructor(server, options) {
    this.socket = new WebSocket(`${server.url.replace(/^http/, 'ws')}/chat`, options);
    this.socket.on('error', () => {});  // a reset, where the test makes one
    this.socket.on('message', (data) => {
      const message = JSON.parse(data);
      if (message.change > this.#newest) {
        this.#newest = message.change;
        this.present = message.present;
      }
      this.#unread.push(message);
      this.#wake();
    });
    this.closed = once(this.socket, 'close').then(([code]) => {
      this.isClosed = true;
      this.#wake();
      return code;
    });
  }

  static async open(server = chat, options = {}) {
    const guest = new Guest(server, options);
    await within(once(guest.socket, 'open'), 'an open WebSocket');
    return guest;
  }

  static async join(room, name, server = chat, options = {}) {
    const guest = await Guest.open(server, options);
    guest.ask({ type: 'join', name, room });
    const { type, name: who } = await guest.receive();
    assert.deepEqual([type, who], ['joined', name]);
    return guest;
  }

  // A name is free when the handler of whoever had it has ended, which may be after the end of its socket.
  static async joinWhenFree(room, name) {
    const guest = await Guest.open();
    for (;;) {
      guest.ask({ type: 'join', name, room });
      const { type, reason } = await guest.receive();
      if (type === 'joined') return guest;
      assert.equal(reason, 'somebody in this room has that name');
    }
  }

  ask(message) { this.socket.send(typeof message === 'string' ? message : JSON.stringify(message)); }
  say(text) { this.ask({ type: 'say', text }); }

  async #come(condition, what) {
    while (!condition()) {
      if (this.isClosed) throw new Error(`the WebSocket was closed before ${what}`);
      await within(new Promise((resolve) => { this.#wake = resolve; }), what);
    }
  }

  async receive() {
    await this.#come(() => this.#unread.length > 0, 'a message');
    return this.#unread.shift();
  }

  async hears(name, text) { assert.deepEqual(await this.receive(), { type: 'said', name, text }); }

  async isRefused(message, reason) {
    this.ask(message);
    assert.deepEqual(await this.receive(), { type: 'error', reason });
  }

  // Until exactly these are present, whatever else comes meanwhile.
  async sees(names) {
    const expected = [...names].sort().join();
    await this.#come(() => [...this.present].sort().join() === expected, `${expected} being present`);
  }

  // Everything that came and was not looked at.
  get rest() { return this.#unread; }

  async leave() {
    this.socket.close(1000);
    return within(this.closed, 'the end of the close handshake');
  }
}

describe('presence', () => {
  test('who joins is told who is there, and the others are told of who joins and leaves', async () => {
    const room = newRoom();
    const ann = await Guest.join(room, 'Ann');
    assert.deepEqual(ann.present, ['Ann']);
    const bob = await Guest.join(room, 'Bob');
    assert.deepEqual(bob.present, ['Ann', 'Bob']);
    const { change: bobCame, ...joined } = await ann.receive();
    assert.deepEqual(joined, { type: 'joined', name: 'Bob', present: ['Ann', 'Bob'] });
    assert.equal(await bob.leave(), 1000);
    const { change: bobWent, ...left } = await ann.receive();
    assert.deepEqual(left, { type: 'left', name: 'Bob', present: ['Ann'] });
    assert.ok(bobWent > bobCame);
    await ann.leave();
  });

  test('a name is taken once in a room, is free again afterwards, and in other rooms all the time', async () => {
    const room = newRoom();
    const ann = await Guest.join(room, 'Ann');
    const other = await Guest.open();
    await other.isRefused({ type: 'join', name: 'Ann', room }, 'somebody in this room has that name');
    ann.say('of this nothing is heard by whoever was refused');
    await ann.hears('Ann', 'of this nothing is heard by whoever was refused');
    await ann.leave();
    const elsewhere = await Guest.join(newRoom(), 'Ann');
    const again = await Guest.joinWhenFree(room, 'Ann');
    other.ask({ type: 'join', name: 'Bob', room });
    await other.sees(['Ann', 'Bob']);
    // Bob's own coming first. An older change, which another event loop was late with, may be behind it.
    const [first, ...older] = other.rest;
    assert.deepEqual([first.type, first.name], ['joined', 'Bob']);
    assert.deepEqual(older.filter(({ type, change }) => type === 'said' || change > first.change), []);
    await Promise.all([elsewhere, again, other].map((guest) => guest.leave()));
  });

  test('a connection that is cut is missed at once', async () => {
    const room = newRoom();
    const ann = await Guest.join(room, 'Ann');
    const cut = await Guest.join(room, 'cut');
    const reset = await Guest.join(room, 'reset');
    await ann.sees(['Ann', 'cut', 'reset']);
    cut.socket.terminate();
    await ann.sees(['Ann', 'reset']);
    reset.socket._socket.resetAndDestroy();
    await ann.sees(['Ann']);
    await ann.leave();
  });

  test('whoever falls silent without a word is missed when a ping is not answered', async () => {
    const strict = await serve('--Windhover:WebSockets:KeepAliveInterval=00:00:00.2',
      '--Windhover:WebSockets:KeepAliveTimeout=00:00:10');
    const ann = await Guest.join('quiet', 'Ann', strict);
    const silent = await Guest.join('quiet', 'silent', strict, { autoPong: false });
    await ann.sees(['Ann', 'silent']);
    await ann.sees(['Ann']);
    assert.equal(await within(silent.closed, 'the end of the silent one'), 1006);
    await ann.leave();
    await strict.stop();
  });

  test('everybody has the right list in the end, however many come and go at the same time', async () => {
    const room = newRoom();
    const names = (first, last) => Array.from({ length: last - first }, (_, index) => `guest ${first + index}`);
    const guests = await repeat(40, (index) => Guest.join(room, `guest ${index}`));
    await Promise.all(guests.map((guest) => guest.sees(names(0, 40))));
    const goings = [(socket) => socket.close(), (socket) => socket.terminate(),
      (socket) => socket._socket.resetAndDestroy()];
    guests.slice(0, 20).forEach(({ socket }, index) => goings[index % 3](socket));
    const newcomers = await repeat(40, (index) => Guest.join(room, `guest ${40 + index}`));
    const staying = [...guests.slice(20), ...newcomers];
    await Promise.all(staying.map((guest) => guest.sees(names(20, 80))));
    await Promise.all(staying.map((guest) => guest.leave()));
    const last = await Guest.join(room, 'last');
    await last.sees(['last']);
    await last.leave();
  });

  test('a room has a hundred places', async () => {
    const room = newRoom();
    const guests = await repeat(100, (index) => Guest.join(room, `guest ${index}`));
    const late = await Guest.open();
    await late.isRefused({ type: 'join', name: 'late', room }, 'this room is full');
    await guests[0].leave();
    await guests[1].sees(Array.from({ length: 99 }, (_, index) => `guest ${index + 1}`));
    late.ask({ type: 'join', name: 'late', room });
    assert.equal((await late.receive()).type, 'joined');
    await Promise.all([late, ...guests.slice(1)].map((guest) => guest.leave()));
  });
});

describe('talking', () => {
  test('everybody in the room hears what is said, in the order in which each of them says it', async () => {
    const room = newRoom();
    const names = ['Ann', 'Bob', 'Cho', 'Dan', 'Eve', 'Fay'];
    const guests = await Promise.all(names.map((name) => Guest.join(room, name)));
    await Promise.all(guests.map((guest) => guest.sees(names)));
    const words = Array.from({ length: 200 }, (_, index) => `word ${index}`);
    for (const word of words) for (const guest of guests) guest.say(word);
    for (const guest of guests) {
      const heard = Object.fromEntries(names.map((name) => [name, []]));
      for (let count = 0; count < names.length * words.length;) {
        const { type, name, text } = await guest.receive();
        if (type !== 'said') continue;
        heard[name].push(text);
        ++count;
      }
      for (const name of names) assert.deepEqual(heard[name], words);
    }
    await Promise.all(guests.map((guest) => guest.leave()));
  });

  test('many rooms do not hear each other', async () => {
    const own = await repeat(30, async (index) => {
      const room = index % 2 === 0 ? newRoom() : `${newRoom()} $`;
      return { room, guests: [await Guest.join(room, 'Ann'), await Guest.join(room, 'Bob')] };
    });
    for (let round = 0; round < 20; ++round) {
      for (const { room, guests } of own) for (const guest of guests) guest.say(`${round} in ${room}`);
    }
    for (const { room, guests } of own) {
      const expected = Array.from({ length: 20 }, (_, round) => `${round} in ${room}`);
      for (const guest of guests) {
        guest.heard = { Ann: [], Bob: [] };
        while (guest.heard.Ann.length < 20 || guest.heard.Bob.length < 20) {
          const { type, name, text } = await guest.receive();
          if (type === 'said') guest.heard[name].push(text);
        }
        assert.deepEqual(guest.heard, { Ann: expected, Bob: expected });
      }
    }
    await Promise.all(own.flatMap(({ guests }) => guests.map((guest) => guest.leave())));
    const unexpected = own.flatMap(({ guests }) => guests.flatMap(({ rest }) => rest));
    assert.deepEqual(unexpected.filter(({ type }) => type !== 'joined' && type !== 'left'), []);
  });

  test('the longest text and every character that is no control character arrive unchanged', async () => {
    const ann = await Guest.join(newRoom(), 'Ann');
    for (const text of ['k'.repeat(4000), '\u20ac'.repeat(1333), '<b>&"\\ \ud669\uc870\ub871\uc774 \u{1f985}', ' a ', '\u00a0 \u00c2']) {
      ann.say(text);
      await ann.hears('Ann', text);
    }
    ann.ask(`{"type":"say","text":"${'\\u0041'.repeat(4000)}"}`);
    await ann.hears('Ann', 'A'.repeat(4000));
    await ann.leave();
  });

  test('a slow reader disturbs nobody, and is shown out', async () => {
    const strict = await serve('--Windhover:WebSockets:CloseTimeout=00:00:01');
    const talker = await Guest.join('falls', 'talker', strict);
    const listener = await Guest.join('falls', 'listener', strict);
    const slow = await Guest.join('falls', 'slow', strict);
    await Promise.all([talker, listener].map((guest) => guest.sees(['talker', 'listener', 'slow'])));
    slow.socket.pause();

    const texts = [];
    const counts = new Map([[talker, 0], [listener, 0]]);
    const hearAll = async (guest) => {
      while (counts.get(guest) < texts.length) {
        const { type, text } = await guest.receive();
        if (type !== 'said') continue;
        assert.ok(text === texts[counts.get(guest)], 'everything in order, and nothing missing');
        counts.set(guest, counts.get(guest) + 1);
      }
    };
    while (talker.present.includes('slow')) {
      assert.ok(texts.length < 1_000_000, 'the slow one is still there');
      for (let number = 0; number < 20; ++number) {
        texts.push(`${texts.length} `.padEnd(4000, '.'));
        talker.say(texts.at(-1));
      }
      await Promise.all([hearAll(talker), hearAll(listener)]);
    }
    await listener.sees(['talker', 'listener']);

    slow.socket.resume();
    await within(slow.closed, 'the end of the slow one');
    const heard = slow.rest.filter(({ type }) => type === 'said').map(({ text }) => text);
    assert.ok(heard.length < texts.length);
    heard.forEach((text, index) => assert.ok(text === texts[index], 'no hole in what the slow one got'));
    const again = await Guest.join('falls', 'slow', strict);
    await talker.sees(['talker', 'listener', 'slow']);
    await Promise.all([talker, listener, again].map((guest) => guest.leave()));
    await strict.stop();
  });
});

describe('what is refused', () => {
  const wrongMessages = [
    ['', 'this is not JSON'],
    ['hello', 'this is not JSON'],
    ['{"type":"say","text":"cut', 'this is not JSON'],
    ['{"type":"say","text":"\\ud800"}', 'this is not JSON'],
    ['['.repeat(30_000), 'this is not JSON'],
    [`${'['.repeat(15_000)}${']'.repeat(15_000)}`, 'there is no such type of message'],
    ['null', 'there is no such type of message'],
    ['[]', 'there is no such type of message'],
    ['1e999', 'this is not JSON'],
    ['"say"', 'there is no such type of message'],
    ['{"type":7,"text":"hello"}', 'there is no such type of message'],
    ['{"type":"shout","text":"hello"}', 'there is no such type of message'],
    ['{"type":"say"}', 'there is no text'],
    ['{"type":"say","text":["hello"]}', 'there is no text'],
    [{ type: 'say', text: '' }, 'there is no text'],
    [{ type: 'say', text: '   ' }, 'there is no text'],
    [{ type: 'say', text: 'k'.repeat(4001) }, 'this text is too long'],
    [{ type: 'say', text: '\u20ac'.repeat(1334) }, 'this text is too long'],
    [{ type: 'say', text: 'two\nlines' }, 'this text has control characters'],
    [{ type: 'say', text: 'octet \u0000' }, 'this text has control characters'],
    [{ type: 'say', text: 'delete \u007f' }, 'this text has control characters'],
    [{ type: 'say', text: 'next line \u0085' }, 'this text has control characters'],
    [{ type: 'join', name: 'Bob', room: 'elsewhere' }, 'you are in a room already'],
  ];
  test('messages that make no sense get an error, and the next one is heard', async () => {
    const ann = await Guest.join(newRoom(), 'Ann');
    for (const [message, reason] of wrongMessages) await ann.isRefused(message, reason);
    ann.socket.send(Buffer.from('{"type":"say","text":"in binary"}'));
    assert.deepEqual(await ann.receive(), { type: 'error', reason: 'this is not text' });
    ann.say('still here');
    await ann.hears('Ann', 'still here');
    assert.deepEqual(ann.present, ['Ann']);
    await ann.leave();
  });

  const wrongNames = ['', ' ', ' Ann', 'Ann ', 'a/b', '+', '#', 'kestrels/#', 'C++', 'tab\t', 'nul\u0000', '\u007f', '\u009f',
    'k'.repeat(65), '\u20ac'.repeat(22)];
  test('names that are none are refused, of people and of rooms', async () => {
    const guest = await Guest.open();
    for (const wrong of wrongNames) {
      await guest.isRefused({ type: 'join', name: wrong, room: 'right' }, 'this cannot be the name of a person');
      await guest.isRefused({ type: 'join', name: 'right', room: wrong }, 'this cannot be the name of a room');
    }
    await guest.isRefused({ type: 'join', room: 'right' }, 'this cannot be the name of a person');
    await guest.isRefused({ type: 'join', name: 7, room: 'right' }, 'this cannot be the name of a person');
    await guest.isRefused({ type: 'join', name: 'right' }, 'this cannot be the name of a room');
    await guest.isRefused({ type: 'say', text: 'hello' }, 'you are in no room');
    await guest.leave();
  });

  const rightNames = ['a', 'k'.repeat(64), '\u20ac'.repeat(21), '\ud669\uc870\ub871\uc774', '\u{1f985}', '$SYS', '<b>"\\', 'a  b'];
  test('every other name is taken as it is', async () => {
    for (const name of rightNames) {
      const guest = await Guest.join(name, name);
      assert.deepEqual(guest.present, [name]);
      await guest.leave();
    }
  });

  test('a message longer than any that makes sense ends the socket with 1009, and the presence with it', async () => {
    const room = newRoom();
    const ann = await Guest.join(room, 'Ann');
    const bob = await Guest.join(room, 'Bob');
    await ann.sees(['Ann', 'Bob']);
    bob.say('k'.repeat(32 * 1024));
    assert.equal(await within(bob.closed, 'the close'), 1009);
    await ann.sees(['Ann']);
    await ann.leave();
  });
});

test('the server stops with people in its rooms', async () => {
  const guests = await repeat(10, (index) => Guest.join(newRoom(), `guest ${index}`));
  await chat.stop();
  const codes = await within(Promise.all(guests.map((guest) => guest.closed)), 'the closes');
  assert.deepEqual(codes, guests.map(() => 1001));
});
