import { availableParallelism, hostname } from 'node:os';
import { z } from 'zod';
import { isNetwork } from './proxies.ts';
import { parseRedisUrl, REDIS_URL_FORM } from './redis/address.ts';
import { isMongodbUrl, MONGODB_URL_FORM } from './store/mongodb-url.ts';
import './wording.ts';

/** One row of the settings table: the variable's schema (which holds its default), its sentence, and whether it is secret. */
interface Setting<S extends z.ZodType = z.ZodType> {
  readonly schema: S;
  readonly about: string;
  readonly secret?: true;
}

const flag = z
  .enum(['0', '1', 'true', 'false'], { error: 'must be 1 or 0' })
  .transform((text) => text === '1' || text === 'true');

const whole = (byDefault: number, min = 1, max = 1_000_000_000) => {
  const range = `must be a whole number from ${min} to ${max}`;
  return z.coerce.number(range).int(range).min(min, range).max(max, range).default(byDefault);
};

const list = (byDefault: string) =>
  z
    .string()
    .default(byDefault)
    .transform((text) =>
      text
        .split(',')
        .map((item) => item.trim())
        .filter(Boolean),
    );

/** Bare ones end the password too early. */
const ENCODED = 'special characters in a password are percent-encoded (@ is %40, / is %2F)';

const redisUrl = z.string().transform((text, context) => {
  const address = parseRedisUrl(text);
  if (!address)
    context.addIssue(`is no address of a Redis: ${REDIS_URL_FORM}; a database's number is not taken; ${ENCODED}`);
  return address ?? z.NEVER;
});

const setting = <S extends z.ZodType>(schema: S, about: string, secret?: true): Setting<S> =>
  secret ? { schema, about, secret } : { schema, about };

/** Polling without a WebSocket to go on to is nobody's wish. */
const TRANSPORTS_WANTED = 'must be polling,websocket or websocket';

/** More processes than any machine has use for are a slip of the hand. */
const MOST_WORKERS = 128;
const WORKERS_WANTED = `must be auto, or a whole number from 1 to ${MOST_WORKERS}`;

