import { html } from 'hono/html';
import {
  exampleOf,
  fieldsOf,
  prose,
  schemaSections,
  type Fragment,
  type Names,
  type Schema,
  type Schemas,
} from './schema.ts';

interface Content {
  readonly content?: Readonly<Record<string, { readonly schema?: Schema }>>;
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly schema?: Schema;
}

interface Operation {
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly security?: readonly object[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: Content;
  readonly responses?: Readonly<Record<string, Content & { readonly description?: string }>>;
}

/** An OpenAPI document as far as the page shows it. */
export interface OpenApi {
  readonly paths?: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components?: { readonly schemas?: Schemas };
}

interface Route {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

/** A group of routes: what the page's contents list. */
export interface RestGroup {
  readonly tag: string;
  readonly routes: readonly Route[];
}

/** The routes of a document by their first tag, in the order in which they stand there. */
export function groupRoutes({ paths = {} }: OpenApi): RestGroup[] {
  const routes = Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]): Route => ({ method, path, operation })),
  );
  return [...Map.groupBy(routes, ({ operation }) => operation.tags?.[0] ?? 'more')].map(([tag, some]) => ({
    tag,
    routes: some,
  }));
}

/** The part of the page about HTTP. */
export function restSection(document: OpenApi): Fragment {
  const names: Names = { schemas: document.components?.schemas ?? {}, prefix: 'rest-schema' };
  return html`<section id="rest">
    <h2>HTTP</h2>
    <p>
      JSON in and out. Routes marked <span class="lock">token</span> need
      <code>Authorization: Bearer ACCESS_TOKEN</code>. The whole document for tools:
      <a href="/openapi.json">/openapi.json</a> (OpenAPI 3.1).
    </p>
    ${groupRoutes(document).map(
      ({ tag, routes }) =>
        html`<h3 id="rest-${tag}">${tag}</h3>
          ${routes.map((route) => routeItem(route, names))}`,
    )}
    ${schemaSections('Schemas', Object.keys(names.schemas), names)}
  </section>`;
}

/** The anchor of a route. */
function anchorOf({ method, path }: Route): string {
  return `rest-${method}${path.replaceAll(/[^a-z0-9]+/gi, '-')}`;
}

function routeItem(route: Route, names: Names): Fragment {
  const { method, path, operation } = route;
  const lock = operation.security ? html`<span class="lock">token</span>` : '';
  return html`<details class="item" id="${anchorOf(route)}">
    <summary>
      <span class="method ${method}">${method.toUpperCase()}</span> <code class="path">${path}</code> ${lock}
      <span class="summary">${operation.summary ?? ''}</span>
    </summary>
    ${parametersOf(operation, names)} ${bodyOf(operation, names)}
    <h4>Answers</h4>
    ${Object.entries(operation.responses ?? {}).map(([status, response]) => responseOf(status, response, names))}
    <h4>Try it</h4>
    <pre tabindex="0"><code>${curlOf(route, names)}</code></pre>
  </details>`;
}

function parametersOf({ parameters = [] }: Operation, names: Names): Fragment | string {
  if (parameters.length === 0) return '';
  const properties = Object.fromEntries(parameters.map(({ name, schema = {} }) => [name, schema]));
  const required = parameters.filter((parameter) => parameter.required).map(({ name }) => name);
  return html`<h4>In the address</h4>
    ${fieldsOf({ properties, required }, names)}`;
}

function bodyOf({ requestBody }: Operation, names: Names): Fragment | string {
  const [type, media] = Object.entries(requestBody?.content ?? {})[0] ?? [];
  if (!media?.schema) return '';
  return html`<h4>Body${type === 'application/json' ? '' : `, as ${type}`}</h4>
    ${fieldsOf(media.schema, names)}`;
}

function responseOf(
  status: string,
  { description = '', content }: Content & { readonly description?: string },
  names: Names,
): Fragment {
  const schema = Number(status) < 400 ? content?.['application/json']?.schema : undefined;
  const words = html`<span class="status">${status}</span>
    <span class="about"
      >${description.split('\n\n').map((line) => html`<span class="line">${prose(line)}</span>`)}</span
    >`;
  if (!schema) return html`<div class="response">${words}</div>`;
  return html`<details class="response" open>
    <summary>${words}</summary>
    ${fieldsOf(schema, names)}
  </details>`;
}

function curlOf({ method, path, operation }: Route, names: Names): string {
  const [type, media] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
  const address = `http://localhost:8000${path.replaceAll(/\{(\w+)\}/g, (_, name: string) => `$${name.toUpperCase()}`)}`;
  const example = media?.schema ? exampleOf(media.schema, names) : null;
  const isJson = type === 'application/json';
  return [
    `curl${method === 'get' ? '' : ` -X ${method.toUpperCase()}`} "${address}"`,
    ...(operation.security ? ['-H "Authorization: Bearer $TOKEN"'] : []),
    ...(isJson ? ["-H 'Content-Type: application/json'", `-d '${JSON.stringify(example)}'`] : []),
    ...(example && !isJson ? Object.entries(example).map(([name, value]) => `-d '${name}=${String(value)}'`) : []),
  ].join(' \\\n  ');
}
