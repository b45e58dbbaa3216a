import { ObjectId, type Collection, type Db } from 'mongodb';
import type { Account } from '@tertulia/protocol';
import type { NewSession, RotationResult, SessionRecord } from '../account-store.ts';
import { toAccount, type AccountContent, type AccountRevisions } from './account-revisions.ts';
import type { DatabaseClock } from './clock.ts';
import type { IndexWanted } from './collections.ts';
import { insertOrRival } from './insert-or-rival.ts';
import { answered } from './retry.ts';

/** A login session, written once. Times are Unix milliseconds by the database's clock. */
export interface SessionDocument {
  /** The session's id. */
  readonly _id: string;
  readonly user_id: string;
  /** What the account's counts were: the session is live only while they are the same. */
  readonly password_generation: number;
  readonly deactivations: number;
  readonly created_at: number;
  readonly expires_at: number;
  readonly address: string | null;
  readonly user_agent: string | null;
}

/** That a session was ended before its time: whoever inserts it ended it. */
interface EndDocument {
  readonly _id: ObjectId;
  readonly session_id: string;
  readonly expires_at: number;
}

/** A rotation is the insert of the next generation: whoever comes second with the same token meets the index. */
export interface TokenDocument {
  readonly _id: ObjectId;
  readonly hash: string;
  readonly session_id: string;
  readonly generation: number;
  readonly issued_at: number;
  readonly expires_at: number;
}

/** Each kind of document goes by its own `expires_at`, so that a crash leaves nothing behind that stays. */
const expiry: IndexWanted = { name: 'by_expiry', key: { expires_at: 1 } };

export const SESSION_INDEXES = {
  sessions: [{ name: 'by_user', key: { user_id: 1 } }, expiry],
  session_ends: [{ name: 'by_session', key: { session_id: 1 }, unique: true }, expiry],
  refresh_tokens: [
    { name: 'by_hash', key: { hash: 1 }, unique: true },
    { name: 'by_generation', key: { session_id: 1, generation: 1 }, unique: true },
    expiry,
  ],
} as const satisfies Readonly<Record<string, readonly IndexWanted[]>>;

/** What a sign-in clears away of each kind: more than it adds, so that nothing piles up. */
const CLEARED_AT_SIGN_IN = 100;

/** What is over stays so long, lest a database's clock that is put back make a session live whose end is gone. */
const KEPT_MS = 3_600_000;

/** A live session and its account. */
interface Login {
  readonly session: SessionDocument;
  readonly account: Account;
}

/** The login sessions of all accounts. */
export class Sessions {
  readonly #db: Db;
  readonly #accounts: AccountRevisions;
  readonly #clock: DatabaseClock;
  readonly #sessions: Collection<SessionDocument>;
  readonly #ends: Collection<EndDocument>;
  readonly #tokens: Collection<TokenDocument>;

  constructor(db: Db, accounts: AccountRevisions, clock: DatabaseClock) {
    this.#db = db;
    this.#accounts = accounts;
    this.#clock = clock;
    this.#sessions = db.collection('sessions');
    this.#ends = db.collection('session_ends');
    this.#tokens = db.collection('refresh_tokens');
  }

