import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import { withTestPage } from './browser.ts';
import { answer, connect, conversationId, logIn, messages, question, say, state } from './person.ts';
import { Wire } from './wire.ts';

/** Each would set `window.canary`, fetch something, or take the page over, if it were ever read as HTML or as a link. */
const HOSTILE = [
  '<script>window.canary = 1</script>',
  '"><img src=x onerror="window.canary = 1">',
  '<svg onload="window.canary = 1"><animate onbegin="window.canary = 1" attributeName=x>',
  '<a href="javascript:window.canary = 1" autofocus onfocus="window.canary = 1">x</a>',
  '[x](javascript&#58;window.canary=1) [y](data:text/html,<script>parent.canary=1</script>)',
  '![x](http://elsewhere.invalid/pixel.png?secret)',
  '<iframe srcdoc="<script>parent.canary = 1</script>"></iframe>',
  '<form id="message"><input name="value"></form><div id="connect"></div>',
  '<style>body { display: none }</style><link rel=stylesheet href=//elsewhere.invalid/a.css>',
  '<base href="//elsewhere.invalid/"><meta http-equiv="refresh" content="0;url=//elsewhere.invalid">',
  '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=window.canary=1&gt;">',
  '</textarea></li></ol><noscript><p title="</noscript><img src=x onerror=window.canary=1>">',
  "{{constructor.constructor('window.canary = 1')()}} ${window.canary = 1}",
  '\u202Egnp.exe \u2066 Z\u0351\u036B\u0343\u036A\u0302\u036B\u033D\u034F a\u200D\u200D\u200D\uFEFFb\u2028c',
];
const ALL = HOSTILE.join('\n');

/** Nothing of it became an element, ran, or hid the page. */
async function expectInert(page: Page): Promise<void> {
  const made = page.locator(
    'body :is(script, img:not([src="test-page/icon.svg"]), svg, a:not([href="/docs"], .skip), iframe, style, base, meta, math, object, embed)',
  );
  expect(await made.count()).toBe(0);
  expect(await page.locator('#message').count()).toBe(1);
  expect(await page.evaluate(() => Reflect.get(window, 'canary'))).toBeUndefined();
  expect(await page.locator('body').isVisible()).toBe(true);
}

/** Splits a text so that every tag, entity and link in it arrives in pieces. */
function inPieces(text: string): { text: string }[] {
  return (text.toWellFormed().match(/[\s\S]{1,3}/gu) ?? []).map((piece) => ({ text: piece }));
}

