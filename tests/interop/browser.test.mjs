// The echo page in Chromium, served by the tool: what a person sees and does.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { test } from 'node:test';

import { WebSocketServer } from 'ws';

import { launchChromium, poorContrasts, screenshot } from './chromium.mjs';
import { requireEngine, serve } from './tool.mjs';

requireEngine();
const tool = await serve();
const { webSocketUrl } = tool;
const browser = await launchChromium();

// Every text that the state label ever had, in order.
function recordStates() {
  document.addEventListener('DOMContentLoaded', () => {
    const label = document.getElementById('stateLabel');
    window.states = [label.textContent];
    new MutationObserver((records) => {
      for (const { addedNodes } of records) for (const node of addedNodes) window.states.push(node.data);
    }).observe(label, { childList: true });
  });
}

// A test with a fresh page. Nothing may be logged as an error, and nothing be fetched from elsewhere.
function pageTest(name, run, options = {}) {
  test(name, async () => {
    const context = await browser.newContext({ viewport: { width: 1180, height: 820 }, ...options });
    context.setDefaultTimeout(120_000);
    const page = await context.newPage();
    const problems = [];
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => {
      // Chromium logs every WebSocket that could not be opened; some tests are about those.
      if (message.type() === 'error' && !/^WebSocket connection to/.test(message.text())) problems.push(message.text());
    });
    page.on('request', (request) => {
      const { origin, protocol } = new URL(request.url());
      if (origin !== tool.url && protocol !== 'data:') problems.push(`a request for ${request.url()}`);
    });
    await page.addInitScript(recordStates);
    await page.goto(tool.url);
    await run(page);
    assert.deepEqual(problems, []);
    await context.close();
  });
}

const waitForState = (page, state) => page.waitForFunction((text) => stateLabel.textContent === text, state);
const rows = (page) => page.locator('#commsLog tr')
  .evaluateAll((all) => all.map((row) => Array.from(row.cells, (cell) => cell.textContent)));
const receivedIn = (all) => all.filter(([from]) => from === 'Server').map(([, , data]) => data);
const focused = (page) => page.evaluate(() => document.activeElement.id);

async function waitForRows(page, count) {
  await page.locator(`#commsLog tr:nth-child(${count})`).waitFor();
  return await rows(page);
}

async function connect(page, url) {
  if (url) await page.fill('#connectionUrl', url);
  await page.click('#connectButton');
  await waitForState(page, 'Open');
}

async function send(page, message) {
  await page.fill('#sendMessage', message);
  await page.click('#sendButton');
}

async function assertControls(page, expected) {
  const ids = ['connectionUrl', 'connectButton', 'sendMessage', 'sendButton', 'closeButton'];
  const enabled = await page.evaluate((all) => all.filter((id) => !document.getElementById(id).disabled), ids);
  assert.deepEqual(enabled, expected);
}

const whenClosed = ['connectionUrl', 'connectButton'];
const whenOpen = ['sendMessage', 'sendButton', 'closeButton'];

pageTest('the page is ready to connect', async (page) => {
  assert.equal(await page.textContent('p#stateLabel'), 'Ready to connect...');
  assert.equal(await page.textContent('h1'), 'WebSocket Sample Application');
  assert.notEqual((await page.title()).trim(), '');
  assert.equal(await page.inputValue('#connectionUrl'), webSocketUrl);
  assert.equal(await page.textContent('label[for=connectionUrl]'), 'WebSocket Server URL:');
  assert.equal(await page.textContent('label[for=sendMessage]'), 'Message to send:');
  assert.equal(await page.textContent('button#connectButton'), 'Connect');
  assert.equal(await page.textContent('button#sendButton'), 'Send');
  assert.equal(await page.textContent('button#closeButton'), 'Close Socket');
  assert.equal(await page.textContent('h2'), 'Communication Log');
  assert.deepEqual(await page.locator('th').allTextContents(), ['From', 'To', 'Data']);
  assert.deepEqual(await rows(page), []);
  await assertControls(page, whenClosed);
  const label = await page.locator('#stateLabel').boundingBox();
  assert.ok(label.x < 100 && label.y < 100, 'the state stands in the upper left');
  await screenshot(page, 'start');
});