  async create(wanted: NewSession): Promise<number | null> {
    const { id, token_hash, lifetime_ms, ...session } = wanted;
    const now = this.#clock.now();
    const [newest] = await Promise.all([this.#accounts.newest(wanted.user_id), this.#clearOver(now)]);
    const { is_active, deactivations, password_generation } = newest?.content ?? {};
    if (!is_active || deactivations === undefined || password_generation !== session.password_generation) return null;
    const expires_at = now + lifetime_ms;
    // The token first: without its session it is worth nothing, and the session is not seen before it can be used.
    await this.#addToken({ hash: token_hash, session_id: id, generation: 1, issued_at: now, expires_at });
    await insertOrRival(this.#sessions, { _id: id, ...session, deactivations, created_at: now, expires_at }, []);
    return expires_at;
  }

  #addToken(token: Omit<TokenDocument, '_id'>): Promise<TokenDocument | null> {
    return insertOrRival(this.#tokens, { _id: new ObjectId(), ...token }, [['session_id', 'generation'], ['hash']]);
  }

  async rotate(presentedHash: string, successorHash: string, graceMs: number): Promise<RotationResult> {
    const token = await answered(() => this.#tokens.findOne({ hash: presentedHash }));
    const login = token && (await this.findLogin(token.session_id));
    if (!token || !login) return { status: 'refused' };
    const { session, account } = login;
    const now = this.#clock.now();
    const rival = await this.#addToken({
      hash: successorHash,
      session_id: session._id,
      generation: token.generation + 1,
      issued_at: now,
      expires_at: session.expires_at,
    });
    if (!rival) return { status: 'rotated', session_id: session._id, account };
    const newest = await this.#newestToken(session._id);
    if (newest?.hash === successorHash && newest.issued_at > now - graceMs) {
      return { status: 'repeated', session_id: session._id, account };
    }
    await this.#end(session);
    return { status: 'reused', session_id: session._id, user_id: account.id };
  }

  #newestToken(sessionId: string): Promise<TokenDocument | null> {
    return answered(() => this.#tokens.findOne({ session_id: sessionId }, { sort: { generation: -1 } }));
  }

  async findLogin(sessionId: string): Promise<Login | null> {
    const [login] = await this.#live(await answered(() => this.#sessions.find({ _id: sessionId }).toArray()));
    return login ?? null;
  }

  async liveIds(sessionIds: readonly string[]): Promise<string[]> {
    const found = await answered(() => this.#sessions.find({ _id: { $in: [...sessionIds] } }).toArray());
    return (await this.#live(found)).map(({ session }) => session._id);
  }

  /** The user's live sessions. */
  async ofUser(userId: string): Promise<SessionDocument[]> {
    return (await this.#live(await this.#allOf(userId))).map(({ session }) => session);
  }

  async list(userId: string): Promise<SessionRecord[]> {
    const live = await this.ofUser(userId);
    const listed = live.map(async ({ _id: id, created_at, expires_at, address, user_agent }) => {
      const last_used_at = (await this.#newestToken(id))?.issued_at ?? created_at;
      return { id, created_at, last_used_at, expires_at, address, user_agent };
    });
    return (await Promise.all(listed)).toSorted((a, b) => b.created_at - a.created_at || (a.id < b.id ? -1 : 1));
  }

  /** The ids of the sessions that were live while the account was this. */
  async liveUnder(userId: string, account: AccountContent): Promise<string[]> {
    const unended = await this.#unended(await this.#allOf(userId));
    const now = this.#clock.now();
    return unended.filter((session) => isLive(session, account, now)).map(({ _id }) => _id);
  }

  /** Ends live sessions; answers the ids of those that nobody else ended before. */
  async end(sessions: readonly SessionDocument[]): Promise<string[]> {
    const ended = await Promise.all(sessions.map(async (session) => ((await this.#end(session)) ? [session._id] : [])));
    return ended.flat();
  }

  async #end({ _id: session_id, expires_at }: SessionDocument): Promise<boolean> {
    const end = { _id: new ObjectId(), session_id, expires_at };
    return (await insertOrRival(this.#ends, end, [['session_id']])) === null;
  }

  #allOf(userId: string): Promise<SessionDocument[]> {
    return answered(() => this.#sessions.find({ user_id: userId }).toArray());
  }

  async #live(sessions: readonly SessionDocument[]): Promise<Login[]> {
    if (sessions.length === 0) return [];
    const [unended, accounts] = await Promise.all([
      this.#unended(sessions),
      this.#accounts.newestOf(sessions.map(({ user_id }) => user_id)),
    ]);
    const now = this.#clock.now();
    return unended.flatMap((session) => {
      const newest = accounts.get(session.user_id);
      return newest && isLive(session, newest.content, now) ? [{ session, account: toAccount(newest) }] : [];
    });
  }

  async #unended(sessions: readonly SessionDocument[]): Promise<SessionDocument[]> {
    const ids = { $in: sessions.map(({ _id }) => _id) };
    const ends = await answered(() => this.#ends.find({ session_id: ids }).toArray());
    const ended = new Set(ends.map(({ session_id }) => session_id));
    return sessions.filter(({ _id }) => !ended.has(_id));
  }

  /** What this leaves, because the database is away or there is more of it, goes at the next sign-in. */
  async #clearOver(now: number): Promise<void> {
    const kinds = Object.keys(SESSION_INDEXES).map((name) => this.#db.collection(name));
    await Promise.allSettled(kinds.map((kind) => clearBefore(kind, now - KEPT_MS)));
  }
}

async function clearBefore(collection: Collection, expiry: number): Promise<void> {
  const wanted = { projection: { _id: 1 }, limit: CLEARED_AT_SIGN_IN };
  const over = await collection.find({ expires_at: { $lt: expiry } }, wanted).toArray();
  if (over.length > 0) await collection.deleteMany({ _id: { $in: over.map(({ _id }) => _id) } });
}

/** The one definition of a live session, but for ends. */
function isLive(session: SessionDocument, account: AccountContent, now: number): boolean {
  if (!account.is_active || session.deactivations !== account.deactivations || session.expires_at <= now) return false;
  return session.password_generation === account.password_generation || session._id === account.kept_session_id;
}
