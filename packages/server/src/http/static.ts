import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '../config.ts';
import { listFiles, serveFile } from './files.ts';
import { refuseAddress } from './not-found.ts';
import type { HttpApp } from './parts.ts';

/** What the test page may do: nothing from elsewhere, nothing inline, sockets to this server. */
const POLICY = [
  "default-src 'self'",
  "connect-src 'self' ws: wss:",
  "object-src 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "form-action 'self'",
].join('; ');

/** Socket.IO's own client, from the package that is installed. */
const CLIENT = 'socket.io.esm.min.js';

/** The address of the test page. */
export const TEST_PAGE = '/static/socketio_test.html';

/** Whether this server has the test page. */
export function hasTestPage({ TEST_PAGE: wanted, ENVIRONMENT }: Config): boolean {
  return wanted ?? ENVIRONMENT === 'development';
}

/** Adds the test page and its files, where the settings want it. */
export function staticRoutes(app: HttpApp, config: Config): void {
  if (!hasTestPage(config)) return;
  const files = listTestPage();
  app.get('/static/*', async (c) => {
    const served = await serveFile(c, files, c.req.path.slice('/static/'.length));
    if (!served) return refuseAddress(c);
    served.headers.set('Content-Security-Policy', POLICY);
    return served;
  });
}

function listTestPage(): Map<string, string> {
  const listed = listFiles(fileURLToPath(new URL('../../../../static', import.meta.url)));
  const files = new Map([...listed].filter(([name]) => /^(socketio_test\.|test-page\/)/.test(name)));
  const client = createRequire(import.meta.url).resolve('socket.io-client/package.json');
  return files.set(CLIENT, join(dirname(client), 'dist', CLIENT));
}
