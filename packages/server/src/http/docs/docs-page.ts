import { html } from 'hono/html';
import type { AsyncDocument } from '../asyncapi/asyncapi.ts';
import type { Page } from '../page.ts';
import { CHANNELS, eventsSection } from './events.ts';
import { groupRoutes, restSection, type OpenApi } from './rest.ts';

/** One page with both documents: it needs no script and nothing from elsewhere. */
export function docsPage(openApi: OpenApi, asyncApi: AsyncDocument): Page {
  return {
    title: 'Tertulia API',
    body: html`<header class="top">
        <a class="home" href="/">Tertulia</a>
        <a href="#rest">HTTP</a>
        <a href="#events">Sockets</a>
      </header>
      <div class="columns">
        <nav aria-label="Contents">
          <a class="part" href="#rest">HTTP</a>
          ${groupRoutes(openApi).map(({ tag }) => html`<a href="#rest-${tag}">${tag}</a>`)}
          <a class="part" href="#events">Sockets</a>
          <a href="#events-client">Events that clients send</a>
          ${CHANNELS.map(({ id, title }) => html`<a href="#events-${id}">${title}</a>`)}
        </nav>
        <main>
          <h1>Tertulia API</h1>
          ${restSection(openApi)} ${eventsSection(asyncApi)}
        </main>
      </div>`,
  };
}
