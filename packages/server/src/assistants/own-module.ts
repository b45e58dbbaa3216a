import { stat } from 'node:fs/promises';
import { basename, extname, isAbsolute, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { AnswerPart, Assistant, AssistantRequest } from './assistant.ts';
import { AssistantLoadError } from './load-error.ts';

type Reply = ((request: AssistantRequest) => unknown) & { readonly name: string };

const NAME_MAX = 50;
/** Written into tasks that no assistant of this process takes up: one of that name would never be asked. */
const TAKEN_NAMES = ['none', 'external'];

/** Whether a setting's value names a module's file rather than an assistant that comes with the server. */
export function isModulePath(name: string): boolean {
  return /[/\\]/.test(name) || name.startsWith('file:') || /\.[cm]?[jt]s$/.test(name);
}

/**
 * Loads a developer's own assistant: a module whose default export is an async generator function.
 * @throws {AssistantLoadError} where there is no such file, it does not run, or exports something else.
 */
export async function loadOwnModule(name: string, cwd: string): Promise<Assistant> {
  const path = modulePath(name, cwd);
  await requireFile(name, path);
  const reply = replyOf(name, await importModule(name, path));
  return {
    name: authorName(name, reply, path),
    async *reply(request) {
      for await (const part of partsOf(name, reply(request))) yield checkedPart(name, part);
    },
  };
}

function modulePath(name: string, cwd: string): string {
  if (!name.startsWith('file:')) return isAbsolute(name) ? name : resolve(cwd, name);
  try {
    return fileURLToPath(name);
  } catch (cause) {
    throw new AssistantLoadError(`ASSISTANT=${name}: this is not the URL of a file on this machine.`, { cause });
  }
}

async function requireFile(name: string, path: string): Promise<void> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new AssistantLoadError(`ASSISTANT=${name}: there is no file ${path} that can be read.`, { cause });
  });
  if (!found.isFile()) throw new AssistantLoadError(`ASSISTANT=${name}: ${path} is not a file.`);
}

async function importModule(name: string, path: string): Promise<object> {
  try {
    return (await import(/* @vite-ignore */ pathToFileURL(path).href)) as object;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new AssistantLoadError(`ASSISTANT=${name}: the module failed while it was loaded: ${firstLine(reason)}`, {
      cause,
    });
  }
}

function replyOf(name: string, module: object): Reply {
  const form = 'export default async function* (request) { yield "text"; }';
  if (!('default' in module))
    throw new AssistantLoadError(`ASSISTANT=${name}: it has no default export; write \`${form}\`.`);
  const reply = module.default;
  if (typeof reply !== 'function') {
    throw new AssistantLoadError(`ASSISTANT=${name}: its default export is not a function; write \`${form}\`.`);
  }
  // Both would only be found out by the first question, and `async function` without the star is the common slip.
  if (Object.prototype.toString.call(reply) === '[object AsyncFunction]' || /^class\b/.test(String(reply))) {
    throw new AssistantLoadError(`ASSISTANT=${name}: its default export is not an async generator; write \`${form}\`.`);
  }
  return reply as Reply;
}

function authorName(setting: string, reply: Reply, path: string): string {
  const own = reply.name === 'default' ? '' : reply.name;
  const visible = (own || basename(path, extname(path))).replaceAll(/[\p{C}\s]+/gu, ' ').trim();
  const name = [...visible].slice(0, NAME_MAX).join('') || 'assistant';
  if (!TAKEN_NAMES.includes(name)) return name;
  throw new AssistantLoadError(`ASSISTANT=${setting}: the name \`${name}\` is taken; give the function another one.`);
}

function partsOf(name: string, parts: unknown): AsyncIterable<unknown> | Iterable<unknown> {
  if (typeof parts === 'object' && parts !== null && (Symbol.asyncIterator in parts || Symbol.iterator in parts)) {
    return parts as AsyncIterable<unknown> | Iterable<unknown>;
  }
  throw new TypeError(`The assistant ${name} did not return an async iterable: is it an \`async function*\`?`);
}

function checkedPart(name: string, part: unknown): AnswerPart {
  if (typeof part === 'string') return part;
  if (typeof part === 'object' && part !== null && 'type' in part && part.type === 'text') {
    if ('text' in part && typeof part.text === 'string') return { type: 'text', text: part.text };
  }
  throw new TypeError(`The assistant ${name} yielded something that is neither a string nor {type: 'text', text}.`);
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
