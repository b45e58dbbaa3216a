import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { expect, onTestFinished, test, vi } from 'vitest';
import { loadAssistant } from '../../src/assistants/registry.ts';
import { ask, temporaryFolder } from './ask.ts';

const page = await readFile(new URL('../../../../docs/assistants.md', import.meta.url), 'utf8');
const code = (language: string) => new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 's').exec(page)?.[1] ?? '';

test('the assistant in the documentation is the one in examples/', async () => {
  expect(code('ts')).toBe(await readFile(new URL('../../../../examples/my-assistant.ts', import.meta.url), 'utf8'));
});

test('the language model of the documentation streams from a server that speaks like OpenAI', async () => {
  const asked: unknown[] = [];
  const server = createServer((request, response) => void answer(request, response, asked));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  vi.stubEnv('MODEL_URL', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  vi.stubEnv('MODEL_KEY', 'key');
  onTestFinished(() => void vi.unstubAllEnvs());
  const cwd = await temporaryFolder();
  await writeFile(join(cwd, 'my-model.mjs'), code('js'));
  const model = await loadAssistant('./my-model.mjs', { cwd, environment: 'production' });
  expect(model && (await ask(model, 'first', 'answer', 'hello'))).toBe('Good day.');
  const messages = [
    { role: 'user', content: 'first' },
    { role: 'assistant', content: 'answer' },
    { role: 'user', content: 'hello' },
  ];
  expect(asked).toEqual(['/chat/completions', 'Bearer key', { model: 'llama3.2', stream: true, messages }]);
});

test('the ten lines are ten lines', () => {
  expect(code('ts').trimEnd().split('\n').length).toBeLessThanOrEqual(10);
});

/** Cuts its stream where it hurts: in the middle of a line. */
async function answer(request: IncomingMessage, response: ServerResponse, asked: unknown[]): Promise<void> {
  asked.push(request.url, request.headers.authorization, await json(request));
  response.write('data: {"choices":[{"delta":{"role":"assistant"}}]}\n\ndata: {"choices":[{"delta":{"cont');
  response.write('ent":"Good "}}]}\n\ndata: {"choices":[{"delta":{"content":"day."}}]}\n\ndata: {"choices":[]}\n\n');
  response.end('data: [DONE]\n\n');
}
