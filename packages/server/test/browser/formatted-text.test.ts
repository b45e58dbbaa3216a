import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import { withTestPage } from './browser.ts';

const PHONE = { viewport: { width: 360, height: 740 } };
const WRAPPED =
  'A paragraph of Markdown that somebody has wrapped at\nthe width of a page, which says nothing of how wide the';
const TEXTS = [
  [`${WRAPPED}\n**reader's** window is`, `${WRAPPED.replace('\n', ' ')} reader's window is`],
  [`> ${WRAPPED.replace('\n', '\n> ')}\nafter`, `${WRAPPED.replace('\n', ' ')}\nafter`],
  [`- ${WRAPPED.replace('\n', '\n  ')}\n- two`, `- ${WRAPPED.replace('\n', ' ')}\n- two`],
  ['See [`a` and **b**](c.md).', 'See a and bc.md.'], // the style sheet adds the parentheses
  ['Roses are red,\nviolets are blue,', 'Roses are red,\nviolets are blue,'],
  [`${WRAPPED}\n- an item\n1. another`, `${WRAPPED.replace('\n', ' ')}\n- an item\n1. another`],
  [WRAPPED.replace('\n', '  \n'), WRAPPED.replace('\n', '  \n')],
  [`\`\`\`\n${WRAPPED}\n\`\`\`\n# ${WRAPPED}`, `${WRAPPED}\n${WRAPPED}`],
  ['Two:\n| a | b |\n|---|---|\n| c | d |\nEnd\n> | e |\n| f |', 'Two:\n| a | b |\n| c | d |\nEnd\n| e |\n| f |'],
  [`| ${WRAPPED.replace('\n', ' |\n| ')} |`, `| ${WRAPPED.replace('\n', ' |\n| ')} |`],
] as const;

/** What is in the document after each step of a text that comes in pieces, and what is seen of it at the end. */
async function shown(page: Page, text: string, size: number): Promise<{ wrong: string[]; seen: string }> {
  // As a string, since the tests' own compiler would make an import of its own of it.
  const views = await page.evaluateHandle("import(new URL('test-page/views/formatted-text.js', location.href).href)");
  return views.evaluate(
    ({ FormattedText }, [whole, step]) => {
      const formatted = new FormattedText();
      document.body.append(formatted.node);
      const wrong: string[] = [];
      for (let end = 0; end < whole.length + step; end += step) {
        const soFar = whole.slice(0, end);
        formatted.set(soFar);
        if (formatted.node.textContent !== soFar) wrong.push(soFar);
      }
      return { wrong, seen: formatted.node.innerText };
    },
    [text, size] as const,
  );
}

describeWith('chromium', "an assistant's text on the test page", () => {
  const tests = withTestPage();

  test('is the text of the server at each moment, and a wrapped paragraph is seen in one', async () => {
    const page = await tests.visit();
    for (const [text, seen] of TEXTS)
      for (const size of [1, 7, 1_000]) expect(await shown(page, text, size)).toEqual({ wrong: [], seen });
  });

  test('shows a table as one block that scrolls, and a link as the plain text that it is', async () => {
    const page = await tests.visit(PHONE);
    const row = `| ${'wide '.repeat(40)}|`;
    await shown(page, `${row}\n|---|\n${row}\n\nSee [this](that.md).`, 1_000);
    const table = await page
      .locator('.table')
      .evaluateAll((nodes) =>
        nodes.map(({ scrollWidth, clientWidth, clientHeight }) => [scrollWidth > clientWidth, clientHeight < 60]),
      );
    expect(table).toEqual([[true, true]]);
    const looks = await page.locator('.link-label').evaluate((node) => {
      const { color, fontWeight } = getComputedStyle(node);
      const around = getComputedStyle(node.parentElement ?? node);
      return [color === around.color, fontWeight === around.fontWeight];
    });
    expect(looks).toEqual([true, true]);
  });
});