/** Every variable that the server reads, in the order of `docs/configuration.md`, which is made from this table. */
export const SETTINGS = {
  ENVIRONMENT: setting(
    z.enum(['development', 'production']).default('development'),
    'production refuses weak settings, serves no test page and never makes the test user.',
  ),
  PORT: setting(whole(8000, 0, 65_535), 'The TCP port to listen on; 0 takes any free one.'),
  HOST: setting(z.string().min(1).default('127.0.0.1'), 'The address to listen on. The Docker image sets 0.0.0.0.'),
  DATA_DIR: setting(z.string().min(1).default('./data'), 'The folder for the database and the development secret.'),
  NODE_ID: setting(
    z
      .string()
      .regex(/^[A-Za-z0-9-]{1,32}$/, 'must have 1 to 32 letters, digits or dashes')
      .default(() => shortHostname()),
    "This process's name in leases, logs, metrics and transport session ids, by which a load balancer finds it: each process needs its own. Made from the host's name by default.",
  ),
  WORKERS: setting(
    z
      .union(
        [z.literal('auto').transform(() => availableParallelism()), z.coerce.number().int().min(1).max(MOST_WORKERS)],
        WORKERS_WANTED,
      )
      .default(1),
    'Processes that serve, on one machine and one database: one for each processor that may be used, with `auto`. No Redis is needed.',
  ),
  JWT_SECRET: setting(
    z.string().optional(),
    'Signs access tokens; at least 32 bytes. Required in production; in development made once and kept in DATA_DIR.',
    true,
  ),
  MONGODB_URL: setting(
    z.string().refine(isMongodbUrl, `write it as ${MONGODB_URL_FORM}; ${ENCODED}`).optional(),
    `The database in place of the embedded one, for several nodes: ${MONGODB_URL_FORM}.`,
    true,
  ),
  REDIS_URL: setting(
    redisUrl.optional(),
    `Redis, by which nodes on one database tell each other what is new and count limits together: ${REDIS_URL_FORM}.`,
    true,
  ),
  ALLOWED_ORIGINS: setting(
    list('http://localhost:3000,http://localhost:8080,http://localhost:8000,http://127.0.0.1:8000'),
    "Web origins whose pages may connect, separated by commas. The server's own origin always may. `*` allows all, in development only.",
  ),
  TRANSPORTS: setting(
    list('polling,websocket')
      .pipe(z.array(z.enum(['polling', 'websocket'], TRANSPORTS_WANTED)))
      .refine((names) => names.includes('websocket'), TRANSPORTS_WANTED),
    'How sockets may connect. `websocket` alone turns long polling off: clients must ask for it, and a load balancer needs no stickiness.',
  ),
  TRUSTED_PROXIES: setting(
    list('').refine((networks) => networks.every(isNetwork), 'write addresses or networks, such as 10.0.0.0/8'),
    'Addresses and networks of the proxies in front, separated by commas. Only they are believed what X-Forwarded-For and X-Forwarded-Host say of a client.',
  ),
  ASSISTANT: setting(
    z.string().min(1).default('guide'),
    'Who answers: guide, echo, none, external (a worker answers over REST), or the path of a module of your own.',
  ),
  KNOWLEDGE_DIR: setting(
    z.string().min(1).optional(),
    "The folder of Markdown files that the guide searches; the product's own documentation by default.",
  ),
  LOG_LEVEL: setting(
    z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
    'The least severe log line to write.',
  ),
  DEBUG_SOCKETS: setting(flag.default(false), 'Logs every packet, without tokens and message texts.'),
  TEST_PAGE: setting(
    flag.optional(),
    'Serves /static/socketio_test.html: on by default in development, off in production.',
  ),
  METRICS_TOKEN: setting(
    z.string().min(16, 'must have at least 16 characters').optional(),
    'Bearer token for /metrics. Without one it answers in development only.',
    true,
  ),
  ACCESS_TOKEN_MINUTES: setting(whole(30), 'How long an access token lives.'),
  REFRESH_TOKEN_DAYS: setting(whole(14), 'How long a login lives, from its first sign-in.'),
  MESSAGE_MAX: setting(whole(16_000, 1, 60_000), 'The longest message, in code points.'),
  CHAT_RATE: setting(whole(5), 'Messages a second that a user may send.'),
  CHAT_BURST: setting(whole(20), 'Messages that a user may send at once.'),
  EVENT_RATE: setting(
    whole(50),
    'Other events a second that a socket may send, and other requests a second of a user over REST.',
  ),
  EVENT_BURST: setting(whole(100), 'The same at once.'),
  HANDSHAKES_PER_10S: setting(whole(2_000), 'Handshakes that one address may open in 10 s without a valid token.'),
  LOGINS_PER_ACCOUNT: setting(
    whole(10),
    'Failed sign-ins a minute for one account; one more is refused, whatever its password.',
  ),
  LOGINS_PER_ADDRESS: setting(whole(50), 'Failed sign-ins, and registrations, a minute from one address.'),
  TASKS_RUNNING: setting(whole(2), 'Answers being written at once for one user.'),
  TASKS_QUEUED: setting(whole(10), 'Answers waiting for their turn for one user.'),
  TASK_DEADLINE_SECONDS: setting(whole(300), 'After this time an answer is ended as failed.'),
  ANSWER_MAX: setting(whole(200_000, 1, 300_000), 'The longest answer, in UTF-16 units; it is cut there.'),
  SHUTDOWN_DELAY_SECONDS: setting(
    whole(0, 0, 3_600),
    'After a signal to stop, /readyz answers 503 and all else goes on for this time: so long a load balancer may take to notice. 5 behind one.',
  ),
  SHUTDOWN_DRAIN_SECONDS: setting(
    whole(5, 0, 3_600),
    'After that, answers may finish and sockets leave within this time; what is not done is handed back.',
  ),
  SOCKETS_PER_USER: setting(whole(10), 'Open sockets of one user; one more closes the stalest.'),
  JOINED_CONVERSATIONS: setting(whole(500), 'Conversations that one socket may have joined.'),
} as const satisfies Record<string, Setting>;

