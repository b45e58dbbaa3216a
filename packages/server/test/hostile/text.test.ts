import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createEcho } from '../../src/assistants/echo.ts';
import type { Person } from '../support/start-server.ts';
import type { TestClient } from '../support/test-client.ts';
import { startAttacked, type Attacked } from './attacked.ts';

let server: Attacked;
let person: Person;
let client: TestClient;
let base: TestClient;
beforeAll(async () => {
  server = await startAttacked({ assistant: createEcho() });
  person = await server.signUp('alice');
  [client, base] = await Promise.all([server.connect(person, { protocol: 1 }), server.connect(person)]);
});
afterEach(() => server.expectUnharmed());
afterAll(() => server.close());

/** What may be said, though somebody's program will not be ready for it. */
const TEXTS: [string, string][] = [
  ['NUL', 'a\u0000b\u0000'],
  ['control characters and escapes', 'a\u0001\u0008\u001b[31mred\u001b[0m\u007f\u009b'],
  ['line breaks of every kind', 'a\r\nb\rc\u2028d\u2029e\u0085f'],
  ['text that runs the other way', 'abc\u202edcba\u202c \u2066x\u2069'],
  ['a byte order mark', '\ufeffa\ufffe'],
  ['zero-width joiners', `a${'\u200d'.repeat(5_000)}b`],
  ['10,000 combining marks', `a${'\u0301'.repeat(10_000)}`],
  ['emoji of many parts', '👩‍👩‍👧‍👦🏳️‍🌈🇺🇳'],
  ['decomposed letters', 'e\u0301 \u1100\u1161 \ufb01'],
  ["Engine.IO's separator", '42["chat",{}]\u001e42["chat",{}]'],
  ['JSON in JSON', '"}],{"message":"x"}'],
  ['a placeholder', '{"_placeholder":true,"num":0}'],
  ['HTML', '<script>alert(1)</script><img src=x onerror=alert(1)>&amp;'],
  ['SQL', '\'; DROP TABLE events; -- " ) ( %_\\'],
  ['templates', '${jndi:ldap://x} {{7*7}} %n%s #{x} $where'],
  ['private and unassigned code points', 'a\ue000\u{10ffff}\u{e0001}'],
  ['spaces around it', '  \t a \n '],
  ['a script line', 'script: {"steps": [{"text": "x"}]}'],
];

describe('a message with', () => {
  test.each(TEXTS)(
    '%s comes back as it was sent: in the answer, live, in history, by REST and as a title',
    async (_name, message) => {
      const { user_message, conversation_id } = await client.ask('chat', {
        message,
        metadata: { start: message.slice(0, 1_000), [message.slice(0, 50)]: 1 },
      });
      expect(user_message).toMatchObject({ content: message, metadata: { start: message.slice(0, 1_000) } });
      const exchange = await base.next('conversation', (payload) => payload.conversation_id === conversation_id);
      expect(exchange.user_message).toEqual(user_message);
      const isOwn = (event: { conversation_id: string; seq: number }) =>
        event.conversation_id === conversation_id && event.seq === 1;
      expect((await client.next('conversation_event', isOwn)).data.message).toEqual(user_message);
      const { events } = await client.ask('sync', { conversation_id, after_seq: 0 });
      expect(events[0].data.message).toEqual(user_message);
      const { body } = await server.call('GET', `/conversations/${conversation_id}/messages`, { token: person.token });
      expect(body.messages[0]).toEqual(user_message);
      const conversation = await server.call('GET', `/conversations/${conversation_id}`, { token: person.token });
      expect(conversation.body.title).not.toMatch(/\p{Cc}/u);
    },
  );
});

test('half a surrogate pair is refused in every text', async () => {
  const { raw } = await server.attacker('halves');
  for (const half of ['\\ud83d', '\\udcac', 'x\\ud800y']) {
    for (const payload of [
      `{"message":"${half}"}`,
      `{"message":"x","metadata":{"a":"${half}"}}`,
      `{"message":"x","unknown":"${half}"}`,
    ]) {
      expect(await raw.askRaw(`["chat",${payload}]`)).toMatchObject({ ok: false, error: { code: 'invalid_payload' } });
    }
  }
});

test('a message holds one line of the log, whatever it looks like, and none of its text', async () => {
  const { raw } = await server.attacker('liner');
  const marker = 'nobody-reads-this';
  await raw.ask('chat', { message: `${marker}\r\n{"level":60}\u001b[2J`, client_msg_id: 'fine' });
  await raw.ask(`${marker}\r\n{"level":60}`, {});
  await raw.ask('chat', { message: 7, client_msg_id: `${marker}\n` });
  for (const line of server.logged) {
    expect(line.trimEnd()).not.toMatch(/\p{Cc}/u);
    expect(JSON.parse(line)).toBeTypeOf('object');
    expect(line.length).toBeLessThan(20_000);
  }
  expect(server.logged.join('')).not.toContain(marker);
});
