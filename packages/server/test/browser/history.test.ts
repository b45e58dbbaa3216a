import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import type { Person } from '../support/start-server.ts';
import { withTestPage } from './browser.ts';
import { connect, joinById, logIn, messages } from './person.ts';

const COUNT = 260;
const all = Array.from({ length: COUNT }, (_, index) => `Message ${index + 1}`);

describeWith('chromium', 'a long conversation', () => {
  const tests = withTestPage({ settings: { ASSISTANT: 'none' } });

  async function longConversation(person: Person): Promise<string> {
    const client = await tests.server.connect(person, { protocol: 1 });
    const first = await client.ask('chat', { message: all[0] });
    for (const message of all.slice(1)) await client.ask('chat', { message, conversation_id: first.conversation_id });
    return first.conversation_id;
  }

  /** Asks for earlier messages until there are none. */
  async function readToTheStart(page: Page): Promise<void> {
    const earlier = page.getByRole('button', { name: 'Earlier messages' });
    for (let shown = await page.locator('.message').count(); await earlier.isVisible();) {
      await earlier.click();
      await page.locator('.message').nth(shown).waitFor();
      shown = await page.locator('.message').count();
      await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
    }
  }

  test('begins near its end and is read back to its start, on either protocol', async () => {
    const page = await tests.visit();
    const lena = await tests.server.signUp('lena');
    const id = await longConversation(lena);
    await logIn(page, lena);
    await connect(page);
    await joinById(page, id);
    await page.getByText(`Message ${COUNT}`, { exact: true }).last().waitFor();
    expect((await messages(page)).length).toBeLessThan(COUNT);
    await readToTheStart(page);
    expect(await messages(page)).toEqual(all);

    await page.locator('#protocol-base + span').click();
    await page.reload();
    await page.getByText('joined, live').waitFor();
    expect(await messages(page)).toEqual(all.slice(-50));
    await readToTheStart(page);
    expect(await messages(page)).toEqual(all);
  });
});
