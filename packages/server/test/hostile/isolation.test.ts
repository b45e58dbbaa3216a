import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Person } from '../support/start-server.ts';
import { startAttacked, type Attacked } from './attacked.ts';
import type { RawSocket } from './raw-socket.ts';

let server: Attacked;
let victim: Person;
let stranger: Person;
let raw: RawSocket;
let conversation_id: string;
let task_id: string;
let gate: PromiseWithResolvers<void>;

beforeAll(async () => {
  gate = Promise.withResolvers<void>();
  server = await startAttacked({
    assistant: {
      name: 'slow',
      async *reply({ user }) {
        if (user.name !== 'victim') return yield 'ok';
        yield 'private words';
        await gate.promise;
      },
    },
  });
  ({ person: stranger, raw } = await server.attacker('stranger'));
  victim = await server.signUp('victim');
  const { body } = await server.call('POST', '/chat', { token: victim.token, json: { message: 'a secret' } });
  ({ conversation_id, task_id } = body);
});
afterEach(() => server.expectUnharmed());
afterAll(async () => {
  gate.resolve();
  await server.close();
});

const MISSING = 'f'.repeat(32);

describe("somebody else's conversation", () => {
  test('by socket is as one that is not there, and costs no more', async () => {
    const events = [
      ['chat', { message: 'x' }],
      ['join_conversation', {}],
      ['join_conversation', { after_seq: 0 }],
      ['join_conversation', { after_seq: 1_000_000 }],
      ['sync', { after_seq: 0 }],
    ] as const;
    for (const [event, payload] of events) {
      const foreign = await raw.ask(event, { ...payload, conversation_id });
      expect(foreign).toMatchObject({ ok: false, error: { code: 'not_found' } });
      expect(foreign).toEqual(await raw.ask(event, { ...payload, conversation_id: MISSING }));
    }
    const cost = async (id: string) => {
      const times: number[] = [];
      for (let turn = 0; turn < 60; turn += 1) {
        const before = performance.now();
        await raw.ask('sync', { conversation_id: id, after_seq: 0 });
        times.push(performance.now() - before);
      }
      return times.toSorted((a, b) => a - b)[15]!;
    };
    await cost(MISSING);
    const ratio = (await cost(conversation_id)) / (await cost(MISSING));
    expect(Math.abs(Math.log2(ratio))).toBeLessThan(1.5);
  });

  test('is left without a word about whether it is there', async () => {
    const answer = (id: string) => raw.ask('leave_conversation', { conversation_id: id });
    const foreign = await answer(conversation_id);
    expect(foreign).toEqual({ ...(await answer(MISSING)), conversation_id });
  });

  test('shows nothing live, in lists, or under a repeated client_msg_id', async () => {
    const watcher = await server.connect(stranger, { protocol: 1 });
    const base = await server.connect(stranger);
    const sent = { message: 'another secret', conversation_id, client_msg_id: 'shared-id' };
    await server.call('POST', '/chat', { token: victim.token, json: sent });
    expect(await raw.ask('chat', sent)).toMatchObject({ ok: false, error: { code: 'not_found' } });
    const own = await raw.ask('chat', { message: 'mine', client_msg_id: 'shared-id' });
    expect(own).toMatchObject({ ok: true, user_message: { content: 'mine' } });
    await watcher.next('conversation_changed', (payload) => payload.conversation_id === own.conversation_id);
    const lists = await Promise.all(
      ['/conversations', '/tasks', `/tasks?conversation_id=${conversation_id}`].map((path) =>
        server.call('GET', path, { token: stranger.token }),
      ),
    );
    const seen = JSON.stringify([watcher.received, base.received, raw.received, lists]);
    expect(seen).not.toContain('secret');
    expect(seen).not.toContain('private words');
    expect(JSON.stringify([watcher.received, base.received, lists])).not.toContain(task_id);
  });

  test('is closed again to whoever is no longer a member: nothing live after the leaving, nothing on asking', async () => {
    const path = `/conversations/${conversation_id}/members`;
    await server.call('POST', path, { token: victim.token, json: { username: 'stranger' } });
    const member = await server.connect(stranger, { protocol: 1 });
    const joined = await member.ask('join_conversation', { conversation_id, after_seq: 0 });
    expect(joined).toMatchObject({ ok: true, joined: true });
    const removed = await server.call('DELETE', `${path}/${stranger.username}`, { token: victim.token });
    expect(removed.status).toBeLessThan(300);
    const { seq } = await member.next('conversation_event', ({ type }) => type === 'member_left');
    await server.call('POST', '/chat', { token: victim.token, json: { message: 'after it', conversation_id } });
    for (const event of ['join_conversation', 'sync', 'chat']) {
      const payload = { conversation_id, after_seq: 0, message: 'x' };
      expect(await member.ask(event, payload)).toMatchObject({ ok: false, error: { code: 'not_found' } });
    }
    // The hint for lists that they left may come after the event that says so.
    expect(member.waiting.filter(({ payload }) => payload.seq !== seq)).toEqual([]);
  });
});

test('nobody is shown the address, the session or the secrets of anybody', async () => {
  const everything = JSON.stringify([
    raw.received,
    (await server.call('GET', '/auth/me', { token: stranger.token })).body,
    (await server.call('GET', '/conversations', { token: stranger.token })).body,
    (await server.call('GET', `/conversations/${conversation_id}/members`, { token: victim.token })).body,
  ]);
  expect(everything).not.toMatch(/127\.0\.0\.1|password|argon2|refresh_token|example\.com.*victim@/);
  expect(everything).not.toContain('victim@example.com');
});

test('what is for those who run the server is not there for those who use it', async () => {
  for (const path of ['/admin', '/debug', '/api/v1/admin', '/api/v1/users', '/.env', '/.git/config', '/server.js']) {
    const response = await fetch(server.url + path, { headers: { authorization: `Bearer ${stranger.token}` } });
    expect(response.status, path).toBe(404);
    expect(response.headers.get('content-type'), path).toMatch(/^application\/json/);
  }
});