pageTest('a message goes out, comes back, and the socket is closed', async (page) => {
  await connect(page);
  await assertControls(page, whenOpen);
  await send(page, 'Hello, Windhover!');
  await waitForRows(page, 3);
  await send(page, 'T\u00fcrkenfalke, \ud669\uc870\ub871\uc774, \u{1f985}');
  await waitForRows(page, 5);
  await screenshot(page, 'open');
  await page.click('#closeButton');
  await waitForState(page, 'Closed');
  assert.deepEqual(await waitForRows(page, 6), [
    ['Connection opened'],
    ['Client', 'Server', 'Hello, Windhover!'],
    ['Server', 'Client', 'Hello, Windhover!'],
    ['Client', 'Server', 'T\u00fcrkenfalke, \ud669\uc870\ub871\uc774, \u{1f985}'],
    ['Server', 'Client', 'T\u00fcrkenfalke, \ud669\uc870\ub871\uc774, \u{1f985}'],
    ['Connection closed. Code: 1000. Reason: Closing from client'],
  ]);
  assert.deepEqual(await page.evaluate(() => window.states),
    ['Ready to connect...', 'Connecting', 'Connecting...', 'Open', 'Closing...', 'Closed']);
  const cells = page.locator('#commsLog tr:nth-child(2) td');
  assert.deepEqual(await cells.evaluateAll((all) => all.map((cell) => cell.className)),
    ['commslog-client', 'commslog-server', 'commslog-data']);
  for (const row of [1, 6]) {
    assert.equal(await page.locator(`#commsLog tr:nth-child(${row}) td`).getAttribute('colspan'), '3');
  }
  await assertControls(page, whenClosed);
  await screenshot(page, 'closed');
  await connect(page);
  assert.equal((await waitForRows(page, 7)).at(-1)[0], 'Connection opened', 'the page connects again');
});

pageTest('markup is shown as the text that it is', async (page) => {
  const messages = [
    '<b>&', '&lt;b&gt;', '<img src="x" onerror="window.injected = true">',
    '</td></tr></table><script>window.injected = true</script>',
  ];
  await connect(page);
  for (const message of messages) await send(page, message);
  const all = await waitForRows(page, 1 + 2 * messages.length);
  for (const message of messages) {
    assert.equal(all.filter(([from, , data]) => from === 'Client' && data === message).length, 1, message);
    assert.equal(all.filter(([from, , data]) => from === 'Server' && data === message).length, 1, message);
  }
  assert.equal(await page.locator('#commsLog').locator('b, img, script').count(), 0);
  assert.equal(await page.evaluate(() => window.injected), undefined);
});

pageTest('an empty message and one of 100,000 characters are logged', async (page) => {
  await connect(page);
  await send(page, '');
  await send(page, 'k'.repeat(100_000));
  const all = await waitForRows(page, 5);
  const received = receivedIn(all);
  assert.equal(received[0], '');
  assert.match(received[1], /^k{1000,}\.\.\. \(100000 characters\)$/);
});

pageTest('what another server sends and how it closes is shown', async (page) => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  server.on('connection', (socket) => {
    socket.send(Buffer.alloc(300));
    socket.on('message', () => socket.close(4000, '<i>enough</i>'));
  });
  await connect(page, `ws://127.0.0.1:${server.address().port}/`);
  assert.deepEqual((await waitForRows(page, 2))[1], ['Server', 'Client', '<<binary, 300 bytes>>']);
  await send(page, 'stop');
  await waitForState(page, 'Closed');
  assert.deepEqual((await waitForRows(page, 4))[3], ['Connection closed. Code: 4000. Reason: <i>enough</i>']);
  server.close();
});

pageTest('while a server does not answer the page says so, and when it is gone too', async (page) => {
  const silent = net.createServer();
  await new Promise((resolve) => { silent.listen(0, '127.0.0.1', resolve); });
  const connected = once(silent, 'connection');
  await page.fill('#connectionUrl', `ws://127.0.0.1:${silent.address().port}/ws`);
  await page.click('#connectButton');
  const [socket] = await connected;
  await waitForState(page, 'Connecting...');
  await assertControls(page, []);
  socket.destroy();
  silent.close();
  await waitForState(page, 'Closed');
  assert.deepEqual(await waitForRows(page, 1), [['Connection closed. Code: 1006. Reason: ']]);
  await assertControls(page, whenClosed);
});

pageTest('an address that is none is reported and can be corrected', async (page) => {
  await page.fill('#connectionUrl', 'ftp://example.com/');
  await page.click('#connectButton');
  const [[note]] = await waitForRows(page, 1);
  assert.match(note, /^Cannot connect\. /);
  await assertControls(page, whenClosed);
  await connect(page, webSocketUrl);
});

