import { Clock } from './clock.ts';
import { Node, type Costs } from './node.ts';
import { seeded } from './random.ts';

/** What a load came to, as the benchmark measures it. */
export interface LoadResult {
  readonly perSecond: number;
  /** CPU in microseconds for each exchange. */
  readonly cpuMicroseconds: number;
  /** Round trips in milliseconds. */
  readonly mean: number;
  readonly p50: number;
  readonly p99: number;
  /** Writes that shared a commit, on average. */
  readonly batch: number;
}

const SECOND = 1_000_000;
const WARM_UP = SECOND;
/** From a client to the server or back, on one machine. */
const WIRE = 20;

/** Clients that each ask again as soon as they have their answer, for a second of warm-up and `seconds` that count. */
export function simulateLoad(costs: Costs, clients: number, seconds: number, seed = 1): LoadResult {
  const clock = new Clock();
  const node = new Node(clock, costs, seeded(seed));
  const times: number[] = [];
  const ask = () => {
    const began = clock.now;
    clock.after(WIRE, () =>
      node.exchange(() =>
        clock.after(WIRE, () => {
          if (clock.now > WARM_UP) times.push((clock.now - began) / 1_000);
          ask();
        }),
      ),
    );
  };
  for (let client = 0; client < clients; client += 1) ask();
  clock.run(WARM_UP);
  const before = { busy: node.core.busy, commits: node.commits, written: node.written };
  clock.run(WARM_UP + seconds * SECOND);
  times.sort((a, b) => a - b);
  return {
    perSecond: times.length / seconds,
    cpuMicroseconds: (node.core.busy - before.busy) / times.length,
    mean: times.reduce((sum, time) => sum + time, 0) / times.length,
    p50: times[Math.floor(times.length * 0.5)] ?? 0,
    p99: times[Math.floor(times.length * 0.99)] ?? 0,
    batch: (node.written - before.written) / (node.commits - before.commits),
  };
}
