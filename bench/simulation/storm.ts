import { Clock } from './clock.ts';
import { Core } from './core.ts';
import { seeded } from './random.ts';

const LONG = 3_600_000_000;

/**
 * Everybody comes back to one core: each at a random moment within `spreadSeconds`, and each costs it `cpuMicroseconds`.
 * Answers the seconds until 99 % are back.
 */
export function simulateStorm(cpuMicroseconds: number, sockets: number, spreadSeconds: number, seed = 1): number {
  const clock = new Clock();
  const core = new Core(clock);
  const random = seeded(seed);
  const wanted = Math.floor(sockets * 0.99);
  let waiting = 0;
  let back = 0;
  let seconds = Number.NaN;
  const serve = () =>
    core.run('main', cpuMicroseconds, () => {
      waiting -= 1;
      back += 1;
      if (back === wanted) seconds = clock.now / 1_000_000;
      if (waiting > 0) serve();
    });
  for (let socket = 0; socket < sockets; socket += 1) {
    clock.after(random() * spreadSeconds * 1_000_000, () => {
      waiting += 1;
      if (waiting === 1) serve();
    });
  }
  clock.run(LONG);
  return seconds;
}