pageTest('the keyboard is enough', async (page) => {
  const { keyboard } = page;
  await keyboard.press('Tab');
  assert.equal(await focused(page), 'connectionUrl');
  await keyboard.press('Tab');
  assert.equal(await focused(page), 'connectButton');
  await keyboard.press('Shift+Tab');
  await keyboard.press('Enter');
  await waitForState(page, 'Open');
  assert.equal(await focused(page), 'sendMessage', 'the focus goes where the next step is');
  await keyboard.type('first');
  await keyboard.press('Enter');
  await waitForRows(page, 3);
  await keyboard.type('second');  // replaces the first, which is selected after it was sent
  await keyboard.press('Enter');
  assert.deepEqual(receivedIn(await waitForRows(page, 5)), ['first', 'second']);
  await keyboard.press('Tab');
  assert.equal(await focused(page), 'sendButton');
  await keyboard.press('Tab');
  assert.equal(await focused(page), 'closeButton');
  const outline = await page.locator('#closeButton').evaluate((button) => getComputedStyle(button).outlineStyle);
  assert.notEqual(outline, 'none', 'the focus can be seen');
  await keyboard.press('Space');
  await waitForState(page, 'Closed');
  assert.equal(await focused(page), 'connectButton');
  await keyboard.press('Enter');
  await waitForState(page, 'Open');
});

pageTest('assistive technology hears the state and the log, and every field has its label', async (page) => {
  assert.equal(await page.locator('#stateLabel').getAttribute('role'), 'status');
  await page.getByRole('log', { name: 'Communication Log' }).waitFor();
  await page.getByRole('textbox', { name: 'WebSocket Server URL:' }).waitFor();
  await page.getByRole('textbox', { name: 'Message to send:' }).waitFor();
  assert.equal(await page.locator('html').getAttribute('lang'), 'en');
});

async function fillLog(page) {
  await connect(page);
  const sentence = 'It hovers against the wind, head still, and misses nothing that moves below.';
  for (const message of ['Hello, Windhover!', '<b>&', '', `${sentence} ${sentence}`, 'k'.repeat(300)]) {
    await send(page, message);
  }
  await waitForRows(page, 11);
}

for (const [name, width, height] of [['phone', 375, 740], ['small phone', 320, 568], ['lying phone', 740, 360]]) {
  pageTest(`on a ${name} nothing is cut off and fingers hit the buttons`, async (page) => {
    await fillLog(page);
    const overflow = await page.evaluate(() => {
      const log = document.querySelector('[role=log]');
      const root = document.documentElement;
      return [root.scrollWidth - root.clientWidth, log.scrollWidth - log.clientWidth];
    });
    assert.deepEqual(overflow, [0, 0], 'no scrolling to the side');
    for (const id of ['connectionUrl', 'connectButton', 'sendMessage', 'sendButton', 'closeButton']) {
      const box = await page.locator(`#${id}`).boundingBox();
      assert.ok(box.height >= 44 && box.width >= 44, `${id} is ${box.width} x ${box.height}`);
      assert.ok(box.x >= 0 && box.x + box.width <= width, id);
    }
    const tooNarrow = await page.locator('button').evaluateAll(
      (all) => all.filter((button) => button.scrollWidth > button.clientWidth).map(({ id }) => id));
    assert.deepEqual(tooNarrow, [], 'every button holds its text');
    const last = await page.locator('#commsLog tr:last-child').evaluate((row) => {
      const log = row.closest('[role=log]').getBoundingClientRect();
      return row.getBoundingClientRect().bottom <= log.bottom + 1;
    });
    assert.ok(last, 'the last row is in sight');
    await screenshot(page, name.replace(' ', '-'));
  }, { viewport: { width, height }, deviceScaleFactor: 2, isMobile: true, hasTouch: true });
}

for (const colorScheme of ['light', 'dark']) {
  pageTest(`the ${colorScheme} page is readable`, async (page) => {
    assert.deepEqual(await page.evaluate(poorContrasts), []);
    await fillLog(page);
    assert.deepEqual(await page.evaluate(poorContrasts), []);
    await page.click('#closeButton');
    await waitForState(page, 'Closed');
    await screenshot(page, colorScheme);
    const background = await page.locator('body').evaluate((body) => getComputedStyle(body).backgroundColor);
    assert.equal(Number(/\d+/.exec(background)[0]) > 127, colorScheme === 'light', background);
  }, { colorScheme, reducedMotion: 'reduce' });
}

