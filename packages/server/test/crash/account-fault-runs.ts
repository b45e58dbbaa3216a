import { randomUUID } from 'node:crypto';
import { ChatError } from '@tertulia/protocol';
import type { AccountStore, NewUser } from '../../src/store/account-store.ts';
import type { FaultyDatabase } from '../support/faulty-database.ts';

/** What a run has: the accounts that meet faults, and the same ones as they are. */
export interface RunParts {
  readonly accounts: AccountStore;
  readonly truth: AccountStore;
  readonly database: FaultyDatabase;
}

/** One round of a run: does something under faults, then tells what is wrong with what is there. */
type Round = (number: number) => Promise<string[]>;

/** What a caller was told: a result's word, or `unavailable`, or an error that nobody should see. */
async function told<T>(asked: Promise<T>, word: (result: T) => string): Promise<string> {
  try {
    return word(await asked);
  } catch (error) {
    return error instanceof ChatError ? error.code : `error ${String(error)}`;
  }
}

function unlessIn(allowed: readonly string[], answers: readonly string[]): string[] {
  return answers.filter((answer) => !allowed.includes(answer)).map((answer) => `answered ${answer}`);
}

function newUser(name: string, email: string): NewUser {
  const keys = { username_key: name, email_key: `${email}@example.org` };
  const names = { username: name, email: keys.email_key, full_name: null };
  return { id: randomUUID(), ...keys, ...names, password_hash: '1', is_superuser: false, created_at: '2026-01-02' };
}

/** Three who want to register at once: two have the same username, two the same email. */
export function registrations({ accounts, truth, database }: RunParts): Round {
  return async (number) => {
    const [a, b, c] = [`a${number}`, `b${number}`, `c${number}`];
    const users = [newUser(a, a), newUser(a, b), newUser(c, a)];
    const answers = await Promise.all(users.map((user) => told(accounts.createUser(user), ({ status }) => status)));
    await database.proxy.settled();
    const problems = unlessIn(['stored', 'email_taken', 'username_taken', 'unavailable'], answers);
    for (const [index, user] of users.entries()) {
      const answer = answers[index];
      const documents = await database.direct.collection('accounts').countDocuments({ user_id: user.id });
      const found = await Promise.all([user.username_key, user.email_key].map((key) => truth.findCredentials(key)));
      const ways = found.filter((credentials) => credentials?.account.id === user.id).length;
      if (documents > 1) problems.push(`${documents} documents of one registration`);
      if (ways !== documents * 2) problems.push(`found by ${ways} names of 2, in ${documents} documents`);
      if (answer === 'stored' && ways === 0) problems.push('lost: a registration that was acknowledged');
      if (answer?.endsWith('_taken') && ways > 0) problems.push(`there, although refused: ${answer}`);
      if (answer === 'username_taken' && !found[0]) problems.push('refused for a username that nobody has');
      if (answer === 'email_taken' && !found[1]) problems.push('refused for an email that nobody has');
    }
    return problems;
  };
}

/** Two new passwords at once for one account, each the next generation. */
export async function passwordChanges({ accounts, truth, database }: RunParts): Promise<Round> {
  const user = newUser('somebody', 'somebody');
  await truth.createUser(user);
  let generation = 1;
  return async (number) => {
    generation += 1;
    const hashes = [`${number} one`, `${number} other`];
    const answers = await Promise.all(
      hashes.map((password_hash) =>
        told(accounts.changePassword({ user_id: user.id, generation, password_hash, kept_session_id: null }), (ended) =>
          ended ? 'stored' : 'refused',
        ),
      ),
    );
    await database.proxy.settled();
    const problems = unlessIn(['stored', 'refused', 'unavailable'], answers);
    const now = await truth.findCredentials(user.username_key);
    const winner = hashes.indexOf(now?.password_hash ?? '');
    if (winner >= 0 && answers[winner] === 'refused') problems.push('there, although refused: a password');
    for (const [index, answer] of answers.entries()) {
      if (answer === 'stored' && index !== winner) problems.push('lost: a password that was acknowledged');
    }
    if (winner < 0 && !answers.includes('unavailable')) problems.push('nobody won');
    const revisions = await database.direct
      .collection('accounts')
      .find({ user_id: user.id })
      .sort({ revision: 1 })
      .toArray();
    problems.push(...unlessRow(revisions.map(({ revision }) => Number(revision))));
    generation = now?.password_generation ?? 0;
    return problems;
  };
}

/** The same refresh token presented twice at once, as a browser with two windows does; its successor is the next one's. */
export async function rotations({ accounts, truth, database }: RunParts): Promise<Round> {
  const user = newUser('nobody', 'nobody');
  await truth.createUser(user);
  const session = { id: 's', user_id: user.id, password_generation: 1, token_hash: 't0', lifetime_ms: 3_600_000 };
  await truth.createSession({ ...session, address: null, user_agent: null });
  let token = 't0';
  return async (number) => {
    const successor = `t${number + 1}`;
    const once = () => told(accounts.rotate(token, successor, 600_000), ({ status }) => status);
    const answers = await Promise.all([once(), once()]);
    await database.proxy.settled();
    const problems = unlessIn(['rotated', 'repeated', 'unavailable'], answers);
    const rotated = answers.filter((answer) => answer === 'rotated').length;
    if (rotated > 1) problems.push('rotated twice');
    if (rotated === 0 && !answers.includes('unavailable')) problems.push('nobody rotated');
    const tokens = await database.direct
      .collection('refresh_tokens')
      .find({ session_id: 's' })
      .sort({ generation: 1 })
      .toArray();
    problems.push(...unlessRow(tokens.map(({ generation }) => Number(generation))));
    const newest = String(tokens.at(-1)?.['hash']);
    if (newest !== successor && rotated > 0) problems.push('lost: a rotation that was acknowledged');
    token = newest;
    return problems;
  };
}

/** A sign-in, and two who end it at once. */
export async function signIns({ accounts, truth, database }: RunParts): Promise<Round> {
  const user = newUser('anybody', 'anybody');
  await truth.createUser(user);
  return async (number) => {
    const session = { id: `s${number}`, user_id: user.id, password_generation: 1, token_hash: `first${number}` };
    const times = { lifetime_ms: 3_600_000, address: null, user_agent: null };
    const answer = await told(accounts.createSession({ ...session, ...times }), (end) => (end ? 'stored' : 'refused'));
    await database.proxy.settled();
    const problems = unlessIn(['stored', 'unavailable'], [answer]);
    const isLive = async () => (await truth.liveSessions([session.id])).length === 1;
    const stored = await isLive();
    if (answer === 'stored' && !stored) problems.push('lost: a sign-in that was acknowledged');
    if (!stored) return problems;
    const once = () => told(accounts.endSession(user.id, session.id), (ended) => (ended ? 'ended' : 'nothing to end'));
    const ends = await Promise.all([once(), once()]);
    await database.proxy.settled();
    problems.push(...unlessIn(['ended', 'nothing to end', 'unavailable'], ends));
    if (ends.filter((end) => end === 'ended').length > 1) problems.push('ended twice');
    if (!ends.includes('ended') && !ends.includes('unavailable')) problems.push('nobody ended it');
    if (ends.includes('ended') && (await isLive())) problems.push('lost: an end that was acknowledged');
    return problems;
  };
}

function unlessRow(numbers: readonly number[]): string[] {
  return numbers.every((number, index) => number === index + 1) ? [] : [`holes or doubles: ${numbers.join(' ')}`];
}
