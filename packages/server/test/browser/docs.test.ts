import { expect, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import { withTestPage } from './browser.ts';

describeWith('chromium', 'the documentation of the API', () => {
  const tests = withTestPage();

  for (const [device, viewport] of [
    ['a desktop', { width: 1280, height: 800 }],
    ['a phone', { width: 320, height: 640 }],
  ] as const) {
    for (const colorScheme of ['light', 'dark'] as const) {
      test(`on ${device} in ${colorScheme} colours it opens, fits, and keeps to its policy`, async () => {
        const page = await tests.visit({ viewport, colorScheme });
        await page.goto(`${tests.server.url}/`);
        await page.getByRole('link', { name: 'Read the API documentation' }).click();
        const route = page.locator('#rest-post-api-v1-chat');
        await route.getByText('/api/v1/chat', { exact: true }).click();
        await route.getByText('Seconds to wait for the answer').waitFor();
        const event = page.locator('#event-chat');
        await event.getByText('chat', { exact: true }).click();
        await event.getByText("await socket.emitWithAck('chat'").waitFor();
        await page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })");
        expect(await page.evaluate('document.documentElement.scrollWidth - window.innerWidth')).toBe(0);
      });
    }
  }
});
