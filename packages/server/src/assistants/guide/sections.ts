import { anchorsOfFile, plainHeading } from './headings.ts';
import { isFence, splitBlocks } from './blocks.ts';

/** A piece of a Markdown file that is found and quoted as one. A long section makes several, with the same heading. */
export interface Section {
  /** Relative to the folder, with forward slashes. */
  readonly file: string;
  /** The heading's anchor as GitHub makes it; empty above the first heading. */
  readonly anchor: string;
  /** From the file's title down to the section's own heading. */
  readonly headings: readonly string[];
  /** Paragraphs, lists, tables and whole code blocks. */
  readonly blocks: readonly string[];
}

/** A longer line is no heading; the patterns below are quadratic in blanks. */
const HEADING_MAX = 500;
const SECTION_MAX = 4_000;

/** Splits a Markdown file at its headings; a `#` in a code block is none. Sections without text of their own are left out. */
export function* sectionsOf(file: string, markdown: string): Generator<Section> {
  const anchorOf = anchorsOfFile();
  const fallback = file.replace(/^.*\//, '').replace(/\.[^.]*$/, '');
  const open: { level: number; text: string }[] = [];
  let anchor = '';
  for (const part of partsOf(markdown)) {
    if (part.heading) {
      while ((open.at(-1)?.level ?? 0) >= part.heading.level) open.pop();
      const text = plainHeading(part.heading.text);
      open.push({ level: part.heading.level, text });
      anchor = anchorOf(text);
    }
    const headings = open.length > 0 ? open.map(({ text }) => text) : [fallback];
    for (const blocks of sized(splitBlocks(part.lines))) yield { file, anchor, headings, blocks };
  }
}

interface Part {
  heading: { level: number; text: string } | null;
  lines: string[];
}

function* partsOf(markdown: string): Generator<Part> {
  let part: Part = { heading: null, lines: [] };
  let fence: string | null = null;
  for (const line of withoutFrontMatter(markdown).split(/\r\n?|\n/)) {
    fence = isFence(line, fence);
    const short = line.length <= HEADING_MAX;
    const level = short && fence === null ? underlineLevel(line, part.lines.at(-1)) : 0;
    const hash = short && fence === null ? /^ {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$/.exec(line) : null;
    if (level > 0) {
      const text = part.lines.pop() ?? '';
      yield part;
      part = { heading: { level, text }, lines: [] };
    } else if (hash) {
      yield part;
      part = { heading: { level: hash[1]?.length ?? 1, text: hash[2] ?? '' }, lines: [] };
    } else part.lines.push(line);
  }
  yield part;
}

/** 1 or 2 where `line` underlines `above` as a heading (`===`, `---`), else 0. */
function underlineLevel(line: string, above: string | undefined): number {
  const underline = /^ {0,3}(=+|-+)[ \t]*$/.exec(line)?.[1];
  if (!underline || !above?.trim() || /^\s*([|>#*+-]|\d+[.)]|`{3}|~{3})/.test(above)) return 0;
  return underline.startsWith('=') ? 1 : 2;
}

function withoutFrontMatter(markdown: string): string {
  if (!/^---[ \t]*\r?\n/.test(markdown)) return markdown;
  const end = /\r?\n---[ \t]*(\r?\n|$)/.exec(markdown);
  return end ? markdown.slice(end.index + end[0].length) : markdown;
}

function* sized(blocks: Iterable<string>): Generator<string[]> {
  let group: string[] = [];
  let size = 0;
  for (const block of blocks) {
    if (size + block.length > SECTION_MAX && group.length > 0) {
      yield group;
      group = [];
      size = 0;
    }
    group.push(block);
    size += block.length;
  }
  if (group.length > 0) yield group;
}
