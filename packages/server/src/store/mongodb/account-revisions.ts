import { setTimeout as pause } from 'node:timers/promises';
import { ChatError, type Account } from '@tertulia/protocol';
import { ObjectId, type Collection, type Db } from 'mongodb';
import type { NamingResult, NewUser } from '../account-store.ts';
import type { IndexWanted } from './collections.ts';
import { insertOrRival } from './insert-or-rival.ts';
import { answered } from './retry.ts';

/** What there is to know of an account, all of it in each revision. */
export interface AccountContent {
  readonly username: string;
  readonly username_key: string;
  readonly email: string;
  readonly email_key: string;
  readonly full_name: string | null;
  readonly is_superuser: boolean;
  readonly created_at: string;
  readonly is_active: boolean;
  /** Counts them: a session of an earlier count is never live again. */
  readonly deactivations: number;
  readonly password_hash: string;
  /** Counts the passwords: 1, 2, 3… */
  readonly password_generation: number;
  /** The one session that outlived the last change of the password. */
  readonly kept_session_id: string | null;
}

/**
 * One change of an account, and what the account is since then: the highest revision counts. A registration and each
 * change is one insert. It takes the names that the account did not have before: a name is the account's from the
 * revision that takes it on, as long as the highest one has it. A field that takes nothing carries the revision's own
 * id, since partial indexes are not everywhere.
 */
export interface AccountRevision {
  readonly _id: ObjectId;
  readonly user_id: string;
  readonly revision: number;
  readonly takes_username: string;
  readonly takes_email: string;
  /** Gone when a later revision is there; the rest stays, so that two changes at once meet in the index. */
  readonly content?: AccountContent;
}

/** The revision that counts. */
export type Newest = AccountRevision & { readonly content: AccountContent };

/** A name that another account has. */
type Taken = Exclude<NamingResult, { status: 'stored' }>;

/** What became of a revision that was to be stored. `outdated`: another one came first. */
type Placing = { readonly status: 'stored' } | { readonly status: 'outdated' } | Taken;

/** What became of a change: what was before, and what is since. */
type Changed = { readonly status: 'stored'; readonly before: Newest; readonly after: Newest } | Taken;

export const REVISION_INDEXES: readonly IndexWanted[] = [
  { name: 'by_revision', key: { user_id: 1, revision: 1 }, unique: true },
  { name: 'by_username', key: { takes_username: 1 }, unique: true },
  { name: 'by_email', key: { takes_email: 1 }, unique: true },
];

const UNIQUE_KEYS = [['user_id', 'revision'], ['takes_email'], ['takes_username']] as const;

/** A change meets others of the same account only: one person's. */
const TRIES = 20;

const TAKES = { username_key: 'takes_username', email_key: 'takes_email' } as const;

/** The log of all accounts. */
export class AccountRevisions {
  readonly #collection: Collection<AccountRevision>;

  constructor(db: Db) {
    this.#collection = db.collection('accounts');
  }

  async newest(userId: string): Promise<Newest | null> {
    for (let look = 0; look < TRIES; look += 1) {
      const found = await answered(() => this.#collection.findOne({ user_id: userId }, { sort: { revision: -1 } }));
      if (!found) return null;
      if (found.content) return found as Newest;
      // Blanked while it was read: there is a later one.
    }
    throw new ChatError('unavailable');
  }

  /** Of each of these users who has an account. */
  async newestOf(userIds: readonly string[]): Promise<Map<string, Newest>> {
    const found = await this.#allOf(userIds, {});
    return new Map(found.map((revision) => [revision.user_id, revision]));
  }

  async usernames(userIds: readonly string[]): Promise<Map<string, string>> {
    const found = await this.#allOf(userIds, { user_id: 1, 'content.username': 1 });
    return new Map(found.map(({ user_id, content }) => [user_id, content.username]));
  }

  /** In order, the newest of each last: what is blanked while the cursor passes has its successor ahead of the cursor. */
  #allOf(userIds: readonly string[], projection: Readonly<Record<string, 1>>): Promise<Newest[]> {
    const wanted = { user_id: { $in: [...new Set(userIds)] }, content: { $exists: true } };
    return answered(
      () =>
        this.#collection.find(wanted, { projection }).sort({ user_id: 1, revision: 1 }).toArray() as Promise<Newest[]>,
    );
  }

