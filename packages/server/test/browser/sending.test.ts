import { expect, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import { withTestPage } from './browser.ts';
import { answer, connect, conversationId, logIn, logged, messages, question, say, state } from './person.ts';
import { Wire } from './wire.ts';

describeWith('chromium', 'sending on the test page', () => {
  const tests = withTestPage();

  test('what was written before there was a connection is sent once there is, in order', async () => {
    const page = await tests.visit();
    await say(page, 'too early');
    await page.getByText('not sent').waitFor();
    await page.locator('#composer-hint', { hasText: 'Log in and connect first' }).waitFor();
    await logIn(page, await tests.server.signUp('ines'));
    await page.locator('#composer-hint', { hasText: /^Connect first/ }).waitFor();
    await say(page, 'early too');
    await connect(page);
    await page.locator('.own:not(.pending)', { hasText: 'early too' }).waitFor();
    await say(page, question('In time', { text: 'Welcome.' }));
    await answer(page, 'Welcome.');
    const own = await page.locator('.own .text').allTextContents();
    expect(own.map((text) => text.split('\n')[0])).toEqual(['too early', 'early too', 'In time']);
    expect((await logged(page, 'chat')).map((payload) => JSON.parse(payload).conversation_id)).toEqual([
      undefined,
      await conversationId(page),
      await conversationId(page),
    ]);
  });

  test('what failed holds up nothing that is written after it', async () => {
    const wire = new Wire();
    const page = await tests.visit({}, (opened) => wire.attach(opened));
    await logIn(page, await tests.server.signUp('olga'));
    await page.getByLabel('Transport').selectOption('websocket');
    await connect(page);
    wire.relay = (packet) => {
      const ack = /^(43\d+)\[/.exec(packet)?.[1];
      const refusal = { ok: false, error: { code: 'unavailable', message: 'Not now.' } };
      wire.toPage(ack ? `${ack}${JSON.stringify([refusal])}` : packet);
    };
    await say(page, 'refused');
    await page.locator('.pending-problem', { hasText: 'Not now.' }).waitFor();
    wire.relay = (packet) => wire.toPage(packet);
    await say(page, question('taken', { text: 'Taken.' }));
    await answer(page, 'Taken.');
    await page.getByRole('button', { name: 'Discard' }).click();
    await page.getByText('not sent').waitFor({ state: 'detached' });
  });

  test('what waited for a message that failed goes when that one is discarded', async () => {
    const wire = new Wire();
    const page = await tests.visit({}, (opened) => wire.attach(opened));
    await logIn(page, await tests.server.signUp('dina'));
    await page.getByLabel('Transport').selectOption('websocket');
    await connect(page);
    const held: string[] = [];
    wire.relay = (packet) => (/^43\d+\[/.test(packet) ? held.push(packet) : wire.toPage(packet));
    await say(page, 'first');
    await say(page, question('second', { text: 'Second.' }));
    await page.locator('.pending', { hasText: 'second' }).getByText('waits', { exact: true }).waitFor();
    await expect.poll(() => held.length).toBe(1);
    const ack = /^43\d+/.exec(held[0] ?? '')?.[0];
    wire.relay = (packet) => wire.toPage(packet);
    wire.toPage(`${ack}${JSON.stringify([{ ok: false, error: { code: 'unavailable', message: 'Not now.' } }])}`);
    await page.getByText('It waits for the message before it.').waitFor();
    await page.locator('.pending', { hasText: 'first' }).getByRole('button', { name: 'Discard' }).click();
    await answer(page, 'Second.');
  });

  test('a message to a conversation that one had left joins it, as the page says', async () => {
    const page = await tests.visit();
    await logIn(page, await tests.server.signUp('lara'));
    await connect(page);
    await say(page, question('Hello', { text: 'Hi.' }));
    await answer(page, 'Hi.');
    await page.locator('#join-leave', { hasText: 'Leave' }).click();
    await page.getByText('not joined').waitFor();
    await say(page, question('Still there?', { text: 'Still.' }));
    await answer(page, 'Still.');
    await page.getByText('joined, live').waitFor();
    expect(await messages(page)).toHaveLength(4);
  });

  test('two messages of the same words are each seen while they are sent', async () => {
    const wire = new Wire();
    const page = await tests.visit({}, (opened) => wire.attach(opened));
    await logIn(page, await tests.server.signUp('tina'));
    await page.getByLabel('Transport').selectOption('websocket');
    await connect(page);
    await say(page, question('Same', { text: 'One.' }));
    await answer(page, 'One.');
    wire.relay = () => {};
    await say(page, question('Same', { text: 'One.' }));
    await say(page, question('Same', { text: 'One.' }));
    await page.locator('.pending').nth(1).waitFor();
    expect(await page.locator('.own').count()).toBe(3);
    await state(page, 'connected');
  });

  test('a message that is too long stays where it was written, with what is too much', async () => {
    const page = await tests.visit();
    await logIn(page, await tests.server.signUp('wanda'));
    await connect(page);
    const field = page.getByLabel('Message', { exact: true });
    const length = page.locator('#message-length');
    await field.fill('😀'.repeat(14_000));
    expect(await length.textContent()).toBe('');
    await field.fill('😀'.repeat(15_990));
    expect(await length.textContent()).toBe('15,990 of 16,000 characters');
    const text = '😀'.repeat(16_012);
    await say(page, text);
    expect(await length.textContent()).toBe('16,012 of 16,000 characters: 12 too many to be sent');
    expect(await field.inputValue()).toBe(text);
    expect(await page.locator('.message').count()).toBe(0);
    await say(page, '😀'.repeat(16_000));
    await page.locator('.own:not(.pending)').waitFor();
    expect(await length.textContent()).toBe('');
  });
});
