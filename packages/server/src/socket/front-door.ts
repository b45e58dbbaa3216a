import { STATUS_CODES, type IncomingMessage, type Server as HttpServer, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { ChatError, ERRORS } from '@tertulia/protocol';
import type { Config } from '../config.ts';
import type { Proxies } from '../proxies.ts';
import type { Refusals } from '../refusals.ts';
import type { SocketLimits } from './limits.ts';
import { takeOver } from './take-over.ts';

const PATH = '/socket.io/';
const METHODS = ['GET', 'POST', 'OPTIONS'];

/** Whoever comes while the server stops may try again after this time: another node may take it at once. */
const RETRY_MS = 1_000;

type RequestListener = (request: IncomingMessage, response: ServerResponse) => void;
type UpgradeListener = (request: IncomingMessage, connection: Duplex, head: Buffer) => void;

/** What is asked at the door. */
export interface FrontDoor {
  readonly config: Config;
  readonly limits: SocketLimits;
  readonly refusals: Refusals;
  readonly proxies: Proxies;
  /** The server stops: whoever has a session goes on with it, nobody gets a new one. */
  isClosed: boolean;
  /** Sessions that have ended for their clients, and from which only what they have sent is still taken. */
  readonly ended: Set<string>;
}

/**
 * Stands before Socket.IO on its HTTP server and refuses in plain HTTP what must not reach it. Socket.IO's own
 * `allowRequest` cannot: it is asked about handshakes only, and answers 403 to a poll and 400 to a WebSocket, whatever
 * the reason. Called once Socket.IO is attached.
 */
export function guardFrontDoor(httpServer: HttpServer, door: FrontDoor): void {
  const count = (request: IncomingMessage, error: unknown) =>
    door.refusals.add(door.proxies.addressOf(request), error instanceof ChatError ? error.code : 'internal_error');
  const passRequest = takeOver<RequestListener>(httpServer, 'request');
  httpServer.on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (!isForSockets(request)) return passRequest(request, response);
    admit(request, false, door).then(
      () => passRequest(request, response),
      (error: unknown) => {
        count(request, error);
        refuse(response, error);
      },
    );
  });
  const passUpgrade = takeOver<UpgradeListener>(httpServer, 'upgrade');
  httpServer.on('upgrade', (request: IncomingMessage, connection: Duplex, head: Buffer) => {
    connection.on('error', () => connection.destroy()); // Node has taken its own listener away
    admit(request, true, door).then(
      () => passUpgrade(request, connection, head),
      (error: unknown) => {
        count(request, error);
        refuseUpgrade(connection, error);
      },
    );
  });
}

/** For what siblings pass on, having let it in: they do not know which of the sessions here have ended. */
export function guardSideDoor(server: HttpServer, { ended }: FrontDoor): void {
  const passRequest = takeOver<RequestListener>(server, 'request');
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const isOver = request.method === 'GET' && ended.has(sidOf(request) ?? '');
    if (isOver) refuse(response, new ChatError('shutting_down', { retry_after_ms: RETRY_MS }));
    else passRequest(request, response);
  });
}

/** Whether a request is one that the front door looks at. */
export function isForSockets({ url }: IncomingMessage): boolean {
  return url?.startsWith(PATH) ?? false;
}

/** The session that a request names. */
export function sidOf({ url = '' }: IncomingMessage): string | undefined {
  return queryOf(url).get('sid');
}

/** Read as Engine.IO does: the last of several counts, and what follows a # is no part of it. */
function queryOf(url: string): Map<string, string> {
  return new Map(new URL(url, 'http://localhost').searchParams);
}

/** @throws {ChatError} where the request may not go on to Socket.IO */
async function admit(request: IncomingMessage, isUpgrade: boolean, door: FrontDoor): Promise<void> {
  const { config, limits, proxies } = door;
  const url = request.url ?? '';
  if (!isForSockets(request)) throw new ChatError('not_found');
  if (!METHODS.includes(request.method ?? '')) {
    throw new ChatError('method_not_allowed', { message: `This address takes ${METHODS.join(', ')} only.` });
  }
  if (!isAllowedOrigin(request, door)) throw new ChatError('origin_not_allowed');
  if (request.method === 'OPTIONS') return;
  const query = queryOf(url);
  if ([...query.keys()].some((name) => /^(token|access_token|auth|authorization|jwt)$/i.test(name))) {
    throw new ChatError('unauthorized', {
      message: 'A token does not belong in an address: put it into `auth.token`.',
    });
  }
  if (query.get('EIO') !== '4') refuseProtocol('This server speaks EIO=4 only.');
  if (query.get('transport') === 'polling' && !config.TRANSPORTS.includes('polling')) {
    refuseProtocol("This server takes WebSockets only: connect with transports: ['websocket'].");
  }
  // Without an upgrade Engine.IO would take the request and never answer it.
  if (!isUpgrade && query.get('transport') === 'websocket') refuseProtocol('A WebSocket begins with an upgrade.');
  const sid = query.get('sid');
  const isOver = sid ? request.method === 'GET' && door.ended.has(sid) : door.isClosed;
  if (isOver) throw new ChatError('shutting_down', { retry_after_ms: RETRY_MS });
  if (!sid) await limits.takeHandshake(proxies.addressOf(request));
}

function refuseProtocol(message: string): never {
  throw new ChatError('unsupported_protocol', { message });
}

/**
 * A page may connect from the server's own origin or a listed one; a client that is no page sends no Origin. CORS
 * headers alone keep neither a WebSocket nor a polling session from a foreign page, so it is checked here.
 */
function isAllowedOrigin(request: IncomingMessage, { config, proxies }: FrontDoor): boolean {
  const { origin } = request.headers;
  if (origin === undefined) return true;
  if (config.ALLOWED_ORIGINS.includes('*') || config.ALLOWED_ORIGINS.includes(origin)) return true;
  return URL.canParse(origin) && new URL(origin).host === proxies.hostOf(request);
}

interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

function refusalOf(error: unknown): Refusal {
  const { code, message, details } = error instanceof ChatError ? error : new ChatError('internal_error');
  const { limit, retry_after_ms: wait } = details;
  const body = JSON.stringify({ detail: message, error: code, limit, retry_after_ms: wait });
  const headers = {
    'Content-Type': 'application/json',
    'Content-Length': String(Buffer.byteLength(body)),
    Connection: 'close',
    ...(wait !== undefined && { 'Retry-After': String(Math.ceil(wait / 1_000)) }),
    ...(code === 'method_not_allowed' && { Allow: METHODS.join(', ') }),
  };
  return { status: ERRORS[code].status, headers, body };
}

function refuse(response: ServerResponse, error: unknown): void {
  const { status, headers, body } = refusalOf(error);
  response.writeHead(status, headers).end(body);
}

function refuseUpgrade(connection: Duplex, error: unknown): void {
  const { status, headers, body } = refusalOf(error);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  connection.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`, () =>
    connection.destroy(),
  );
}
