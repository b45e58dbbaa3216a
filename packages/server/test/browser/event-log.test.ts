import { expect, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import { withTestPage } from './browser.ts';
import { answer, connect, logIn, question, say } from './person.ts';

describeWith('chromium', 'the event log', () => {
  const tests = withTestPage();

  test('shows what goes in and out, by direction and by text', async () => {
    const page = await tests.visit();
    await logIn(page, await tests.server.signUp('lotte'));
    await connect(page);
    await say(page, question('Needle', { text: 'Found.' }));
    await answer(page, 'Found.');
    const names = () => page.locator('#log-rows li:not([hidden]) .event-name').allTextContents();
    await page.locator('.event-name', { hasText: 'response_end' }).waitFor();
    expect(await names()).toEqual(
      expect.arrayContaining(['connect', 'connected', 'chat', 'chat (ack)', 'response_delta']),
    );

    await page.getByLabel('Direction').selectOption('out');
    expect(await page.locator('#log-rows li:not([hidden]) .direction.in').count()).toBe(0);
    expect(await names()).toContain('chat');
    await page.getByLabel('Direction').selectOption('all');
    await page.getByLabel('Filter events by text').fill('needle -ack');
    expect(await names()).toContain('chat');
    expect(await names()).not.toContain('chat (ack)');
    expect(await names()).not.toContain('response_delta');
  });

  test('folds the deltas of an answer into one row, with their number, that opens', async () => {
    const page = await tests.visit();
    await logIn(page, await tests.server.signUp('dora'));
    await connect(page);
    // The next one is ten seconds off then: one in the middle of the answer would begin a second row.
    await page.locator('.event-name', { hasText: 'heartbeat' }).first().waitFor();
    const steps = Array.from({ length: 30 }, (_, index) => [{ text: `piece${index} ` }, { delay_ms: 40 }]).flat();
    await say(page, question('Thirty', ...steps));
    await answer(page, 'piece29');
    await page.locator('.event-name', { hasText: 'response_end' }).waitFor();
    const deltas = page.locator('#log-rows li', { has: page.locator('.event-name', { hasText: 'response_delta' }) });
    expect(await deltas.count()).toBeLessThan(5);
    const fold = deltas.filter({ has: page.locator('.fold-count:not(:empty)') }).last();
    const count = Number((await fold.locator('.fold-count').textContent())?.replace('× ', ''));
    expect(count).toBeGreaterThan(10);
    expect(await fold.locator('.snippet').textContent()).toMatch(/^"piece\d+ piece\d+ /);
    await fold.locator('summary').click();
    await fold.locator('pre', { hasText: 'piece29' }).waitFor();
    const lines = (await fold.locator('pre').textContent())?.split('\n') ?? [];
    expect(lines).toHaveLength(count);
    expect(lines.at(-1)).toMatch(/^\d\d:\d\d:\d\d\.\d{3} \{.*"text":"piece29 /);
    await page.getByLabel('Filter events by text').fill('response_delta -piece29');
    expect(await fold.locator('.fold-count').textContent()).toBe(`× ${count - 1}`);
    await page.getByLabel('Filter events by text').fill('-response_delta');
    expect(await fold.isVisible()).toBe(false);
  });

  test('never shows a token', async () => {
    const page = await tests.visit();
    const tom = await tests.server.signUp('tom');
    await logIn(page, tom);
    await connect(page);
    const token = await page.locator('#token').inputValue();
    await say(page, question(`My token is ${token}`, { text: `Yours is ${token}` }));
    await page.locator('.event-name', { hasText: 'response_end' }).waitFor();
    await page.locator('#log-rows').evaluate((list) => {
      for (const details of list.querySelectorAll('details')) details.open = true;
    });
    await page.locator('#log-rows pre', { hasText: '***' }).first().waitFor();
    const text = (await page.locator('#log-rows').textContent()) ?? '';
    expect(text).toContain('"token": "***"');
    for (const part of token.split('.').slice(1)) expect(text).not.toContain(part);
  });

  test('is paused, copied and cleared', async () => {
    const page = await tests.visit({ permissions: ['clipboard-read', 'clipboard-write'] });
    await logIn(page, await tests.server.signUp('cleo'));
    await connect(page);
    await page.locator('.event-name', { hasText: 'connected' }).waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    await say(page, question('Unseen', { text: 'Held back.' }));
    await answer(page, 'Held back.');
    expect(await page.locator('.event-name', { hasText: 'chat' }).count()).toBe(0);
    await page.getByText(/paused, \d+ held back/).waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.locator('.event-name', { hasText: /^chat$/ }).waitFor();

    await page.getByRole('button', { name: 'Copy all' }).click();
    await page.getByText(/\d+ events copied/).waitFor({ state: 'attached' });
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    expect(copied).toMatch(/out chat \{"message":"Unseen/);
    expect(copied).toMatch(/"token":"\*\*\*"/);
    await page.getByRole('button', { name: 'Clear' }).click();
    expect(await page.locator('#log-rows li').count()).toBe(0);
  });
});
