import { createServer, STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import { ERRORS, type ErrorCode } from '@tertulia/protocol';
import { KNOWN_METHODS } from './not-found.ts';
import type { HttpApp } from './parts.ts';

const MAX_HEADERS = 100;

/** What Node's parser says, as an HTTP status; anything else it cannot read is 400. */
const PARSER_STATUS: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** Makes the server's HTTP side. Slow and oversized requests end early; what is no HTTP gets one short answer. */
export function createHttpServer(app: HttpApp): Server {
  const listener = getRequestListener(app.fetch, {
    hostname: 'localhost', // HTTP/1.0 needs no Host header, and haproxy's health checks send none
    errorHandler: () => Response.json(problem(400), { status: 400 }),
  });
  const timeouts = { headersTimeout: 10_000, requestTimeout: 30_000, connectionsCheckingInterval: 1_000 };
  const server = createServer(timeouts, (request, response) => {
    if (request.rawHeaders.length > 2 * MAX_HEADERS) refuse(request, response, 431);
    else if (request.headers.host === '') refuse(request, response, 400);
    else void listener(request, response);
  });
  // Node drops what is beyond the count without a word, but shows it in `rawHeaders`, which is looked at above.
  server.maxHeadersCount = MAX_HEADERS;
  server.on('clientError', (error, socket) => answerAndClose(socket, statusOf(error)));
  server.on('connect', (_request, socket) => answerAndClose(socket, 405));
  return server;
}

/** A method that Node's parser does not know is a method all the same, where the line looks like one of HTTP. */
function statusOf({ code, rawPacket }: NodeJS.ErrnoException & { rawPacket?: Buffer }): number {
  if (code === 'HPE_INVALID_METHOD' && /^[\w-]+ [^ ]+ HTTP\//.test(rawPacket?.toString('latin1', 0, 4_096) ?? ''))
    return 405;
  return PARSER_STATUS[code ?? ''] ?? 400;
}

function refuse(request: IncomingMessage, response: ServerResponse, status: number): void {
  request.resume();
  response.writeHead(status, { 'Content-Type': 'application/json', Connection: 'close' });
  response.end(JSON.stringify(problem(status)));
}

function answerAndClose(connection: Duplex, status: number): void {
  if (!connection.writable) return void connection.destroy();
  const text = JSON.stringify(problem(status));
  const allow = status === 405 ? `Allow: ${KNOWN_METHODS.join(', ')}\r\n` : '';
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${allow}Content-Type: application/json\r\n`;
  connection.on('error', () => connection.destroy());
  connection.end(`${head}Content-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`, () =>
    connection.destroy(),
  );
}

function problem(status: number): { detail: string; error: ErrorCode } {
  const error =
    status === 405 ? 'method_not_allowed' : status === 431 || status === 413 ? 'too_large' : 'invalid_payload';
  return { detail: ERRORS[error].message, error };
}
