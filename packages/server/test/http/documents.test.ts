import { createRequire } from 'node:module';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv } from 'ajv';
import ajvFormats from 'ajv-formats';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { baseServerEvents, clientEvents, extendedServerEvents, logEventData, type ErrorCode } from '@tertulia/protocol';
import { createHttp } from '../../src/http/http.ts';
import type { HttpParts } from '../../src/http/parts.ts';
import { asker } from '../support/asker.ts';
import { startServer, type Person, type TestServer } from '../support/start-server.ts';

let server: TestServer;
let alice: Person;
const ask = asker(() => server);

beforeAll(async () => {
  server = await startServer();
  alice = await server.signUp('alice');
});
afterAll(() => server.close());

// What a document holds is what each test says; typing it here would only repeat the schemas.
type Document = any; // oxlint-disable-line no-explicit-any

const read = async (path: string) => (await fetch(server.url + path)).json() as Promise<Document>;

/** All values under `key`, wherever they stand. */
function valuesOf(value: unknown, key: string): unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [...(name === key ? [inner] : []), ...valuesOf(inner, key)]);
}

function resolve(document: Document, reference: string): unknown {
  return reference
    .slice(2)
    .split('/')
    .reduce((value, step) => value?.[step.replaceAll('~1', '/').replaceAll('~0', '~')], document);
}

function expectReferencesToResolve(document: unknown): void {
  const references = valuesOf(document, '$ref') as string[];
  expect(references.length).toBeGreaterThan(5);
  for (const reference of references) expect(resolve(document, reference), reference).toBeDefined();
}

test('the OpenAPI document is valid', async () => {
  const document = await read('/openapi.json');
  const { valid, errors } = await new Validator().validate(structuredClone(document));
  expect(valid, JSON.stringify(errors)).toBe(true);
  expect(document.openapi).toBe('3.1.0');
  expectReferencesToResolve(document);
});

test('every route that is served stands in the OpenAPI document', async () => {
  const { paths } = await read('/openapi.json');
  const parts = { config: server.context.config, accounts: server.context.accounts, metrics: server.context.metrics };
  const { routes } = createHttp(parts as HttpParts);
  const served = routes
    .filter(({ method, path }) => method !== 'ALL' && !/^\/(static\/\*|docs\/\*|favicon\.ico)/.test(path))
    .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
  const described = Object.entries(paths as object).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect([...new Set(served)].toSorted()).toEqual(described.toSorted());
  expect(described.length).toBeGreaterThan(35);
});

test('what routes answer is what their schemas in the OpenAPI document say', async () => {
  const document = await read('/openapi.json');
  const ajv = ajvFormats
    .default(new Ajv({ strict: false, allErrors: true }))
    .addSchema({ $id: 'openapi', ...document });
  const { body } = await ask(alice, 'POST', '/chat?wait=60', { message: 'hello' });
  const ids: Record<string, string> = { conversation_id: body.conversation_id, task_id: body.task_id };
  let checked = 0;
  for (const [path, methods] of Object.entries<Document>(document.paths)) {
    const schema = methods.get?.responses[200].content?.['application/json']?.schema;
    if (!schema) continue;
    const address = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? '');
    const response = await fetch(server.url + address, { headers: { authorization: `Bearer ${alice.token}` } });
    expect(response.status, path).toBe(200);
    const local = JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"openapi#/'));
    expect(ajv.validate(local, await response.json()), `${path}: ${ajv.errorsText()}`).toBe(true);
    checked += 1;
  }
  expect(checked).toBeGreaterThan(14);
});

test('the AsyncAPI document is valid', async () => {
  const document = await read('/asyncapi.json');
  const require = createRequire(import.meta.url);
  const schema = require('@asyncapi/specs/schemas/3.0.0-without-$id.json') as object;
  const ajv = ajvFormats.default(new Ajv({ strict: false, allErrors: true, logger: false, unicodeRegExp: false }));
  expect(ajv.validate(schema, document), ajv.errorsText()).toBe(true);
  expectReferencesToResolve(document);
});

