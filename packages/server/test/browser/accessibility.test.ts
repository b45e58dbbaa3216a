import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import { withTestPage } from './browser.ts';
import { addMember, answer, connect, logIn, question, say, state } from './person.ts';

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** What axe finds wrong on the page as it stands: rule, and where. Injected from outside, since the page's policy lets nothing in. */
async function violations(page: Page): Promise<string[]> {
  const session = await page.context().newCDPSession(page);
  await session.send('Runtime.evaluate', { expression: axe.source });
  const expression = `axe.run(document, { runOnly: ${JSON.stringify(RULES)} })
    .then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ target }) => target).join(' ')))`;
  const { result } = await session.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
  await session.detach();
  return result.value as string[];
}

describeWith('chromium', 'accessibility of the test page', () => {
  const tests = withTestPage();
  const looks = {
    light: {},
    dark: { colorScheme: 'dark' as const },
    phone: { viewport: { width: 360, height: 740 }, isMobile: true },
  };

  for (const [name, options] of Object.entries(looks)) {
    test(`nothing is wrong in any state, ${name}`, async () => {
      const page = await tests.visit(options);
      expect(await violations(page)).toEqual([]);
      await page.getByText('Register', { exact: true }).click();
      await page.getByRole('button', { name: 'Create account' }).click();
      await page.getByText('Some fields need your attention.').waitFor();
      expect(await violations(page)).toEqual([]);

      await page.getByText('Log in', { exact: true }).first().click();
      await tests.server.signUp(`guest-${name}`);
      await logIn(page, await tests.server.signUp(`axe-${name}`));
      await page.locator('#token-details > summary').click();
      expect(await violations(page)).toEqual([]);

      await connect(page);
      await page.locator('#metadata-details > summary').click();
      await page.locator('#metadata').fill('{"a": 1}');
      await say(page, question('Hello', { text: 'Hi.\n\n| a | b |\n|---|---|\n| c | d |' }));
      await answer(page, 'Hi.');
      await say(page, question('Fail', { text: 'I began' }, { fail: 'planned' }));
      await page.locator('.notice.bad').waitFor();
      await addMember(page, `guest-${name}`);
      await page.locator('#metadata').fill('{');
      await page.getByText(/Not valid JSON/).waitFor();
      expect(await violations(page)).toEqual([]);

      await page.locator('#metadata').fill('');
      await say(page, question('Slow', { text: 'Slowly' }, { hang: true }));
      await page.locator('.writing .text', { hasText: 'Slowly' }).waitFor();
      await page.context().setOffline(true);
      await state(page, 'reconnecting');
      await say(page, 'Lost');
      await page.getByText('not sent').waitFor();
      expect(await violations(page)).toEqual([]);
    });
  }

  test('nothing is wrong with the list and the events on a phone', async () => {
    const page = await tests.visit(looks.phone);
    await logIn(page, await tests.server.signUp('axe-panels'));
    await connect(page);
    await say(page, question('Hello', { text: 'Hi.' }));
    await answer(page, 'Hi.');
    for (const panel of ['Conversations', 'Events']) {
      await page.getByRole('navigation', { name: 'Panels' }).getByRole('button', { name: panel }).click();
      expect(await violations(page)).toEqual([]);
    }
  });
});
