import { expect, test } from 'vitest';
import { tally } from './tally.ts';

const reader = (sent: string[], heard: string[]) => ({
  acknowledged: new Map(sent.map((id) => [id, 'room'])),
  heard: new Map([['room', heard]]),
});

test('finds nothing where all heard the same in one order', () => {
  expect(tally([reader(['a', 'c'], ['a', 'b', 'c']), reader(['b'], ['a', 'b', 'c'])])).toEqual({
    acknowledged: 3,
    lost: 0,
    lostCopies: 0,
    doubled: 0,
    doubledCopies: 0,
    reordered: 0,
  });
});

test('counts what was lost, doubled and heard the other way round', () => {
  const readers = [reader(['a', 'b', 'c'], ['a', 'b', 'b', 'd']), reader(['d'], ['b', 'a', 'd'])];
  expect(tally(readers)).toEqual({
    acknowledged: 4,
    lost: 1,
    lostCopies: 2,
    doubled: 1,
    doubledCopies: 1,
    reordered: 1,
  });
});
