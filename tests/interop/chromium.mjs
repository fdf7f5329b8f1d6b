// Chromium, and what every page is asked. WINDHOVER_CHROMIUM is its path; screenshots go to WINDHOVER_ARTIFACTS.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { chromium } from 'playwright-core';

const artifacts = process.env.WINDHOVER_ARTIFACTS ?? 'artifacts';
mkdirSync(artifacts, { recursive: true });

export async function launchChromium(further = []) {
  return chromium.launch({
    executablePath: process.env.WINDHOVER_CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking',
      '--disable-component-update', '--disable-sync', '--no-first-run',
      '--host-resolver-rules=MAP stranger.test 127.0.0.1', ...further],
  });
}

export const screenshot = (page, name) =>
  page.screenshot({ path: join(artifacts, `${name}.png`), animations: 'disabled' });

// For page.evaluate: the contrast that WCAG 2.1 asks for (1.4.3: 4.5 to 1), of every text that is not disabled.
export function poorContrasts() {
  const channels = (color) => color.match(/[\d.]+/g).map(Number);
  const luminance = ([red, green, blue]) => [red, green, blue]
    .map((channel) => channel / 255)
    .map((channel) => (channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4))
    .reduce((sum, channel, index) => sum + channel * [0.2126, 0.7152, 0.0722][index], 0);
  const background = (element) => {
    for (let place = element; place; place = place.parentElement) {
      const color = channels(getComputedStyle(place).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const element of document.querySelectorAll('body *')) {
    const ownText = Array.from(element.childNodes, (node) => (node.nodeType === Node.TEXT_NODE ? node.data : ''));
    const text = element.value || ownText.join('');
    if (!text.trim() || element.disabled || !element.checkVisibility() || element.matches('script, noscript')) continue;
    const colors = [channels(getComputedStyle(element).color), background(element)];
    const [brighter, darker] = colors.map(luminance).sort((left, right) => right - left);
    const ratio = (brighter + 0.05) / (darker + 0.05);
    if (ratio < 4.5) poor.push(`${element.tagName} "${text.trim()}": ${ratio.toFixed(2)}`);
  }
  return poor;
}
