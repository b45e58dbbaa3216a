import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's folder. */
export const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));

/** A page of the documentation. */
export interface Page {
  /** Its path from the repository's folder. */
  readonly path: string;
  readonly text: string;
  /** The text without fenced code. */
  readonly prose: string;
  readonly code: readonly { readonly language: string; readonly code: string }[];
}

const FENCE = /^```(\w*)[^\n]*\n(.*?)^```$/gms;

/** Every page that readers get. */
export async function readPages(): Promise<Page[]> {
  const top = (await readdir(ROOT)).filter((name) => name.endsWith('.md'));
  const docs = (await readdir(join(ROOT, 'docs'), { recursive: true })).filter((name) => name.endsWith('.md'));
  return Promise.all([...top, ...docs.map((name) => join('docs', name))].map(readPage));
}

/** One page by its path from the repository's folder. */
export async function readPage(path: string): Promise<Page> {
  const text = await readFile(join(ROOT, path), 'utf8');
  const code = [...text.matchAll(FENCE)].map(([, language = '', code = '']) => ({ language, code }));
  return { path, text, prose: text.replaceAll(FENCE, ''), code };
}

/** The anchors that Markdown viewers make from a page's headings. */
export function anchorsOf({ prose }: Page): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of prose.matchAll(/^#{1,6} +(.*?) *$/gm)) {
    const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1');
    const anchor = plain
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, '')
      .replaceAll(' ', '-');
    let free = anchor;
    for (let count = 1; anchors.has(free); count += 1) free = `${anchor}-${count}`;
    anchors.add(free);
  }
  return anchors;
}
