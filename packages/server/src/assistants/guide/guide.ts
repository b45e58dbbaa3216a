import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Assistant, AssistantRequest } from '../assistant.ts';
import { AssistantLoadError } from '../load-error.ts';
import { answerText } from './answer.ts';
import { type GuideLog, Knowledge } from './knowledge.ts';
import { piecesOf } from './pieces.ts';

export type { GuideLog } from './knowledge.ts';

/** The guide, and ways to wait until it has seen its folder. */
export interface Guide extends Assistant {
  /** Fulfilled when the folder has been read for the first time. Questions wait for it by themselves. */
  ready(): Promise<void>;
  /** Fulfilled when the next changes in the folder can be found. */
  changed(): Promise<void>;
  close(): Promise<void>;
}

/** So that people see an answer being written; the whole of one is held back for no longer than the bound. */
const PACE_MS = 20;
const PACED_MAX_MS = 1_000;

const OWN_DOCUMENTATION = fileURLToPath(new URL('../../../../../docs', import.meta.url));

/**
 * Answers from a folder of Markdown by full-text search, with quotes and links.
 * @throws {AssistantLoadError} where the folder is not there.
 */
export async function createGuide(options: {
  folder?: string | undefined;
  log?: GuideLog | undefined;
  /** Between two pieces of an answer; 0 gives them as fast as they are taken. */
  paceMs?: number;
}): Promise<Guide> {
  const folder = resolve(options.folder ?? OWN_DOCUMENTATION);
  await requireFolder(folder, options.folder !== undefined);
  const knowledge = new Knowledge(folder, options.log);
  return {
    name: 'guide',
    reply: (request) => reply(knowledge, options.paceMs ?? PACE_MS, request),
    ready: () => knowledge.ready(),
    changed: () => knowledge.changed(),
    close: () => knowledge.close(),
  };
}

async function requireFolder(folder: string, named: boolean): Promise<void> {
  const setting = named ? `KNOWLEDGE_DIR=${folder}` : `The documentation for the guide, ${folder}`;
  const found = await stat(folder).catch((cause: unknown) => {
    throw new AssistantLoadError(`${setting}: there is no such folder that can be read.`, { cause });
  });
  if (!found.isDirectory()) throw new AssistantLoadError(`${setting}: this is not a folder.`);
}

async function* reply(
  knowledge: Knowledge,
  paceMs: number,
  { messages, user, signal }: AssistantRequest,
): AsyncGenerator<string> {
  if (signal.aborted) return;
  const question = messages.at(-1)?.content ?? '';
  const earlier = messages.slice(0, -1).findLast(({ author }) => author.id === user.id)?.content ?? null;
  const finding = await untilAborted(knowledge.search({ question, earlier }), signal);
  if (finding === null) return;
  const first = !messages.some(({ role }) => role === 'assistant');
  const pacedUntil = performance.now() + PACED_MAX_MS;
  for (const piece of piecesOf(answerText(finding, first))) {
    if (signal.aborted) return;
    yield piece;
    if (paceMs > 0 && performance.now() < pacedUntil) await untilAborted(setTimeout(paceMs), signal);
  }
}

async function untilAborted<T>(result: Promise<T>, signal: AbortSignal): Promise<T | null> {
  const aborted = Promise.withResolvers<null>();
  const stop = () => aborted.resolve(null);
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([result, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
