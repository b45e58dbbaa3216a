import { basename } from 'node:path';
import { mayOnlyGreet, type Term, termsOf } from './question.ts';
import { linkTo, quote, QUOTE_MAX, type Quote } from './quote.ts';
import { type Hit, isReadme, type SectionIndex } from './section-index.ts';
import type { Section } from './sections.ts';

/** What is looked for: the question, and what the same person asked before it. */
export interface Search {
  readonly question: string;
  readonly earlier: string | null;
}

/** One page of the folder, with the headings in it. */
export interface Topic {
  readonly link: string;
  readonly headings: readonly string[];
}

/** What a search found. */
export interface Finding {
  /** False where the question names nothing to look for: a greeting, thanks. */
  readonly asked: boolean;
  /** The words that were looked for, each of letters and digits only. */
  readonly words: readonly string[];
  readonly quotes: readonly Quote[];
  /** Links to more sections. */
  readonly more: readonly string[];
  readonly topics: readonly Topic[];
}

const HITS = 8;
const MORE = 2;
/** Room that is left for a second quote, below which a link says more. */
const SECOND_MIN = 250;
/** Of the quotes and the links to more. */
const SHOWN_MAX = 1_250;
/** The share of the question that a section must have to be offered as an answer. */
const COVERAGE_MIN = 0.3;
/** A second quote, or another link, is worth showing if it is nearly as good as the first. */
const NEAR = 0.55;

/** Searches the index and prepares all that the answer shows. `folder` is where the files are; its name starts the links. */
export function findAnswer(index: SectionIndex, folder: string, { question, earlier }: Search): Finding {
  const base = basename(folder);
  const terms = termsOf(question);
  const hits = rankedHits(index, question, terms, earlier);
  const best = hits[0]?.score ?? 0;
  const near = hits.filter(({ score }) => score >= best * NEAR);
  const words = terms.map(({ word }) => word);
  const quotes = quotesOf(distinct(near.map(({ section }) => section)), words, base);
  const links = distinct(hits.map(({ section }) => section)).map((section) => linkTo(section, base));
  return {
    asked: quotes.length > 0 || (terms.length > 0 && !mayOnlyGreet(question)),
    words,
    quotes,
    more: moreOf(links, quotes),
    topics: quotes.length > 0 ? [] : topicsOf(index, base),
  };
}

/** The best section, and the second if the first leaves room for it. */
function quotesOf([first, second]: readonly Section[], words: readonly string[], base: string): Quote[] {
  if (!first) return [];
  const best = quote(first, words, base);
  const left = QUOTE_MAX - best.text.length;
  return second && left >= SECOND_MIN ? [best, quote(second, words, base, left)] : [best];
}

function moreOf(links: readonly string[], quotes: readonly Quote[]): string[] {
  let left = SHOWN_MAX - quotes.reduce((sum, { text, link }) => sum + text.length + link.length, 0);
  const shown = new Set(quotes.map(({ link }) => link));
  const others = [...new Set(links)].filter((link) => !shown.has(link)).slice(0, MORE);
  return others.filter((link) => (left -= link.length) >= 0);
}

function rankedHits(index: SectionIndex, question: string, terms: readonly Term[], earlier: string | null): Hit[] {
  const hits = index.search(question, terms).filter(({ coverage }) => coverage >= COVERAGE_MIN);
  if (terms.length !== 1 || earlier === null) return hits.slice(0, HITS);
  // "And in Python?" is a question about what was asked before: that decides between the sections on Python.
  const sections = new Set(hits.map(({ section }) => section));
  const inContext = index.search(question, [...terms, ...termsOf(earlier).slice(0, 4)]);
  return inContext.filter(({ section }) => sections.has(section)).slice(0, HITS);
}

/** A long section is indexed in pieces: one quote of it is enough. */
function distinct(sections: readonly Section[]): Section[] {
  const key = ({ file, anchor }: Section) => `${file}#${anchor}`;
  return sections.filter((section, at) => sections.findIndex((other) => key(other) === key(section)) === at);
}

/** Three pages: the first that the folder's README links to, then those at the top of the folder that say most. */
function topicsOf(index: SectionIndex, base: string): Topic[] {
  const pages = Map.groupBy(index.sections(), ({ file }) => file);
  const first = pagesOfReadme(index);
  return [...pages]
    .map(([file, sections]) => ({ sections, place: place(first, file), depth: file.split('/').length }))
    .toSorted(
      (one, other) => one.place - other.place || one.depth - other.depth || other.sections.length - one.sections.length,
    )
    .slice(0, 3)
    .map(({ sections }) => {
      const first = sections[0] as Section;
      const headings = sections
        .filter((section) => section.headings.length === 2)
        .map((section) => section.headings[1] ?? '');
      return {
        link: linkTo({ ...first, anchor: '', headings: first.headings.slice(0, 1) }, base),
        headings: [...new Set(headings)].slice(0, 3),
      };
    });
}

function pagesOfReadme(index: SectionIndex): string[] {
  const readme = [...index.sections()].filter(({ file }) => !file.includes('/') && isReadme(file));
  const text = readme.flatMap(({ blocks }) => blocks).join('\n');
  return [...text.matchAll(/\]\((?:\.\/)?([^)\s#]+)/g)].map(([, target]) => target ?? '');
}

function place(pages: readonly string[], file: string): number {
  const at = pages.indexOf(file);
  return at === -1 ? pages.length : at;
}
