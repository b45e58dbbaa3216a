import { contentWords, stem, wordsOf } from './question.ts';
import { relatedWords } from './words.ts';

const RELATED_WEIGHT = 0.5;

/**
 * Tells how much a section's heading and a question are the same words: 0 for not at all, 1 where nothing is left over on
 * either side. The words that say something count for half; the other half is for all of them, since "how many" and
 * "who can" tell apart what is asked about the same thing.
 */
export function headingLikeness(question: string): (headings: readonly string[]) => number {
  const asked = wordsOf(question).slice(0, 50);
  const wanted = contentWords(asked);
  return (headings) => {
    const heading = wordsOf(headings.at(-1) ?? '');
    return (likeness(wanted, contentWords(heading)) + likeness([...new Set(asked)], heading)) / 2;
  };
}

function likeness(words: readonly string[], heading: readonly string[]): number {
  const stems = new Set(heading.map(stem));
  const shared = words.reduce((sum, word) => {
    if (stems.has(stem(word))) return sum + 1;
    return relatedWords(word).some((related) => stems.has(stem(related))) ? sum + RELATED_WEIGHT : sum;
  }, 0);
  return (2 * shared) / Math.max(1, words.length + stems.size);
}
