import { rmSync } from 'node:fs';
import { Agent, createServer, request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { guardSideDoor, isForSockets, sidOf, type FrontDoor } from './front-door.ts';
import { takeOver } from './take-over.ts';
import type { ChatServer } from './types.ts';

/** The other servers of this machine: requests of one session may come to any of them. */
export interface Siblings {
  /** The local socket on which this server hears what the others pass on. */
  readonly ownPath: string;
  /** That of the server of this name; null for this one, and for any that is none of them. */
  pathOf(nodeId: string): string | null;
  /** Tells that this server stops and has no clients any more; resolves when that holds for all that stop. */
  drained(): Promise<void>;
}

type RequestListener = (request: IncomingMessage, response: ServerResponse) => void;
type UpgradeListener = (request: IncomingMessage, connection: Duplex, head: Buffer) => void;

/** A sibling that stops at the same time may take this much longer than it is given to drain. */
const LATE_MS = 3_000;
/** The client has this long to read the rest of a WebSocket that its server has ended. */
const REST_MS = 1_000;

/** What holds for one connection only, not for the request on it (RFC 9110 section 7.6.1), and what Node has answered itself. */
const OF_CONNECTION = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'te', 'trailer', 'expect']);

/**
 * Passes requests of sessions that a sibling holds on to it, so that it does not matter on which connection they come:
 * one of a reverse proxy carries those of many sessions. They have been let in by the front door here, and bring no
 * address, which is only asked at a handshake. Called once Socket.IO is attached. Answers what ends it, once siblings
 * that stop at the same time have no clients any more, or should have none.
 */
export function shareSessions(
  httpServer: HttpServer,
  io: ChatServer,
  door: FrontDoor,
  siblings: Siblings,
): () => Promise<void> {
  const agent = new Agent({ keepAlive: true });
  const passedOn = new Set<Duplex>();
  const serveRequest = takeOver<RequestListener>(httpServer, 'request');
  httpServer.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const path = holderOf(request, siblings);
    if (path === null) return serveRequest(request, response);
    passOn(request, response, path, agent, () => serveRequest(request, response));
  });
  const serveUpgrade = takeOver<UpgradeListener>(httpServer, 'upgrade');
  httpServer.on('upgrade', (request: IncomingMessage, connection: Duplex, head: Buffer) => {
    const path = holderOf(request, siblings);
    if (path === null) return serveUpgrade(request, connection, head);
    passedOn.add(connection.once('close', () => passedOn.delete(connection)));
    passOnUpgrade(request, connection, head, path, () => serveUpgrade(request, connection, head));
  });
  const inner = hearSiblings(io, door, siblings.ownPath);
  return async () => {
    await Promise.race([siblings.drained(), delay(door.config.SHUTDOWN_DRAIN_SECONDS * 1_000 + LATE_MS)]);
    inner.close();
    agent.destroy();
    for (const connection of passedOn) connection.destroy();
  };
}

/** What siblings pass on goes to Engine.IO: they have looked at it. Idle connections stay, since both ends are ours. */
function hearSiblings(io: ChatServer, door: FrontDoor, path: string): HttpServer {
  const server = createServer({ requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 0 });
  server.on('request', (request, response) => io.engine.handleRequest(request, response));
  server.on('upgrade', (request, connection, head) => {
    connection.on('error', () => connection.destroy()); // Node has taken its own listener away
    io.engine.handleUpgrade(request, connection, head);
  });
  guardSideDoor(server, door);
  rmSync(path, { force: true }); // of a server of this name that was killed
  server.listen({ path, exclusive: true }); // not through the primary
  return server;
}

/** The local socket of the sibling that holds the session; null where it is this server's to answer, as what is no socket's. */
function holderOf(request: IncomingMessage, siblings: Siblings): string | null {
  if (!isForSockets(request)) return null;
  const sid = sidOf(request);
  const dot = sid?.lastIndexOf('.') ?? -1;
  return sid && dot !== -1 ? siblings.pathOf(sid.slice(0, dot)) : null;
}

/** Where the sibling is not there, Engine.IO here says that it does not know the session, and the client begins anew. */
function passOn(
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  agent: Agent,
  answerHere: () => void,
): void {
  const { method, url, headers } = request;
  const { 'content-length': length, ...fields } = ofMessage(headers);
  const hasBody = method === 'POST';
  const onwardHeaders = hasBody && length !== undefined ? { ...fields, 'content-length': length } : fields;
  const onward = httpRequest({ socketPath: path, agent, method, path: url, headers: onwardHeaders });
  onward.on('response', (answer) => {
    response.writeHead(answer.statusCode ?? 502, ofMessage(answer.headers));
    answer.on('error', () => response.destroy());
    answer.pipe(response);
  });
  onward.on('error', () => {
    if (response.headersSent || response.destroyed) response.destroy();
    else answerHere();
  });
  response.on('close', () => onward.destroy());
  if (hasBody) return void request.pipe(onward);
  // Node would write a body of any other method as it is, and the sibling take it for the next request on the connection.
  request.resume();
  onward.end();
}

function ofMessage(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !OF_CONNECTION.has(name)));
}

/** The connection is the session's alone from now on: its bytes go to and fro as they are. */
function passOnUpgrade(
  request: IncomingMessage,
  connection: Duplex,
  head: Buffer,
  path: string,
  answerHere: () => void,
): void {
  const onward = connect({ path });
  onward.once('connect', () => {
    if (connection.destroyed) return void onward.destroy();
    onward.off('error', answerHere);
    onward.on('error', () => onward.destroy());
    onward.on('close', () => {
      connection.end();
      setTimeout(() => connection.destroy(), REST_MS).unref();
    });
    connection.on('close', () => onward.destroy());
    onward.write(Buffer.concat([headOf(request), head]));
    connection.pipe(onward).pipe(connection);
  });
  onward.once('error', answerHere);
}

/** The request's head as it came. */
function headOf({ method, url, httpVersion, rawHeaders }: IncomingMessage): Buffer {
  const fields = rawHeaders.map((text, index) => (index % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join('');
  return Buffer.from(`${method} ${url} HTTP/${httpVersion}\r\n${fields}\r\n`, 'latin1');
}
