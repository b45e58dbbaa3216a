import cluster, { type Worker } from 'node:cluster';
import { Refusal } from '../failure.ts';
import type { FromWorker, Ready, ToPrimary, ToWorker } from './messages.ts';

/** How a worker ends that was told to. */
export const DONE = 'exit code 0';

/** One worker, as its primary sees it. */
export class WorkerProcess {
  /** Resolves when it listens. Rejects with a `Refusal` where it ends before, in its own words if it said any. */
  readonly ready: Promise<Ready>;
  /** Resolves with how it ended, and why if it said so. */
  readonly ended: Promise<string>;
  readonly #worker: Worker;

  constructor(onMessage: (message: FromWorker) => void) {
    const ready = Promise.withResolvers<Ready>();
    let refusal = '';
    this.#worker = cluster.fork();
    this.#worker.on('message', (batch: readonly ToPrimary[]) => {
      for (const message of batch) {
        if (message.kind === 'ready') ready.resolve(message);
        else if (message.kind === 'failed') refusal = message.sentence;
        else onMessage(message);
      }
    });
    this.ready = ready.promise;
    this.ended = endOf(this.#worker).then((how) => {
      ready.reject(new Refusal(refusal || `A worker ended while it started (${how}); the log says why.`));
      return refusal ? `${how}: ${refusal}` : how;
    });
    this.ready.catch(() => undefined); // told to whoever asks
  }

  get pid(): number | undefined {
    return this.#worker.process.pid;
  }

  /** `written` is called when it has left this process, or never will. */
  send(batch: readonly ToWorker[], written: () => void = () => undefined): void {
    this.#worker.process.send(batch, undefined, undefined, written);
  }

  kill(): void {
    this.#worker.process.kill('SIGKILL');
  }
}

/** Resolves once the process has gone and all that it said has been heard, or where there never was one. */
function endOf(worker: Worker): Promise<string> {
  const gone = Promise.withResolvers<string>();
  const heard = Promise.withResolvers<void>();
  worker.once('exit', (code, signal) => gone.resolve(signal || `exit code ${code}`));
  worker.once('disconnect', () => heard.resolve());
  worker.on('error', (error) => {
    if (worker.process.pid !== undefined) return; // it could not be told something, since it has ended
    gone.resolve(String(error));
    heard.resolve();
  });
  return heard.promise.then(() => gone.promise);
}
