import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { createGuide } from '../../src/assistants/guide/guide.ts';
import { ask, partsOf, requestOf, stepsOf, temporaryFolder } from './ask.ts';

const folder = fileURLToPath(new URL('docs', import.meta.url));
const guide = await createGuide({ folder, paceMs: 0 });
afterAll(() => guide.close());

const firstLink = (answer: string) => /^\[.*\]\(.*\)$/m.exec(answer)?.[0];

const PYTHON = '[Protocol › Connecting › From Python](docs/protocol.md#from-python)';
const NEVER_LOST =
  '[Guarantees › What is acknowledged is never lost](docs/guarantees.md#what-is-acknowledged-is-never-lost)';
const CONNECTING = '[Protocol › Connecting](docs/protocol.md#connecting)';
const JOINING = '[Protocol › Joining a conversation](docs/protocol.md#joining-a-conversation)';
const SENDING = '[Protocol › Sending messages](docs/protocol.md#sending-messages)';
const SETTINGS = '[Configuration](docs/configuration.md#configuration)';
const BACKUPS = '[Configuration › Backups](docs/configuration.md#backups)';
const OWN = '[Assistants › Write your own](docs/assistants.md#write-your-own)';
const ORDER = '[Guarantees › One order for all](docs/guarantees.md#one-order-for-all)';
const TAKEN_UP =
  '[Guarantees › An interrupted answer is taken up again](docs/guarantees.md#an-interrupted-answer-is-taken-up-again)';

test.each([
  ['how do I connect from python?', PYTHON],
  ['PYTHON', PYTHON],
  ['is there a python client', PYTHON],
  ['conecting from pyhton', PYTHON],
  ['what happens if the server is killed?', NEVER_LOST],
  ['Do I lose messages after a crash?', NEVER_LOST],
  ['power outage', NEVER_LOST],
  ['wie verbinde ich mich?', CONNECTING],
  ['¿cómo me conecto?', CONNECTING],
  ['comment se connecter ?', CONNECTING],
  ['connecting to the server', CONNECTING],
  ['How can I join a conversation', JOINING],
  ['enter a room', JOINING],
  ['join_conversation', JOINING],
  ['how to send a message?', SENDING],
  ['will a message be stored twice if I repeat it', SENDING],
  ['how do I change the port', SETTINGS],
  ['environment variables', SETTINGS],
  ['How do I make a backup?', BACKUPS],
  ['Wie mache ich eine Sicherung?', BACKUPS],
  ['how do I use chatgpt with this', OWN],
  ['write my own assistant', OWN],
  ['do all clients see the same order', ORDER],
  ['the assistant was interrupted while writing', TAKEN_UP],
])('"%s" is answered first from %s', async (question, link) => {
  expect(firstLink(await ask(guide, question))).toBe(link);
});

test('an answer quotes the section, with its code whole', async () => {
  const answer = await ask(guide, 'how do I connect from python?');
  expect(answer).toContain(
    [
      '> Install `python-socketio`. The client is asynchronous:',
      '>',
      '> ```python',
      '> import socketio',
      '> # a comment, not a heading',
      '> client = socketio.AsyncClient()',
      "> await client.connect('http://localhost:8000', auth={'token': token})",
      '> ```',
      '',
      PYTHON,
    ].join('\n'),
  );
});

test('the links in a quote lead where they led in the page', async () => {
  expect(await ask(guide, 'join a conversation')).toContain('[errors](docs/errors.md#codes)');
});

test('every answer says that it is from a search, the first also how to add a language model', async () => {
  const first = await ask(guide, 'how do I connect?');
  expect(first).toMatch(/^From a search in the documentation/);
  expect(first).toContain('no language model is configured');
  expect(first).toContain('`ASSISTANT=./my-model.mjs`');
  expect(first).toContain('[Add a language model](docs/assistants.md#add-a-language-model)');
  const second = await ask(guide, 'how do I connect?', first, 'how do I make a backup?');
  expect(second).toMatch(/^From a search in the documentation/);
  expect(second).not.toContain('no language model is configured');
});

