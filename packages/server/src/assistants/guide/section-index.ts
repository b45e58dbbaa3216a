import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { headingLikeness } from './heading-likeness.ts';
import { indexable, quoted, stem, type Term } from './question.ts';
import type { Section } from './sections.ts';
import { correctedWord } from './spelling.ts';

/** By row: how well it fits, and how surely it is about the term at all. */
type Rows = Map<number, { score: number; weight: number }>;

/** A section that answers a question, with a score to compare it with the others of the same search. */
export interface Hit {
  readonly section: Section;
  readonly score: number;
  /** The share of the question, by rarity of its words, that the section has: 0 to 1. */
  readonly coverage: number;
}

const ROWS_A_TERM = 1_000;
const RELATED_WEIGHT = 0.5;
const GUESS_WEIGHT = 0.6;
const HITS_MAX = 100;
/** Pages in subfolders (decisions, notes) are rarely what a newcomer is after, and a README only says where things are. */
const DEPTH_WEIGHT = 0.6;
/** How much a heading that is the question's very words adds to its section, as a factor. */
const SAME_HEADING = 6;

/**
 * A full-text index of sections in memory. SQLite's FTS5 and not a library: it is in the runtime already, stems
 * English and folds accents, and its rows cost a fraction of objects in JavaScript.
 */
export class SectionIndex {
  readonly #database = new DatabaseSync(':memory:');
  readonly #sections = new Map<number, Section>();
  readonly #rowsOfFile = new Map<string, number[]>();
  readonly #insert: StatementSync;
  readonly #delete: StatementSync;
  readonly #select: StatementSync;
  readonly #words: StatementSync;
  #nextRow = 1;

