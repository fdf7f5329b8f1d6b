// The chat sample's page in Chromium: two people, each with a browser of their own, who come, talk, lose their connection,
// and leave.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { launchChromium, poorContrasts, screenshot } from './chromium.mjs';
import { requireEngine, serveSample } from './tool.mjs';

requireEngine();
let chat = await serveSample({ options: ['--threads', '4'] });
const { url } = chat;
// Two processes, which take turns with the pages: who talks to whom sits at another browser.
const browsers = await Promise.all([launchChromium(), launchChromium()]);
let opened = 0;

const names = (page) => page.locator('#names li').allTextContents();
const lines = (page) => page.locator('#lines li').allTextContents();
const waitForState = (page, state) => page.waitForFunction((text) => stateLabel.textContent === text, state);

const waitForNames = (page, expected) => page.waitForFunction(
  (all) => Array.from(document.querySelectorAll('#names li'), ({ textContent }) => textContent).join() === all,
  expected.join());

async function waitForLine(page, text) {
  await page.waitForFunction(
    (line) => Array.from(document.querySelectorAll('#lines li')).some(({ textContent }) => textContent === line), text);
}

// Nothing may be logged as an error, and nothing be fetched from elsewhere.
async function openPage(options = {}) {
  const context = await browsers[opened++ % 2].newContext({ viewport: { width: 1180, height: 820 }, ...options });
  context.setDefaultTimeout(120_000);
  const page = await context.newPage();
  const problems = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    // Chromium logs every WebSocket that could not be opened; one test is about those.
    if (message.type() === 'error' && !/^WebSocket connection to/.test(message.text())) problems.push(message.text());
  });
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    if (origin !== url && protocol !== 'data:') problems.push(`a request for ${request.url()}`);
  });
  page.end = async () => {
    assert.deepEqual(problems, []);
    await context.close();
  };
  await page.goto(url);
  return page;
}

async function join(page, name, room) {
  await page.getByLabel('Your name:').fill(name);
  await page.getByLabel('Room:').fill(room);
  await page.getByRole('button', { name: 'Join' }).click();
}

async function say(page, text) {
  await page.getByLabel('Message:').fill(text);
  await page.getByRole('button', { name: 'Say' }).click();
}

async function enabled(page) {
  const ids = ['name', 'room', 'joinButton', 'leaveButton', 'text', 'sayButton'];
  return page.evaluate((all) => all.filter((id) => !document.getElementById(id).disabled), ids);
}

async function twoIn(room) {
  const [ann, bob] = [await openPage(), await openPage()];
  await join(ann, 'Ann', room);
  await waitForState(ann, `In ${room} as Ann`);
  await join(bob, 'Bob', room);
  await waitForState(bob, `In ${room} as Bob`);
  await waitForNames(ann, ['Ann (you)', 'Bob']);
  return [ann, bob];
}

test('two people see each other come, talk, and leave', async () => {
  const ann = await openPage();
  assert.equal(await ann.textContent('#stateLabel'), 'In no room');
  assert.equal(await ann.inputValue('#room'), 'lobby');
  assert.deepEqual(await enabled(ann), ['name', 'room', 'joinButton']);
  await join(ann, 'Ann', 'lobby');
  await waitForState(ann, 'In lobby as Ann');
  await waitForNames(ann, ['Ann (you)']);
  assert.deepEqual(await enabled(ann), ['leaveButton', 'text', 'sayButton']);

  const bob = await openPage();
  await join(bob, 'Bob', 'lobby');
  await waitForNames(bob, ['Ann', 'Bob (you)']);
  await waitForNames(ann, ['Ann (you)', 'Bob']);
  await say(ann, 'Hello, Bob!');
  await waitForLine(bob, 'AnnHello, Bob!');
  await say(bob, '\ud669\uc870\ub871\uc774 \u{1f985}');
  await waitForLine(ann, 'Bob\ud669\uc870\ub871\uc774 \u{1f985}');
  assert.equal(await ann.inputValue('#text'), '', 'the next message starts empty');
  assert.deepEqual(await lines(ann),
    ['Ann has joined', 'Bob has joined', 'AnnHello, Bob!', 'Bob\ud669\uc870\ub871\uc774 \u{1f985}']);
  assert.deepEqual(await lines(bob), ['Bob has joined', 'AnnHello, Bob!', 'Bob\ud669\uc870\ub871\uc774 \u{1f985}']);
  await screenshot(ann, 'two');

  await bob.getByRole('button', { name: 'Leave' }).click();
  await waitForState(bob, 'In no room');
  await waitForLine(ann, 'Bob has left');
  await waitForNames(ann, ['Ann (you)']);
  assert.deepEqual(await names(bob), []);
  assert.equal((await lines(bob)).at(-1), 'You have left.');
  assert.deepEqual(await enabled(bob), ['name', 'room', 'joinButton']);

  await join(bob, 'Bob', 'lobby');
  await waitForNames(ann, ['Ann (you)', 'Bob']);
  await bob.end();  // closes the browser's window
  await waitForNames(ann, ['Ann (you)']);
  await ann.end();
});

