/** Why a run is broken off: its task was ended otherwise (and how), or somebody else is to go on with it. */
export type StopReason = 'completed' | 'failed' | 'cancelled' | 'lease_lost' | 'shutdown' | 'deadline';

/**
 * Breaks a run off. Its `AbortSignal` is made only for an assistant that looks at it: most answers never need one,
 * and making it costs more than everything else here.
 */
export class RunStop {
  #reason: StopReason | null = null;
  #controller: AbortController | null = null;
  #wake: (() => void) | null = null;

  /** Why the run was broken off, or null while it may go on. */
  get reason(): StopReason | null {
    return this.#reason;
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#reason) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** The first reason counts. */
  abort(reason: StopReason): void {
    if (this.#reason) return;
    this.#reason = reason;
    this.#controller?.abort(reason);
    this.#wake?.();
  }

  /** Waits for a promise, but not longer than the run goes on. */
  async before<T>(promise: Promise<T>): Promise<T | 'stopped'> {
    if (this.#reason) return 'stopped';
    const stopped = Promise.withResolvers<'stopped'>();
    this.#wake = () => stopped.resolve('stopped');
    return Promise.race([promise, stopped.promise]);
  }
}
