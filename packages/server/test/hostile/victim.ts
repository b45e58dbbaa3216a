import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect } from 'vitest';
import type { SettingName } from '../../src/config.ts';
import { freePort, ServerProcess } from '../crash/server-process.ts';
import { until } from '../crash/until.ts';
import { PASSWORD } from '../support/start-server.ts';

const MEGABYTE = 1_048_576;
/** Somebody else's round trip, which is a millisecond or two, may grow to this on a busy machine with two processors. */
const PATIENT_MS = 1_500;
/** On a busy machine it may be as many times the slowest round trip without an attack. */
const CALM_TIMES = 100;
/** Memory is given back when the collector gets to it, and the allocator keeps some. */
const SETTLING_MS = 15_000;

/** How an attack went for everybody else. */
export interface Harm {
  /** Round trips of the bystander while it lasted, in ms, shortest first. */
  readonly trips: readonly number[];
  /** How much larger the process was at its largest, in MB. */
  readonly grownBy: number;
  /** Processor time that the server took, in s. */
  readonly cpu: number;
}

/** A server in a process of its own, to be flooded, and somebody in a thread of their own who uses it. */
export class Victim {
  readonly url: string;
  readonly #process: ServerProcess;
  readonly #directory: string;

  private constructor(url: string, process: ServerProcess, directory: string) {
    this.url = url;
    this.#process = process;
    this.#directory = directory;
  }

  static async start(settings: Partial<Record<SettingName, string>> = {}): Promise<Victim> {
    const directory = await mkdtemp(join(tmpdir(), 'tertulia-hostile-'));
    const port = await freePort();
    const process = await ServerProcess.start({
      directory,
      port,
      settings: { ASSISTANT: 'none', LOGINS_PER_ACCOUNT: '9999', LOGINS_PER_ADDRESS: '9999', ...settings },
      environment: { NODE_OPTIONS: '--max-old-space-size=192 --max-semi-space-size=4' }, // what is kept ends it
    });
    return new Victim(`http://127.0.0.1:${port}`, process, directory);
  }

  /** Makes an account over REST and answers its access token. */
  async signUp(username: string): Promise<string> {
    const account = { username, email: `${username}@example.com`, password: PASSWORD };
    await this.#post('register', account);
    const { access_token } = (await (await this.#post('login', account)).json()) as { access_token: string };
    return access_token;
  }

  #post(path: string, json: object): Promise<Response> {
    const headers = { 'content-type': 'application/json' };
    return fetch(`${this.url}/api/v1/auth/${path}`, { method: 'POST', headers, body: JSON.stringify(json) });
  }

  /** A sample of the process's own metrics. */
  async measure(name: string): Promise<number> {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    const value = new RegExp(`^${name}(?:{[^}]*})? (.*)$`, 'm').exec(text)?.[1];
    if (value === undefined) throw new Error(`no metric ${name}`);
    return Number(value);
  }

  /**
   * Runs an attack while the bystander goes on, and checks what holds for every attack: the process lives, the
   * bystander is served all the time, and no more memory than `megabytes` was taken or is kept.
   */
  async under(megabytes: number, attack: () => Promise<unknown>): Promise<Harm> {
    const bystander = await Bystander.start(this.url, await this.signUp(`bystander-${Date.now()}`));
    const calm = await this.#calmTrip();
    const before = await this.#memory();
    const cpu = await this.measure('process_cpu_seconds_total');
    let largest = before;
    const looking = setInterval(() => void this.#memory().then((now) => (largest = Math.max(largest, now))), 250);
    try {
      await attack();
    } finally {
      clearInterval(looking);
    }
    const trips = await bystander.stop();
    const harm = {
      trips,
      grownBy: Math.round(Math.max(largest, await this.#memory()) - before),
      cpu: (await this.measure('process_cpu_seconds_total')) - cpu,
    };
    if (this.#process.isGone) throw new Error(`the process has gone: ${this.#process.lastLines}`);
    expectBounded(harm, megabytes, Math.max(PATIENT_MS, CALM_TIMES * calm));
    await until(async () => (await this.#memory()) - before < megabytes, SETTLING_MS, 'the memory is given back');
    return harm;
  }

  /** The slowest of some requests without an attack: what this machine is like just now, in ms. */
  async #calmTrip(): Promise<number> {
    const trips: number[] = [];
    for (let count = 0; count < 20; count += 1) {
      const started = performance.now();
      await this.measure('process_cpu_seconds_total');
      trips.push(performance.now() - started);
    }
    return Math.max(...trips);
  }

  async #memory(): Promise<number> {
    return (await this.measure('process_resident_memory_bytes')) / MEGABYTE;
  }

  /** @throws where the process ended by itself, or does not end as it should */
  async stop(): Promise<void> {
    const isGone = this.#process.isGone;
    const code = await this.#process.stop();
    await rm(this.#directory, { recursive: true, force: true });
    if (isGone || code !== 0) throw new Error(`ended with ${code}: ${this.#process.lastLines}`);
  }
}

function expectBounded({ trips, grownBy }: Harm, megabytes: number, milliseconds: number): void {
  expect(grownBy).toBeLessThan(megabytes);
  expect(quantile(trips, 0.99)).toBeLessThan(milliseconds);
}

/** Somebody who chats all the time, in a thread that the attack does not slow down. */
class Bystander {
  readonly #worker: Worker;

  private constructor(worker: Worker) {
    this.#worker = worker;
  }

  static async start(url: string, token: string): Promise<Bystander> {
    const worker = new Worker(new URL('./bystander-thread.ts', import.meta.url), { workerData: { url, token } });
    await once(worker, 'message');
    return new Bystander(worker);
  }

  async stop(): Promise<number[]> {
    const answer = once(this.#worker, 'message');
    this.#worker.postMessage('stop');
    const [trips] = (await answer) as [number[]];
    await this.#worker.terminate();
    return trips.toSorted((a, b) => a - b);
  }
}

/** The value below which that part of the sorted values lies. */
function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}
