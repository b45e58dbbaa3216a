import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createScripted, type Script } from '../../src/assistants/scripted.ts';
import { DATABASE_FILE } from '../../src/store/sqlite/sqlite-store.ts';
import { PASSWORD, type Person } from '../support/start-server.ts';
import { TEST_SECRET } from '../support/start-http.ts';
import { startAttacked, type Attacked } from './attacked.ts';
import { claimsOf, endingIn, forge } from './forge.ts';
import { PollingSession } from './polling-session.ts';
import { RawSocket } from './raw-socket.ts';

/** A revoked login's sockets are closed within this time (G7), on a machine that is busy with other tests. */
const CLOSED_MS = 2_000;

const scripts: Script[] = [];
let server: Attacked;
let count = 0;
beforeAll(async () => {
  const assistant = createScripted();
  server = await startAttacked({
    settings: { JWT_SECRET: TEST_SECRET },
    assistant: {
      name: 'scripted',
      async *reply(request) {
        yield* scripts.length > 0 ? createScripted([scripts.shift()!]).reply(request) : ['ok'];
      },
      close: async () => assistant.close?.(),
    },
  });
});
/** A login that is ended behind this server's back, as by another node; begun first, since it takes a while to be noticed. */
let lost: RawSocket;
beforeAll(async () => {
  const person = await signUp();
  lost = await connect(person.token);
  const db = new DatabaseSync(join(server.directory, DATABASE_FILE), { timeout: 5_000 });
  db.prepare('DELETE FROM sessions WHERE user_id = ?').run(person.id);
  db.close();
});
afterEach(() => server.expectUnharmed());
afterAll(() => server.close());

const signUp = () => server.signUp(`person-${(count += 1)}`);
const connect = (token: string) => RawSocket.connect(server.url, token);

async function refusalOf(token: string): Promise<string> {
  const raw = await server.stranger();
  raw.send(`40${JSON.stringify({ token })}`);
  const refusal = await raw.next((text) => text.startsWith('4'));
  await raw.closed;
  return refusal;
}

test('a token forged in every detail right is taken, so the refusals below mean something', async () => {
  const { token } = await signUp();
  (await connect(forge(token, {}))).close();
});

test('a token that is not in order is refused, whatever is wrong with it, in the same words', async () => {
  const { token, refresh_token } = await signUp();
  const now = Math.floor(Date.now() / 1_000);
  const broken = [
    refresh_token,
    `${token}x`,
    token.slice(0, -1),
    token.replace(/\.[^.]*$/, '.'),
    forge(token, {}, { alg: 'none' }).replace(/[^.]*$/, ''),
    forge(token, {}, { alg: 'HS512' }),
    forge(token, {}, { kid: '../../dev/null' }),
    forge(token, {}, { jku: `${server.url}/jwks`, jwk: { kty: 'oct', k: 'AA' } }),
    forge(token, { exp: undefined }),
    forge(token, { exp: String(now + 60) }),
    forge(token, { exp: now }),
    forge(token, { exp: -1 }),
    forge(token, { exp: 1e15 }),
    forge(token, { nbf: now + 60 }),
    forge(token, { iat: now + 60 }),
    forge(token, { iss: 'elsewhere' }),
    forge(token, { aud: ['elsewhere'] }),
    forge(token, {}, { typ: 'JWT' }),
    forge(token, { sub: 'nobody' }),
    forge(token, { sid: 'none' }),
    forge(token, { sid: { $ne: null } }),
  ];
  const refusals = await Promise.all(broken.map(refusalOf));
  expect(new Set(refusals).size).toBe(1);
  expect(JSON.parse(refusals[0]!.slice(2))).toMatchObject({ message: 'unauthorized' });
});

