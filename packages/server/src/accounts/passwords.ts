import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import { createJobQueue } from './job-queue.ts';

const deriveKey = promisify(argon2);

/** OWASP's and DESIGN's choice for Argon2id: 19 MiB, 2 passes, 1 lane; about 50 ms on one core. */
const COST = { memory: 19_456, passes: 2, parallelism: 1 } as const;
const SALT_BYTES = 16;
const TAG_BYTES = 32;

/** One core stays free for everything else, so that a storm of sign-ins does not slow chat. */
const QUEUE = { running: Math.max(1, Math.min(2, availableParallelism() - 1)), waiting: 256, job_ms: 50 } as const;

/** Makes and checks password hashes, a few at a time. */
export interface Passwords {
  /** A PHC string for storage. @throws {ChatError} `rate_limited` where too many wait */
  hash(password: string): Promise<string>;
  /** Checks against a PHC string; null stands for no account, takes as long, and is never right. */
  matches(password: string, stored: string | null): Promise<boolean>;
  /** How many wait for their turn. */
  readonly queueDepth: number;
}

interface StoredHash {
  readonly memory: number;
  readonly passes: number;
  readonly parallelism: number;
  readonly salt: Buffer;
  readonly tag: Buffer;
}

/** Makes the one queue of a server's password hashes. */
export function createPasswords(): Passwords {
  const queue = createJobQueue(QUEUE);
  const nobody: StoredHash = { ...COST, salt: randomBytes(SALT_BYTES), tag: randomBytes(TAG_BYTES) };
  return {
    get queueDepth() {
      return queue.depth;
    },
    hash: (password) =>
      queue.run(async () => {
        const salt = randomBytes(SALT_BYTES);
        return toPhc(salt, await derive(password, { ...COST, salt, tagBytes: TAG_BYTES }));
      }),
    async matches(password, stored) {
      const expected = stored === null ? nobody : fromPhc(stored);
      return queue.run(async () => {
        const tag = await derive(password, { ...expected, tagBytes: expected.tag.length });
        return timingSafeEqual(tag, expected.tag) && stored !== null;
      });
    },
  };
}

/** The whole password counts: NFC, so that two keyboards agree, then UTF-8, NUL included. */
function derive(
  password: string,
  { salt, tagBytes, memory, passes, parallelism }: Omit<StoredHash, 'tag'> & { tagBytes: number },
): Promise<Buffer> {
  const message = Buffer.from(password.normalize('NFC'));
  return deriveKey('argon2id', { message, nonce: salt, memory, passes, parallelism, tagLength: tagBytes });
}

function toPhc(salt: Buffer, tag: Buffer): string {
  const { memory, passes, parallelism } = COST;
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${unpadded(salt)}$${unpadded(tag)}`;
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '');
}

const PHC = /^\$argon2id\$v=19\$m=(\d{1,6}),t=(\d{1,2}),p=(\d)\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/;

function fromPhc(stored: string): StoredHash {
  const [, memory, passes, parallelism, salt, tag] = PHC.exec(stored) ?? [];
  if (!memory || !passes || !parallelism || !salt || !tag) throw new Error('a stored password hash cannot be read');
  return {
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    salt: Buffer.from(salt, 'base64'),
    tag: Buffer.from(tag, 'base64'),
  };
}
