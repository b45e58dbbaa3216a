import { pino, type DestinationStream, type Logger as PinoLogger } from 'pino';

/** Structured logging; message texts, tokens and socket ids never go into it. */
export type Logger = PinoLogger;

/** What must not reach a log line even where somebody logs a whole object. */
const SECRET_PATHS = ['token', 'password', 'access_token', 'refresh_token', 'authorization', 'secret', 'auth'];

/** Where the lines go; standard output by default. */
export interface LogOptions {
  readonly level: string;
  /** This process's name on each line. */
  readonly node: string;
  readonly to?: DestinationStream;
}

/** A log of JSON lines, written in the background; what waits is written out when the process exits by itself. */
export function createLogger({ level, node, to }: LogOptions): Logger {
  const options = {
    level,
    base: { node },
    redact: { paths: SECRET_PATHS.flatMap((path) => [path, `*.${path}`]), censor: '***' },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
  };
  return pino(options, to ?? pino.destination({ sync: false }));
}

/** For a terminal: lines for people. Written at once, so that none is lost when the process ends. */
export async function readableLines(): Promise<DestinationStream> {
  const { build } = await import('pino-pretty');
  return build({ ignore: 'pid,hostname,node', translateTime: 'HH:MM:ss', sync: true });
}
