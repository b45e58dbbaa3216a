import { clientEvents, baseServerEvents, extendedServerEvents } from '@tertulia/protocol';
import type { Logger } from '../log.ts';
import type { ChatServer, ChatSocket } from './types.ts';

interface EnginePacket {
  readonly type: string;
  readonly data?: string | Uint8Array | undefined;
}

interface EngineConnection {
  on(event: 'packet' | 'packetCreate', listener: (packet: EnginePacket) => void): void;
}

/** What a Socket.IO packet's first digit says. */
const KINDS = ['connect', 'disconnect', 'event', 'ack', 'connect_error', 'event', 'ack'];

const EVENT_NAMES = new Set([clientEvents, baseServerEvents, extendedServerEvents].flatMap((map) => Object.keys(map)));

/** What of a payload is logged: what finds it again, and how it went. Everything else may be somebody's words. */
const LOGGED_FIELDS = ['conversation_id', 'task_id', 'client_msg_id', 'seq', 'after_seq', 'attempt', 'index', 'ok'];

/** A packet's digit, attachments, namespace and acknowledgement id; the rest is JSON. */
const FORM = /^([0-6])(?:\d+-)?(?:\/[^,]{0,100},)?(\d{0,16})/;

/**
 * Logs every packet that comes in or goes out, broadcasts included, without texts, tokens or session ids: those are
 * what a connection is taken over with. Answers what tells it whose connection one is.
 */
export function debugPackets(io: ChatServer, log: Logger): (socket: ChatSocket) => void {
  const users = new WeakMap<object, string>();
  let connections = 0;
  io.engine.on('connection', (connection: EngineConnection) => {
    connections += 1;
    const number = connections;
    const write = (direction: string) => (packet: EnginePacket) => {
      if (packet.type !== 'message') return;
      log.info({ direction, connection: number, user_id: users.get(connection), ...describe(packet.data) }, 'packet');
    };
    connection.on('packet', write('in'));
    connection.on('packetCreate', write('out'));
  });
  return (socket) => void users.set(socket.conn, socket.data.user.id);
}

/** What may be said of a packet's content. Never throws: it runs within Engine.IO's own calls. */
export function describe(data: EnginePacket['data']): object {
  if (typeof data !== 'string') return { packet: 'binary', bytes: data?.byteLength ?? 0 };
  const bytes = Buffer.byteLength(data);
  const [start, digit, ack] = FORM.exec(data) ?? [];
  if (start === undefined) return { packet: 'unreadable', bytes };
  const packet = KINDS[Number(digit)];
  if (packet !== 'event' && packet !== 'ack') return { packet, bytes };
  return { packet, bytes, ...(ack && { ack: Number(ack) }), ...contentOf(packet, data.slice(start.length)) };
}

function contentOf(packet: 'event' | 'ack', json: string): object {
  const values = parse(json);
  if (packet === 'ack') return idsOf(values[0]);
  const name = String(values[0]);
  return { event: EVENT_NAMES.has(name) ? name : 'unknown', ...idsOf(values[1]) };
}

function parse(json: string): unknown[] {
  try {
    const values: unknown = JSON.parse(json);
    return Array.isArray(values) ? values : [];
  } catch {
    // Not JSON: there is nothing to tell of it.
    return [];
  }
}

function idsOf(payload: unknown): object {
  if (typeof payload !== 'object' || payload === null) return {};
  const given = payload as Record<string, unknown>;
  const fields = LOGGED_FIELDS.filter((field) => isLoggable(given[field])).map((field) => [field, given[field]]);
  const error = given['error'] as { code?: unknown } | string | null | undefined;
  const code = typeof error === 'object' ? error?.code : error;
  return { ...Object.fromEntries(fields), ...(typeof code === 'string' && /^[a-z_]{1,40}$/.test(code) && { code }) };
}

/** An id is short and has no spaces. */
function isLoggable(value: unknown): boolean {
  if (typeof value === 'string') return /^[\w.:-]{1,64}$/.test(value);
  return typeof value === 'number' || typeof value === 'boolean';
}