test('under a content security policy with two hashes and nothing else the page works', async () => {
  // Not page.route: Chromium takes a page that did not come over the network for a stranger to this machine's servers.
  const html = await (await fetch(tool.url)).text();
  const hash = (tag) => {
    const [, content] = new RegExp(`<${tag}[^>]*>([^]*?)</${tag}>`).exec(html);
    return `'sha256-${createHash('sha256').update(content).digest('base64')}'`;
  };
  const policy = ["default-src 'none'", `script-src ${hash('script')}`, `style-src ${hash('style')}`, 'img-src data:',
    'connect-src ws:'].join('; ');
  const server = http.createServer((request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': policy });
    response.end(html);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const page = await browser.newPage();
  const refusals = [];
  page.on('console', (message) => refusals.push(message.text()));
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  await connect(page, webSocketUrl);
  await send(page, 'within the policy');
  await waitForRows(page, 3);
  const display = await page.locator('#stateLabel').evaluate((label) => getComputedStyle(label).display);
  assert.equal(display, 'flex', 'the style is taken');
  assert.deepEqual(refusals, []);
  await page.close();
  server.close();
});

// ----- Pages from elsewhere

// A page of another origin than any tool's.
async function strangersPage() {
  const server = http.createServer((request, response) => response.end('<!doctype html><title>elsewhere</title>'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${server.address().port}`;
  const page = await browser.newPage();
  await page.goto(origin);
  return { page, origin, close: () => page.close().then(() => server.close()) };
}

// What a script of the page sees of a WebSocket: its echo, or the code of its close.
const tryWebSocket = (page, url) => page.evaluate((to) => new Promise((resolve) => {
  const socket = new WebSocket(to);
  socket.onopen = () => socket.send('from a script');
  socket.onmessage = ({ data }) => resolve(data);
  socket.onclose = ({ code }) => resolve(code);
}), url);

test('with the switch for the same origin, only pages of the server itself get a WebSocket', async () => {
  const strict = await serve({ options: ['--same-origin'] });
  const elsewhere = await strangersPage();
  assert.equal(await tryWebSocket(elsewhere.page, webSocketUrl), 'from a script', 'without the switch');
  assert.equal(await tryWebSocket(elsewhere.page, strict.webSocketUrl), 1006);
  const own = await browser.newPage();
  await own.goto(strict.url);
  assert.equal(await tryWebSocket(own, strict.webSocketUrl), 'from a script');
  await own.close();
  await elsewhere.close();
  await strict.stop();
});

test('with allowed origins, only their pages get a WebSocket', async () => {
  const one = await strangersPage();
  const other = await strangersPage();
  const strict = await serve({ options: ['--allowed-origin', one.origin] });
  assert.equal(await tryWebSocket(one.page, strict.webSocketUrl), 'from a script');
  assert.equal(await tryWebSocket(other.page, strict.webSocketUrl), 1006);
  await one.close();
  await other.close();
  await strict.stop();
});

// A stranger's name that suddenly stands for this machine (DNS rebinding): for the browser, page and server then have
// the same origin. Only the name in Host tells.
test('with allowed hosts, a name that a stranger has bent towards the server gets nothing', async () => {
  const open = await serve();
  const strict = await serve({ options: ['--allowed-host', '127.0.0.1', '--same-origin'] });
  const page = await browser.newPage();
  const bent = ({ port }) => `http://stranger.test:${port}`;
  assert.equal((await page.goto(bent(open))).status(), 200);
  assert.equal(await tryWebSocket(page, `${bent(open).replace('http', 'ws')}/ws`), 'from a script');
  assert.equal(await tryWebSocket(page, `${bent(strict).replace('http', 'ws')}/ws`), 1006);
  assert.equal((await page.goto(bent(strict))).status(), 400);
  assert.equal((await page.goto(strict.url)).status(), 200);
  assert.equal(await tryWebSocket(page, strict.webSocketUrl), 'from a script');
  await page.close();
  await open.stop();
  await strict.stop();
});

test('a server that stops is seen to go away', async () => {
  const page = await browser.newPage();
  await page.goto(tool.url);
  await connect(page);
  await tool.stop();
  await waitForState(page, 'Closed');
  assert.match((await waitForRows(page, 2))[1][0], /^Connection closed\. Code: 1001\. Reason: /);
  await browser.close();
});
