import { randomUUID } from 'node:crypto';
import type { NewUser } from '../../src/store/account-store.ts';
import type { FaultyStore } from '../support/faulty-store.ts';
import { told, unlessIn, unlessOne, unlessRow, type Round } from './fault-run.ts';

/** An account that does not exist yet. */
export function newUser(name: string, email = name): NewUser {
  const keys = { username_key: name, email_key: `${email}@example.org` };
  const names = { username: name, email: keys.email_key, full_name: null };
  return { id: randomUUID(), ...keys, ...names, password_hash: '1', is_superuser: false, created_at: '2026-01-02' };
}

/** What a sign-in stores. */
export function newSession(user: NewUser, id: string, token_hash: string) {
  const peer = { address: null, user_agent: null };
  return { id, user_id: user.id, password_generation: 1, token_hash, lifetime_ms: 3_600_000, ...peer };
}

/** Three who want to register at once: two have the same username, two the same email. */
export function registrations({ nodes: [one, other], truth, proxy, db }: FaultyStore): Round {
  return async (number) => {
    const [a, b, c] = [`a${number}`, `b${number}`, `c${number}`];
    const users = [newUser(a), newUser(a, b), newUser(c, a)];
    const answers = await Promise.all(
      users.map((user, index) => told((index === 1 ? other : one).accounts.createUser(user), ({ status }) => status)),
    );
    await proxy.settled();
    const problems = unlessIn(['stored', 'email_taken', 'username_taken', 'unavailable'], answers);
    for (const [index, user] of users.entries()) {
      const answer = answers[index];
      const documents = await db.collection('accounts').countDocuments({ user_id: user.id });
      const keys = [user.username_key, user.email_key];
      const found = await Promise.all(keys.map((key) => truth.accounts.findCredentials(key)));
      const ways = found.filter((credentials) => credentials?.account.id === user.id).length;
      if (documents > 1) problems.push(`doubled: ${documents} documents of one registration`);
      if (ways !== documents * 2) problems.push(`half made: found by ${ways} names of 2, in ${documents} documents`);
      if (answer === 'stored' && ways === 0) problems.push('lost: a registration that was acknowledged');
      if (answer?.endsWith('_taken') && ways > 0) problems.push(`there, although refused: ${answer}`);
      if (answer === 'username_taken' && !found[0]) problems.push('refused for a username that nobody has');
      if (answer === 'email_taken' && !found[1]) problems.push('refused for an email that nobody has');
    }
    return problems;
  };
}

/** Two new passwords at once for one account, each the next generation. */
export async function passwordChanges({ nodes, truth, proxy, db }: FaultyStore): Promise<Round> {
  const user = newUser('somebody');
  await truth.accounts.createUser(user);
  return async (number) => {
    const before = await truth.accounts.findCredentials(user.username_key);
    const next = { user_id: user.id, generation: (before?.password_generation ?? 0) + 1, kept_session_id: null };
    const hashes = [`${number} one`, `${number} other`];
    const answers = await Promise.all(
      nodes.map(({ accounts }, index) =>
        told(accounts.changePassword({ ...next, password_hash: hashes[index] ?? '' }), (ended) =>
          ended ? 'stored' : 'refused',
        ),
      ),
    );
    await proxy.settled();
    const now = await truth.accounts.findCredentials(user.username_key);
    const revisions = await db.collection('accounts').find({ user_id: user.id }).sort({ revision: 1 }).toArray();
    const problems = [
      ...unlessIn(['stored', 'refused', 'unavailable'], answers),
      ...unlessOne('stored', answers),
      ...unlessRow(revisions.map(({ revision }) => Number(revision))),
    ];
    for (const [index, answer] of answers.entries()) {
      const isThere = now?.password_hash === hashes[index];
      if (answer === 'stored' && !isThere) problems.push('lost: a password that was acknowledged');
      if (answer === 'refused' && isThere) problems.push('there, although refused: a password');
    }
    return problems;
  };
}

/** The same refresh token presented twice at once, as a browser with two windows does; its successor is the next one's. */
export async function rotations({ nodes, truth, proxy, db }: FaultyStore): Promise<Round> {
  const user = newUser('nobody');
  await truth.accounts.createUser(user);
  await truth.accounts.createSession(newSession(user, 'session', 'token 1'));
  let newest = 1;
  return async () => {
    const [token, successor] = [`token ${newest}`, `token ${newest + 1}`];
    const answers = await Promise.all(
      nodes.map(({ accounts }) => told(accounts.rotate(token, successor, 600_000), ({ status }) => status)),
    );
    await proxy.settled();
    const tokens = await db.collection('refresh_tokens').find().sort({ generation: 1 }).toArray();
    const problems = [
      ...unlessIn(['rotated', 'repeated', 'unavailable'], answers),
      ...unlessOne('rotated', answers),
      ...unlessRow(tokens.map(({ generation }) => Number(generation))),
    ];
    const isThere = tokens.at(-1)?.['hash'] === successor;
    if (!isThere && answers.some((answer) => answer !== 'unavailable')) {
      problems.push('lost: a rotation that was acknowledged');
    }
    newest = tokens.length;
    return problems;
  };
}

/** A sign-in, and two who end it at once. */
export async function signIns({ nodes, truth, proxy }: FaultyStore): Promise<Round> {
  const user = newUser('anybody');
  await truth.accounts.createUser(user);
  return async (number) => {
    const session = newSession(user, `session ${number}`, `token of ${number}`);
    const isLive = async () => (await truth.accounts.liveSessions([session.id])).length === 1;
    const answer = await told(nodes[0].accounts.createSession(session), (end) => (end ? 'stored' : 'refused'));
    await proxy.settled();
    const problems = unlessIn(['stored', 'unavailable'], [answer]);
    if (!(await isLive())) {
      return answer === 'stored' ? [...problems, 'lost: a sign-in that was acknowledged'] : problems;
    }
    const ends = await Promise.all(
      nodes.map(({ accounts }) =>
        told(accounts.endSession(user.id, session.id), (ended) => (ended ? 'ended' : 'nothing to end')),
      ),
    );
    await proxy.settled();
    problems.push(...unlessIn(['ended', 'nothing to end', 'unavailable'], ends), ...unlessOne('ended', ends));
    if (ends.includes('ended') && (await isLive())) problems.push('lost: an end that was acknowledged');
    return problems;
  };
}