type Settings = typeof SETTINGS;

/** The name of a setting, which is its environment variable. */
export type SettingName = keyof Settings;

/** The checked, frozen settings. */
export type Config = { readonly [K in keyof Settings]: z.output<Settings[K]['schema']> };

/** All that is wrong with the settings, one sentence each. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The settings need attention:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

const SAMPLE_SECRETS = ['changeme', 'secret', 'your_jwt_secret', 'your-secret-key', 'please-change-this-secret-please'];

/**
 * Checks variables against the table. Empty strings count as not set, as in a `.env` file.
 * `found` has the problems that only others can find, to be told in the same go.
 * @throws {ConfigError} naming every problem at once.
 */
export function readConfig(
  variables: Readonly<Record<string, string | undefined>>,
  found: readonly string[] = [],
): Config {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, { schema, secret }] of Object.entries(SETTINGS) as [string, Setting][]) {
    const given = variables[name] === '' ? undefined : variables[name];
    const result = schema.safeParse(given);
    if (result.success) values[name] = result.data;
    else problems.push(`${name}${secret ? '' : `=${given}`}: ${result.error.issues[0]?.message ?? 'is not valid'}`);
  }
  const config = values as Config;
  problems.push(...weaknesses(config), ...found);
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(config);
}

/** What is allowed by itself but not together, or not in production. */
function weaknesses(config: Config): string[] {
  const problems: string[] = [];
  const production = config.ENVIRONMENT === 'production';
  if (config.JWT_SECRET !== undefined) problems.push(...secretProblems(config.JWT_SECRET));
  else if (production) problems.push('JWT_SECRET: is required in production; `openssl rand -base64 48` makes one');
  const noOrigins = config.ALLOWED_ORIGINS.filter((origin) => origin !== '*' && !isOrigin(origin));
  if (noOrigins.length > 0) {
    const how = 'write each as https://chat.example.com, with its scheme and without a path';
    problems.push(`ALLOWED_ORIGINS=${noOrigins.join(',')}: is no origin; ${how}`);
  }
  if (production && config.ALLOWED_ORIGINS.includes('*')) {
    problems.push('ALLOWED_ORIGINS=*: is refused in production; name the origins of your pages');
  }
  return problems;
}

/** As a browser sends it: `https://chat.example.com:8443`, or one of an app's own scheme. */
function isOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { origin, protocol, host } = new URL(text);
  return text === (origin === 'null' ? `${protocol}//${host}` : origin);
}

function secretProblems(secret: string): string[] {
  if (Buffer.byteLength(secret) < 32) return ['JWT_SECRET: must have at least 32 bytes'];
  const plain = secret.toLowerCase();
  const sample =
    SAMPLE_SECRETS.includes(plain) || new Set(plain).size < 8 || /^(change.?me|example|sample)/.test(plain);
  return sample ? ['JWT_SECRET: is a known sample or far too regular; `openssl rand -base64 48` makes one'] : [];
}

/** The settings as they may be printed: secrets as `***`. */
export function printableConfig(config: Config): Record<string, unknown> {
  return Object.fromEntries(
    (Object.entries(SETTINGS) as [SettingName, Setting][]).map(([name, { secret }]) => [
      name,
      secret && config[name] !== undefined ? '***' : config[name],
    ]),
  );
}

function shortHostname(): string {
  return (
    hostname()
      .replaceAll(/[^A-Za-z0-9-]/g, '-')
      .slice(0, 32) || 'node'
  );
}
