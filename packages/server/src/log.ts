import { pino, stdSerializers, type DestinationStream, type Logger as PinoLogger } from 'pino';

/** Structured logging; message texts, tokens and socket ids never go into it. */
export type Logger = PinoLogger;

/** What must not reach a log line even where somebody logs a whole object. */
const SECRETS = new Set(['token', 'password', 'access_token', 'refresh_token', 'authorization', 'secret', 'auth']);
const CENSORED = '***';
/** Objects within objects are looked into this far. */
const DEEPEST = 4;

/** Longer texts are cut: what one request brings must not fill the disk. */
const LONGEST_TEXT = 1_000;
const LONGEST_STACK = 4_000;

/** Where the lines go; standard output by default. */
export interface LogOptions {
  readonly level: string;
  /** This process's name on each line. */
  readonly node: string;
  readonly to?: DestinationStream;
}

/** The most that a pipe takes as a whole from one of several writers (POSIX: PIPE_BUF). */
const WHOLE_BYTES = 4_096;

/** A log on standard output: lines for people on a terminal, else JSON. `isShared`: other processes write there, too. */
export async function logToOutput(options: Omit<LogOptions, 'to'>, isShared = false): Promise<Logger> {
  if (process.stdout.isTTY) return createLogger({ ...options, to: await readableLines() });
  return createLogger({ ...options, to: gatheredLines(isShared ? WHOLE_BYTES : undefined) });
}

/** A log of JSON lines, by default written in the background to standard output. */
export function createLogger({ level, node, to }: LogOptions): Logger {
  const options = {
    level,
    base: { node_id: node },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { log: (fields: Record<string, unknown>) => safeFields(fields, 1) }, // a quarter of what `redact` costs
    serializers: { err: describeError },
  };
  return pino(options, to ?? gatheredLines());
}

/**
 * Standard output in blocks: under load many lines share one write (measured: a write for each is an eighth of the main
 * thread's work). What waits is written out within the time below, and when the process exits by itself.
 */
function gatheredLines(most = 16_384): DestinationStream {
  const lines = pino.destination({ sync: false, minLength: most / 2, maxWrite: most });
  lines.on('error', () => undefined); // a full disk or a closed pipe takes lines, never the server
  setInterval(() => lines.flush(), 100).unref();
  return lines;
}

/** For a terminal: lines for people. Written at once, so that none is lost when the process ends. */
async function readableLines(): Promise<DestinationStream> {
  const { build } = await import('pino-pretty');
  return build({ ignore: 'pid,hostname,node_id', translateTime: 'HH:MM:ss', sync: true });
}

/** Controls, also those of 8 bits that some terminals obey, and what ends a line. */
// oxlint-disable-next-line no-control-regex
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;
const EVERY_CONTROL = new RegExp(CONTROLS, 'g');

/** A text as it may stand in a log or on a terminal: on one line, without orders to the terminal, and not too long. */
function safeText(text: string): string {
  const short = text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}… (${text.length})` : text;
  if (!CONTROLS.test(short)) return short;
  return short.replace(EVERY_CONTROL, (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Fields without secrets and with safe texts; the same object where nothing is to be changed, which is nearly always. */
function safeFields(fields: Record<string, unknown>, depth: number): Record<string, unknown> {
  let safe = fields;
  for (const name in fields) {
    const value = fields[name];
    const kept = SECRETS.has(name) ? CENSORED : safeValue(value, depth);
    if (kept === value) continue;
    if (safe === fields) safe = { ...fields };
    safe[name] = kept;
  }
  return safe;
}

function safeValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return safeText(value);
  if (typeof value !== 'object' || value === null || value instanceof Error) return value;
  return depth < DEEPEST ? safeFields(value as Record<string, unknown>, depth + 1) : CENSORED;
}

/** What an error says and where it happened. Its other properties stay out: clients of models keep whole requests there. */
function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { type: typeof error, message: safeText(String(error)) };
  const { type, message, stack } = stdSerializers.err(error);
  const frames = stack.split('\n').filter((line) => /^ {4,}at /.test(line));
  const { code } = error as NodeJS.ErrnoException;
  return {
    type: safeText(type),
    message: safeText(message),
    ...(typeof code === 'string' && { code: safeText(code) }),
    stack: frames.map(safeText).join('\n').slice(0, LONGEST_STACK),
  };
}
