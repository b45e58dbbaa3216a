import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Assistant, AssistantRequest } from '../assistant.ts';
import { AssistantLoadError } from '../load-error.ts';
import { answerText } from './answer.ts';
import { type GuideLog, Knowledge } from './knowledge.ts';
import { piecesOf } from './pieces.ts';
import type { Finding } from './search.ts';

export type { GuideLog } from './knowledge.ts';

/** The guide, and ways to wait until it has seen its folder. */
export interface Guide extends Assistant {
  /** Fulfilled when the folder has been read for the first time. Questions wait for it by themselves. */
  ready(): Promise<void>;
  /** Fulfilled when the next changes in the folder can be found. */
  changed(): Promise<void>;
  close(): Promise<void>;
}

const OWN_DOCUMENTATION = fileURLToPath(new URL('../../../../../docs', import.meta.url));

/**
 * Answers from a folder of Markdown by full-text search, with quotes and links.
 * @throws {AssistantLoadError} where the folder is not there.
 */
export async function createGuide(options: {
  folder?: string | undefined;
  log?: GuideLog | undefined;
}): Promise<Guide> {
  const folder = resolve(options.folder ?? OWN_DOCUMENTATION);
  await requireFolder(folder, options.folder !== undefined);
  const knowledge = new Knowledge(folder, options.log);
  return {
    name: 'guide',
    reply: (request) => reply(knowledge, request),
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

async function* reply(knowledge: Knowledge, { messages, user, signal }: AssistantRequest): AsyncGenerator<string> {
  if (signal.aborted) return;
  const question = messages.at(-1)?.content ?? '';
  const earlier = messages.slice(0, -1).findLast(({ author }) => author.id === user.id)?.content ?? null;
  const finding = await untilAborted(knowledge.search({ question, earlier }), signal);
  if (finding === null) return;
  const first = !messages.some(({ role }) => role === 'assistant');
  for (const piece of piecesOf(answerText(finding, first))) {
    if (signal.aborted) return;
    yield piece;
  }
}

async function untilAborted(finding: Promise<Finding>, signal: AbortSignal): Promise<Finding | null> {
  const aborted = Promise.withResolvers<null>();
  const stop = () => aborted.resolve(null);
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([finding, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