test('people of other rooms are neither seen nor heard', async () => {
  const [ann, bob] = await twoIn('kestrels');
  const cho = await openPage();
  await join(cho, 'Cho', 'owls');
  await waitForNames(cho, ['Cho (you)']);
  await say(cho, 'hoo');
  await waitForLine(cho, 'Chohoo');
  await say(ann, 'kee');
  await waitForLine(bob, 'Annkee');
  await say(bob, 'kee kee');
  await waitForLine(ann, 'Bobkee kee');
  for (const page of [ann, bob]) assert.ok(!(await lines(page)).some((line) => line.includes('Cho')));
  assert.deepEqual(await lines(cho), ['Cho has joined', 'Chohoo']);
  for (const page of [ann, bob, cho]) await page.end();
});

test('markup is shown as the text that it is, in names and in messages', async () => {
  const ann = await openPage();
  const mallory = await openPage();
  await join(ann, 'Ann', 'x<b>y<\u{1f985}');
  await waitForState(ann, 'In x<b>y<\u{1f985} as Ann');
  await ann.getByRole('button', { name: 'Leave' }).click();
  await waitForState(ann, 'In no room');
  // An end tag is no name: there is a slash in it.
  await join(mallory, '</b>', 'x');
  await waitForLine(mallory, 'The server says: this cannot be the name of a person.');
  await waitForState(mallory, 'In no room');

  await join(ann, 'Ann', 'markup');
  await join(mallory, '<b onclick=x()>', 'markup');
  await waitForNames(ann, ['<b onclick=x()>', 'Ann (you)']);
  const messages = ['<b>markup</b>', '&lt;b&gt;', '<img src="x" onerror="window.injected = true">',
    '</li></ul><script>window.injected = true</script>'];
  for (const message of messages) {
    await say(mallory, message);
    await waitForLine(ann, `<b onclick=x()>${message}`);
  }
  for (const page of [ann, mallory]) {
    assert.equal(await page.locator('main').locator('b, img, script, i').count(), 0);
    assert.equal(await page.evaluate(() => window.injected), undefined);
    await page.end();
  }
});

test('a name that is taken is refused, and another one can be chosen', async () => {
  const [ann, bob] = await twoIn('taken');
  const other = await openPage();
  await join(other, 'Ann', 'taken');
  await waitForLine(other, 'The server says: somebody in this room has that name.');
  await waitForState(other, 'In no room');
  await join(other, 'Ann 2', 'taken');
  await waitForNames(other, ['Ann', 'Ann 2 (you)', 'Bob']);
  for (const page of [ann, bob, other]) await page.end();
});

test('the keyboard is enough', async () => {
  const page = await openPage();
  const { keyboard } = page;
  const focused = () => page.evaluate(() => document.activeElement.id);
  await keyboard.press('Tab');
  assert.equal(await focused(), 'name');
  await keyboard.type('Ann');
  await keyboard.press('Tab');
  assert.equal(await focused(), 'room');
  await keyboard.type('keys');  // in the place of what is there
  await keyboard.press('Enter');
  await waitForState(page, 'In keys as Ann');
  assert.equal(await focused(), 'text', 'the focus goes where the next step is');
  await keyboard.type('first');
  await keyboard.press('Enter');
  await keyboard.type('second');
  await keyboard.press('Enter');
  await waitForLine(page, 'Annsecond');
  assert.deepEqual(await lines(page), ['Ann has joined', 'Annfirst', 'Annsecond']);
  await page.locator('#leaveButton').focus();
  await keyboard.press('Space');
  await waitForState(page, 'In no room');
  assert.equal(await focused(), 'joinButton');
  await page.end();
});

