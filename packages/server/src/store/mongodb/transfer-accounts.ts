import { ObjectId, type Collection } from 'mongodb';
import { Unfitting, type AccountRecord, type LoginRecord } from '../transfer.ts';
import { AccountRevisions, firstRevision, type AccountContent, type AccountRevision } from './account-revisions.ts';
import { inBatches } from './batches.ts';
import type { Database } from './collections.ts';
import { insertAll } from './in-bulk.ts';
import { Sessions, type SessionDocument, type TokenDocument } from './sessions.ts';

/** Accounts, or sessions, that are read in one go. */
const READ_AT_ONCE = 200;

function accountsOf({ db }: Database): Collection<AccountRevision> {
  return db.collection('accounts');
}

function sessionsOf({ db }: Database): Collection<SessionDocument> {
  return db.collection('sessions');
}

function tokensOf({ db }: Database): Collection<TokenDocument> {
  return db.collection('refresh_tokens');
}

/** Every account as it is now. */
export async function* accountRecords(db: Database): AsyncGenerator<AccountRecord> {
  const revisions = new AccountRevisions(db.db);
  for await (const firsts of inBatches(accountsOf(db).find({ revision: 1 }), READ_AT_ONCE)) {
    const newest = await revisions.newestOf(firsts.map(({ user_id }) => user_id));
    for (const { user_id, content } of newest.values()) {
      const { password_hash, password_generation, kept_session_id, deactivations: _, ...account } = content;
      const password = { generation: password_generation, hash: password_hash, kept_session_id };
      yield { kind: 'account', id: user_id, ...account, password };
    }
  }
}

/** Every live login session with its refresh tokens. */
export async function* loginRecords(db: Database): AsyncGenerator<LoginRecord> {
  const sessions = new Sessions(db.db, new AccountRevisions(db.db), db.clock);
  for await (const found of inBatches(sessionsOf(db).find(), READ_AT_ONCE)) {
    const live = new Set(await sessions.liveIds(found.map(({ _id }) => _id)));
    const wanted = { session_id: { $in: [...live] } };
    const tokens = await tokensOf(db).find(wanted).sort({ session_id: 1, generation: 1 }).toArray();
    const bySession = Map.groupBy(tokens, ({ session_id }) => session_id);
    for (const { _id: id, deactivations: _, ...session } of found.filter(({ _id }) => live.has(_id))) {
      const own = (bySession.get(id) ?? []).map(({ hash, generation, issued_at }) => ({ hash, generation, issued_at }));
      yield { kind: 'login', id, ...session, tokens: own };
    }
  }
}

/** Stores accounts, each as one revision; those that are there stay. @throws {Unfitting} where a name is taken */
export async function addAccounts(db: Database, accounts: readonly AccountRecord[]): Promise<void> {
  const documents = accounts.map((account) => firstRevision(account.id, contentOf(account)));
  if (!(await insertAll(accountsOf(db), documents))) return;
  const there = await new AccountRevisions(db.db).newestOf(accounts.map(({ id }) => id));
  const refused = accounts.find(({ id }) => !there.has(id));
  if (refused) throw new Unfitting(`the name or the email of the account ${refused.id} is another account's`);
}

/** Stores login sessions; those that are there stay. */
export async function addLogins(db: Database, logins: readonly LoginRecord[]): Promise<void> {
  const tokens = logins.flatMap(({ id, expires_at, tokens }) =>
    tokens.map((token) => ({ _id: new ObjectId(), ...token, session_id: id, expires_at })),
  );
  await insertAll(tokensOf(db), tokens);
  await insertAll(sessionsOf(db), logins.map(sessionOf));
}

function contentOf(account: AccountRecord): AccountContent {
  const { username, username_key, email, email_key, full_name, is_superuser, created_at, is_active, password } =
    account;
  const { generation: password_generation, hash: password_hash, kept_session_id } = password;
  const person = { username, username_key, email, email_key, full_name, is_superuser, created_at, is_active };
  return { ...person, deactivations: 0, password_hash, password_generation, kept_session_id };
}

function sessionOf(login: LoginRecord): SessionDocument {
  const { id, user_id, password_generation, created_at, expires_at, address, user_agent } = login;
  const times = { created_at, expires_at };
  return { _id: id, user_id, password_generation, deactivations: 0, ...times, address, user_agent };
}
