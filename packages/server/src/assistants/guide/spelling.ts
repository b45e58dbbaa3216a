const CORRECTED_MIN = 5;
const TWO_SLIPS_MIN = 8;

/** The known word that is meant by one written with a slip or, where it is long, two; null where there is none. */
export function correctedWord(word: string, known: Iterable<string>): string | null {
  if (word.length < CORRECTED_MIN) return null;
  let allowed = word.length < TWO_SLIPS_MIN ? 1 : 2;
  let best: string | null = null;
  for (const candidate of known) {
    if (Math.abs(candidate.length - word.length) > allowed) continue;
    const slips = slipsBetween(word, candidate, allowed);
    if (slips > allowed || (best !== null && slips === allowed)) continue;
    best = candidate;
    allowed = slips;
  }
  return best;
}

/** Letters to add, drop, change or swap with their neighbour; more than `enough` is not counted to its end. */
function slipsBetween(one: string, other: string, enough: number): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let row = 1; row <= one.length; row += 1) {
    const current = [row];
    for (let at = 1; at <= other.length; at += 1) {
      const same = one[row - 1] === other[at - 1];
      let slips = Math.min((last[at] ?? 0) + 1, (current[at - 1] ?? 0) + 1, (last[at - 1] ?? 0) + (same ? 0 : 1));
      const swapped = row > 1 && at > 1 && one[row - 1] === other[at - 2] && one[row - 2] === other[at - 1];
      if (swapped) slips = Math.min(slips, (beforeLast[at - 2] ?? 0) + 1);
      current.push(slips);
    }
    if (Math.min(...current) > enough) return enough + 1;
    beforeLast = last;
    last = current;
  }
  return last[other.length] ?? 0;
}
