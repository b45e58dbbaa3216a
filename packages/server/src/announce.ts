import { readConfig, type Config } from './config.ts';
import type { Logger } from './log.ts';

/** Where a server listens, and how somebody who has just started it goes on. */
export interface Announcement {
  /** Where this machine reaches it. */
  readonly url: string;
  readonly on_all_networks?: true;
  readonly test_page?: string;
  readonly next?: string;
}

/** Says where the server listens and what to do next, in words for a terminal or as one log line. */
export function announce(announcement: Announcement, log: Logger, write: ((text: string) => void) | null): void {
  const { url, on_all_networks, test_page, next } = announcement;
  if (!write) return log.info(announcement, 'listening');
  const rows = [
    `  Tertulia listens on ${url}${on_all_networks ? ', on all networks' : ''}`,
    ...(test_page ? [`  The test page:      ${test_page}`] : []),
    ...(next ? [`  Next:               ${next}`] : []),
    '  Ctrl+C stops it.',
  ];
  write(`\n${rows.join('\n')}\n\n`);
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
    ...(hasTestPage && { test_page: `${url}/static/socketio_test.html` }),
    ...(isDevelopment && {
      next: hasTestUser ? signIn : `${make} in another terminal, then ${signIn}`,
    }),
  };
}

/** A command for a shell, with the data folder where it is not the default one: another terminal may not know of it. */
function withDataFolder({ DATA_DIR }: Config, command: string): string {
  if (DATA_DIR === readConfig({}).DATA_DIR) return command;
  const isPlain = /^[\w./:@+-]+$/.test(DATA_DIR);
  return `DATA_DIR=${isPlain ? DATA_DIR : `'${DATA_DIR.replaceAll("'", String.raw`'\''`)}'`} ${command}`;
}
