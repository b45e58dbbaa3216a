import { expect, test } from 'vitest';

/** The page's modules are plain JavaScript without types for this side, and need no browser where they touch no page. */
const load = (name: string) => import(new URL(`../../../../static/test-page/${name}.js`, import.meta.url).href);
const { Answer } = await load('answers');
const { Transcript } = await load('transcript');
const { catchUp } = await load('catch-up');
const { EventLog } = await load('event-log');
const { tokensOfPaste } = await load('tokens');

const actor = { kind: 'user', id: 'u', name: 'Una' };
const envelope = { conversation_id: 'c', actor, created_at: '2026-01-01T00:00:00.000Z' };

function messageEvent(seq: number, more: object = {}) {
  const author = { kind: 'user', id: 'u', name: 'Una' };
  const message = { id: `m${seq}`, role: 'user', content: `text ${seq}`, metadata: {}, timestamp: 1, seq, author };
  return { ...envelope, seq, type: 'message_created', data: { message, ...more } };
}

test('deltas that come twice or overlap add nothing', () => {
  const answer = new Answer('t', 1);
  answer.delta(1, 0, 'Hel');
  answer.delta(1, 3, 'lo');
  answer.delta(1, 3, 'lo');
  answer.delta(1, 1, 'ello wor');
  answer.delta(1, 9, 'ld');
  expect(answer.text).toBe('Hello world');
  expect(answer.hasGap).toBe(false);
});

test('a late joiner holds deltas until the checkpoint reaches the first of them', () => {
  const answer = new Answer('t', 1);
  answer.delta(1, 6, 'wor');
  answer.delta(1, 9, 'ld');
  expect([answer.text, answer.hasGap]).toEqual(['', true]);
  answer.checkpoint(1, 'Hel');
  expect([answer.text, answer.hasGap]).toEqual(['Hel', true]);
  answer.checkpoint(1, 'Hello w');
  expect([answer.text, answer.hasGap]).toEqual(['Hello world', false]);
});

test('a checkpoint that is behind takes nothing away', () => {
  const answer = new Answer('t', 1);
  answer.delta(1, 0, 'Hello');
  answer.checkpoint(1, 'He');
  expect(answer.text).toBe('Hello');
});

test('a lower attempt is ignored and a higher one replaces', () => {
  const answer = new Answer('t', 1);
  answer.delta(2, 0, 'second');
  answer.delta(1, 0, 'first, and long');
  answer.checkpoint(1, 'first, and long');
  expect(answer.text).toBe('second');
  answer.start(3, 'guide');
  expect([answer.text, answer.attempt]).toEqual(['', 3]);
  answer.delta(3, 0, 'third');
  expect(answer.text).toBe('third');
});

test('events are taken in order, and the same one once', () => {
  const transcript = new Transcript('c');
  expect(transcript.take(messageEvent(2))).toEqual([]);
  expect(transcript.hasGap).toBe(true);
  expect(transcript.take(messageEvent(1))).toHaveLength(2);
  expect(transcript.take(messageEvent(2))).toEqual([]);
  expect(transcript.hasGap).toBe(false);
  expect(transcript.sorted.map((entry: { seq: number }) => entry.seq)).toEqual([1, 2]);
});

test('an event of an unknown type still counts', () => {
  const transcript = new Transcript('c');
  transcript.take({ ...envelope, seq: 1, type: 'from_the_future', data: {} });
  transcript.take(messageEvent(2));
  expect(transcript.lastSeq).toBe(2);
  expect(transcript.sorted).toHaveLength(1);
});

test('an answer ends with its last message, and late deltas do not bring it back', () => {
  const transcript = new Transcript('c');
  transcript.take(messageEvent(1, { task: { id: 't' } }));
  transcript.answer('t').delta(1, 0, 'Hi');
  transcript.take(messageEvent(2, { ends_task: { id: 't' } }));
  expect(transcript.answers.size).toBe(0);
  expect(transcript.answer('t')).toBeNull();
});

test('a failed answer leaves what was written of it and why', () => {
  const transcript = new Transcript('c');
  transcript.take(messageEvent(1, { task: { id: 't' } }));
  const task = { id: 't', attempt: 1, status: 'failed', error: { message: 'Too slow' }, partial_text: 'I beg' };
  transcript.take({ ...envelope, seq: 2, type: 'task_ended', data: { task } });
  expect(transcript.sorted.at(-1)).toMatchObject({ isBad: true, partialText: 'I beg', text: { values: ['Too slow'] } });
});

test('the event log keeps the newest thousand rows', () => {
  const log = new EventLog();
  for (let index = 0; index < 1_200; index += 1) log.add('in', 'x', { index });
  expect(log.rows).toHaveLength(1_000);
  expect(log.rows[0].json).toBe('{"index":200}');
});

test('tokens and passwords do not reach the event log', () => {
  const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln';
  const log = new EventLog();
  const payload = { token: 'a', refresh_token: 'b', nested: { password: 'c' }, text: `it is ${jwt}!`, tokens: 3 };
  log.add('out', 'connect', payload);
  expect(JSON.parse(log.rows[0].json)).toEqual({
    token: '***',
    refresh_token: '***',
    nested: { password: '***' },
    text: 'it is ***!',
    tokens: 3,
  });
  log.add('in', 'long', { text: 'x'.repeat(100_000) });
  expect(log.rows[1].json).toMatch(/x… \(\d+ more characters\)$/);
});

test('a pasted token tells its end, and anything else tells none', () => {
  expect(tokensOfPaste('eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjE3MDAwMDAwMDB9.x')).toMatchObject({
    expiresAt: 1_700_000_000_000,
  });
  expect(tokensOfPaste('no token')).toMatchObject({ expiresAt: null, refreshToken: null });
});

/** A connection that answers these pages, one a call, and remembers what it was asked. */
function answering(...pages: object[]) {
  const asked: number[] = [];
  const send = (_name: string, { after_seq }: { after_seq: number }) => {
    asked.push(after_seq);
    return Promise.resolve({ events: [], running: [], complete: true, ...pages.shift() });
  };
  return { send, asked };
}

test('catching up goes on from the last event until the log is read', async () => {
  const transcript = new Transcript('c');
  const connection = answering(
    { events: [messageEvent(1), messageEvent(2)], complete: false },
    { events: [messageEvent(3)] },
  );
  await catchUp(connection, transcript, 'sync');
  expect(connection.asked).toEqual([0, 2]);
  expect(transcript.lastSeq).toBe(3);
});

test('a restored database that knows less makes the page begin anew', async () => {
  const transcript = new Transcript('c');
  for (const seq of [1, 2, 3]) transcript.take(messageEvent(seq));
  const connection = answering({ reset: true }, { events: [messageEvent(1)] });
  await catchUp(connection, transcript, 'join_conversation');
  expect(connection.asked).toEqual([3, 0]);
  expect(transcript.sorted).toHaveLength(1);
});

test('a log that does not go on is not asked for ever', async () => {
  const connection = answering({ complete: false }, { complete: false });
  await catchUp(connection, new Transcript('c'), 'sync');
  expect(connection.asked).toEqual([0]);
});
