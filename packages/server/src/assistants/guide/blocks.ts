const BLOCK_MAX = 4_000;

/** Follows code fences line by line: the fence that is open after `line`, or null outside of code. */
export function isFence(line: string, open: string | null): string | null {
  const mark = /^\s*(?:>\s?)?(`{3,}|~{3,})(.*)$/.exec(line);
  const fence = mark?.[1];
  if (fence === undefined) return open;
  if (open === null) return fence.startsWith('`') && mark?.[2]?.includes('`') ? null : fence;
  const closes = fence[0] === open[0] && fence.length >= open.length && mark?.[2]?.trim() === '';
  return closes ? null : open;
}

/** Whether a block is fenced code. */
export function isCode(block: string): boolean {
  return /^\s*(`{3}|~{3})/.test(block);
}

/** Splits lines at blank ones, with fenced code whole. Very long blocks are cut, each piece a block in its own right. */
export function* splitBlocks(lines: readonly string[]): Generator<string> {
  let block: string[] = [];
  let fence: string | null = null;
  for (const line of lines) {
    const before: string | null = fence;
    fence = isFence(line, fence);
    const edge = fence === null && before === null ? line.trim() === '' : before === null;
    if (edge && block.length > 0) {
      yield* pieces(block);
      block = [];
    }
    if (!(edge && line.trim() === '')) block.push(line);
    if (before !== null && fence === null) {
      yield* pieces(block);
      block = [];
    }
  }
  if (fence !== null) block.push(fence);
  if (block.length > 0) yield* pieces(block);
}

function* pieces(lines: string[]): Generator<string> {
  const text = lines.join('\n').replaceAll(/<!--[\s\S]*?(?:-->|$)/g, isCode(lines[0] ?? '') ? '$&' : '');
  if (text.trim() === '') return;
  if (text.length <= BLOCK_MAX) yield text;
  else if (isCode(text)) yield* piecesWithin(lines.slice(0, 1), lines.slice(1, -1), lines.slice(-1));
  else if (/^\s*\|/.test(text)) yield* piecesWithin(lines.slice(0, 2), lines.slice(2), []);
  else for (let start = 0; start < text.length;) yield text.slice(start, (start = cutAfter(text, start)));
}

/** Pieces that each have the block's head and foot: a code block's fences, a table's heading. */
function* piecesWithin(head: string[], rows: string[], foot: string[]): Generator<string> {
  let piece: string[] = [];
  let size = 0;
  for (const row of rows) {
    if (size + row.length > BLOCK_MAX && piece.length > 0) {
      yield [...head, ...piece, ...foot].join('\n');
      piece = [];
      size = 0;
    }
    piece.push(row.slice(0, BLOCK_MAX).toWellFormed());
    size += row.length;
  }
  yield [...head, ...piece, ...foot].join('\n');
}

/** Where to cut a long text: after white space if there is some, and never inside a surrogate pair. */
function cutAfter(text: string, start: number): number {
  const end = start + BLOCK_MAX;
  if (end >= text.length) return text.length;
  const space = Math.max(text.lastIndexOf('\n', end - 1), text.lastIndexOf(' ', end - 1));
  if (space > start) return space + 1;
  const unit = text.charCodeAt(end - 1);
  return unit >= 0xd800 && unit <= 0xdbff ? end - 1 : end;
}
