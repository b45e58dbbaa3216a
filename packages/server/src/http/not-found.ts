import { ChatError } from '@tertulia/protocol';
import type { Context } from 'hono';
import { accepts } from 'hono/accepts';
import { html } from 'hono/html';
import { sendPage } from './page.ts';
import type { HttpApp, HttpEnv } from './parts.ts';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** Every method that some address may take. */
export const KNOWN_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

const NO_PAGE = 'There is no page at this address.';

/** Refuses what no route took: 405 with `Allow` where the address takes other methods or nobody takes this one, else 404. */
export async function refuseUnrouted(app: HttpApp, c: Context<HttpEnv>): Promise<Response> {
  const here = METHODS.filter((method) => takes(app, method, c.req.path));
  const allowed = here.length > 0 ? [...here, ...(here.includes('GET') ? ['HEAD'] : []), 'OPTIONS'] : KNOWN_METHODS;
  if (here.length === 0 && allowed.includes(c.req.method)) return refuseAddress(c);
  c.header('Allow', allowed.join(', '));
  const taken = `This ${here.length > 0 ? 'address' : 'server'} takes ${allowed.join(', ')} only.`;
  throw new ChatError('method_not_allowed', { message: taken });
}

/** Whether there is a route, not only middleware, which Hono keeps under the method ALL. */
function takes(app: HttpApp, method: string, path: string): boolean {
  return app.router.match(method, path)[0].some(([[, route]]) => route.method !== 'ALL');
}

/**
 * 404: a page for whoever mistyped an address in a browser, JSON for anyone else. Also for what is there and not for
 * everyone, in the same words.
 */
export async function refuseAddress(c: Context<HttpEnv>): Promise<Response> {
  c.header('Vary', 'Accept', { append: true });
  const supports = ['application/json', 'text/html'];
  const type = accepts(c, { header: 'Accept', supports, default: 'application/json' });
  if (type !== 'text/html') throw new ChatError('not_found', { message: NO_PAGE });
  c.status(404);
  const body = html`<main class="welcome">
    <h1>Not found</h1>
    <p class="lead">${NO_PAGE}</p>
    <p class="actions"><a class="action" href="/">Go to the start</a></p>
  </main>`;
  return sendPage(c, { title: 'Not found', body });
}