  /** The account that has this name now. */
  async named(field: keyof typeof TAKES, key: string): Promise<Newest | null> {
    const taker = await answered(() => this.#collection.findOne({ [TAKES[field]]: key }));
    const newest = taker && (await this.newest(taker.user_id));
    return newest?.content[field] === key ? newest : null;
  }

  /** Stores an account's first revision. */
  async create({ id, ...names }: NewUser): Promise<NamingResult> {
    const counts = { is_active: true, deactivations: 0, password_generation: 1, kept_session_id: null };
    const first = firstRevision(id, { ...names, ...counts });
    const placing = await this.#place(first);
    if (placing.status === 'outdated') throw new Error(`There is an account ${id} already.`);
    return placing.status === 'stored' ? { ...placing, account: toAccount(first) } : placing;
  }

  /**
   * Appends what `decide` makes of the newest revision; it may be asked several times. Null changes nothing, and so
   * does the content as it was. Answers null where `decide` did, or where there is no such account.
   */
  async change(userId: string, decide: (content: AccountContent) => AccountContent | null): Promise<Changed | null> {
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      const before = await this.newest(userId);
      const content = before && decide(before.content);
      if (!content) return null;
      if (content === before.content) return { status: 'stored', before, after: before };
      const after = revise(before, userId, content);
      const placing = await this.#place(after);
      if (placing.status === 'stored') {
        await this.#tidy(before, after);
        return { status: 'stored', before, after };
      }
      if (placing.status !== 'outdated') return placing;
      await pause(Math.random() * 10 * attempt);
    }
    throw new ChatError('unavailable');
  }

  async #place(revision: Newest): Promise<Placing> {
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      const rival = await insertOrRival(this.#collection, revision, UNIQUE_KEYS);
      if (!rival) return { status: 'stored' };
      if (rival.user_id === revision.user_id && rival.revision === revision.revision) return { status: 'outdated' };
      const field = rival.takes_email === revision.takes_email ? 'email_key' : 'username_key';
      const holder = await this.newest(rival.user_id);
      // A read that is behind, as after a change of primary, may not know the rival yet: only what came after it tells.
      const isGivenUp = holder && holder.revision > rival.revision && holder.content[field] !== revision.content[field];
      if (!isGivenUp) return { status: field === 'email_key' ? 'email_taken' : 'username_taken' };
      await this.#free(rival, field);
    }
    throw new ChatError('unavailable');
  }

  /**
   * Frees a name that its taker has given up: a later revision of the same account is without it, and one that has it
   * again must take it again. So this stays right however late it comes, and whoever does it.
   */
  async #free({ _id }: AccountRevision, field: keyof typeof TAKES): Promise<void> {
    await answered(() => this.#collection.updateOne({ _id }, { $set: { [TAKES[field]]: nothing(_id) } }));
  }

  /** Nothing depends on it: whoever wants a name frees it, and the next change blanks what this one left. */
  async #tidy(before: Newest, after: Newest): Promise<void> {
    const { user_id, revision } = after;
    try {
      for (const field of ['username_key', 'email_key'] as const) {
        const given = before.content[field];
        if (given === after.content[field]) continue;
        const taker = await this.#collection.findOne({ user_id, [TAKES[field]]: given });
        if (taker && taker.revision < revision) await this.#free(taker, field);
      }
      const older = { user_id, revision: { $lt: revision }, content: { $exists: true } };
      await this.#collection.updateMany(older, { $unset: { content: '' } });
    } catch {
      // The change itself is stored.
    }
  }
}

/** The revision that makes an account. */
export function firstRevision(userId: string, content: AccountContent): Newest {
  return revise(null, userId, content);
}

function revise(before: Newest | null, userId: string, content: AccountContent): Newest {
  const _id = new ObjectId();
  const takes = (field: keyof typeof TAKES) =>
    before?.content[field] === content[field] ? nothing(_id) : content[field];
  return {
    _id,
    user_id: userId,
    revision: (before?.revision ?? 0) + 1,
    takes_username: takes('username_key'),
    takes_email: takes('email_key'),
    content,
  };
}

/** What is no username, for the #, and no email, without an @. */
function nothing(id: ObjectId): string {
  return `#${id.toHexString()}`;
}

/** The account as everybody else knows it. */
export function toAccount({ user_id, content }: Newest): Account {
  const { username, email, full_name, is_active, is_superuser, created_at } = content;
  return { id: user_id, username, email, full_name, is_active, is_superuser, created_at };
}
