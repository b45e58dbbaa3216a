import { execFile } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { AssistantLoadError } from '../../src/assistants/load-error.ts';
import { loadAssistant } from '../../src/assistants/registry.ts';
import { ask, temporaryFolder } from './ask.ts';

const run = promisify(execFile);
const development = { cwd: process.cwd(), environment: 'development' } as const;

async function written(file: string, source: string) {
  const cwd = await temporaryFolder();
  await writeFile(join(cwd, file), source);
  return { ...development, cwd };
}

async function refusal(name: string, surroundings: Parameters<typeof loadAssistant>[1] = development): Promise<string> {
  const error: unknown = await loadAssistant(name, surroundings).then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(AssistantLoadError);
  return (error as AssistantLoadError).message;
}

test('with none and external no assistant runs in this process', async () => {
  expect(await loadAssistant('none', development)).toBeNull();
  expect(await loadAssistant('external', development)).toBeNull();
});

test('echo says back what it was told, in one part', async () => {
  const echo = await loadAssistant('echo', development);
  if (!echo) throw new Error('nothing was loaded');
  expect(await ask(echo, 'first', 'answer', ' one \n two\u0000 😀')).toBe(' one \n two\u0000 😀');
});

test("the guide is there by default, on the product's own documentation", async () => {
  const guide = await loadAssistant('guide', development);
  onTestFinished(() => guide?.close?.());
  expect(guide?.name).toBe('guide');
});

test('a word that names no assistant is refused with the list of those there are', async () => {
  expect(await refusal('gpt')).toBe(
    'ASSISTANT=gpt: there is no such assistant; take one of guide, echo, none, external, or the path of a module of your own such as ./my-assistant.ts.',
  );
});

test('scripted is loaded in development and refused in production', async () => {
  expect((await loadAssistant('scripted', development))?.name).toBe('scripted');
  expect(await refusal('scripted', { ...development, environment: 'production' })).toContain('for tests');
});

test.each([
  [
    'own.ts',
    'export default async function* ada(request: { messages: { content: string }[] }) { yield "to "; yield request.messages[0]!.content; }',
  ],
  [
    'own.mjs',
    'export default async function* ada(request) { yield "to "; yield { type: "text", text: request.messages[0].content }; }',
  ],
])("a developer's own %s answers under the name of its function", async (file, source) => {
  const surroundings = await written(file, source);
  for (const name of [
    `./${file}`,
    file,
    join(surroundings.cwd, file),
    pathToFileURL(join(surroundings.cwd, file)).href,
  ]) {
    const own = await loadAssistant(name, surroundings);
    expect(own?.name).toBe('ada');
    expect(own && (await ask(own, 'you'))).toBe('to you');
  }
});

test('without a name of its own it answers under the name of the file, at most 50 characters of it', async () => {
  const cwd = await temporaryFolder();
  const files = ['old tom.mts', `${'😀'.repeat(55)}.mjs`];
  for (const file of files) await writeFile(join(cwd, file), 'export default async function* () { yield "yes"; }');
  // In a process of its own: the test runner's loader gives functions without a name one that it made up.
  const registry = new URL('../../src/assistants/registry.ts', import.meta.url).href;
  const script = `import { loadAssistant } from ${JSON.stringify(registry)};
    for (const file of ${JSON.stringify(files)}) {
      console.log((await loadAssistant('./' + file, { cwd: process.cwd(), environment: 'production' })).name);
    }`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], { cwd });
  expect(stdout.trim().split('\n')).toEqual(['old tom', '😀'.repeat(50)]);
});

test('a file that is not there, and a folder, are refused by their full path', async () => {
  const cwd = await temporaryFolder();
  await mkdir(join(cwd, 'folder.ts'));
  expect(await refusal('./gone.ts', { ...development, cwd })).toContain(`there is no file ${join(cwd, 'gone.ts')}`);
  expect(await refusal('./folder.ts', { ...development, cwd })).toContain('is not a file');
  await symlink(join(cwd, 'nowhere'), join(cwd, 'dangling.js'));
  expect(await refusal('./dangling.js', { ...development, cwd })).toContain('there is no file');
  expect(await refusal('file://elsewhere/own.ts')).toContain('not the URL of a file');
});

test.each([
  ['export async function* reply() {}', 'has no default export'],
  ['export default { reply() {} };', 'is not a function'],
  ['export default async () => "text";', 'is not an async generator'],
  ['export default class Own {}', 'is not an async generator'],
  ['throw new Error("no key is set\\nat all");', 'failed while it was loaded: no key is set'],
  ['import "./gone.mjs"; export default async function* () {}', 'failed while it was loaded: Cannot find module'],
  ['export default async function* external() {}', 'the name `external` is taken'],
  ['export default async function* ( {', 'failed while it was loaded'],
])('a module with `%s` is refused in one line', async (source, sentence) => {
  const message = await refusal('./own.mjs', await written('own.mjs', source));
  expect(message).toContain(sentence);
  expect(message).toMatch(/^ASSISTANT=\.\/own\.mjs: [^\n]+$/);
});

test('a module that returns or yields something other than text fails its answer with a sentence', async () => {
  const number = await loadAssistant(
    './a.mjs',
    await written('a.mjs', 'export default async function* () { yield 5; }'),
  );
  await expect(number && ask(number, 'hello')).rejects.toThrow('neither a string nor');
  const nothing = await loadAssistant('./b.mjs', await written('b.mjs', 'export default function () {}'));
  await expect(nothing && ask(nothing, 'hello')).rejects.toThrow('did not return an async iterable');
});

test('what a module throws in mid-answer comes through as it is', async () => {
  const source = 'export default async function* () { yield "some"; throw new RangeError("out of credit"); }';
  const own = await loadAssistant('./own.mjs', await written('own.mjs', source));
  await expect(own && ask(own, 'hello')).rejects.toThrow(new RangeError('out of credit'));
});

test('a knowledge folder that is not there, or is a file, is refused', async () => {
  const knowledgeDir = join(await temporaryFolder(), 'gone');
  expect(await refusal('guide', { ...development, knowledgeDir })).toBe(
    `KNOWLEDGE_DIR=${knowledgeDir}: there is no such folder that can be read.`,
  );
  await writeFile(knowledgeDir, 'text');
  expect(await refusal('guide', { ...development, knowledgeDir })).toContain('is not a folder');
});
