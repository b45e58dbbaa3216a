import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { dirname, join, normalize } from 'node:path';
import { ERRORS } from '@tertulia/protocol';
import { expect, test } from 'vitest';
import { SETTINGS } from '../../src/config.ts';
import { run } from '../examples/run-program.ts';
import { metricNames } from '../support/metric-names.ts';
import { anchorsOf, readPage, readPages, ROOT } from './pages.ts';

const pages = await readPages();

test('every link within the documentation leads somewhere', async () => {
  const anchors = new Map(pages.map((page) => [page.path, anchorsOf(page)]));
  const broken = pages.flatMap(({ path, prose }) =>
    [...prose.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = '']) => {
      if (/^[a-z]+:/.test(link)) return [];
      const [file = '', anchor] = link.split('#');
      const target = file === '' ? path : normalize(join(dirname(path), file));
      const isThere = existsSync(join(ROOT, target)) && (!anchor || anchors.get(target)?.has(anchor));
      return isThere ? [] : [`${path}: ${link}`];
    }),
  );
  expect(broken).toEqual([]);
});

test('every script that the documentation names is in package.json', async () => {
  const known = new Set([...(await scriptsOf('package.json')), ...(await scriptsOf('packages/protocol/package.json'))]);
  const named = pages.flatMap(({ path, text }) =>
    [...text.matchAll(/\bnpm (?:run (?:--silent )?([\w:-]+)|(start|test)\b)/g)].map(([, script, short]) => [
      path,
      script ?? short,
    ]),
  );
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter(([, script]) => !known.has(script ?? ''))).toEqual([]);
});

async function scriptsOf(manifest: string): Promise<string[]> {
  const { scripts } = JSON.parse(await readFile(join(ROOT, manifest), 'utf8')) as { scripts: object };
  return Object.keys(scripts);
}

/** Names in capitals that are not settings of ours: of examples, of the tests, of OpenTelemetry, of the code, of Node's errors and its own. */
const OTHERS =
  /^(MODEL(_URL|_KEY)?|TOKEN|TASK_ID|CONVERSATION_ID|TEST_MONGODB_URL|OTEL_\w+|PROTOCOL_VERSION|NODE_EXTRA_CA_CERTS|ERR_\w+)$/;

test('every setting that the documentation names is in the table of settings', () => {
  const named = pages.flatMap(({ path, text }) =>
    [...text.matchAll(/(?<![\w$.])([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?![\w.])|`([A-Z][A-Z0-9_]{3,})(?:=[^`]*)?`/g)].map(
      ([, snake, quoted]) => ({ path, name: snake ?? quoted ?? '' }),
    ),
  );
  expect(named.length).toBeGreaterThan(30);
  expect(named.filter(({ name }) => !(name in SETTINGS) && !OTHERS.test(name))).toEqual([]);
});

test('every piece of JavaScript, TypeScript and JSON in the documentation parses', async () => {
  const pieces = pages.flatMap(({ path, code }) => code.map((piece) => ({ path, ...piece })));
  expect(pieces.length).toBeGreaterThan(10);
  for (const { path, language, code } of pieces) expect(await faultIn(language, code), path).toBe('');
}, 30_000);

/** What is wrong with a piece of code, or nothing. */
async function faultIn(language: string, code: string): Promise<string> {
  if (!['js', 'ts', 'json'].includes(language)) return '';
  const written = language === 'json' ? `export const value = ${code}` : code;
  const input = language === 'ts' ? stripTypeScriptTypes(written) : written;
  return (await run(process.execPath, ['--input-type=module', '--check', '-'], { input })).stderr;
}

test('the page on errors is the table of errors', async () => {
  const { text } = await readPage('docs/errors.md');
  const rows = [...text.matchAll(/^\| `(\w+)` \| (\d+) \| (yes|no) \| (.*) \|$/gm)];
  expect(rows.map(([, code, status, again, message]) => [code, { status: Number(status), again, message }])).toEqual(
    Object.entries(ERRORS).map(([code, { status, retryable, message }]) => [
      code,
      { status, again: retryable ? 'yes' : 'no', message },
    ]),
  );
});

test('every file on the way of a message exists', async () => {
  const { prose } = await readPage('docs/message-flow.md');
  const named = [...prose.matchAll(/`([\w/-]+(?:\/|\.ts))`/g)].map(([, path = '']) => path);
  const isThere = (path: string) => existsSync(join(ROOT, 'packages/server/src', path)) || existsSync(join(ROOT, path));
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((path) => !isThere(path) && path !== 'packages/server/src')).toEqual([]);
});

test('every metric that the documentation names is measured', async () => {
  const measured = await metricNames();
  const named = pages.flatMap(({ text }) =>
    [...text.matchAll(/`((?:tertulia|nodejs)_[a-z0-9_]+)`/g)].map(([, name]) => name),
  );
  expect(named.length).toBeGreaterThan(8);
  expect(named.filter((name) => !measured.has(name ?? ''))).toEqual([]);
});

test('every file that CONTRIBUTING.md names exists', async () => {
  const { prose } = await readPage('CONTRIBUTING.md');
  const named = [...prose.matchAll(/`((?:packages|docs|\.ci)\/[\w./-]+)`/g)].map(([, path = '']) => path);
  expect(named.length).toBeGreaterThan(8);
  expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});
