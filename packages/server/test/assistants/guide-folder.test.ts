import { mkdir, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Folder } from '../../src/assistants/guide/folder.ts';
import { createGuide, type Guide } from '../../src/assistants/guide/guide.ts';
import { ask, temporaryFolder } from './ask.ts';

async function guideOn(folder: string): Promise<{ guide: Guide; warnings: string[] }> {
  const warnings: string[] = [];
  const guide = await createGuide({ folder, paceMs: 0, log: { warn: (_, message) => warnings.push(message) } });
  onTestFinished(() => guide.close());
  await guide.ready();
  return { guide, warnings };
}

/** Asks again after each change until the answer fits: what is written in one step may be seen in two. */
async function until(guide: Guide, question: string, fits: (answer: string) => boolean): Promise<string> {
  for (;;) {
    const changed = guide.changed();
    const answer = await ask(guide, question);
    if (fits(answer)) return answer;
    await changed;
  }
}

const found = (answer: string) => answer.startsWith('From a search');
const missing = (answer: string) => answer.startsWith('I found nothing');

test('a page that is added, changed, renamed or removed while it runs is seen', async () => {
  const folder = await temporaryFolder();
  const { guide } = await guideOn(folder);
  expect(await ask(guide, 'where are the badgers?')).toMatch(/^I found nothing/);
  await mkdir(join(folder, 'deep', 'er'), { recursive: true });
  await writeFile(join(folder, 'deep', 'er', 'animals.md'), '# Animals\n\nThe badgers live in the wood.\n');
  expect(await until(guide, 'where are the badgers?', found)).toContain('deep/er/animals.md#animals');
  await writeFile(join(folder, 'deep', 'er', 'animals.md'), '# Animals\n\nThe badgers have moved to the moor.\n');
  await until(guide, 'where are the badgers?', (answer) => answer.includes('moor'));
  await rename(join(folder, 'deep', 'er', 'animals.md'), join(folder, 'beasts.md'));
  await until(
    guide,
    'where are the badgers?',
    (answer) => answer.includes('/beasts.md') && !answer.includes('animals.md'),
  );
  await rm(join(folder, 'beasts.md'));
  await until(guide, 'where are the badgers?', missing);
});

test('what is too large, unreadable, hidden, no Markdown or no file is left out, and said once where it matters', async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'large.md'), 'badgers\n');
  await truncate(join(folder, 'large.md'), 1024 * 1024 + 1);
  await writeFile(join(folder, 'page.txt'), 'badgers');
  await writeFile(join(folder, '.hidden.md'), 'badgers');
  await mkdir(join(folder, 'node_modules', 'some'), { recursive: true });
  await writeFile(join(folder, 'node_modules', 'some', 'readme.md'), 'badgers');
  await mkdir(join(folder, 'folder.md'));
  const { guide, warnings } = await guideOn(folder);
  expect(await ask(guide, 'badgers')).toMatch(/^I found nothing/);
  expect(warnings).toEqual([`${join(folder, 'large.md')} is left out: it is larger than 1 MiB.`]);
});

test('a link out of the folder is not followed, one within it is', async () => {
  const outside = await temporaryFolder();
  const folder = await temporaryFolder();
  await writeFile(join(outside, 'secret.md'), '# Outside\n\nThe badgers are outside.');
  await symlink(join(outside, 'secret.md'), join(folder, 'leak.md'));
  await symlink(outside, join(folder, 'leaks'));
  await mkdir(join(folder, '.version-1'));
  await writeFile(join(folder, '.version-1', 'page.md'), '# Inside\n\nThe otters are inside.');
  await symlink('.version-1/page.md', join(folder, 'page.md'));
  await symlink('loop.md', join(folder, 'loop.md'));
  const { guide, warnings } = await guideOn(folder);
  expect(await ask(guide, 'badgers')).toMatch(/^I found nothing/);
  expect(await ask(guide, 'otters')).toContain('[Inside]');
  expect(warnings.toSorted()).toEqual([
    `${join(folder, 'leak.md')} is left out: it links to a place outside of the folder.`,
    expect.stringContaining(`${join(folder, 'loop.md')} is left out: ELOOP`),
  ]);
});

test('a folder that vanishes and comes back does not end the guide', async () => {
  const folder = join(await temporaryFolder(), 'pages');
  await mkdir(folder);
  await writeFile(join(folder, 'animals.md'), '# Animals\n\nThe badgers live in the wood.\n');
  const { guide } = await guideOn(folder);
  await rm(folder, { recursive: true });
  await until(guide, 'otters', missing);
  await mkdir(folder);
  await writeFile(join(folder, 'animals.md'), '# Animals\n\nThe otters live in the brook.\n');
  await until(guide, 'otters', found);
  await writeFile(join(folder, 'animals.md'), '# Animals\n\nThe weasels live in the hedge.\n');
  expect(await until(guide, 'weasels', found)).toContain('pages/animals.md');
});

async function watched(path: string) {
  const pages = new Map<string, string>();
  const news = { settled: Promise.withResolvers<void>(), warnings: [] as string[] };
  const folder = new Folder(path, {
    changed: (file, text) => pages.set(file, text),
    removed: (file) => pages.delete(file),
    settled: () => news.settled.resolve(),
    warn: (message) => news.warnings.push(message),
  });
  onTestFinished(() => folder.close());
  await folder.look();
  news.settled = Promise.withResolvers();
  return { folder, pages, news };
}

test('a folder that is put in the place of another is read and watched instead', async () => {
  const parent = await temporaryFolder();
  for (const name of ['pages', 'next']) await mkdir(join(parent, name));
  await writeFile(join(parent, 'pages', 'old.md'), 'badgers');
  await writeFile(join(parent, 'next', 'new.md'), 'otters');
  const { folder, pages, news } = await watched(join(parent, 'pages'));
  await rename(join(parent, 'pages'), join(parent, 'gone'));
  await rename(join(parent, 'next'), join(parent, 'pages'));
  await folder.look();
  expect([...pages]).toEqual([['new.md', 'otters']]);
  news.settled = Promise.withResolvers();
  await writeFile(join(parent, 'pages', 'more.md'), 'weasels');
  await news.settled.promise;
  expect(pages.has('more.md')).toBe(true);
});

test('what a folder held is kept while it is away, and it is looked for until it is back', async () => {
  const path = join(await temporaryFolder(), 'pages');
  await mkdir(path);
  await writeFile(join(path, 'old.md'), 'badgers');
  const { folder, pages, news } = await watched(path);
  await rm(path, { recursive: true });
  await folder.look();
  expect(pages.has('old.md')).toBe(true);
  expect(news.warnings).toHaveLength(1);
  await mkdir(path);
  await writeFile(join(path, 'new.md'), 'otters');
  await news.settled.promise;
  expect([...pages.keys()]).toEqual(['new.md']);
});

test('bytes that are no text do no harm', async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'bytes.md'), Buffer.from([0xff, 0xfe, 0, 0x23, 0x20, 0xc3, 0x28, 10]));
  await writeFile(join(folder, 'page.md'), '\uFEFF# Animals\r\n\r\nThe badgers live\0 in the wood.\r\n');
  const { guide } = await guideOn(folder);
  expect(await ask(guide, 'badgers')).toContain('[Animals](');
});
