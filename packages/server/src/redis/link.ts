import type { Host, RedisAddress } from './address.ts';

/**
 * Connections to Redis that belong together: they are made together, and when one of them fails all are thrown away.
 * Nothing in here reconnects or subscribes again, so that one place does: `redis.ts`.
 */
export interface RedisLink {
  /** Channels that together lie on every part of a cluster: one that hears them all hears everything. */
  readonly echoes: readonly string[];
  /** Answers how many connections hear it. */
  publish(channel: string, text: string): Promise<number>;
  subscribe(channels: readonly string[]): Promise<unknown>;
  unsubscribe(channel: string): Promise<unknown>;
  eval(script: string, given: ScriptInput): Promise<unknown>;
  /** The server's version, or of a cluster that of one part. */
  version(): Promise<string>;
  destroy(): void;
}

/** What a script is run with, as the library wants it. */
export interface ScriptInput {
  readonly keys: string[];
  readonly arguments: string[];
}

/** Who is told what a link hears, and of its end; of that perhaps more than once. */
export interface LinkListener {
  readonly onMessage: (text: string, channel: string) => void;
  readonly onLost: (error: unknown) => void;
}

/** The library gives up a TCP or TLS connection that is not made in this time. */
const CONNECT_MS = 1_000;

/** What every client is made with. */
export function clientOptions({ tls }: RedisAddress, host: Partial<Host> = {}) {
  const socket = { connectTimeout: CONNECT_MS, reconnectStrategy: false as const, ...host };
  return {
    socket: tls ? { ...socket, tls } : socket,
    disableOfflineQueue: true,
    // A timer for each command costs a quarter of the command or more, and the echo notices what hangs.
    commandOptions: { timeout: 0 },
    maintNotifications: 'disabled' as const,
  };
}

/** The user and password, where there are any. */
export function credentialsOf({ username, password }: RedisAddress) {
  return { ...(username !== undefined && { username }), ...(password !== undefined && { password }) };
}

/** What connects and can be thrown away. */
interface Connecting {
  connect(): Promise<unknown>;
  destroy(): void;
}

/**
 * Connects all of them, or none: where one fails or the signal comes first, all are thrown away. The library forgets a
 * connection that is thrown away while it is being made, so that is done once more when it has been.
 * @throws what failed, or the signal's reason
 */
export async function connectAll(clients: readonly Connecting[], signal: AbortSignal): Promise<void> {
  const connecting = clients.map((client) => client.connect());
  try {
    await untilAborted(Promise.all(connecting), signal);
  } catch (error) {
    const destroy = () => clients.forEach((client) => client.destroy());
    destroy();
    void Promise.allSettled(connecting).then(destroy);
    throw error;
  }
}

/** What the promise answers, unless the signal comes first. @throws the signal's reason */
export async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason as Error);
  signal.addEventListener('abort', onAbort, { once: true });
  promise.catch(() => undefined); // it may fail after it was given up
  try {
    signal.throwIfAborted();
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** The version that a server tells of itself. */
export function versionIn(info: string): string {
  return /^redis_version:(\S+)/m.exec(info)?.[1] ?? 'unknown';
}