describe('a login that expires', () => {
  test('ends its sockets within a second, and not one event after it is accepted', async () => {
    const person = await signUp();
    const ending = endingIn(2, person.token);
    const raw = await connect(ending.token);
    const { conversation_id } = await raw.ask('chat', { message: 'in time' });
    const flooding = setInterval(
      () => raw.send(`42["chat",{"conversation_id":"${conversation_id}","message":"and on"}]`),
      20,
    );
    await raw.next((text) => text.startsWith('42["session_expired"'));
    await raw.next((text) => text.startsWith('42["error"') && text.includes('"auth_expired"'));
    await raw.closed;
    const closedAt = Date.now() / 1_000;
    clearInterval(flooding);
    expect(closedAt).toBeGreaterThanOrEqual(ending.expiresAt - 0.05);
    expect(closedAt).toBeLessThan(ending.expiresAt + 2); // the promise is one second
    const path = `/conversations/${conversation_id}/messages`;
    const { body } = await server.call('GET', path, { token: person.token });
    for (const { timestamp } of body.messages) expect(timestamp).toBeLessThanOrEqual(ending.expiresAt + 0.05);
  });

  test('ends a base-layer socket by polling too', async () => {
    const { token } = endingIn(2, (await signUp()).token);
    const session = await PollingSession.open(server.url);
    await session.post(`40${JSON.stringify({ token })}`);
    const all: string[] = [];
    for (let packets = await session.poll(); packets.length > 0; packets = await session.poll()) all.push(...packets);
    expect(all.filter((packet) => packet.startsWith('42')).map((packet) => JSON.parse(packet.slice(2))[0])).toEqual([
      'connected',
      'error',
    ]);
    expect((await session.post('42["chat",{"message":"x"}]')).status).toBe(400);
  });

  test('is carried on by a newer token in the middle of an answer', async () => {
    const gate = Promise.withResolvers<void>();
    const person = await signUp();
    const ending = endingIn(2, person.token);
    const raw = await connect(ending.token);
    scripts.push([{ text: 'before ' }, { until: gate.promise }, { text: 'after' }]);
    await raw.ask('chat', { message: 'go' });
    await raw.next((text) => text.startsWith('42["response_delta"'));
    const { expires_at } = await raw.ask('auth_refresh', { token: person.token });
    expect(expires_at).toBe(claimsOf(person.token)['exp']);
    // Another socket with the same old token marks the moment at which this one would have ended.
    const marker = await connect(endingIn(2, person.token).token);
    await marker.closed;
    gate.resolve();
    const final = await raw.next((text) => text.startsWith('42["conversation_event"') && text.includes('before after'));
    expect(final).toContain('"ends_task"');
    raw.close();
  });

  test('in the middle of an answer ends the socket, and the answer is there for the next', async () => {
    const gate = Promise.withResolvers<void>();
    const person = await signUp();
    const raw = await connect(endingIn(2, person.token).token);
    scripts.push([{ text: 'before ' }, { until: gate.promise }, { text: 'after' }]);
    const { conversation_id } = await raw.ask('chat', { message: 'go' });
    await raw.closed;
    gate.resolve();
    const next = await server.connect(person, { protocol: 1 });
    const page = await next.ask('join_conversation', { conversation_id, after_seq: 0 });
    const isFinal = ({ data }: { data: { ends_task?: object } }) => data.ends_task !== undefined;
    const final = page.events.find(isFinal) ?? (await next.next('conversation_event', isFinal));
    expect(final.data.message.content).toBe('before after');
  });

  test('is not carried on by a token that is no good, or of somebody else', async () => {
    const [person, other] = [await signUp(), await signUp()];
    const raw = await connect(person.token);
    const bad = [
      'x',
      other.token,
      forge(person.token, { exp: 1 }),
      person.refresh_token,
      forge(person.token, { sid: 'x' }),
    ];
    for (const token of bad) {
      expect(await raw.ask('auth_refresh', { token })).toMatchObject({ ok: false, error: { code: 'unauthorized' } });
    }
    expect(await raw.ask('chat', { message: 'still mine' })).toMatchObject({
      user_message: { author: { id: person.id } },
    });
  });
});

test('a login of 190 years does not end at once: its timer is armed in pieces', async () => {
  const long = await startAttacked({ settings: { JWT_SECRET: TEST_SECRET, ACCESS_TOKEN_MINUTES: '100000000' } });
  const { raw } = await long.attacker('methuselah');
  for (let turn = 0; turn < 3; turn += 1)
    expect(await raw.ask('chat', { message: 'hello' })).toMatchObject({ ok: true });
  await long.expectUnharmed();
  await long.close();
});

describe('a login that is ended', () => {
  const post = (path: string, token: string, json?: object) =>
    server.call('POST', `/auth/${path}`, { token, ...(json && { json }) });

  const ENDS: Record<string, (person: Person) => Promise<unknown>> = {
    logout: ({ token }) => post('logout', token),
    'logout everywhere': ({ token }) => post('logout-all', token),
    deactivation: ({ username }) => server.context.accounts.setActive(username, false),
    'a new password, by another session': async ({ username }) => {
      const { access_token } = await logIn(username);
      await post('password', access_token, { current_password: PASSWORD, new_password: 'another horse 43' });
    },
    'the repeat of an old refresh token': async ({ refresh_token }) => {
      const refresh = (token: string) => server.call('POST', '/auth/refresh', { json: { refresh_token: token } });
      const first = await refresh(refresh_token);
      await refresh(first.body.refresh_token);
      await refresh(refresh_token); // refused: that is what ends it
    },
    'its end in the list of sessions': async ({ username, token }) => {
      const { access_token } = await logIn(username);
      await server.call('DELETE', `/auth/sessions/${String(claimsOf(token)['sid'])}`, { token: access_token });
    },
  };

  const logIn = async (username: string) =>
    (await server.call('POST', '/auth/login', { json: { username, password: PASSWORD } })).body;

  test.each(Object.keys(ENDS))('by %s closes its sockets, and not one event after it is accepted', async (how) => {
    const person = await signUp();
    const sockets = await Promise.all([connect(person.token), connect(person.token)]);
    const poller = await PollingSession.connect(server.url, person.token);
    const { conversation_id } = await sockets[0].ask('chat', { message: 'before' });
    const ended = ENDS[how]!(person).then(() => performance.now());
    const closed = Promise.all(sockets.map(({ closed }) => closed)).then(() => performance.now());
    const since = await ended;
    for (const raw of sockets) raw.send(`42["chat",{"conversation_id":"${conversation_id}","message":"after"}]`);
    const posted = await poller.post(`42["chat",{"conversation_id":"${conversation_id}","message":"after"}]`);
    expect([200, 400]).toContain(posted.status); // taken by a session that has ended, or not known any more
    expect((await closed) - since).toBeLessThan(CLOSED_MS);
    for (const raw of sockets) expect(raw.received.join()).toContain('auth_expired');
    const log = await server.context.store.log.read(conversation_id, 0, 100);
    expect(JSON.stringify(log)).not.toContain('"after"');
    expect(await refusalOf(person.token)).toContain('unauthorized');
  });

  test('by logout leaves the other logins of the same person alone', async () => {
    const person = await signUp();
    const other = await connect((await logIn(person.username)).access_token);
    const raw = await connect(person.token);
    await post('logout', person.token);
    await raw.closed;
    expect(await other.ask('chat', { message: 'still here' })).toMatchObject({ ok: true });
    other.close();
  });

  test('elsewhere, with the command lost, is noticed by asking the database', { timeout: 40_000 }, async () => {
    await lost.closed; // within 15 s
    expect(lost.received.join()).toContain('auth_expired');
  });
});
