import { fileURLToPath } from 'node:url';
import { createRoute } from '@hono/zod-openapi';
import { z } from 'zod';
import type { OpenApi } from './docs/rest.ts';
import { listFiles, serveFile } from './files.ts';
import { refuseAddress } from './not-found.ts';
import { describeRoutes } from './openapi.ts';
import { sendPage } from './page.ts';
import type { HttpApp } from './parts.ts';

const STATIC = new URL('../../../../static/', import.meta.url);
const tags = ['about'];
const document = { content: { 'application/json': { schema: z.object({}) } } };

/** Adds the two documents and the page that shows them. Each is made when it is first asked for: it takes a moment. */
export function documentRoutes(app: HttpApp): void {
  const openApi = once(() => Promise.resolve(describeRoutes(app)));
  const asyncApi = once(async () => (await import('./asyncapi/asyncapi.ts')).describeEvents());
  const page = once(async () =>
    (await import('./docs/docs-page.ts')).docsPage((await openApi()) as unknown as OpenApi, await asyncApi()),
  );
  const documents = [
    ['/openapi.json', 'The routes of this server, as OpenAPI 3.1', openApi],
    ['/asyncapi.json', 'The events of this server, as AsyncAPI 3.0', asyncApi],
  ] as const;
  for (const [path, summary, describe] of documents) {
    const responses = { 200: { description: 'The document.', ...document } };
    app.openapi(createRoute({ method: 'get', path, tags, summary, responses }), async (c) =>
      c.json((await describe()) as object, 200),
    );
  }
  app.openapi(
    createRoute({
      method: 'get',
      path: '/docs',
      tags,
      summary: 'Both documents as a page',
      responses: { 200: { description: 'The page.', content: { 'text/html': { schema: z.string() } } } },
    }),
    async (c) => sendPage(c, await page()),
  );
  const files = listFiles(fileURLToPath(new URL('docs', STATIC)));
  files.set('icon.svg', fileURLToPath(new URL('test-page/icon.svg', STATIC)));
  // Browsers ask for it at whatever a program answers; pages name the icon themselves.
  app.get('/favicon.ico', async (c) => (await serveFile(c, files, 'icon.svg')) ?? refuseAddress(c));
  app.get('/docs/*', async (c) => {
    return (await serveFile(c, files, c.req.path.slice('/docs/'.length))) ?? refuseAddress(c);
  });
}

/** Makes something at the first call; every later one gets the same. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
