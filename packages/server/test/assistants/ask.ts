import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Message } from '@tertulia/protocol';
import { onTestFinished } from 'vitest';
import type { AnswerPart, Assistant, AssistantRequest } from '../../src/assistants/assistant.ts';

const ALICE = { kind: 'user', id: 'u_alice', name: 'alice' } as const;

/** A request whose last text is alice's question; before it alternate her earlier ones and the answers. */
export function requestOf(texts: readonly string[], signal = new AbortController().signal): AssistantRequest {
  const messages = texts.map((content, at): Message => {
    const asked = (texts.length - at) % 2 === 1;
    const author = asked ? ALICE : ({ kind: 'assistant', id: 'guide', name: 'guide' } as const);
    const role = asked ? 'user' : 'assistant';
    const ids = { id: `m_${at}`, conversation_id: 'c_1', task_id: null };
    return { ...ids, role, content, metadata: {}, timestamp: 1_700_000_000 + at, seq: at + 1, author };
  });
  return { conversation: { id: 'c_1', title: 'Talk' }, messages, user: ALICE, task: { id: 't_1', attempt: 1 }, signal };
}

/** The answer's parts, to be taken one by one. */
export function stepsOf(assistant: Assistant, question: string, signal?: AbortSignal): AsyncIterator<AnswerPart> {
  return assistant.reply(requestOf([question], signal))[Symbol.asyncIterator]();
}

/** All parts of the answer to the last text. */
export async function partsOf(assistant: Assistant, ...texts: string[]): Promise<string[]> {
  const parts: string[] = [];
  for await (const part of assistant.reply(requestOf(texts))) parts.push(typeof part === 'string' ? part : part.text);
  return parts;
}

/** The answer to the last text. */
export async function ask(assistant: Assistant, ...texts: string[]): Promise<string> {
  return (await partsOf(assistant, ...texts)).join('');
}

/** A folder that is gone after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'assistant-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