test.each(['what is the capital of france', 'weather tomorrow', 'xyzzy', 'write me a poem about the sea and the wind'])(
  'to "%s" it says plainly that it found nothing, and what there is',
  async (question) => {
    const answer = await ask(guide, 'how do I connect?', 'so and so', question);
    expect(answer).toMatch(/^I found nothing about this in the documentation\. I looked for `/);
    expect(answer).not.toContain('>');
    expect(answer).toContain('[Protocol](docs/protocol.md)');
    expect(answer).toContain('no language model is configured');
  },
);

test.each([
  'hello',
  'Hi!',
  'hallo',
  'hola',
  'bonjour',
  'buenos días',
  'good morning',
  'hello?',
  'hi there bot',
  'Hello, chatbot!',
  'Hello from Python!',
  'Hello, Zoltan!',
  'Test message',
  'this is a test',
  'test',
  'ping',
  'thank you',
  'help',
  'what can you do?',
  'who are you?',
  '?',
  '…',
  '👋',
])('to "%s" it says what it is and lists three pages of the folder', async (question) => {
  const answer = await ask(guide, question);
  expect(answer).toMatch(/^Hello! I am a search in the documentation .*; no language model is configured here\.$/m);
  expect(answer.match(/^- \[/gm)).toHaveLength(3);
  expect(answer).toContain('- [Protocol](docs/protocol.md): Connecting · Joining a conversation · Sending messages');
  expect(answer).not.toContain('decisions');
  expect(answer).toContain('no language model is configured');
});

test.each([
  ['Hello, chatbot! How do I make a backup?', BACKUPS],
  ['hi there, python?', PYTHON],
  ['Good morning from Berlin, how do I make a backup?', BACKUPS],
])('"%s" is a question, though it greets', async (question, link) => {
  expect(firstLink(await ask(guide, question))).toBe(link);
});

test('the pages that a README links to first are named first to whoever greets', async () => {
  const pages = await temporaryFolder();
  const page = (file: string, text: string) => writeFile(join(pages, file), text);
  await page('README.md', '# All\n\nSee [d](d.md), then [c](./c.md#one), and [elsewhere](https://example.org/a.md).\n');
  for (const name of ['a', 'b', 'c', 'd']) await page(`${name}.md`, `# ${name}\n\n## One\n\ntext\n\n## Two\n\ntext\n`);
  const ordered = await createGuide({ folder: pages, paceMs: 0 });
  onTestFinished(() => ordered.close());
  expect((await ask(ordered, 'hello')).match(/^- \[.\]/gm)).toEqual(['- [d]', '- [c]', '- [a]']);
});

test('a question of one word is understood by the one before it', async () => {
  expect(firstLink(await ask(guide, 'and the errors?'))).toContain('[Protocol › Errors]');
  expect(firstLink(await ask(guide, 'how do I join a conversation?', 'so and so', 'and the errors?'))).toBe(JOINING);
  expect(firstLink(await ask(guide, 'how do I join a conversation?', 'so and so', 'backup?'))).toBe(BACKUPS);
});

test('of two pages that say the same the one nearer to the top comes first', async () => {
  const pages = await temporaryFolder();
  await mkdir(join(pages, 'a'));
  for (const file of ['a/a.md', 'b.md']) await writeFile(join(pages, file), '# Animals\n\nThe badgers live here.\n');
  const nested = await createGuide({ folder: pages, paceMs: 0 });
  onTestFinished(() => nested.close());
  expect((await ask(nested, 'badgers')).match(/\(\S+\.md/g)).toEqual([
    `(${basename(pages)}/b.md`,
    `(${basename(pages)}/a/a.md`,
    '(docs/assistants.md',
  ]);
});

test('a section that is longer than an answer is quoted once', async () => {
  const pages = await temporaryFolder();
  await writeFile(join(pages, 'long.md'), `# Animals\n\n${'The badgers live in the wood.\n\n'.repeat(1_000)}`);
  const long = await createGuide({ folder: pages, paceMs: 0 });
  onTestFinished(() => long.close());
  const answer = await ask(long, 'badgers');
  expect(answer.match(/\[Animals\]/g)).toHaveLength(1);
  expect(answer.length).toBeLessThan(2_000);
});

test('languages that are written without spaces are searched as well', async () => {
  const folder = await temporaryFolder();
  await writeFile(
    join(folder, '手引き.md'),
    '# 手引き\n\n## 接続する\n\nトークンを使ってサーバーに接続します。\n\n## 設定\n\n環境変数です。\n',
  );
  const japanese = await createGuide({ folder, paceMs: 0 });
  onTestFinished(() => japanese.close());
  expect(await ask(japanese, 'サーバーに接続したい')).toContain('> トークンを使って');
  expect(await ask(japanese, '環境変数')).toContain(`#${encodeURI('設定')}`);
  expect(await ask(japanese, '天気予報')).toMatch(/^I found nothing/);
});

test('an answer comes in small pieces', async () => {
  const parts = await partsOf(guide, 'how do I connect from python?');
  expect(parts.length).toBeGreaterThan(10);
  for (const part of parts) expect(part.trim().split(/\s+/).length).toBeLessThanOrEqual(6);
});

test('an answer that nobody wants any more ends', async () => {
  const stop = new AbortController();
  const parts: unknown[] = [];
  for await (const part of guide.reply(requestOf(['how do I connect?'], stop.signal))) {
    if (parts.push(part) === 2) stop.abort();
  }
  expect(parts).toHaveLength(2);
  for await (const part of guide.reply(requestOf(['how do I connect?'], stop.signal))) parts.push(part);
  expect(parts).toHaveLength(2);
});

test('an answer is given at a pace to read along, and held back by no more than a second', async () => {
  const slow = await createGuide({ folder, paceMs: 1_000 });
  onTestFinished(() => slow.close());
  const start = performance.now();
  expect((await partsOf(slow, 'how do I connect from python?')).length).toBeGreaterThan(10);
  expect(performance.now() - start).toBeGreaterThan(990);
});

test('an answer that nobody wants any more ends between two pieces too', async () => {
  const slow = await createGuide({ folder, paceMs: 60_000 });
  onTestFinished(() => slow.close());
  const stop = new AbortController();
  const steps = stepsOf(slow, 'how do I connect?', stop.signal);
  await steps.next();
  const next = steps.next();
  stop.abort();
  expect((await next).done).toBe(true);
});

test('a question ends with the abort while the folder is still being read', async () => {
  const reading = await createGuide({ folder, paceMs: 0 });
  onTestFinished(() => reading.close());
  const ready = reading.ready().then(() => 'ready');
  const stop = new AbortController();
  const ended = stepsOf(reading, 'how do I connect?', stop.signal)
    .next()
    .then(({ done }) => done);
  stop.abort();
  expect(await Promise.race([ready, ended])).toBe(true);
});

test('without any page it says so', async () => {
  const empty = await createGuide({ folder: await temporaryFolder(), paceMs: 0 });
  expect(await ask(empty, 'hello')).toContain('The documentation folder has no pages yet.');
  expect(await ask(empty, 'how do I connect?')).toMatch(/^I found nothing/);
  await empty.close();
});

test('a guide that was closed refuses, and a question that it was working on fails', async () => {
  const closing = await createGuide({ folder, paceMs: 0 });
  const [answer] = await Promise.allSettled([ask(closing, 'how do I connect?'), closing.close()]);
  expect(answer).toMatchObject({
    status: 'rejected',
    reason: { message: 'The search thread of the guide has ended.' },
  });
  await expect(ask(closing, 'how do I connect?')).rejects.toThrow('closed');
  expect((await stepsOf(closing, 'how do I connect?', AbortSignal.abort()).next()).done).toBe(true);
});
