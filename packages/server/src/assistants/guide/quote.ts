import { posix } from 'node:path';
import { isCode } from './blocks.ts';
import { stem } from './question.ts';
import type { Section } from './sections.ts';

/** What an answer shows of a section. */
export interface Quote {
  /** A Markdown link such as `[Protocol › Joining](docs/protocol.md#joining)`. */
  readonly link: string;
  /** A Markdown blockquote. */
  readonly text: string;
}

const QUOTE_MAX = 900;
const CODE_MAX = 2_000;

/** Quotes from a section what is nearest to the words; `base` is the folder's name, the start of every link. */
export function quote(section: Section, words: readonly string[], base: string): Quote {
  const chosen = chooseBlocks(section.blocks, words).map((block) => withLinksFrom(block, section, base));
  const lines = chosen.join('\n\n').split('\n');
  return { link: linkTo(section, base), text: lines.map((line) => (line === '' ? '>' : `> ${line}`)).join('\n') };
}

/** A Markdown link to a section, by the path of its headings. */
export function linkTo({ file, anchor, headings }: Section, base: string): string {
  const label = headings.join(' › ').replaceAll(/[[\]<>\\`*]/g, String.raw`\$&`);
  return `[${label}](${address(posix.join(base, file))}${anchor ? `#${encodeURI(anchor)}` : ''})`;
}

function address(path: string): string {
  return path
    .split('/')
    .map((part) => encodeURIComponent(part).replaceAll(/[()]/g, (mark) => (mark === '(' ? '%28' : '%29')))
    .join('/');
}

/** From the block that has most of the words on, as many as fit; code stays whole and keeps the sentence that leads to it. */
function chooseBlocks(blocks: readonly string[], words: readonly string[]): string[] {
  let start = bestBlock(blocks, words);
  if (start > 0 && isCode(blocks[start] ?? '')) start -= 1;
  const chosen: string[] = [];
  let left = QUOTE_MAX;
  for (const block of blocks.slice(start)) {
    if (isCode(block)) {
      if (block.length > Math.max(left, chosen.length <= 1 ? CODE_MAX : 0)) break;
      chosen.push(block);
    } else if (block.length <= left) chosen.push(block);
    else {
      if (chosen.length === 0) chosen.push(trimmed(block, words));
      break;
    }
    left -= block.length;
  }
  if (chosen.length === 0) chosen.push('…');
  return chosen;
}

function bestBlock(blocks: readonly string[], words: readonly string[]): number {
  if (blocks.reduce((sum, block) => sum + block.length, 0) <= QUOTE_MAX) return 0;
  const scores = blocks.map((block) => matches(block, words));
  return Math.max(0, scores.indexOf(Math.max(...scores)));
}

function matches(text: string, words: readonly string[]): number {
  const plain = text.toLowerCase();
  return words.filter((word) => plain.includes(stem(word))).length;
}

/** Ends a long block at a line of a table or list, or at a sentence. */
function trimmed(block: string, words: readonly string[]): string {
  const lines = block.split('\n');
  if (lines.length > 2 && lines.every((line) => /^\s*(?:\||[-*+] |\d+[.)] |\s)/.test(line)))
    return trimmedLines(lines, words);
  const head = block.slice(0, QUOTE_MAX);
  const end = [...head.matchAll(/[.!?:…。！？]["'”’)]*(?=\s)/gu)].at(-1);
  const cut = end ? end.index + end[0].length : Math.max(head.lastIndexOf(' '), QUOTE_MAX / 2);
  return `${head.slice(0, cut).toWellFormed()} …`;
}

/** Keeps a table's head, then the lines that have one of the words, or else the first ones. */
function trimmedLines(lines: readonly string[], words: readonly string[]): string {
  const head = /^\s*\|/.test(lines[0] ?? '') ? lines.slice(0, 2) : [];
  const rest = lines.slice(head.length);
  const matching = rest.filter((line) => matches(line, words) > 0);
  const kept: string[] = [];
  let left = QUOTE_MAX;
  for (const line of matching.length > 0 ? matching : rest) {
    left -= line.length;
    if (left < 0 && kept.length > 0) break;
    kept.push(line);
  }
  return [...head, ...kept].join('\n');
}

/** Links of a page start at that page; in an answer they start where the folder is. */
function withLinksFrom(block: string, { file }: Section, base: string): string {
  if (isCode(block)) return block;
  return block.replaceAll(/\]\((?![a-z][a-z0-9+.-]*:|\/)([^)\s]+)/gi, (_, target: string) =>
    target.startsWith('#')
      ? `](${address(posix.join(base, file))}${target}`
      : `](${posix.join(base, posix.dirname(file), target)}`,
  );
}
