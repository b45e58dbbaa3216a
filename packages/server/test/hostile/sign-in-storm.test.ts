import { afterAll, beforeAll, expect, test } from 'vitest';
import { PASSWORD, startHttp, type TestHttp } from '../support/start-http.ts';

let http: TestHttp;
beforeAll(async () => {
  http = await startHttp();
  await http.signUp('known');
  await http.signUp('inactive');
  await http.accounts.setActive('inactive', false);
});
afterAll(() => http.close());

const ATTEMPTS = {
  wrong: { username: 'known', password: 'not the password' },
  unknown: { username: 'nobody at all', password: PASSWORD },
  deactivated: { username: 'inactive', password: PASSWORD },
};

interface Cost {
  readonly cpu: number;
  readonly wall: number;
}

/** What one attempt costs. The processor's time is the exact measure: others on the machine hardly move it. */
async function costOf(json: object): Promise<Cost> {
  const [cpu, wall] = [process.cpuUsage(), performance.now()];
  await http.call('POST', '/api/v1/auth/login', { json });
  const { user, system } = process.cpuUsage(cpu);
  return { cpu: user + system, wall: performance.now() - wall };
}

const quantile = (values: number[], part: number) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * part)]!;

test('what a refusal costs does not tell whether there is such an account', { timeout: 60_000 }, async () => {
  const kinds = Object.keys(ATTEMPTS) as (keyof typeof ATTEMPTS)[];
  const costs: Record<keyof typeof ATTEMPTS, Cost[]> = { wrong: [], unknown: [], deactivated: [] };
  for (let turn = 0; turn < 90; turn += 1) {
    const kind = kinds[(turn + Math.floor(turn / 3)) % 3]!; // each kind in each place of a round
    costs[kind].push(await costOf(ATTEMPTS[kind]));
  }
  const ratio = (kind: keyof typeof ATTEMPTS, measure: keyof Cost) => {
    const typical = (of: Cost[]) =>
      quantile(
        of.map((cost) => cost[measure]),
        0.25,
      );
    return typical(costs[kind]) / typical(costs.wrong);
  };
  for (const kind of ['unknown', 'deactivated'] as const) {
    // Without the dummy hash both are about 0.05.
    expect(ratio(kind, 'cpu'), `${kind}, cpu`).toBeGreaterThan(0.85);
    expect(ratio(kind, 'cpu'), `${kind}, cpu`).toBeLessThan(1.18);
    expect(Math.abs(Math.log2(ratio(kind, 'wall'))), `${kind}, wall`).toBeLessThan(1);
  }
});
