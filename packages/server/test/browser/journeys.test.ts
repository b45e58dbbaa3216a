import { expect, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import { PASSWORD } from '../support/start-server.ts';
import { withTestPage } from './browser.ts';
import { answer, connect, conversationId, logIn, messages, question, say, state } from './person.ts';

describeWith('chromium', 'a person on the test page', () => {
  const tests = withTestPage();

  test('registers, connects, asks, and sees the answer while it is written', async () => {
    const page = await tests.visit();
    await page.getByText('Register', { exact: true }).click();
    await page.locator('#register-username').fill('rosa');
    await page.locator('#register-email').fill('rosa@example.com');
    await page.locator('#register-password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.locator('#account-name', { hasText: 'rosa' }).waitFor();
    await connect(page);

    await say(page, question('What is a log?', { text: 'A log is ' }, { delay_ms: 600 }, { text: 'a list.' }));
    await page.locator('.writing .text', { hasText: /^A log is $/ }).waitFor();
    await answer(page, 'A log is a list.');
    expect((await messages(page)).at(-1)).toBe('A log is a list.');
    await page.getByRole('button', { name: /What is a log/ }).waitFor();
  });

  test('is led from the login to the connection', async () => {
    const page = await tests.visit();
    await logIn(page, await tests.server.signUp('newton'));
    await page.locator('.panel-connect').getByText('Logged in. Now connect.').waitFor();
    await page.locator('#connect:focus').waitFor();
    await page.keyboard.press('Enter');
    await state(page, 'connected');
    await page.getByText('Now connect').waitFor({ state: 'detached' });
  });

  test('finds the way to join by id below any number of conversations, and times by 24 hours', async () => {
    const page = await tests.visit({ locale: 'en-US' });
    const vivi = await tests.server.signUp('vivi');
    const client = await tests.server.connect(vivi, { protocol: 1 });
    for (let index = 0; index < 30; index += 1) await client.ask('chat', { message: question(`Number ${index}`) });
    await logIn(page, vivi);
    await connect(page);
    await page.locator('.conversation').nth(29).waitFor();
    await page.locator('#join-id').evaluate((node) => {
      const { bottom } = node.getBoundingClientRect();
      if (bottom > window.innerHeight) throw new Error(`at ${bottom} of ${window.innerHeight}`);
    });
    await page.locator('.conversation').nth(29).click();
    await page.locator('.own', { hasText: 'Number 0' }).waitFor();
    for (const time of await page.locator('.conversation time, .message time').all()) {
      expect(await time.textContent()).toMatch(/\d\d:\d\d$/);
      expect(await time.getAttribute('title')).not.toMatch(/[AP]M/);
    }
  });

  test('is told what is wrong with what was filled in', async () => {
    const page = await tests.visit();
    await tests.server.signUp('taken');
    await page.getByText('Register', { exact: true }).click();
    await page.locator('#register-username').fill('x');
    await page.locator('#register-email').fill('nowhere');
    await page.locator('#register-password').fill('short');
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.getByText('Some fields need your attention.').waitFor();
    const invalid = page.locator('#register-form [aria-invalid=true]');
    expect(await invalid.count()).toBe(3);
    expect(await page.locator('#register-username-problem').textContent()).toMatch(/3 to 50/);

    await page.locator('#register-username').fill('taken');
    await page.locator('#register-email').fill('taken2@example.com');
    await page.locator('#register-password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.getByText('Username already taken').waitFor();

    await page.getByText('Log in', { exact: true }).first().click();
    await page.locator('#login-username').fill('taken');
    await page.locator('#login-password').fill('wrong wrong wrong');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByText('Incorrect username or password').waitFor();
  });

  test('uses the base layer, where question and answer come whole', async () => {
    const page = await tests.visit();
    await logIn(page, await tests.server.signUp('basil'));
    await connect(page, 'base');
    await say(page, question('Whole?', { text: 'Whole.' }));
    await answer(page, 'Whole.');
    expect(await page.locator('.event-name', { hasText: /^conversation$/ }).count()).toBe(1);
    expect(await page.locator('.event-name', { hasText: 'response_delta' }).count()).toBe(0);

    await say(page, question('And now?', { fail: 'planned' }));
    await page.locator('.notice.bad', { hasText: 'The assistant could not answer' }).waitFor();
  });

  test("reads an assistant's Markdown in its styles, while the text stays the server's to the letter", async () => {
    const page = await tests.visit();
    await logIn(page, await tests.server.signUp('mark'));
    await connect(page);
    const text =
      '# Logs\n\n> A **list** of `events`.\n> ```sh\n> npm start\n> ```\n\n- [more](docs/log.md)\n\n| a |\n| --- |\n*end';
    const pieces = text.split('').map((letter) => ({ text: letter }));
    await say(page, question('Explain', ...pieces));
    await answer(page, '*end');
    expect((await messages(page)).at(-1)).toBe(text);
    const copied = await page.locator('.message.assistant .text').evaluate((node) => {
      getSelection()?.selectAllChildren(node);
      return getSelection()?.toString();
    });
    expect(copied).toBe('Logs\n\nA list of events.\nnpm start\n\n- moredocs/log.md\n\n| a |\n*end');
    expect(await page.locator('.formatted .quote.code').allTextContents()).toEqual(['> npm start']);
    expect(await page.locator('.formatted a').count()).toBe(0);
  });

  test('comes back to login, connection and conversation after a reload', async () => {
    const page = await tests.visit();
    await logIn(page, await tests.server.signUp('rena'));
    await connect(page);
    await say(page, question('First', { text: 'One.' }));
    await answer(page, 'One.');
    const before = await messages(page);
    const id = await conversationId(page);

    await page.reload();
    await state(page, 'connected');
    await page.getByText('joined, live').waitFor();
    expect(await conversationId(page)).toBe(id);
    expect(await messages(page)).toEqual(before);
  });

  test('sends metadata, and is not let to send what is no JSON object', async () => {
    const page = await tests.visit();
    await logIn(page, await tests.server.signUp('meta'));
    await connect(page);
    await page.locator('#metadata-details > summary').click();
    await page.locator('#metadata').fill('{"client": ');
    await say(page, question('With metadata', { text: 'Seen.' }));
    await page.getByText(/Not valid JSON/).waitFor();
    await page.locator('#metadata').fill('[1]');
    await page.getByText(/must be a JSON object/).waitFor();
    expect(await page.locator('.message').count()).toBe(0);

    await page.locator('#metadata').fill('{"client": {"name": "test"}}');
    await page.getByRole('button', { name: 'Send' }).click();
    await answer(page, 'Seen.');
    expect(JSON.parse((await page.locator('.own .metadata pre').textContent()) ?? '')).toEqual({
      client: { name: 'test' },
    });
  });

  test('leaves a conversation, hears nothing, and joins it again', async () => {
    const page = await tests.visit();
    const leah = await tests.server.signUp('leah');
    await logIn(page, leah);
    await connect(page);
    await say(page, question('Hello', { text: 'Hi.' }));
    await answer(page, 'Hi.');
    await page.getByText('joined, live').waitFor();
    await page.locator('#join-leave').click();
    await page.getByText('not joined').waitFor();

    const elsewhere = await tests.server.connect(leah, { protocol: 1 });
    const id = await conversationId(page);
    await elsewhere.ask('chat', { message: question('From my phone', { text: 'Yes.' }), conversation_id: id });
    await page.locator('.event-name', { hasText: 'conversation_changed' }).first().waitFor();
    expect(await page.getByText('From my phone').count()).toBe(0);
    await page.locator('#join-leave').click();
    await page.locator('.own', { hasText: 'From my phone' }).waitFor();
    await answer(page, 'Yes.');
  });

  test('chooses the transport', async () => {
    const page = await tests.visit();
    await logIn(page, await tests.server.signUp('polly'));
    await page.getByLabel('Transport').selectOption('polling');
    await connect(page);
    await page.getByText('protocol 1, polling').waitFor();
    await page.getByLabel('Transport').selectOption('websocket');
    await page.getByText('protocol 1, websocket').waitFor();
  });
});
