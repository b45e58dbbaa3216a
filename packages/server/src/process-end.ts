import { explainFailure } from './failure.ts';
import type { Logger } from './log.ts';

/** How the shell reports a process that a signal ended. */
const SIGNAL_EXIT = { SIGINT: 130, SIGTERM: 143 } as const;

/** What was acknowledged might not be on the disk (G1): nothing more may be acknowledged. */
export function endUntrusted(log: Logger, error: Error): never {
  log.fatal({ err: error }, 'the database cannot be trusted to keep what it is given; ending');
  process.exit(1);
}

/** Every input has a place that catches what goes wrong with it (G11); what gets here is a fault of the program. */
export function endOnUnforeseen(log: Logger): void {
  process.on('uncaughtException', (error, origin) => {
    log.fatal({ err: error, origin }, 'something failed that nothing was prepared for; ending');
    process.exit(1);
  });
}

/** The first signal stops in peace; the second does not wait for that, and may end what else is left behind. */
export function stopOnSignal(log: Logger, stop: () => Promise<void>, atOnce: () => void = () => undefined): void {
  let stopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stopping) {
        atOnce();
        process.exit(SIGNAL_EXIT[signal]);
      }
      stopping = true;
      log.info('stopping; the same signal again ends it at once');
      stop().then(
        () => {
          log.info('stopped');
          process.exit(0);
        },
        (error: unknown) => fail('stop', error),
      );
    });
  }
}

/** One sentence where the failure is a known one; else also where in the program it happened. */
export function sentenceOf(what: 'start' | 'stop', error: unknown): string {
  const sentence = explainFailure(error, process.env['DATA_DIR'] ?? './data');
  const unknown = error instanceof Error ? error.stack : String(error);
  return sentence ?? `Tertulia could not ${what}, and this is a fault of it: ${unknown}`;
}

/** Says what went wrong, and ends. */
export function fail(what: 'start' | 'stop', error: unknown): never {
  process.stderr.write(`${sentenceOf(what, error)}\n`);
  process.exit(1);
}
