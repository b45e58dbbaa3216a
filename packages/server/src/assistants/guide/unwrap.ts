import { isCode } from './blocks.ts';

/** A line that stands by itself: a table's row, a quote, HTML, a heading, code by indentation. */
const OWN_LINE = /^(?: {0,3}(?:[|>#<]|\[[^\]]+\]:)|(?: {4}|\t))/;
const ITEM = /^\s*(?:[-*+]|\d{1,9}[.)])\s/;
/** Chinese and Japanese are wrapped without a blank. */
const WITHOUT_BLANK = /[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}]/u;

/** A block with each paragraph and item on one line, as it is meant. Code and tables stay as they are. */
export function unwrap(block: string): string {
  if (isCode(block)) return block;
  const lines: string[] = [];
  let mayGoOn = false;
  for (const line of block.split('\n')) {
    const isItem = ITEM.test(line);
    // Within an item the indentation is the item's, not that of code.
    const standsAlone: boolean = !isItem && OWN_LINE.test(mayGoOn ? line.trimStart() : line);
    if (mayGoOn && !isItem && !standsAlone) lines.push(joined(lines.pop() ?? '', line.trimStart()));
    else lines.push(line);
    mayGoOn = !standsAlone && !/(?: {2}|\\)$/.test(line);
  }
  return lines.join('\n');
}

function joined(line: string, next: string): string {
  const [last, first] = [[...line.slice(-2)].at(-1) ?? '', [...next.slice(0, 2)][0] ?? ''];
  return WITHOUT_BLANK.test(last) && WITHOUT_BLANK.test(first) ? line + next : `${line} ${next}`;
}