describeWith('chromium', 'hostile text on the test page', () => {
  const tests = withTestPage();

  test('stays text in messages, titles and streamed answers, also while it comes in pieces', async () => {
    const page = await tests.visit();
    await logIn(page, await tests.server.signUp('mallory'));
    await connect(page);
    await say(page, question(ALL, ...inPieces(ALL), { delay_ms: 300 }, { text: ' the end' }));
    await page.locator('.writing .text', { hasText: 'canary' }).waitFor();
    await expectInert(page);
    await answer(page, 'the end');
    expect(await messages(page)).toEqual([
      question(ALL, ...inPieces(ALL), { delay_ms: 300 }, { text: ' the end' }),
      `${ALL} the end`,
    ]);
    await page.getByRole('button', { name: /<script>window/ }).waitFor();
    await expectInert(page);
  });

  test('stays text in names, metadata, errors and events that a hostile server sends', async () => {
    const wire = new Wire();
    const page = await tests.visit({}, (opened) => wire.attach(opened));
    await logIn(page, await tests.server.signUp('trudy'));
    await page.getByLabel('Transport').selectOption('websocket');
    await connect(page);
    await say(page, question('Hello', { text: 'Hi.' }));
    await answer(page, 'Hi.');
    await page.getByText('joined, live').waitFor();

    const conversation_id = await conversationId(page);
    const author = { kind: 'user', id: ALL, name: ALL };
    const common = { conversation_id, actor: author, created_at: '2026-01-01T00:00:00.000Z' };
    const about = {
      role: 'user',
      content: ALL,
      metadata: { [ALL]: ALL },
      timestamp: 1e9,
      conversation_id,
      task_id: null,
    };
    const ended = { id: 'task', attempt: 1, status: 'failed', error: { code: 'x', message: ALL }, partial_text: ALL };
    const member = { user_id: 'x', username: ALL, role: 'member', joined_at: common.created_at };
    const events = [
      { type: 'message_created', data: { message: { ...about, id: 'm', seq: 3, author } } },
      { type: 'conversation_updated', data: { title: ALL } },
      { type: 'member_joined', data: { member } },
      { type: 'task_ended', data: { task: ended } },
      { type: 'member_left', data: { user_id: 'y', username: ALL } },
    ];
    for (const [index, event] of events.entries())
      wire.emit('conversation_event', { ...common, seq: index + 3, ...event });
    wire.emit('response_start', { conversation_id, task_id: 't', attempt: 1, assistant: ALL });
    wire.emit('response_delta', { conversation_id, task_id: 't', attempt: 1, index: 0, text: ALL });
    wire.emit('error', { message: ALL, error: ALL });
    wire.emit('<img src=x onerror="window.canary = 1">', { [ALL]: ALL });
    await page.locator('.notice', { hasText: 'is no longer a member' }).waitFor();
    await page.locator('#problem-text', { hasText: 'canary' }).waitFor();
    await page.locator('.event-name', { hasText: '<img' }).waitFor();
    await page.locator('#members > summary').click();
    for (const summary of await page.locator('.metadata summary').all()) await summary.click();
    await page.locator('#log-rows li').last().locator('summary').click();

    expect(await page.locator('.who').filter({ hasText: 'canary' }).count()).toBe(2);
    expect(
      await page
        .locator('.who')
        .first()
        .evaluate((node) => getComputedStyle(node).unicodeBidi),
    ).toMatch(/isolate/);
    expect(await page.locator('#chat-title').textContent()).toBe(ALL);
    await expectInert(page);
    const widths = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
    expect(widths[0]).toBeLessThanOrEqual(widths[1] ?? 0);
  });

  test('stays text in what REST refuses', async () => {
    const page = await tests.visit();
    const detail = [
      { loc: ['body', 'username'], msg: ALL, type: 'x' },
      { loc: ['body', ALL], msg: ALL, type: 'x' },
    ];
    const answers = [
      { detail, error: 'invalid_payload' },
      { detail: ALL, error: ALL },
    ];
    await page.route('**/auth/login', (route) => route.fulfill({ status: 422, json: answers.shift() }));
    await page.locator('#login-username').fill('x');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.locator('#login-username-problem', { hasText: 'canary' }).waitFor();
    await expectInert(page);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.locator('.form-problem', { hasText: /^<script>/ }).waitFor();
    await expectInert(page);
  });

  test('stays text in the reason of a refusal and in the name that the server greets', async () => {
    const wire = new Wire();
    const page = await tests.visit({}, (opened) => wire.attach(opened));
    wire.relay = (packet) => {
      if (!packet.startsWith('42["connected"')) return wire.toPage(packet);
      const [name, payload] = JSON.parse(packet.slice(2));
      wire.emit(name, { ...payload, user: { ...payload.user, username: ALL } });
    };
    await logIn(page, await tests.server.signUp('eve'));
    await page.getByLabel('Transport').selectOption('websocket');
    await connect(page);
    await page.locator('#connection-detail', { hasText: 'canary' }).waitFor();
    wire.emit('error', { message: ALL, error: 'replaced' });
    wire.toPage('41'); // Socket.IO's own word that the server has closed the socket
    await state(page, 'refused');
    await page.locator('#connection-detail.bad', { hasText: 'canary' }).waitFor();
    await expectInert(page);
  });
});
