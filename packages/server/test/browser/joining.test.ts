import { expect, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import { withTestPage } from './browser.ts';
import { answer, connect, conversationId, logIn, logged, messages, question, say, state } from './person.ts';

const UNKNOWN = 'No conversation with this id, or you are not a member.';

describeWith('chromium', 'joining by id on the test page', () => {
  const tests = withTestPage();

  test.for(['1', 'base'] as const)(
    'a wrong id is refused at its field, and nothing else changes, protocol %s',
    async (protocol) => {
      const page = await tests.visit();
      const stranger = await tests.server.signUp(`stranger-${protocol}`);
      const elsewhere = await tests.server.connect(stranger, { protocol: 1 });
      const foreign = await elsewhere.ask('chat', { message: question('Mine', { text: 'Yes.' }) });
      await logIn(page, await tests.server.signUp(`jana-${protocol}`));
      await connect(page, protocol);
      await say(page, question('Here', { text: 'I stay.' }));
      await answer(page, 'I stay.');
      const id = await conversationId(page);
      for (const wrong of ['nowhere', 'not even an id!', foreign.conversation_id]) {
        await page.getByLabel('Join by id').fill(wrong);
        await page.keyboard.press('Enter');
        await page.locator('#join-problem', { hasText: UNKNOWN }).waitFor();
        expect(await page.locator('.side, .panel-chat').getByText(UNKNOWN).count()).toBe(1);
        expect(await page.locator('#chat-problem').isVisible()).toBe(false);
        expect(await conversationId(page)).toBe(id);
        await page.getByLabel('Join by id').fill('');
      }
      expect((await logged(page, 'join_conversation')).map((payload) => JSON.parse(payload).conversation_id)).toEqual(
        expect.arrayContaining(['nowhere', 'not even an id!', foreign.conversation_id]),
      );
      await page.reload();
      await state(page, 'connected');
      await page.getByText('joined, live').waitFor();
      expect(await conversationId(page)).toBe(id);
      expect(await messages(page)).toHaveLength(2);
    },
  );

  test('a conversation that is gone is not come back to', async () => {
    const page = await tests.visit();
    const gus = await tests.server.signUp('gus');
    await logIn(page, gus);
    await connect(page);
    await say(page, question('Soon gone', { text: 'Yes.' }));
    await answer(page, 'Yes.');
    await page.getByText('joined, live').waitFor();
    const id = await conversationId(page);
    await page.goto('about:blank');
    await tests.server.call('DELETE', `/conversations/${id}`, { token: gus.token });
    await page.goBack();
    await state(page, 'connected');
    await page.getByText('Your first message starts a new conversation.').waitFor();
    expect(await conversationId(page)).toBe('');
  });

  test('without a connection one is told to make one', async () => {
    const page = await tests.visit();
    await logIn(page, await tests.server.signUp('hans'));
    await page.getByLabel('Join by id').fill('anything');
    await page.keyboard.press('Enter');
    await page.locator('#join-problem', { hasText: 'Connect first' }).waitFor();
  });
});
