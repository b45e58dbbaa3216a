import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createLogger } from '../../src/log.ts';
import { createRefusals, type Refusals } from '../../src/refusals.ts';

let lines: { address: string; code: string; count: number; level: number }[];
let refusals: Refusals;
beforeEach(() => {
  vi.useFakeTimers();
  lines = [];
  const to = { write: (line: string) => void lines.push(JSON.parse(line)) };
  refusals = createRefusals(createLogger({ level: 'info', node: 'node', to }), 'refused');
});
afterEach(() => void vi.useRealTimers());

test('a flood from one address is a line at once, and one in 10 s with the count', () => {
  for (let turn = 0; turn < 500; turn += 1) refusals.add('192.0.2.1', 'unauthorized');
  refusals.add('192.0.2.2', 'rate_limited');
  vi.advanceTimersByTime(9_999);
  expect(lines).toMatchObject([
    { address: '192.0.2.1', count: 1, level: 30 },
    { address: '192.0.2.2', count: 1, level: 40 },
  ]);
  vi.advanceTimersByTime(20_000);
  expect(lines.slice(2)).toMatchObject([{ address: '192.0.2.1', code: 'unauthorized', count: 499 }]);
  refusals.add('192.0.2.1', 'unauthorized');
  expect(lines.slice(3)).toMatchObject([{ count: 1 }]);
});

test('a flood from thousands of addresses is counted together beyond the first thousand', () => {
  for (let host = 0; host < 5_000; host += 1) refusals.add(`host-${host}`, 'unauthorized');
  vi.advanceTimersByTime(10_000);
  expect(lines).toHaveLength(1_002);
  expect(lines.at(-1)).toMatchObject({ address: 'many', count: 3_999 });
});
