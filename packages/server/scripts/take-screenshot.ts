// Takes the README's picture of the test page, from a real server with the guide: run `npm run docs:screenshot` after a
// change to the page. Needs Chromium.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, type Page } from 'playwright-core';
import { loadAssistant } from '../src/assistants/registry.ts';
import { findChromium } from '../test/support/requirements.ts';
import { PASSWORD, startServer } from '../test/support/start-server.ts';

const TRIP = `# Trip to Porto

## Which train do we take?

The 9:30 from Santa Apolónia, coach 4. It arrives at Campanhã at 12:38.

## Where do we stay in Porto?

Four nights in the house by the river; the **keys** are at the bakery next door.
`;

const root = fileURLToPath(new URL('../../..', import.meta.url));
const executablePath = findChromium();
if (executablePath === null) throw new Error('A Chromium is needed.');
const folder = await mkdtemp(join(tmpdir(), 'tertulia-screenshot-'));
const knowledgeDir = join(folder, 'trips');
await mkdir(knowledgeDir);
await writeFile(join(knowledgeDir, 'porto.md'), TRIP);
const guide = await loadAssistant('guide', { cwd: root, environment: 'development', knowledgeDir });
const server = await startServer({ ...(guide && { assistant: guide }) });
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
try {
  await take();
} finally {
  await browser.close();
  await server.close();
  await rm(folder, { recursive: true });
}

async function take(): Promise<void> {
  const ana = await signIn('ana');
  await say(ana, 'Which train do we take to Porto?');
  await ana.locator('.message.assistant:not(.writing)').first().waitFor();
  await ana.locator('#members').evaluate((details) => details.setAttribute('open', ''));
  const bruno = await signIn('bruno');
  await ana.getByLabel('Username to add').fill('bruno');
  await ana.keyboard.press('Enter');
  await ana.locator('#member-list').getByText('bruno', { exact: true }).waitFor();
  await ana.locator('#members').evaluate((details) => details.removeAttribute('open'));
  await bruno.getByLabel('Join by id').fill((await ana.locator('#chat-id').textContent()) ?? '');
  await bruno.keyboard.press('Enter');
  await bruno.getByText('joined, live').waitFor();
  await say(bruno, 'And where do we stay?');
  await ana.locator('.message.assistant:not(.writing)').nth(1).waitFor();
  await ana.screenshot({ path: `${root}docs/images/test-page.png`, animations: 'disabled', caret: 'hide' });
}

async function signIn(username: string): Promise<Page> {
  await server.signUp(username);
  const context = await browser.newContext({ viewport: { width: 1120, height: 760 }, locale: 'en-GB' });
  const page = await context.newPage();
  await page.goto(`${server.url}/static/socketio_test.html`);
  await page.locator('#login-username').fill(username);
  await page.locator('#login-password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('button', { name: 'Log out' }).waitFor();
  await page.locator('#connect').click();
  await page.locator('#state[data-state=connected]').waitFor();
  return page;
}

async function say(page: Page, text: string): Promise<void> {
  await page.getByLabel('Message', { exact: true }).fill(text);
  await page.keyboard.press('Enter');
}
