import type { SettingName } from '../../src/config.ts';
import { TEST_SECRET } from '../support/start-http.ts';

/** The clients of a run do not refresh their tokens. */
export const LONGEST_RUN_MINUTES = 1_440;

/** Settings of a server under fault tests: every limit on honest load is out of the way. */
export const CRASH_SETTINGS: Partial<Record<SettingName, string>> = {
  ASSISTANT: 'scripted',
  JWT_SECRET: TEST_SECRET,
  ACCESS_TOKEN_MINUTES: `${LONGEST_RUN_MINUTES}`,
  CHAT_RATE: '100000',
  CHAT_BURST: '100000',
  EVENT_RATE: '100000',
  EVENT_BURST: '100000',
  LOGINS_PER_ACCOUNT: '100000',
  LOGINS_PER_ADDRESS: '100000',
  HANDSHAKES_PER_10S: '100000',
  SOCKETS_PER_USER: '1000',
  TASKS_RUNNING: '1000',
  TASKS_QUEUED: '100000',
  JOINED_CONVERSATIONS: '10000',
};
