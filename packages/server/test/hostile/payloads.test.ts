import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { InboundMeter } from '../../src/socket/inbound-meter.ts';
import { BoundedDecoder } from '../../src/socket/packet-parser.ts';
import { startAttacked, type Attacked } from './attacked.ts';
import type { RawSocket } from './raw-socket.ts';

let server: Attacked;
let raw: RawSocket;
beforeAll(async () => {
  server = await startAttacked();
  ({ raw } = await server.attacker('mallory'));
});
afterEach(() => server.expectUnharmed());
afterAll(() => server.close());

const EVENTS = ['chat', 'join_conversation', 'leave_conversation', 'sync', 'auth_refresh'];
const NO_PAYLOADS = ['null', '7', '-0', '""', '"text"', 'true', '[]', '[{}]', '{}', '"2026-01-01T00:00:00.000Z"'];

const invalid = { ok: false, error: { code: 'invalid_payload', message: expect.any(String) } };

describe.each(EVENTS)('%s', (event) => {
  test.each(NO_PAYLOADS)('with %s is invalid, with an acknowledgement and without', async (json) => {
    expect(await raw.askRaw(`["${event}",${json}]`)).toMatchObject(invalid);
    raw.send(`42["${event}",${json}]`);
    expect(await raw.nextError()).toMatchObject({ error: 'invalid_payload', event });
  });

  test('with nothing at all is invalid', async () => {
    expect(await raw.askRaw(`["${event}"]`)).toMatchObject(invalid);
  });

  test('with binary data where JSON is expected is invalid', async () => {
    const placeholder = '{"_placeholder":true,"num":0}';
    for (const payload of [placeholder, `{"message":${placeholder},"conversation_id":"x","token":"x","after_seq":0}`]) {
      raw.send(`451-["${event}",${payload}]`);
      raw.send(Buffer.from('hello'));
      expect(await raw.nextError()).toMatchObject({ error: 'invalid_payload', event });
    }
  });
});

describe('a message', () => {
  const say = (message: unknown) => raw.ask('chat', { message });

  test.each([
    ['absent', undefined],
    ['null', null],
    ['a number', 7],
    ['an array', ['x']],
    ['an object', { text: 'x' }],
    ['empty', ''],
    ['only spaces', ' \t\r\n\u00a0\u3000'],
    ['only what cannot be seen', '\u200b\u200d\ufeff\u2060\u00ad'],
    ['only control characters', '\u0000\u0007\u001b'],
    ['half a surrogate pair', 'x\ud83d'],
  ])('that is %s is invalid', async (_name, message) => {
    expect(await say(message)).toMatchObject(invalid);
  });

  test('of 16,000 code points is taken, of one more refused with the limit, in emoji as in letters', async () => {
    for (const character of ['x', '💬', 'é']) {
      expect(await say(character.repeat(16_000))).toMatchObject({ ok: true });
      const { error } = await say(character.repeat(16_001));
      expect(error).toMatchObject({ code: 'too_large', limit: '16000 code points' });
    }
  });

  test('of 16,000 emoji is taken as escapes too, as Python sends them', async () => {
    expect(await raw.askRaw(`["chat",{"message":"${'\\ud83d\\udcac'.repeat(16_000)}"}]`)).toMatchObject({ ok: true });
  });
});

