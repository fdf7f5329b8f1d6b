// Starts and stops the windhover tool, or a sample. WINDHOVER_TOOL is the tool's path; WINDHOVER_SAMPLE that of the sample;
// WINDHOVER_ENGINE, when set, the engine they are told to use. Neither outlives its test: the kernel kills it when this
// process is gone, however it went.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';

import { within } from './bounded.mjs';

const path = process.env.WINDHOVER_TOOL;
export const engine = process.env.WINDHOVER_ENGINE;
const sanitizesThreads = process.env.TSAN_OPTIONS !== undefined;
const patience = 10_000;

// io_uring_setup(2), which a container's seccomp profile or a sysctl may forbid: the system call's number is the same
// on every architecture.
const ioUringProbe = `
import ctypes, sys
ring = ctypes.CDLL(None).syscall(425, 4, ctypes.create_string_buffer(120))
sys.exit(0 if ring >= 0 else 1)`;

// Ends the process, with a line that CTest knows as a skipped test, where the engine cannot run at all.
export function requireEngine() {
  if (!path) throw new Error('WINDHOVER_TOOL is not set: it is the path of the windhover tool');
  if (engine === 'io_uring' && spawnSync('/usr/bin/python3', ['-c', ioUringProbe]).status !== 0) {
    console.log('skipped: this machine does not allow io_uring');
    process.exit(0);
  }
}

class Tool {
  #child;
  #exited;
  #waiting = new Set();
  stdout = '';
  stderr = '';

  // `input`: what its standard input holds; null for one that stays open and empty, undefined for none.
  constructor(args, input, { program = path, folder, env } = {}) {
    const stdin = input === undefined ? 'ignore' : 'pipe';
    this.#child = spawn('setpriv', ['--pdeathsig', 'KILL', program, ...args],
      { stdio: [stdin, 'pipe', 'pipe'], cwd: folder, env });
    if (input !== undefined) this.#child.stdin.on('error', () => {});  // it may end before it has read everything
    if (input !== undefined && input !== null) this.#child.stdin.end(input);
    this.#child.unref();  // a tool that a failed test leaves behind does not keep the process alive
    for (const stream of ['stdout', 'stderr']) {
      this.#child[stream].unref();
      this.#child[stream].setEncoding('utf8');
      this.#child[stream].on('data', (text) => {
        this[stream] += text;
        this.#look();
      });
    }
    const kill = () => this.#child.kill('SIGKILL');
    process.on('exit', kill);
    this.#exited = once(this.#child, 'close').then(([code, signal]) => {
      process.off('exit', kill);
      this.#exited.done = true;
      this.#look();
      return { code, signal };
    });
  }

  get pid() { return this.#child.pid; }
  get output() { return this.stdout + this.stderr; }

  get urls() {
    return [...this.stdout.matchAll(/Now listening on: (\S+)[^\n]*\n/g)].map((match) => match[1]);
  }

  get url() { return this.urls[0]; }
  get port() { return Number(new URL(this.url).port); }
  get webSocketUrl() { return `${this.url.replace(/^http/, 'ws')}/ws`; }

  #look() {
    for (const look of this.#waiting) look();
  }

  // Resolves when the condition holds for what the tool has written; rejects when the tool ends before.
  async wrote(condition, what) {
    let look;
    const seen = new Promise((resolve, reject) => {
      look = () => {
        if (condition(this)) resolve();
        else if (this.#exited.done) reject(new Error(`the tool ended before ${what}; it wrote:\n${this.output}`));
      };
    });
    this.#waiting.add(look);
    look();
    try {
      await within(seen, `${what}; so far the tool wrote:\n${this.output}`);
    } finally {
      this.#waiting.delete(look);
    }
  }

  // The thread sanitizer takes signals in the program's place and hands them on; now and then one that comes while a
  // thread goes to sleep is not handed on (g++ 12). It is then sent again: the tool says at once when it has one.
  signal(name) {
    this.#child.kill(name);
    if (!sanitizesThreads) return;
    const again = setTimeout(() => {
      if (!this.output.includes('Application is shutting down')) this.#child.kill(name);
    }, patience);
    again.unref();
  }

  // On its standard input, where it has one; end() ends that.
  write(text) { this.#child.stdin.write(text); }
  end() { this.#child.stdin.end(); }

  // How the tool ended: its exit code, or the signal that killed it.
  async exited() {
    try {
      return await within(this.#exited, `the end of the tool; so far it wrote:\n${this.output}`);
    } catch (error) {
      this.signal('SIGKILL');
      throw error;
    }
  }

  // Asks the tool to stop, and complains about every end that is not a clean one. A sanitizer's report is not.
  async stop() {
    this.signal('SIGTERM');
    const { code, signal } = await this.exited();
    if (code !== 0) throw new Error(`the tool ended with ${code ?? signal}; it wrote:\n${this.output}`);
  }
}

// Starts `windhover serve` and resolves when it listens.
export async function serve({ urls = 'http://127.0.0.1:0', options = [] } = {}) {
  return listening(urls, new Tool(['serve', ...settings(urls), ...options]));
}

// Starts the sample in its own folder, where its pages are, and resolves when it listens. What is said to these tests in
// the environment would be keys of its configuration.
export async function serveSample({ urls = 'http://127.0.0.1:0', options = [] } = {}) {
  const program = process.env.WINDHOVER_SAMPLE;
  const folder = fileURLToPath(new URL(`../../samples/${basename(program)}`, import.meta.url));
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('WINDHOVER_')));
  return listening(urls, new Tool([...settings(urls), ...options], undefined, { program, folder, env }));
}

const settings = (urls) => ['--urls', urls, ...(engine ? ['--engine', engine] : [])];

async function listening(urls, tool) {
  const wanted = urls.split(';').length;
  await tool.wrote(({ urls: shown }) => shown.length >= wanted, `the tool listened on ${urls}`);
  return tool;
}

// Runs the tool with these arguments to its end.
export async function run(...args) {
  return runWith(undefined, ...args);
}

// The same with something on its standard input.
export async function runWith(input, ...args) {
  return ended(new Tool(args, input));
}

// The same, with an input that is written to while it runs.
export function start(...args) {
  return new Tool(args, null);
}

export async function ended(tool) {
  const { code, signal } = await tool.exited();
  return { code, signal, stdout: tool.stdout, stderr: tool.stderr };
}
