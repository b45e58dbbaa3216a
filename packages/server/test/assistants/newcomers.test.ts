import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { createGuide } from '../../src/assistants/guide/guide.ts';
import { ask } from './ask.ts';
import { NEWCOMER_QUESTIONS } from './newcomer-questions.ts';

const guide = await createGuide({ paceMs: 0 });
afterAll(() => guide.close());

/** `npm run bench -- --write` makes this page, and a tree in which nobody has measured has none. */
const isMeasured = existsSync(fileURLToPath(new URL('../../../../docs/benchmarks.md', import.meta.url)));
const questions = NEWCOMER_QUESTIONS.filter(([, section]) => isMeasured || !section.startsWith('benchmarks.md'));

test.each(questions)('"%s" is answered first from %s', async (question, section) => {
  const answer = await ask(guide, question);
  expect(/^\[.*\]\((\S+)\)$/m.exec(answer)?.[1]).toBe(`docs/${section}`);
  expect(answer.length).toBeLessThan(1_600);
});
