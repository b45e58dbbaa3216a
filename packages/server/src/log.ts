import { pino, type Logger as PinoLogger } from 'pino';

/** Structured logging; message texts, tokens and socket ids never go into it. */
export type Logger = PinoLogger;

/** What must not reach a log line even where somebody logs a whole object. */
const SECRET_PATHS = ['token', 'password', 'access_token', 'refresh_token', 'authorization', 'secret', 'auth'];

/** JSON lines, or readable ones on a terminal. */
export function createLogger(level: string, options: { pretty: boolean; name: string }): Logger {
  const base = {
    level,
    base: { node: options.name },
    redact: { paths: SECRET_PATHS.flatMap((path) => [path, `*.${path}`]), censor: '***' },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
  };
  if (!options.pretty) return pino(base);
  return pino({
    ...base,
    transport: { target: 'pino-pretty', options: { ignore: 'pid,hostname,node', translateTime: 'HH:MM:ss' } },
  });
}
