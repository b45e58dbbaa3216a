import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished, vi } from 'vitest';
import { findChromium } from '../support/requirements.ts';
import { startServer, type ServerOptions, type TestServer } from '../support/start-server.ts';

const SWITCHES = [
  '--no-sandbox',
  '--headless=new',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const PATIENCE_MS = 8_000;
/** A browser on a busy machine takes its time. */
const TEST_MS = 40_000;

/** Where tests find the page: a server with a scripted assistant, and a browser for the whole file. */
export interface PageTests {
  readonly server: TestServer;
  /**
   * Opens the test page until the test ends; every visit is a person at another machine. The test fails where the page
   * broke its security policy, threw, opened a dialog or asked another server for anything. `prepare` sees the page
   * before it is loaded.
   */
  visit(options?: BrowserContextOptions, prepare?: (page: Page) => Promise<void>): Promise<Page>;
}

/** Starts server and browser before the file's tests and closes them after. */
export function withTestPage(options: ServerOptions = {}): PageTests {
  const parts: { server?: TestServer; browser?: Browser } = {};
  vi.setConfig({ testTimeout: TEST_MS });
  beforeAll(async () => {
    parts.server = await startServer({ settings: { ASSISTANT: 'scripted' }, ...options });
    const executablePath = findChromium();
    if (executablePath === null) throw new Error('these tests run only where there is a Chromium');
    parts.browser = await chromium.launch({ executablePath, args: SWITCHES });
  });
  afterAll(async () => {
    await parts.browser?.close();
    await parts.server?.close();
  });
  return {
    get server() {
      return present(parts.server);
    },
    visit: (contextOptions = {}, prepare = async () => {}) =>
      openPage(present(parts.browser), present(parts.server).url, contextOptions, prepare),
  };
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the server and the browser are there only while tests run');
  return value;
}

async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions,
  prepare: (page: Page) => Promise<void>,
): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-GB', ...options });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const breaches = watch(page, url);
  onTestFinished(async () => {
    await context.close();
    expect(breaches).toEqual([]);
  });
  await prepare(page);
  await page.goto(`${url}/static/socketio_test.html`);
  await page.getByText('Disconnected').waitFor();
  return page;
}

/** A browser reports a breach of the policy on its console; the page itself can look clean all the same. */
function watch(page: Page, url: string): string[] {
  const breaches: string[] = [];
  page.on('console', (message) => {
    if (/content security policy|trusted/i.test(message.text())) breaches.push(message.text());
  });
  page.on('pageerror', (error) => breaches.push(error.message));
  page.on('dialog', (dialog) => {
    breaches.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    const { origin } = new URL(request.url());
    if (origin !== new URL(url).origin) breaches.push(`request to ${origin}`);
  });
  return breaches;
}
