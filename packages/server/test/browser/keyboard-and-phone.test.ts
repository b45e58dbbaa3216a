import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import { PASSWORD } from '../support/start-server.ts';
import { withTestPage } from './browser.ts';
import { answer, connect, logIn, messages, question, say, state } from './person.ts';

const PHONE = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };

/** Presses Tab until the element with this id has the focus, and checks on the way that the focus can be seen. */
async function tabTo(page: Page, id: string): Promise<void> {
  for (let step = 0; step < 60; step += 1) {
    await page.keyboard.press('Tab');
    const focus = await page.evaluate(() => {
      const node = document.activeElement ?? document.body;
      const shown = node.matches('.modes input') ? (node.nextElementSibling ?? node) : node;
      const { outlineStyle, outlineWidth } = getComputedStyle(shown);
      return { id: node.id, isSeen: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2 };
    });
    expect(focus, `focus on ${focus.id}`).toMatchObject({ isSeen: true });
    if (focus.id === id) return;
  }
  throw new Error(`Tab never reached #${id}`);
}

describeWith('chromium', 'without a mouse, and on a phone', () => {
  const tests = withTestPage();

  test('everything is done by keyboard', async () => {
    await tests.server.signUp('kim');
    const page = await tests.visit();
    await page.keyboard.press('Tab');
    await page.getByText('Skip to the message field').waitFor();
    await tabTo(page, 'login-username');
    await page.keyboard.type('kim');
    await tabTo(page, 'login-password');
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press('Enter');
    await page.locator('#connect:focus').waitFor();
    await page.keyboard.press('Enter');
    await state(page, 'connected');
    await tabTo(page, 'message');
    await page.keyboard.type('One line');
    await page.keyboard.press('Shift+Enter');
    await page.keyboard.type('script: {"steps": [{"text": "Done."}]}');
    await page.keyboard.press('Enter');
    await answer(page, 'Done.');
    expect((await messages(page))[0]).toBe('One line\nscript: {"steps": [{"text": "Done."}]}');
    await tabTo(page, 'log-clear');
    await page.keyboard.press('Enter');
    expect(await page.locator('#log-rows li').count()).toBe(0);
  });

  test('the skip link leads to the message field', async () => {
    const page = await tests.visit();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.keyboard.type('Hello');
    expect(await page.getByLabel('Message', { exact: true }).inputValue()).toBe('Hello');
  });

  test.for([360, 320])('a phone of %i px shows one panel at a time and nothing is wider than it', async (width) => {
    const page = await tests.visit({ ...PHONE, viewport: { width, height: 740 } });
    await logIn(page, await tests.server.signUp(`fon${width}`));
    await connect(page);
    await say(page, question('A question '.repeat(20), { text: 'x'.repeat(400) }));
    await answer(page, 'xxx');
    const panels = { Connect: 'connect', Conversations: 'conversations', Chat: 'chat', Events: 'log' };
    for (const [button, panel] of Object.entries(panels)) {
      await page.getByRole('navigation', { name: 'Panels' }).getByRole('button', { name: button }).click();
      expect(await page.locator('.panel:visible').count()).toBe(1);
      expect(await page.locator(`.panel-${panel}`).isVisible()).toBe(true);
      const widths = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
      expect(widths[0]).toBeLessThanOrEqual(widths[1] ?? 0);
    }
  });

  test('finished messages and states are told to a screen reader, single tokens are not', async () => {
    const page = await tests.visit();
    await logIn(page, await tests.server.signUp('sora'));
    await connect(page);
    const spoken = page.locator('#announcer p');
    const steps = ['One ', 'two ', 'three.'].flatMap((text) => [{ text }, { delay_ms: 80 }]);
    await say(page, question('Count', ...steps));
    await spoken.filter({ hasText: 'scripted: One two three.' }).waitFor({ state: 'attached' });
    const said = await spoken.allTextContents();
    expect(said.filter((text) => text.includes('One'))).toEqual(['scripted: One two three.']);
    expect(said).toContain('Connected. ');
  });
});
