import { expect, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import { withTestPage } from './browser.ts';
import { answer, connect, logIn, say } from './person.ts';

const PHONE = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };

const assistant = {
  name: 'talker',
  async *reply() {
    for (let line = 1; line <= 90; line += 1) yield `line ${line}\n`;
  },
};

describeWith('chromium', 'a long answer on the test page', () => {
  const tests = withTestPage({ assistant });

  test.for([
    ['a wide page', {}],
    ['a phone', PHONE],
  ] as const)(
    'a long answer is read from its question on, and nothing lies over it, on %s',
    async ([name, options]) => {
      const page = await tests.visit(options);
      await logIn(page, await tests.server.signUp(name.replaceAll(' ', '-')));
      await connect(page);
      await say(page, 'Before');
      await answer(page, 'line');
      await say(page, 'And now?');
      await page.locator('.message.assistant:not(.writing)').nth(1).waitFor();
      const box = async (selector: string) => {
        const found = await page.locator(selector).last().boundingBox();
        if (found === null) throw new Error(`${selector} is not shown`);
        return { top: found.y, bottom: found.y + found.height };
      };
      await page.locator('#to-end-button').waitFor();
      const area = await box('#message-area');
      const asked = await box('.message.own');
      expect(asked.top).toBeGreaterThanOrEqual(area.top);
      expect(asked.top - area.top).toBeLessThan(40);
      expect((await box('#to-end-button')).top).toBeGreaterThanOrEqual(area.bottom);
      await page.locator('#to-end-button').click();
      await page.locator('#to-end-button').waitFor({ state: 'hidden' });
      expect((await box('.message.assistant')).bottom).toBeLessThanOrEqual((await box('#message-area')).bottom);
    },
  );
});
