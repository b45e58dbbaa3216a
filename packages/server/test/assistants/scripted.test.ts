import { expect, test } from 'vitest';
import { createScripted } from '../../src/assistants/scripted.ts';
import { ask, stepsOf } from './ask.ts';

test('scripts are played one a call, and the calls are kept', async () => {
  const scripted = createScripted([[{ text: 'a' }, { delay_ms: 0 }, { text: 'b' }], [{ text: 'c' }]]);
  expect(await ask(scripted, 'one')).toBe('ab');
  expect(await ask(scripted, 'two')).toBe('c');
  expect(scripted.calls.map(({ messages }) => messages[0]?.content)).toEqual(['one', 'two']);
});

test('a call that was not planned throws', async () => {
  await expect(ask(createScripted(), 'hello')).rejects.toThrow('called unplanned');
});

test('a question can carry its own script', async () => {
  const script = JSON.stringify({ steps: [{ text: 'a' }, { delay_ms: 0 }, { flood: 20_000 }, { text: 'z' }] });
  const answer = await ask(createScripted(), `please play\nscript: ${script}\nthank you`);
  expect(answer).toMatch(/^aflood flood.*z$/);
  expect(answer).toHaveLength(20_002);
});

test.each([
  ['script: nonsense', 'JSON'],
  ['script: {}', 'steps'],
  ['script: {"steps":[{"say":"a"}]}', 'steps'],
  ['script: {"steps":[{"flood":1e99}]}', 'steps'],
])('a script that is not one throws: %s', async (question, reason) => {
  await expect(ask(createScripted(), question)).rejects.toThrow(reason);
});

test('a script fails with the very error it was given', async () => {
  const error = new Error('no power');
  await expect(ask(createScripted([[{ text: 'a' }, { fail: error }]]), 'hello')).rejects.toBe(error);
  await expect(ask(createScripted(), 'script: {"steps":[{"fail":"no model"}]}')).rejects.toThrow('no model');
});

test('a script waits for a promise that the test holds', async () => {
  const gate = Promise.withResolvers<void>();
  const scripted = createScripted([[{ text: 'a' }, { until: gate.promise }, { text: 'b' }]]);
  const parts = stepsOf(scripted, 'hello');
  expect((await parts.next()).value).toBe('a');
  const next = parts.next();
  gate.resolve();
  expect((await next).value).toBe('b');
});

test.each([{ delay_ms: 600_000 }, { until: new Promise(() => {}) }])('an abort ends a wait: %o', async (step) => {
  const stop = new AbortController();
  const next = stepsOf(createScripted([[step, { text: 'never' }]]), 'hello', stop.signal).next();
  stop.abort();
  expect(await next).toEqual({ done: true, value: undefined });
});

test('a script that hangs does not listen to the abort', async () => {
  const stop = new AbortController();
  const iterator = stepsOf(createScripted([[{ text: 'a' }, { hang: true }]]), 'hello', stop.signal);
  await iterator.next();
  const next = iterator.next().then(() => 'went on');
  stop.abort();
  expect(await Promise.race([next, new Promise((resolve) => setImmediate(resolve, 'hung'))])).toBe('hung');
});
