// The echo page over TLS, in Chromium and Firefox: over HTTP/1.1, where a WebSocket has a connection of its own, and over
// HTTP/2, where it is a stream beside the page's (RFC 8441). The server says which it was.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';

import { firefox } from 'playwright-core';

import { launchChromium } from './chromium.mjs';
import { requireEngine, serve } from './tool.mjs';

requireEngine();
const folder = mkdtempSync(join(tmpdir(), 'windhover-https-page-'));
const [key, certificate] = [join(folder, 'site.key'), join(folder, 'site.pem')];
execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key,
  '-out', certificate, '-days', '30', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
{ stdio: 'ignore' });
const serveWith = (protocols) => serve({
  urls: 'https://127.0.0.1:0',
  options: ['--certificate', certificate, '--key', key, '--protocols', protocols, '--verbose'],
});
const http1Tool = await serveWith('http1');
const http2Tool = await serveWith('http1-and-http2');
const browsers = [
  ['Chromium', await launchChromium()],
  ['Firefox', await firefox.launch({ channel: 'moz-firefox',
    executablePath: process.env.WINDHOVER_FIREFOX ?? '/usr/bin/firefox-esr',
    firefoxUserPrefs: { 'network.http.http2.websockets': true } })],
];
after(async () => {
  for (const [, browser] of browsers) await browser.close();
  await http1Tool.stop();
  await http2Tool.stop();
  rmSync(folder, { recursive: true });
});

const waitForState = (page, state) => page.waitForFunction((wanted) => stateLabel.dataset.state === wanted, state);

for (const [name, browser] of browsers) {
  describe(name, () => {
    for (const [tool, hop, protocol] of [[http1Tool, 'http/1.1', 'HTTP/1.1'], [http2Tool, 'h2', 'HTTP/2']]) {
      test(`the page and its WebSocket over ${protocol}`, async () => {
        const context = await browser.newContext({ ignoreHTTPSErrors: true });
        context.setDefaultTimeout(120_000);
        const page = await context.newPage();
        await page.goto(tool.url);
        assert.equal(await page.evaluate(() => performance.getEntriesByType('navigation')[0].nextHopProtocol), hop);
        const before = tool.output.length;
        await page.click('#connectButton');
        await waitForState(page, 'open');
        await page.fill('#sendMessage', 'over TLS');
        await page.click('#sendButton');
        await page.locator('#commsLog tr', { hasText: /^Server.*over TLS$/s }).waitFor();
        await page.click('#closeButton');
        await waitForState(page, 'closed');
        const line = `a WebSocket was opened at /ws over ${protocol} and TLSv1.3`;
        await tool.wrote(() => tool.output.slice(before).includes(line), `'${line}'`);
        await context.close();
      });
    }
  });
}
