import type { Page } from 'playwright-core';
import { PASSWORD } from '../support/start-server.ts';

/** Logs in as somebody with an account. */
export async function logIn(page: Page, { username }: { readonly username: string }): Promise<void> {
  await page.locator('#login-username').fill(username);
  await page.locator('#login-password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('button', { name: 'Log out' }).waitFor();
}

/** Waits until the page says this of its connection. */
export function state(page: Page, name: 'connected' | 'disconnected' | 'reconnecting' | 'refused'): Promise<void> {
  return page.locator(`#state[data-state=${name}]`).waitFor();
}

/** Clicks Connect and waits until it is. */
export async function connect(page: Page, protocol: '1' | 'base' = '1'): Promise<void> {
  await page.locator(`#protocol-${protocol} + span`).click();
  await page.locator('#connect').click();
  await state(page, 'connected');
}

/** Writes a message and sends it with Enter. */
export async function say(page: Page, text: string): Promise<void> {
  await page.getByLabel('Message', { exact: true }).fill(text);
  await page.keyboard.press('Enter');
}

/** One step of what the scripted assistant does. */
export type Step = { text: string } | { delay_ms: number } | { fail: string } | { hang: true };

/** A question that carries the script of its own answer. */
export function question(text: string, ...steps: Step[]): string {
  // A script stands on one line, and to a regular expression U+2028 ends a line.
  return `${text}\nscript: ${JSON.stringify({ steps }).replaceAll('\u2028', String.raw`\u2028`)}`;
}

/** The texts of all finished messages, as they stand on the page. */
export function messages(page: Page): Promise<string[]> {
  return page.locator('.message:not(.writing, .pending) .text').allTextContents();
}

/** Waits for a finished answer that holds this text. The question holds it too, in its script, and does not count. */
export async function answer(page: Page, text: string): Promise<void> {
  await page.locator('.message.assistant:not(.writing) .text', { hasText: text }).last().waitFor();
}

/** The id of the conversation that the page shows. */
export async function conversationId(page: Page): Promise<string> {
  return (await page.locator('#chat-id').textContent()) ?? '';
}

/** Opens a conversation by its id. */
export async function joinById(page: Page, id: string): Promise<void> {
  await page.getByLabel('Join by id').fill(id);
  await page.keyboard.press('Enter');
  await page.getByText('joined, live').waitFor();
}

/** Adds somebody to the open conversation. */
export async function addMember(page: Page, username: string): Promise<void> {
  await page.locator('#members').evaluate((details) => details.setAttribute('open', ''));
  await page.getByLabel('Username to add').fill(username);
  await page.keyboard.press('Enter');
  await page.locator('#member-list').getByText(username, { exact: true }).waitFor();
}

/** Rows of the event log: name and payload, oldest first. */
export async function logged(page: Page, name: string): Promise<string[]> {
  await page.getByLabel('Filter events by text').fill('');
  const rows = page.locator('#log-rows li', { has: page.locator('.event-name', { hasText: new RegExp(`^${name}$`) }) });
  await rows.first().waitFor({ state: 'attached' });
  const opened: string[] = [];
  for (const row of await rows.all()) {
    await row.locator('details').evaluate((details) => details.setAttribute('open', ''));
    opened.push((await row.locator('pre:not(:empty)').textContent()) ?? '');
  }
  return opened;
}
