import { posix } from 'node:path';
import { isCode } from './blocks.ts';
import { stem } from './question.ts';
import type { Section } from './sections.ts';
import { unwrap } from './unwrap.ts';

/** What an answer shows of a section. */
export interface Quote {
  /** A Markdown link such as `[Protocol › Joining](docs/protocol.md#joining)`. */
  readonly link: string;
  /** A Markdown blockquote. */
  readonly text: string;
}

/** What an answer quotes at most, in characters. */
export const QUOTE_MAX = 900;
/** Code is no use without its end: a little more, to have it whole. */
const WITH_CODE_MAX = 1_150;
/** Less than this of a block is not worth showing. */
const PART_MIN = 150;
const REST = '…';

/**
 * Quotes from a section what is nearest to the words, with a mark where it goes on after that; `base` is the folder's
 * name, the start of every link.
 */
export function quote(section: Section, words: readonly string[], base: string, max = QUOTE_MAX): Quote {
  const blocks = section.blocks.map((block) => withLinksFrom(unwrap(block), section, base));
  const lines = chooseBlocks(blocks, words, max).join('\n\n').split('\n');
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

/** From the block that has most of the words on, as much as fits; code keeps the sentence that leads to it. */
function chooseBlocks(blocks: readonly string[], words: readonly string[], max: number): string[] {
  let start = bestBlock(blocks, words, max);
  if (start > 0 && isCode(blocks[start] ?? '')) start -= 1;
  const chosen: string[] = [];
  let left = max;
  for (const block of blocks.slice(start)) {
    const slack = isCode(block) && chosen.length <= 1 ? WITH_CODE_MAX - QUOTE_MAX : 0;
    if (block.length > left + slack) {
      if (left >= PART_MIN || chosen.length === 0) chosen.push(beginning(block, words, Math.max(left, PART_MIN)));
      chosen.push(REST);
      break;
    }
    chosen.push(block);
    left -= block.length;
  }
  return chosen;
}

function bestBlock(blocks: readonly string[], words: readonly string[], max: number): number {
  if (blocks.reduce((sum, block) => sum + block.length, 0) <= max) return 0;
  const scores = blocks.map((block) => matches(block, words));
  return Math.max(0, scores.indexOf(Math.max(...scores)));
}

function matches(text: string, words: readonly string[]): number {
  const plain = text.toLowerCase();
  return words.filter((word) => plain.includes(stem(word))).length;
}

/** The part of a long block that is worth showing: whole lines of code, of a table or a list, or whole sentences. */
function beginning(block: string, words: readonly string[], max: number): string {
  const lines = block.split('\n');
  if (isCode(block)) return withinSize(lines.slice(0, 1), lines.slice(1, -1), max) + `\n${lines.at(-1)}`;
  if (lines.length > 2 && lines.every((line) => /^\s*(?:\||[-*+] |\d+[.)] |\s)/.test(line))) {
    const head = /^\s*\|/.test(lines[0] ?? '') ? lines.slice(0, 2) : [];
    const rest = lines.slice(head.length);
    const matching = rest.filter((line) => matches(line, words) > 0);
    return withinSize(head, matching.length > 0 ? matching : rest, max);
  }
  const start = block.slice(0, max);
  const end = [...start.matchAll(/[.!?:…。！？]["'”’)]*(?=\s)/gu)].at(-1);
  return start.slice(0, end ? end.index + end[0].length : Math.max(start.lastIndexOf(' '), max / 2)).toWellFormed();
}

/** A head, and of the lines under it the first ones that fit, at least one. */
function withinSize(head: readonly string[], lines: readonly string[], max: number): string {
  const kept: string[] = [];
  let left = max - head.join('\n').length;
  for (const line of lines) {
    left -= line.length + 1;
    if (left < 0 && kept.length > 0) break;
    kept.push(line.slice(0, max).toWellFormed());
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