describe('metadata', () => {
  const nest = (levels: number, inner = '1') => '{"a":'.repeat(levels) + inner + '}'.repeat(levels);
  const send = (metadata: string) => raw.askRaw(`["chat",{"message":"x","metadata":${metadata}}]`);

  test('of 16 levels comes back as it was sent', async () => {
    const { user_message } = await send(nest(16));
    expect(user_message.metadata).toEqual(JSON.parse(nest(16)));
  });

  test.each([17, 18, 19, 20, 500, 5_000, 40_000])('of %i levels is invalid, and says why', async (levels) => {
    for (const json of [nest(levels), `{"a":${'['.repeat(levels)}${']'.repeat(levels)}}`]) {
      const { ok, error } = await send(json);
      expect({ ok, code: error.code, event: error.event }).toEqual({
        ok: false,
        code: 'invalid_payload',
        event: 'chat',
      });
      expect(error.message).toContain('16 levels');
    }
  });

  test('that is too deep is not even parsed: 120,000 brackets cost less than a text of their length', () => {
    const cost = (metadata: string) => {
      const decoder = new BoundedDecoder();
      decoder.meter = new InboundMeter(1_000);
      const before = performance.now();
      for (let turn = 0; turn < 20; turn += 1) decoder.add(`2["chat",{"metadata":${metadata}}]`);
      return performance.now() - before;
    };
    const [brackets, text] = ['['.repeat(120_000) + ']'.repeat(120_000), `"${'x'.repeat(240_000)}"`];
    // The least of several, in turn: whatever else the machine does only adds. Parsing them takes a hundred times as long.
    const rounds = Array.from({ length: 7 }, () => ({ brackets: cost(brackets), text: cost(text) }));
    const least = (of: 'brackets' | 'text') => Math.min(...rounds.map((round) => round[of]));
    expect(least('brackets')).toBeLessThan(least('text'));
  });

  test.each([
    ['1e309', '1e309'],
    ['-1e309', '-1e309'],
    ['-0', '-0'],
    ['2^53 + 1', '9007199254740993'],
    ['a number of 400 digits', '9'.repeat(400)],
    ['a lone surrogate', '"\\ud800"'],
    ['a lone surrogate deep inside', '[{"x":["\\udc00"]}]'],
  ])('with %s is refused: it could not be given back exactly', async (_name, json) => {
    expect(await send(`{"a":${json}}`)).toMatchObject(invalid);
  });

  test('with a lone surrogate in a key is refused', async () => {
    expect(await send('{"\\ud800":1}')).toMatchObject(invalid);
  });

  test.each([
    ['a key of 50 KB', JSON.stringify({ ['k'.repeat(50_000)]: 1 })],
    ['100,000 items', JSON.stringify({ a: Array.from({ length: 100_000 }, () => 1) })],
    ['20,000 keys', JSON.stringify(Object.fromEntries(Array.from({ length: 20_000 }, (_, key) => [`k${key}`, 1])))],
    ['20 KB of text', JSON.stringify({ a: 'x'.repeat(20_000) })],
  ])('with %s is refused', async (_name, json) => {
    expect(await send(json)).toMatchObject(invalid);
  });

  test.each(['[]', '"x"', '7', 'true'])('that is %s is refused', async (json) => {
    expect(await send(json)).toMatchObject(invalid);
  });

  test('is opaque: operators, dots, prototypes and SQL in it are data and come back unchanged', async () => {
    const json =
      '{"$where":"sleep(1000)","$expr":{"$gt":[1,0]},"a.b":{"$ne":null},"__proto__":{"admin":true},' +
      '"constructor":{"prototype":{"x":1}},"toString":"x","toJSON":"x","":"\'; DROP TABLE events;--","n":"NaN",' +
      '"f":0.1,"i":9007199254740991,"e":[[],{},"\\u0000"]}';
    const { user_message, conversation_id } = await send(json);
    expect(JSON.stringify(user_message.metadata)).toBe(JSON.stringify(JSON.parse(json)));
    const page = await raw.ask('sync', { conversation_id, after_seq: 0 });
    expect(JSON.stringify(page.events[0].data.message.metadata)).toBe(JSON.stringify(JSON.parse(json)));
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });
});

describe('a conversation id', () => {
  const IDS: unknown[] = [
    { $ne: null },
    { $gt: '' },
    ['a'],
    { toString: 'a' },
    7,
    true,
    '',
    '../../etc/passwd',
    "' OR 1=1 --",
    'a b',
    'a\u0000b',
    'ａｂ',
    'x'.repeat(129),
    'x'.repeat(10_000),
    'base:user:/',
    'conversation:%2f',
    '\u202eabc',
  ];

  test.each(IDS.map((id) => [JSON.stringify(id).slice(0, 40), id]))('%s is invalid everywhere', async (_name, id) => {
    const payload = { conversation_id: id, message: 'x', after_seq: 0 };
    for (const event of ['chat', 'join_conversation', 'leave_conversation', 'sync']) {
      expect(await raw.ask(event, payload), event).toMatchObject(invalid);
    }
  });

  test('of a room of ours, or of another kind, reaches nothing', async () => {
    const { person } = await server.attacker('mallet');
    for (const id of [
      person.id,
      `user:${person.id}`,
      `base:user:${person.id}`,
      `session:x`,
      raw.sid.replaceAll(/\W/g, ''),
    ]) {
      for (const event of ['chat', 'join_conversation', 'sync']) {
        const answer = await raw.ask(event, { conversation_id: id, message: 'x', after_seq: 0 });
        expect(answer, `${event} ${id}`).toMatchObject({ ok: false, error: { code: 'not_found' } });
      }
    }
  });
});

test.each([-1, 1.5, '0', null, 2 ** 53, 1e300, [0]])('an after_seq of %j is invalid', async (after_seq) => {
  const { conversation_id } = await raw.ask('chat', { message: 'x' });
  expect(await raw.ask('sync', { conversation_id, after_seq })).toMatchObject(invalid);
});

test('what a message must not set is ignored', async () => {
  const wanted = {
    role: 'system',
    user_id: 'x',
    seq: 99,
    created_at: 'x',
    timestamp: 1,
    task_id: 'mine',
    sender: 'x',
    author: { kind: 'system', id: 'x', name: 'x' },
    id: 'mine',
    task_fields: { priority: 'urgent' },
    user: { id: 'x' },
    type: 'conversation_deleted',
    actor: { kind: 'system' },
  };
  const { user_message, seq, task_id, conversation_id } = await raw.ask('chat', { ...wanted, message: 'x' });
  expect({ role: user_message.role, seq }).toEqual({ role: 'user', seq: 1 });
  expect(user_message.author.name).toBe('mallory');
  expect([task_id, user_message.id]).not.toContain('mine');
  expect(user_message.timestamp).toBeGreaterThan(1);
  const { events } = await raw.ask('sync', { conversation_id, after_seq: 0 });
  expect(events[0]).toMatchObject({ type: 'conversation_created', actor: { kind: 'user', name: 'mallory' } });
  expect(JSON.stringify(events)).not.toMatch(/urgent|"system"|mine/);
});

test('arguments beyond the payload are ignored', async () => {
  expect(await raw.ask('chat', { message: 'x' }, { message: 'y' }, null, 7)).toMatchObject({
    ok: true,
    user_message: { content: 'x' },
  });
});