test('every event and every type of the log stands in the AsyncAPI document, acknowledgements as replies', async () => {
  const { operations, channels, components } = await read('/asyncapi.json');
  for (const event of Object.keys(clientEvents)) {
    for (const channel of ['base', 'protocol_1']) {
      expect(operations[`${channel}_receive_${event}`]).toMatchObject({
        action: 'receive',
        messages: [{ $ref: `#/channels/${channel}/messages/${event}` }],
        reply: { messages: [{ $ref: `#/channels/${channel}/messages/${event}_ack` }, {}] },
      });
    }
  }
  const sent = (channel: string) =>
    Object.keys(operations)
      .filter((name) => name.startsWith(`${channel}_send_`))
      .map((name) => name.slice(channel.length + 6))
      .toSorted();
  expect(sent('base')).toEqual(Object.keys(baseServerEvents).toSorted());
  expect(sent('protocol_1')).toEqual(Object.keys(extendedServerEvents).toSorted());
  const types = operations.protocol_1_send_conversation_event.messages.map(({ $ref }: { $ref: string }) => $ref);
  expect(types).toEqual(
    Object.keys(logEventData).map((type) => `#/channels/protocol_1/messages/conversation_event_${type}`),
  );
  expect(Object.keys(channels)).toEqual(['base', 'protocol_1']);
  const refused = components.schemas.Refusal.properties.error.properties.code.enum as ErrorCode[];
  expect(refused).toContain('rate_limited');
});

test('what a socket gets is what the AsyncAPI document says', async () => {
  const document = await read('/asyncapi.json');
  const ajv = ajvFormats
    .default(new Ajv({ strict: false, allErrors: true }))
    .addSchema({ $id: 'asyncapi', ...document });
  const check = (name: string, value: unknown) =>
    expect(
      ajv.validate({ $ref: `asyncapi#/components/messages/${name}/payload` }, value),
      `${name}: ${ajv.errorsText()}`,
    ).toBe(true);
  const [base, extended] = [await server.connect(alice), await server.connect(alice, { protocol: 1 })];
  check('base_connected', base.received[0]?.payload);
  check('protocol_1_connected', extended.received[0]?.payload);
  const asked = await extended.ask('chat', { message: 'hello' });
  check('chat_ack', asked);
  check('base_conversation', await base.next('conversation'));
  for (const type of ['conversation_created', 'message_created']) {
    check(`conversation_event_${type}`, await extended.next('conversation_event', (event) => event.type === type));
  }
  const { conversation_id } = asked;
  check('join_conversation_ack', await extended.ask('join_conversation', { conversation_id, after_seq: 0 }));
  check('refusal', await extended.ask('join_conversation', { conversation_id: 'nothing' }));
  check('protocol_1_response_end', extended.received.find(({ name }) => name === 'response_end')?.payload);
});

test('/docs shows every route and every event, runs nothing, and asks nobody else', async () => {
  const response = await fetch(`${server.url}/docs`);
  expect(response.headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'self';/);
  const page = await response.text();
  const { paths } = await read('/openapi.json');
  for (const path of Object.keys(paths)) expect(page).toContain(`<code class="path">${path}</code>`);
  for (const event of Object.keys({ ...clientEvents, ...baseServerEvents, ...extendedServerEvents })) {
    expect(page).toContain(`<code class="path">${event}</code>`);
  }
  expect(page).not.toMatch(/<script|style=|\son\w+="|\bundefined\b|\[object/);
  expect([...page.matchAll(/(?:src|href)="(?!#|\/)/g)]).toEqual([]);
  const anchors = new Set([...page.matchAll(/id="([^"]+)"/g)].map(([, id]) => id));
  for (const [, anchor] of page.matchAll(/href="#([^"]+)"/g)) expect(anchors, anchor).toContain(anchor);
});
