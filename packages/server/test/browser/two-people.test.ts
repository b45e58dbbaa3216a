import { expect, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import { withTestPage } from './browser.ts';
import { addMember, answer, connect, conversationId, joinById, logIn, messages, question, say } from './person.ts';

const words = Array.from({ length: 30 }, (_, index) => `word ${index} 😀 `);
const slowly = words.flatMap((text) => [{ text }, { delay_ms: 60 }]);

describeWith('chromium', 'two people in one conversation', () => {
  const tests = withTestPage();

  async function conversationOf(owner: string, guest: string) {
    const own = await tests.visit();
    const other = await tests.visit();
    await logIn(own, await tests.server.signUp(owner));
    await logIn(other, await tests.server.signUp(guest));
    await connect(own);
    await say(own, question('Welcome', { text: 'Ready.' }));
    await answer(own, 'Ready.');
    await addMember(own, guest);
    await connect(other);
    await joinById(other, await conversationId(own));
    return { own, other };
  }

  test('both see the same answer while it is written, and the same messages in the same order', async () => {
    const { own, other } = await conversationOf('alma', 'bruno');
    await say(other, question('Tell us', ...slowly));
    await own.locator('.writing .text', { hasText: 'word 2' }).waitFor();
    await other.locator('.writing .text', { hasText: 'word 2' }).waitFor();
    await say(own, question('And me', { text: 'You too.' }));
    await answer(own, 'You too.');
    await answer(other, 'You too.');
    expect(await messages(own)).toEqual(await messages(other));
    expect(await messages(own)).toContain(words.join(''));
    expect(await own.locator('.who', { hasText: 'bruno' }).count()).toBe(1);
    expect(await other.locator('.who', { hasText: 'alma' }).count()).toBe(2);
  });

  test('whoever joins in the middle of an answer sees all of it', async () => {
    const { own, other } = await conversationOf('cora', 'dario');
    await other.locator('#join-leave').click();
    await other.getByText('not joined').waitFor();
    await say(own, question('Tell', ...slowly, { delay_ms: 1_500 }));
    await own.locator('.writing .text', { hasText: 'word 9' }).waitFor();
    await other.locator('#join-leave').click();
    await other.locator('.writing .text', { hasText: 'word 29' }).waitFor();
    expect(await other.locator('.writing .text').textContent()).toBe(words.join(''));
    await answer(other, 'word 29');
    expect((await messages(other)).at(-1)).toBe(words.join(''));
  });

  test('whoever joins in the middle of an answer sees whose it is', async () => {
    const { own, other } = await conversationOf('edda', 'finn');
    await other.locator('#join-leave').click();
    await other.getByText('not joined').waitFor();
    await say(own, question('Tell', { text: 'I beg' }, { hang: true }));
    await own.locator('.writing .text', { hasText: 'I beg' }).waitFor();
    await other.locator('#join-leave').click();
    await other.locator('.writing .who', { hasText: 'scripted' }).waitFor();
  });

  test('a removed member is told, and sees nothing more', async () => {
    const { own, other } = await conversationOf('ella', 'fritz');
    await own.getByRole('button', { name: 'Remove fritz' }).click();
    await other.getByText('You are no longer a member of this conversation.').waitFor();
    await say(own, question('Between us', { text: 'Quiet.' }));
    await answer(own, 'Quiet.');
    await other.locator('#join-leave').click();
    await other.locator('#problem-text', { hasText: 'you are not a member' }).waitFor();
    expect(await messages(other)).toHaveLength(2);
  });

  test('one on the base layer and one on protocol 1 see the same', async () => {
    const { own, other } = await conversationOf('gina', 'hugo');
    await connectBase(other);
    await say(own, question('Everybody?', { text: 'Everybody.' }));
    await answer(own, 'Everybody.');
    await answer(other, 'Everybody.');
    expect(await messages(other)).toEqual(await messages(own));
  });

  async function connectBase(page: Parameters<typeof say>[0]): Promise<void> {
    await page.locator('#protocol-base + span').click();
    await page.getByText('base layer').waitFor();
    await page.getByText('joined, live').waitFor();
  }
});
