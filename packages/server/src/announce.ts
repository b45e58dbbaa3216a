import { readConfig, type Config } from './config.ts';
import type { Logger } from './log.ts';
import type { AccountStore } from './store/account-store.ts';

/** Where a server listens, and how somebody who has just started it goes on. */
export interface Announcement {
  /** Where this machine reaches it. */
  readonly url: string;
  readonly on_all_networks?: true;
  /** Processes that serve, where they are several. */
  readonly workers?: number;
  readonly test_page?: string;
  readonly next?: string;
}

/** Says where the server listens and what to do next, in words for a terminal or as one log line. */
export function announce(announcement: Announcement, log: Logger, write = toTerminal()): void {
  const { url, on_all_networks, workers, test_page, next } = announcement;
  if (!write) return log.info(announcement, 'listening');
  const rows = [
    `  Tertulia listens on ${url}${on_all_networks ? ', on all networks' : ''}${workers ? `, with ${workers} workers` : ''}`,
    ...(test_page ? [`  The test page:      ${test_page}`] : []),
    ...(next ? [`  Next:               ${next}`] : []),
    '  Ctrl+C stops it.',
  ];
  write(`\n${rows.join('\n')}\n\n`);
}

function toTerminal(): ((text: string) => void) | null {
  return process.stdout.isTTY ? (text) => void process.stdout.write(text) : null;
}

/** What to announce of a server that listens. `hasTestUser`: it need not be made any more. */
export function announcementOf(config: Config, listening: string, hasTestUser: boolean): Announcement {
  const isDevelopment = config.ENVIRONMENT === 'development';
  const hasTestPage = config.TEST_PAGE ?? isDevelopment;
  const signIn = 'sign in as testuser';
  const onAllNetworks = ['0.0.0.0', '[::]'].includes(new URL(listening).hostname);
  const url = onAllNetworks ? `http://localhost:${new URL(listening).port}` : listening;
  const make = withDataFolder(config, 'npm run create-test-user');
  return {
    url,
    ...(onAllNetworks && { on_all_networks: true }),
    ...(config.WORKERS > 1 && { workers: config.WORKERS }),
    ...(hasTestPage && { test_page: `${url}/static/socketio_test.html` }),
    ...(isDevelopment && {
      next: hasTestUser ? signIn : `${make} in another terminal, then ${signIn}`,
    }),
  };
}

/** Whether the user that newcomers are told to sign in as is there. */
export async function hasTestUser({ ENVIRONMENT }: Config, accounts: AccountStore): Promise<boolean> {
  return ENVIRONMENT === 'development' && (await accounts.findUserByName('testuser')) !== null;
}

/** A command for a shell, with the data folder where it is not the default one: another terminal may not know of it. */
function withDataFolder({ DATA_DIR }: Config, command: string): string {
  if (DATA_DIR === readConfig({}).DATA_DIR) return command;
  const isPlain = /^[\w./:@+-]+$/.test(DATA_DIR);
  return `DATA_DIR=${isPlain ? DATA_DIR : `'${DATA_DIR.replaceAll("'", String.raw`'\''`)}'`} ${command}`;
}
