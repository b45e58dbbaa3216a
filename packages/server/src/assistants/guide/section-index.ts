import { DatabaseSync } from 'node:sqlite';
import { indexable, type Term } from './question.ts';
import type { Section } from './sections.ts';

/** A section that answers a question, with a score to compare it with the others of the same search. */
export interface Hit {
  readonly section: Section;
  readonly score: number;
  /** The share of the question, by rarity of its words, that the section has: 0 to 1. */
  readonly coverage: number;
}

const ROWS_A_TERM = 1_000;
const RELATED_WEIGHT = 0.5;
const PREFIX_WEIGHT = 0.6;
/** Pages in subfolders (decisions, notes) are rarely what a newcomer is after. */
const DEPTH_WEIGHT = 0.8;

/**
 * A full-text index of sections in memory. SQLite's FTS5 and not a library: it is in the runtime already, stems
 * English and folds accents, and its rows cost a fraction of objects in JavaScript.
 */
export class SectionIndex {
  readonly #database = new DatabaseSync(':memory:');
  readonly #sections = new Map<number, Section>();
  readonly #rowsOfFile = new Map<string, number[]>();
  #nextRow = 1;

  constructor() {
    this.#database.exec(`CREATE VIRTUAL TABLE sections USING fts5(
      heading, parents, body, content='', contentless_delete=1, tokenize='porter unicode61 remove_diacritics 2')`);
  }

  /** Replaces what the index has of a file. */
  put(file: string, sections: Iterable<Section>): void {
    this.#database.exec('BEGIN');
    try {
      this.#drop(file);
      for (const section of sections) this.#insert(file, section);
      this.#database.exec('COMMIT');
    } catch (error) {
      this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  #insert(file: string, section: Section): void {
    const row = this.#nextRow++;
    const parents = [...section.headings.slice(0, -1), file.replaceAll(/[/._-]+/g, ' ')].join(' ');
    const texts = [section.headings.at(-1) ?? '', parents, section.blocks.join('\n')].map(indexable);
    this.#database
      .prepare('INSERT INTO sections (rowid, heading, parents, body) VALUES (?, ?, ?, ?)')
      .run(row, ...texts);
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
    const remove = this.#database.prepare('DELETE FROM sections WHERE rowid = ?');
    for (const row of this.#rowsOfFile.get(file) ?? []) {
      remove.run(row);
      this.#sections.delete(row);
    }
    this.#rowsOfFile.delete(file);
  }

  /** All sections, in the order in which they came. */
  sections(): Iterable<Section> {
    return this.#sections.values();
  }

  /** The sections that have any of the terms, best first. */
  search(terms: readonly Term[]): Hit[] {
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
    return [...found]
      .map(([row, { score, covered }]) => this.#hit(row, score, all > 0 ? covered / all : 0))
      .toSorted((one, other) => other.score - one.score);
  }

  #hit(row: number, score: number, coverage: number): Hit {
    const section = this.#sections.get(row) as Section;
    const depth = section.file.split('/').length - 1;
    return { section, coverage, score: score * coverage * DEPTH_WEIGHT ** depth };
  }

  /** A term's rows with their scores: of the word itself and, for less, of its relatives; else of words that begin so. */
  #rowsOf(term: Term): { rows: Map<number, { score: number; weight: number }>; count: number } {
    const rows = new Map<number, { score: number; weight: number }>();
    const add = (expression: string, weight: number) => {
      for (const [row, score] of this.#match(expression)) {
        const before = rows.get(row);
        if (!before || before.score < score * weight)
          rows.set(row, { score: score * weight, weight: Math.max(weight, before?.weight ?? 0) });
      }
    };
    add(term.exact, 1);
    const count = rows.size;
    if (count === 0 && term.prefix) add(term.prefix, PREFIX_WEIGHT);
    if (term.related) add(term.related, RELATED_WEIGHT);
    return { rows, count: count || rows.size };
  }

  #match(expression: string): [number, number][] {
    // bm25 is negative, the better the lower; a word in more than half of the rows gets nearly 0, hence the addition.
    const select = this.#database.prepare(
      'SELECT rowid, 0.05 - bm25(sections, 6.0, 2.0, 1.0) FROM sections WHERE sections MATCH ? ORDER BY rank LIMIT ?',
    );
    select.setReturnArrays(true);
    return select.all(expression, ROWS_A_TERM) as unknown as [number, number][];
  }

  close(): void {
    this.#database.close();
  }
}
