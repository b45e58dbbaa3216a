import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { AccountStore, NewSession, NewUser } from '../../src/store/account-store.ts';

/** What a store under test is: its accounts, and how it is closed. */
export interface OpenStore {
  readonly accounts: AccountStore;
  readonly close: () => Promise<void>;
}

const GRACE_MS = 60_000;
const LIFETIME_MS = 60_000;

/** The promises that every store of accounts keeps. */
export function accountStoreContract(name: string, open: () => Promise<OpenStore>): void {
  describe(`accounts in ${name}`, () => {
    let opened: OpenStore;
    let accounts: AccountStore;
    let user: NewUser;

    beforeAll(async () => {
      opened = await open();
      accounts = opened.accounts;
    });
    afterAll(() => opened.close());
    beforeEach(async () => {
      user = newUser();
      await accounts.createUser(user);
    });

    function newUser(): NewUser {
      const id = randomUUID();
      return {
        id,
        username: `N-${id}`,
        username_key: `n-${id}`,
        email: `E-${id}@example.org`,
        email_key: `e-${id}@example.org`,
        full_name: null,
        password_hash: 'first hash',
        is_superuser: false,
        created_at: '2026-01-02T03:04:05.678Z',
      };
    }

    async function signIn(changes: Partial<NewSession> = {}): Promise<NewSession> {
      const session = {
        id: randomUUID(),
        user_id: user.id,
        password_generation: 1,
        token_hash: randomUUID(),
        lifetime_ms: LIFETIME_MS,
        address: '192.0.2.1',
        user_agent: null,
        ...changes,
      };
      expect(await accounts.createSession(session)).toBeGreaterThan(Date.now() - 10_000);
      return session;
    }

    const isLive = async (session: NewSession) => (await accounts.liveSessions([session.id])).length === 1;
    const nextPassword = (generation: number, kept_session_id: string | null) =>
      accounts.changePassword({ user_id: user.id, generation, password_hash: `hash ${generation}`, kept_session_id });

    test('an account is found as it was stored, by id and by either key', async () => {
      const { id, username, email, full_name, is_superuser, created_at } = user;
      const account = { id, username, email, full_name, is_active: true, is_superuser, created_at };
      expect(await accounts.findUser(id)).toEqual(account);
      expect(await accounts.findUserByName(user.username_key)).toEqual(account);
      const credentials = { account, password_hash: 'first hash', password_generation: 1 };
      expect(await accounts.findCredentials(user.username_key)).toEqual(credentials);
      expect(await accounts.findCredentials(user.email_key)).toEqual(credentials);
    });

    test('what nobody has is found as nothing', async () => {
      for (const key of ['', 'nobody', 'no@body', "' OR 1=1 --", '$ne', 'a\u0000b']) {
        expect([await accounts.findUser(key), await accounts.findUserByName(key)]).toEqual([null, null]);
        expect(await accounts.findCredentials(key)).toBeNull();
      }
    });

    test('of ten accounts at once with one name or one email, one is stored', async () => {
      for (const same of ['username_key', 'email_key'] as const) {
        const first = newUser();
        const results = await Promise.all(
          Array.from({ length: 10 }, () => accounts.createUser({ ...newUser(), [same]: first[same] })),
        );
        expect(results.filter(({ status }) => status === 'stored')).toHaveLength(1);
        const refusal = same === 'email_key' ? 'email_taken' : 'username_taken';
        expect(results.filter(({ status }) => status === refusal)).toHaveLength(9);
      }
    });

    test('a name is changed, the old one is free again, and one that is taken stays taken', async () => {
      const other = newUser();
      await accounts.createUser(other);
      const taken = await accounts.updateUser(user.id, { username: { name: 'X', key: other.username_key } });
      expect(taken).toEqual({ status: 'username_taken' });
      const moved = `moved-${user.id}`;
      const changed = await accounts.updateUser(user.id, { username: { name: 'Moved', key: moved }, full_name: 'F' });
      expect(changed).toMatchObject({
        status: 'stored',
        account: { username: 'Moved', full_name: 'F', email: user.email },
      });
      expect(await accounts.findUserByName(user.username_key)).toBeNull();
      expect((await accounts.findUserByName(moved))?.id).toBe(user.id);
      expect((await accounts.createUser({ ...newUser(), username_key: user.username_key })).status).toBe('stored');
      expect(await accounts.updateUser('nobody', { full_name: 'F' })).toEqual({ status: 'missing' });
    });

    test('a session is live from its sign-in to its end, and only its owner ends it', async () => {
      const session = await signIn();
      expect((await accounts.findLogin(session.id))?.id).toBe(user.id);
      expect(await accounts.endSession('somebody else', session.id)).toBe(false);
      expect(await isLive(session)).toBe(true);
      expect(await accounts.endSession(user.id, session.id)).toBe(true);
      expect(await accounts.endSession(user.id, session.id)).toBe(false);
      expect([await isLive(session), await accounts.findLogin(session.id)]).toEqual([false, null]);
    });

    test('a session is over when its life is over', async () => {
      const session = await signIn({ lifetime_ms: 250 }); // live when signed in, on a busy machine too
      await vi.waitUntil(async () => !(await isLive(session)), { interval: 1 });
      expect(await accounts.findLogin(session.id)).toBeNull();
      expect((await accounts.rotate(session.token_hash, randomUUID(), GRACE_MS)).status).toBe('refused');
    });

    test('sessions are listed for their owner, newest first, while they live', async () => {
      const first = await signIn();
      const second = await signIn({ user_agent: 'Second' });
      const ended = await signIn();
      await accounts.endSession(user.id, ended.id);
      const listed = await accounts.listSessions(user.id);
      expect(new Set(listed.map(({ id }) => id))).toEqual(new Set([first.id, second.id]));
      expect(listed.find(({ id }) => id === second.id)).toMatchObject({ user_agent: 'Second', address: '192.0.2.1' });
      for (const { created_at, last_used_at, expires_at } of listed) {
        expect(last_used_at).toBeGreaterThanOrEqual(created_at);
        expect(expires_at - created_at).toBe(LIFETIME_MS);
      }
      expect(await accounts.listSessions('somebody else')).toEqual([]);
    });

    test('all sessions but one are ended together', async () => {
      const kept = await signIn();
      const others = [await signIn(), await signIn()].map(({ id }) => id);
      expect(new Set(await accounts.endSessions(user.id, kept.id))).toEqual(new Set(others));
      expect(await accounts.liveSessions([kept.id, ...others])).toEqual([kept.id]);
      expect(await accounts.endSessions(user.id, null)).toEqual([kept.id]);
    });

    test('a deactivated account has no live session and gets none, and its old ones stay ended', async () => {
      const session = await signIn();
      expect(await accounts.setActive(user.id, false)).toEqual([session.id]);
      expect(await isLive(session)).toBe(false);
      expect(await accounts.createSession({ ...session, id: randomUUID(), token_hash: randomUUID() })).toBeNull();
      expect((await accounts.rotate(session.token_hash, randomUUID(), GRACE_MS)).status).toBe('refused');
      expect(await accounts.setActive(user.id, true)).toEqual([]);
      expect(await isLive(session)).toBe(false);
      expect(await isLive(await signIn())).toBe(true);
      expect(await accounts.setActive('nobody', false)).toBeNull();
    });

    test('a new password ends the other sessions, also one that is signed in meanwhile with the old one', async () => {
      const kept = await signIn();
      const other = await signIn();
      expect(await nextPassword(2, kept.id)).toEqual([other.id]);
      expect([await isLive(kept), await isLive(other)]).toEqual([true, false]);
      expect(await accounts.createSession({ ...other, id: randomUUID(), token_hash: randomUUID() })).toBeNull();
      expect(await accounts.findCredentials(user.username_key)).toMatchObject({
        password_hash: 'hash 2',
        password_generation: 2,
      });
      expect(await nextPassword(3, null)).toEqual([kept.id]);
      expect(await isLive(kept)).toBe(false);
    });

    test('of two password changes at once, one is stored', async () => {
      const results = await Promise.all([nextPassword(2, null), nextPassword(2, null)]);
      expect(results.filter((ended) => ended === null)).toHaveLength(1);
    });

    test('a refresh token is exchanged once, and its direct repeat meets the same successor', async () => {
      const { id, token_hash } = await signIn();
      expect(await accounts.rotate(token_hash, 'b'.concat(id), GRACE_MS)).toMatchObject({
        status: 'rotated',
        session_id: id,
        account: { id: user.id },
      });
      expect((await accounts.rotate(token_hash, 'b'.concat(id), GRACE_MS)).status).toBe('repeated');
      expect((await accounts.rotate('b'.concat(id), 'c'.concat(id), GRACE_MS)).status).toBe('rotated');
    });

    test('of many exchanges of one token at once, one rotates and the others repeat', async () => {
      const { token_hash } = await signIn();
      const successor = randomUUID();
      const results = await Promise.all(
        Array.from({ length: 20 }, () => accounts.rotate(token_hash, successor, GRACE_MS)),
      );
      expect(results.filter(({ status }) => status === 'rotated')).toHaveLength(1);
      expect(results.filter(({ status }) => status === 'repeated')).toHaveLength(19);
    });

    test('a token used again after the grace ends its session and no other', async () => {
      const session = await signIn();
      const other = await signIn();
      const successor = randomUUID();
      await accounts.rotate(session.token_hash, successor, GRACE_MS);
      const result = await accounts.rotate(session.token_hash, successor, 0);
      expect(result).toEqual({ status: 'reused', session_id: session.id, user_id: user.id });
      expect([await isLive(session), await isLive(other)]).toEqual([false, true]);
      expect((await accounts.rotate(successor, randomUUID(), GRACE_MS)).status).toBe('refused');
    });

    test('a token whose successor was itself exchanged ends its session even within the grace', async () => {
      const session = await signIn();
      const [second, third] = [randomUUID(), randomUUID()];
      await accounts.rotate(session.token_hash, second, GRACE_MS);
      await accounts.rotate(second, third, GRACE_MS);
      expect((await accounts.rotate(session.token_hash, second, GRACE_MS)).status).toBe('reused');
      expect((await accounts.rotate(third, randomUUID(), GRACE_MS)).status).toBe('refused');
    });

    test('an unknown token is refused and changes nothing', async () => {
      const session = await signIn();
      expect(await accounts.rotate(randomUUID(), randomUUID(), GRACE_MS)).toEqual({ status: 'refused' });
      expect(await isLive(session)).toBe(true);
    });
  });
}
