import type { Context } from 'hono';
import { html } from 'hono/html';
import type { HttpEnv } from './parts.ts';

/** A page that the server makes itself. What goes into `body` is escaped by `html`. */
export interface Page {
  readonly title: string;
  readonly body: ReturnType<typeof html>;
}

/** Style and icon come from this server; such a page runs nothing and asks nobody. */
const POLICY = [
  "default-src 'none'",
  "style-src 'self'",
  "img-src 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "form-action 'none'",
].join('; ');

/** Answers a page under a policy that lets nothing foreign and nothing inline in. */
export async function sendPage(c: Context<HttpEnv>, page: Page): Promise<Response> {
  c.header('Content-Security-Policy', POLICY);
  return c.html(await renderPage(page));
}

function renderPage({ title, body }: Page) {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        <link rel="icon" href="/docs/icon.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="/docs/page.css" />
      </head>
      <body>
        ${body}
      </body>
    </html>`;
}