  constructor() {
    this.#database.exec(`CREATE VIRTUAL TABLE sections USING fts5(
        heading, parents, body, content='', contentless_delete=1, tokenize='porter unicode61 remove_diacritics 2');
      CREATE VIRTUAL TABLE words USING fts5vocab(sections, row)`);
    this.#insert = this.#database.prepare('INSERT INTO sections (rowid, heading, parents, body) VALUES (?, ?, ?, ?)');
    this.#delete = this.#database.prepare('DELETE FROM sections WHERE rowid = ?');
    // bm25 is negative, the better the lower; a word in more than half of the rows gets nearly 0, hence the addition.
    this.#select = this.#database.prepare(
      'SELECT rowid, 0.05 - bm25(sections, 6.0, 2.0, 1.0) FROM sections WHERE sections MATCH ? ORDER BY rank LIMIT ?',
    );
    this.#select.setReturnArrays(true);
    this.#words = this.#database.prepare('SELECT term FROM words WHERE term >= ? AND term < ?');
  }

  /** Replaces what the index has of a file. */
  put(file: string, sections: Iterable<Section>): void {
    this.#database.exec('BEGIN');
    try {
      this.#drop(file);
      for (const section of sections) this.#add(file, section);
      this.#database.exec('COMMIT');
    } catch (error) {
      this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  #add(file: string, section: Section): void {
    const row = this.#nextRow++;
    const parents = [...section.headings.slice(0, -1), file.replaceAll(/[/._-]+/g, ' ')].join(' ');
    const texts = [section.headings.at(-1) ?? '', parents, section.blocks.join('\n')].map(indexable);
    this.#insert.run(row, ...texts);
    this.#sections.set(row, section);
    const rows = this.#rowsOfFile.get(file);
    if (rows) rows.push(row);
    else this.#rowsOfFile.set(file, [row]);
  }

  /** Forgets a file. */
  remove(file: string): void {
    this.put(file, []);
  }

  #drop(file: string): void {
    for (const row of this.#rowsOfFile.get(file) ?? []) {
      this.#delete.run(row);
      this.#sections.delete(row);
    }
    this.#rowsOfFile.delete(file);
  }

  /** All sections, in the order in which they came. */
  sections(): Iterable<Section> {
    return this.#sections.values();
  }

  /** The sections that have any of the question's terms, best first; those beyond the first hundred are left out. */
  search(question: string, terms: readonly Term[]): Hit[] {
    const found = new Map<number, { score: number; covered: number }>();
    let all = 0;
    for (const term of terms) {
      const { rows, count } = this.#rowsOf(term);
      const rarity = Math.log(1 + (this.#sections.size - count + 0.5) / (count + 0.5));
      all += rarity;
      for (const [row, { score, weight }] of rows) {
        const entry = found.get(row) ?? { score: 0, covered: 0 };
        found.set(row, { score: entry.score + score, covered: entry.covered + rarity * weight });
      }
    }
    const likeness = headingLikeness(question);
    return [...found]
      .flatMap(([row, { score, covered }]) => this.#hit(row, score, covered / all))
      .toSorted(byScore)
      .slice(0, HITS_MAX)
      .map((hit) => ({ ...hit, score: hit.score * (1 + SAME_HEADING * likeness(hit.section.headings) ** 2) }))
      .toSorted(byScore);
  }

  #hit(row: number, score: number, coverage: number): Hit[] {
    const section = this.#sections.get(row);
    if (!section) return [];
    const depth = section.file.split('/').length - (isReadme(section.file) ? 0 : 1);
    return [{ section, coverage, score: score * coverage * DEPTH_WEIGHT ** depth }];
  }

  /**
   * A term's rows: of the word itself and, for less, of its relatives; without either, of words that begin so, or of
   * the word that was meant. `count` tells how rare the term is.
   */
  #rowsOf(term: Term): { rows: Rows; count: number } {
    const exact = this.#match(term.exact, 1);
    const guessed = exact.size === 0 && term.prefix ? this.#match(term.prefix, GUESS_WEIGHT) : new Map();
    const related = term.related ? this.#match(term.related, RELATED_WEIGHT) : new Map();
    const rows = merge(merge(exact, guessed), atMost(related, exact));
    if (rows.size > 0) return { rows, count: exact.size || rows.size };
    const corrected = this.#corrected(term.word);
    return corrected ? { rows: this.#match(corrected, GUESS_WEIGHT), count: 0 } : { rows, count: 0 };
  }

  #match(expression: string, weight: number): Rows {
    const found = this.#select.all(expression, ROWS_A_TERM) as unknown as [number, number][];
    return new Map(found.map(([row, score]) => [row, { score: score * weight, weight }]));
  }

  #corrected(word: string): string | null {
    const first = [...word][0] ?? '';
    const words = this.#words.iterate(first, `${first}\u{10ffff}`) as Iterable<{ term: string }>;
    const known = Iterator.from(words).map(({ term }) => term);
    const meant = correctedWord(stem(word), known);
    return meant === null ? null : quoted(meant);
  }

  close(): void {
    this.#database.close();
  }
}

/** Whether a file is what its folder shows first. */
export function isReadme(file: string): boolean {
  return /(?:^|\/)(?:readme|index)\.[^/]*$/i.test(file);
}

function byScore(one: Hit, other: Hit): number {
  return other.score - one.score;
}

/** A rare relative of a word that is everywhere says no more than the word: where the word has rows, its best one is the bound. */
function atMost(related: Rows, exact: Rows): Rows {
  if (exact.size === 0) return related;
  const bound = exact.values().reduce((best, { score }) => Math.max(best, score), 0);
  return new Map([...related].map(([row, { score, weight }]) => [row, { score: Math.min(score, bound), weight }]));
}

function merge(rows: Rows, others: Rows): Rows {
  const merged = new Map(rows);
  for (const [row, other] of others) {
    const { score, weight } = rows.get(row) ?? other;
    merged.set(row, { score: Math.max(score, other.score), weight: Math.max(weight, other.weight) });
  }
  return merged;
}
