import {
  authorSchema,
  clientEvents,
  endedTaskSchema,
  ERROR_CODES,
  errorDetailsSchema,
  extendedServerEvents,
  handshakeAuthSchema,
  baseServerEvents,
  logEventData,
  memberSchema,
  messageSchema,
  startedTaskSchema,
  type ClientEventName,
  type ExtendedServerEventName,
} from '@tertulia/protocol';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { readPage } from './pages.ts';

const page = await readPage('docs/protocol.md');
const section = (heading: string) => page.text.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
const firstColumn = (text: string) =>
  [...text.matchAll(/^\| (`[^|]*) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name),
  );

test('the page on the protocol lists exactly the events, types and fields that there are', () => {
  expect(firstColumn(section('Protocol 1: what the client sends'))).toEqual(Object.keys(clientEvents));
  const extended = firstColumn(section('Protocol 1: what the server sends'));
  expect(new Set(extended)).toEqual(new Set(Object.keys(extendedServerEvents)));
  const base = firstColumn(section('The base layer: events'));
  expect(base.slice(0, 3)).toEqual(['chat', 'join_conversation', 'leave_conversation']);
  expect(new Set(base.slice(3))).toEqual(new Set(Object.keys(baseServerEvents)));
  expect(firstColumn(section('The log of a conversation'))).toEqual(Object.keys(logEventData));
  expect(firstColumn(section('Connect: the handshake')).slice(0, 4)).toEqual(Object.keys(handshakeAuthSchema.shape));
});

/** How often each name occurs. */
const countOf = (names: readonly (string | undefined)[]) =>
  Object.fromEntries(names.map((name) => [name, names.filter((other) => other === name).length]));

test('the page on the protocol lists exactly the fields of messages, tasks, members and authors', () => {
  expect(firstColumn(section('A message'))).toEqual(Object.keys(messageSchema.shape));
  const listed = firstColumn(section('Tasks, members and who did it'));
  const schemas = [authorSchema, memberSchema, startedTaskSchema, endedTaskSchema];
  const fields = schemas.flatMap(({ shape }) => Object.keys(shape));
  expect(countOf(listed)).toEqual(countOf(fields));
});

/** One frame of the example: who sent it, what it is, and what it carries. */
function frames(): { from: string; type: string; ack: string; values: unknown[] }[] {
  const text = page.code
    .filter(({ language }) => language === 'text')
    .map(({ code }) => code.replaceAll(/\n {6}/g, ''));
  return text
    .join('')
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [, from = '', type = '', ack = '', json = ''] = /^(<-|->) (4?\d)(\d*)(.*)$/.exec(line) ?? [];
      const value: unknown = JSON.parse(json);
      return { from, type, ack, values: Array.isArray(value) ? value : [value] };
    });
}

const refusedConnectSchema = z.object({
  message: z.enum(ERROR_CODES),
  data: errorDetailsSchema.extend({ error: z.enum(ERROR_CODES) }),
});

test('each frame of the example is what the schemas say', () => {
  const asked = new Map<string, ClientEventName>();
  for (const { from, type, ack, values } of frames()) {
    const [first, second] = values;
    switch (`${from} ${type}`) {
      case '-> 40':
        expectFits(handshakeAuthSchema, first);
        break;
      case '-> 42':
        asked.set(ack, first as ClientEventName);
        expectFits(clientEvents[first as ClientEventName].payload, second);
        break;
      case '<- 42':
        expectFits(extendedServerEvents[first as ExtendedServerEventName], second);
        break;
      case '<- 44':
        expectFits(refusedConnectSchema, first);
        break;
      case '<- 43':
        expectFits(clientEvents[asked.get(ack)!].ack.extend({ ok: z.literal(true) }), first);
        break;
    }
  }
  const kinds = new Set(frames().map(({ from, type }) => `${from} ${type}`));
  expect(kinds).toEqual(new Set(['<- 0', '-> 40', '<- 40', '<- 42', '-> 42', '<- 43', '<- 44']));
});

/** Nothing is missing in it and nothing is too much. */
function expectFits(schema: z.ZodType, value: unknown): void {
  expect(schema.parse(value)).toEqual(value);
}