test('assistive technology hears the state and the conversation, and everything has its name', async () => {
  const page = await openPage();
  assert.equal(await page.locator('html').getAttribute('lang'), 'en');
  assert.equal(await page.locator('#stateLabel').getAttribute('role'), 'status');
  await page.getByRole('log', { name: 'Conversation' }).waitFor();
  for (const name of ['Your name:', 'Room:', 'Message:']) await page.getByRole('textbox', { name }).waitFor();
  await join(page, 'Ann', 'names');
  await page.getByRole('list', { name: 'Who is here' }).waitFor();
  await page.end();
});

async function fillRoom(page, room) {
  await join(page, 'Ann', room);
  await waitForState(page, `In ${room} as Ann`);
  for (let number = 0; number < 30; ++number) await say(page, `${number} ${'It hovers against the wind. '.repeat(3)}`);
  await say(page, 'k'.repeat(300));
  await waitForLine(page, `Ann${'k'.repeat(300)}`);
}

for (const [name, width, height] of [['phone', 375, 740], ['small phone', 320, 568], ['desk', 1180, 820]]) {
  test(`on a ${name} nothing is cut off, and the last line is in sight`, async () => {
    const page = await openPage({ viewport: { width, height } });
    await fillRoom(page, name);
    const overflow = await page.evaluate(() => {
      const root = document.documentElement;
      return [root.scrollWidth - root.clientWidth, lines.scrollWidth - lines.clientWidth];
    });
    assert.deepEqual(overflow, [0, 0], 'no scrolling to the side');
    for (const id of ['name', 'room', 'joinButton', 'leaveButton', 'text', 'sayButton']) {
      const box = await page.locator(`#${id}`).boundingBox();
      assert.ok(box.height >= 44 && box.width >= 44, `${id} is ${box.width} x ${box.height}`);
      assert.ok(box.x >= 0 && box.x + box.width <= width, id);
    }
    const inSight = await page.locator('#lines li:last-child').evaluate((line) => {
      const log = document.getElementById('lines').getBoundingClientRect();
      return log.height > 100 && line.getBoundingClientRect().bottom <= log.bottom + 1;
    });
    assert.ok(inSight);
    const namesCut = await page.locator('#names').evaluate((list) => {
      const panel = list.closest('.people').getBoundingClientRect();
      return list.scrollHeight > list.clientHeight || list.getBoundingClientRect().bottom > panel.bottom + 1;
    });
    assert.ok(!namesCut, 'the names are in sight');
    await screenshot(page, name.replace(' ', '-'));
    await page.end();
  });
}

for (const colorScheme of ['light', 'dark']) {
  test(`the ${colorScheme} page is readable`, async () => {
    const page = await openPage({ colorScheme, reducedMotion: 'reduce' });
    assert.deepEqual(await page.evaluate(poorContrasts), []);
    await fillRoom(page, colorScheme);
    assert.deepEqual(await page.evaluate(poorContrasts), []);
    await screenshot(page, colorScheme);
    await page.end();
  });
}

test('when the server goes away and comes back, everybody is in the room again', async () => {
  const [ann, bob] = await twoIn('lasting');
  await chat.stop();
  for (const page of [ann, bob]) {
    await waitForLine(page, 'The connection was lost.');
    assert.deepEqual(await names(page), []);
    assert.deepEqual(await enabled(page), ['leaveButton'], 'nothing can be said meanwhile, and one may give up');
  }
  await screenshot(ann, 'lost');
  chat = await serveSample({ urls: url });
  await waitForNames(ann, ['Ann (you)', 'Bob']);
  await waitForNames(bob, ['Ann', 'Bob (you)']);
  await say(bob, 'there you are');
  await waitForLine(ann, 'Bobthere you are');
  for (const page of [ann, bob]) await page.end();
});

test('whoever gives up while there is no server is not brought back', async () => {
  const [ann, bob] = await twoIn('given up');
  await chat.stop();
  await waitForLine(ann, 'The connection was lost.');
  await waitForLine(bob, 'The connection was lost.');
  await bob.getByRole('button', { name: 'Leave' }).click();
  await waitForState(bob, 'In no room');
  chat = await serveSample({ urls: url });
  await waitForNames(ann, ['Ann (you)']);
  assert.deepEqual(await enabled(bob), ['name', 'room', 'joinButton']);
  await join(bob, 'Bob', 'given up');
  await waitForNames(ann, ['Ann (you)', 'Bob']);
  for (const page of [ann, bob]) await page.end();
});

test('the server ends cleanly', async () => {
  await Promise.all(browsers.map((each) => each.close()));
  await chat.stop();
});
