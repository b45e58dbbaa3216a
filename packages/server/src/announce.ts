import type { Config } from './config.ts';
import type { Logger } from './log.ts';

/** Where a server listens, and how somebody who has just started it goes on. */
export interface Announcement {
  readonly url: string;
  readonly test_page?: string;
  readonly next?: string;
}

/** Says where the server listens and what to do next, in words for a terminal or as one log line. */
export function announce(announcement: Announcement, log: Logger, write: ((text: string) => void) | null): void {
  const { url, test_page, next } = announcement;
  if (!write) return log.info(announcement, 'listening');
  const rows = [
    `  Tertulia listens on ${url}`,
    ...(test_page ? [`  The test page:      ${test_page}`] : []),
    ...(next ? [`  Next:               ${next}`] : []),
    '  Ctrl+C stops it.',
  ];
  write(`\n${rows.join('\n')}\n\n`);
}

/** What to announce. `hasTestUser`: it need not be made any more. */
export function announcementOf(config: Config, url: string, hasTestUser: boolean): Announcement {
  const isDevelopment = config.ENVIRONMENT === 'development';
  const hasTestPage = config.TEST_PAGE ?? isDevelopment;
  const signIn = 'sign in as testuser';
  return {
    url,
    ...(hasTestPage && { test_page: `${url}/static/socketio_test.html` }),
    ...(isDevelopment && {
      next: hasTestUser ? signIn : `npm run create-test-user in another terminal, then ${signIn}`,
    }),
  };
}
