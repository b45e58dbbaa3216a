import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { loadAssistant } from '../../src/assistants/registry.ts';
import { ask, requestOf } from './ask.ts';

const cwd = fileURLToPath(new URL('../../../..', import.meta.url));

test("the example of a developer's own assistant answers word by word", async () => {
  const parrot = await loadAssistant('./examples/my-assistant.ts', { cwd, environment: 'production' });
  if (!parrot) throw new Error('nothing was loaded');
  expect(parrot.name).toBe('parrot');
  expect(await ask(parrot, 'good  morning')).toBe('alice, you said: good morning');
});

test('the example stops when nobody wants its answer any more', async () => {
  const parrot = await loadAssistant('./examples/my-assistant.ts', { cwd, environment: 'production' });
  const stop = new AbortController();
  const parts: unknown[] = [];
  for await (const part of parrot?.reply(requestOf(['one two three'], stop.signal)) ?? []) {
    if (parts.push(part) === 2) stop.abort();
  }
  expect(parts).toEqual(['alice, you said:', ' one']);
});
