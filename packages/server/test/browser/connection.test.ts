import { expect, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import { withTestPage } from './browser.ts';
import { answer, connect, conversationId, logIn, logged, messages, question, say, state } from './person.ts';
import { Wire } from './wire.ts';

/** Engine.IO `message`, Socket.IO `ack`: what a server's acknowledgement begins with on the wire. */
const ACK = /^43\d+\[/;

describeWith('chromium', 'the connection of the test page', () => {
  const tests = withTestPage();

  test('comes back after a break and shows what was missed, once', async () => {
    const page = await tests.visit();
    const mara = await tests.server.signUp('mara');
    await logIn(page, mara);
    await connect(page);
    await say(page, question('Before', { text: 'Heard.' }));
    await answer(page, 'Heard.');
    const id = await conversationId(page);

    await page.context().setOffline(true);
    await state(page, 'reconnecting');
    const elsewhere = await tests.server.connect(mara, { protocol: 1 });
    await elsewhere.ask('join_conversation', { conversation_id: id, after_seq: 0 });
    await elsewhere.ask('chat', { message: question('Meanwhile', { text: 'Missed.' }), conversation_id: id });
    await elsewhere.next('response_end');
    await page.context().setOffline(false);
    await state(page, 'connected');
    await answer(page, 'Missed.');
    expect((await messages(page)).map((text) => text.split('\n')[0])).toEqual([
      'Before',
      'Heard.',
      'Meanwhile',
      'Missed.',
    ]);
    expect(JSON.parse((await logged(page, 'join_conversation')).at(-1) ?? '')).toMatchObject({ after_seq: 2 });
  });

  test('repeats a message whose confirmation was lost under the same id, and it is there once', async () => {
    const wire = new Wire();
    const page = await tests.visit({}, (opened) => wire.attach(opened));
    const tess = await tests.server.signUp('tess');
    await logIn(page, tess);
    await page.getByLabel('Transport').selectOption('websocket');
    await connect(page);
    await say(page, question('First', { text: 'One.' }));
    await answer(page, 'One.');

    // An event would tell the page that its message is there, too.
    const blind = (packet: string) => wire.toPage(packet.replaceAll('"client_msg_id"', '"unknown"'));
    wire.relay = (packet) => {
      if (!ACK.test(packet) || !packet.includes('Again')) return blind(packet);
      wire.relay = blind;
      void wire.cut();
    };
    await say(page, question('Again', { text: 'Two.' }));
    await page.getByText('not sent').waitFor();
    await state(page, 'connected');
    await page.getByRole('button', { name: 'Retry' }).click();
    await page.locator('.pending').waitFor({ state: 'detached' });
    await answer(page, 'Two.');
    const ids = (await logged(page, 'chat')).map((payload) => JSON.parse(payload).client_msg_id);
    expect(ids.slice(1)).toEqual([ids[1], ids[1]]);
    const id = await conversationId(page);
    const stored = await tests.server.call('GET', `/conversations/${id}/messages`, { token: tess.token });
    expect(stored.body.messages).toHaveLength(4);
    expect(await messages(page)).toHaveLength(4);
  });

  test('keeps a message that could not be sent until one retries or discards it', async () => {
    const page = await tests.visit();
    await logIn(page, await tests.server.signUp('otto'));
    await say(page, 'Nobody hears');
    await page.getByText('Not connected. It is sent once you are.').waitFor();
    await page.getByRole('button', { name: 'Discard' }).click();
    await page.locator('.message').waitFor({ state: 'detached' });
    await page.locator('#message:focus').waitFor();
  });

  test('says why it was refused', async () => {
    const page = await tests.visit();
    await page.getByRole('button', { name: 'Connect', exact: true }).last().click();
    await page.getByText('Log in first, or paste an access token.').waitFor();
    await page.locator('#token-details > summary').click();
    await page.locator('#token').fill('not.a.token');
    await page.getByRole('button', { name: 'Use this token' }).click();
    await page.locator('#connect').click();
    await state(page, 'refused');
    await page.locator('#connection-detail', { hasText: 'access token' }).waitFor();
  });

  test('ends, and says so, when the login is ended elsewhere', async () => {
    const page = await tests.visit();
    const vera = await tests.server.signUp('vera');
    await logIn(page, vera);
    await connect(page);
    await tests.server.call('POST', '/auth/logout-all', { token: vera.token });
    await state(page, 'refused');
    await page
      .getByText(/Log in again/)
      .first()
      .waitFor();
  });

  test('takes a pasted token', async () => {
    const page = await tests.visit();
    const paul = await tests.server.signUp('paul');
    await page.locator('#token-details > summary').click();
    await page.locator('#token').fill(paul.token);
    await page.getByRole('button', { name: 'Use this token' }).click();
    await page.locator('#account-name', { hasText: 'paul' }).waitFor();
    await page.getByText('cannot be renewed').waitFor();
    await connect(page);
  });

  test('renews its login before it ends, on the live socket', async () => {
    const page = await tests.visit();
    // The token lives for half an hour; the page is told that it lives for four seconds.
    await page.route('**/auth/login', async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, json: { ...(await response.json()), expires_in: 4 } });
    });
    await logIn(page, await tests.server.signUp('nora'));
    await connect(page);
    const first = await page.locator('#token').inputValue();
    expect(await logged(page, 'auth_refresh')).toEqual(['{\n  "token": "***"\n}']);
    await page.locator('.event-name', { hasText: 'auth_refresh (ack)' }).waitFor();
    expect(await page.locator('#token').inputValue()).not.toBe(first);
    await state(page, 'connected');
  });
});
