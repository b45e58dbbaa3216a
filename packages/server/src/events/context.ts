import type { Author, User } from '@tertulia/protocol';
import type { Accounts } from '../accounts/accounts.ts';
import type { Config } from '../config.ts';
import type { Delivery } from '../delivery/delivery.ts';
import type { Logger } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import type { ConversationLog } from '../store/conversation-log.ts';
import type { Store } from '../store/store.ts';
import type { TaskEnds } from '../tasks/task-ends.ts';
import type { TaskRunner } from '../tasks/task-runner.ts';

/** What every action works with; made once in `app.ts`. */
export interface Context {
  readonly config: Config;
  readonly store: Store;
  readonly conversations: ConversationLog;
  readonly tasks: TaskRunner;
  readonly taskEnds: TaskEnds;
  readonly delivery: Delivery;
  readonly accounts: Accounts;
  readonly log: Logger;
  /** Logs a failure that nobody foresaw; answers the reference under which it is found. */
  readonly reportFailure: (error: unknown, message: string) => string;
  readonly metrics: Metrics;
}

/** A user as the author of messages and events. */
export function authorOf(user: Pick<User, 'id' | 'username'>): Author {
  return { kind: 'user', id: user.id, name: user.username };
}
