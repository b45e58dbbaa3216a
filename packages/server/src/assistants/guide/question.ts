import { greets, withoutGreeting } from './greeting.ts';
import { emptyWordsFor, relatedWords } from './words.ts';

/** One thing that a question asks about. The expressions are safe FTS5: every word in them is quoted. */
export interface Term {
  /** As the user wrote it, for saying what was looked for. */
  readonly word: string;
  readonly exact: string;
  /** Other words for it; null where none are known. */
  readonly related: string | null;
  /** For words that are written otherwise in the documents, as in compounds and inflections. */
  readonly prefix: string | null;
}

/** Two words that are one: alone, the first means something else and the second nothing. */
const JOINED = /\b(log|sign|set|back) (in|on|out|up)\b/g;

const TERMS_MAX = 12;
const WORD_MAX = 60;

// Scripts that are written without spaces: every character is a word to the index, and two neighbours a term.
const UNSPACED = /[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Thai}\p{scx=Lao}\p{scx=Khmer}]/gu;

/** What a question asks about, without its empty words; empty for a greeting, thanks or mere punctuation. */
export function termsOf(question: string): Term[] {
  return contentWords(withoutGreeting(wordsOf(question)))
    .slice(0, TERMS_MAX)
    .map(termOf);
}

/** Whether a question names but one thing, after a greeting: perhaps the name of whoever is greeted. */
export function mayOnlyGreet(question: string): boolean {
  return greets(wordsOf(question)) && termsOf(question).length <= 1;
}

/** The words of these that say something, each once. */
export function contentWords(words: readonly string[]): string[] {
  const isEmpty = emptyWordsFor(words);
  return [...new Set(words.filter((word) => !isEmpty(word) && word.length <= WORD_MAX))];
}

/** A text as it goes into the index: characters of unspaced scripts stand alone. */
export function indexable(text: string): string {
  return text.replaceAll(UNSPACED, ' $& ');
}

/** All words of a text, in lower case. */
export function wordsOf(text: string): string[] {
  const plain = text
    .normalize('NFC')
    .toLowerCase()
    .replaceAll(/(?<=\p{L})['’](?=\p{L})/gu, ' ')
    .replaceAll(JOINED, '$1$2');
  const words: string[] = [];
  for (const [run] of plain.matchAll(/[\p{L}\p{N}\p{M}]+/gu)) {
    const characters = run.match(UNSPACED);
    if (!characters) words.push(run);
    else if (characters.length === 1) words.push(run);
    else
      for (let index = 1; index < characters.length; index += 1)
        words.push(characters.slice(index - 1, index + 1).join(''));
  }
  return words;
}

function termOf(word: string): Term {
  const related = relatedWords(word);
  return {
    word,
    exact: quoted(word),
    related: related.length > 0 ? related.map(quoted).join(' OR ') : null,
    prefix: [...word].length >= 4 ? `${quoted(word)}*` : null,
  };
}

/** A word without its commonest endings. Crude on purpose: the index has a real stemmer of its own. */
export function stem(word: string): string {
  return word.length > 4 ? word.replace(/(?:ing|ed|es|s|e|en)$/, '') : word;
}

/** A word as FTS5 takes it as text, never as an operator. Words have letters, digits and marks only, so no quote mark. */
export function quoted(word: string): string {
  return `"${indexable(word).trim()}"`;
}
