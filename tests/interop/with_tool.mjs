// node with_tool.mjs [OPTION...] COMMAND [ARGUMENT...]
//
// Runs a command against a running tool, which gets the options before it: the command finds the echo endpoint in
// WINDHOVER_WEBSOCKET_URL and the server's process in WINDHOVER_PID (a test may ask it to stop). Fails when the command
// fails or the tool does not end cleanly.

import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { requireEngine, serve } from './tool.mjs';

requireEngine();
const given = process.argv.slice(2);
const first = given.findIndex((argument) => !argument.startsWith('--'));
const tool = await serve({ options: given.slice(0, first) });
const [command, ...args] = given.slice(first);
const child = spawn('setpriv', ['--pdeathsig', 'KILL', command, ...args], {
  stdio: 'inherit',
  env: { ...process.env, WINDHOVER_WEBSOCKET_URL: tool.webSocketUrl, WINDHOVER_PID: String(tool.pid) },
});
const [code, signal] = await once(child, 'close');
if (code !== 0) {
  console.error(`${command} ended with ${code ?? signal}; the tool wrote:\n${tool.output}`);
  process.exitCode = 1;
}
await tool.stop();
