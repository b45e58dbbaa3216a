import type { Fault } from '../crash/history.ts';
import type { Database } from './database.ts';
import type { Stage } from './under-load.ts';

/** How a trial is run. */
export interface TrialOptions {
  /** How often the fault is injected. */
  readonly cycles: number;
  /** The same seed gives the same schedule of faults. */
  readonly seed: number;
  readonly nodes: number;
  /** Questions a second, each of which is answered. */
  readonly rate: number;
  readonly database: Database;
  /** An empty folder. */
  readonly directory: string;
  /** Tells people how far it is. */
  readonly say: (line: string) => void;
}

/** One line of what a trial found. */
export interface Figure {
  readonly name: string;
  readonly value: string | number;
  /** What it should be, and whether it is; absent where nothing was promised. */
  readonly target?: { readonly text: string; readonly isMet: boolean };
}

/** What came of a trial. */
export interface Outcome {
  readonly figures: readonly Figure[];
  readonly violations: readonly Fault[];
}

/** A fault of the torture, how it is injected and what must hold. */
export interface Trial {
  readonly id: string;
  readonly about: string;
  readonly mustHold: string;
  /** How often it is injected unless somebody says otherwise. */
  readonly cycles: number;
  /** Injects it into whatever runs under load; absent where it needs more than that. */
  disrupt?(stage: Stage): Promise<void>;
  run(options: TrialOptions): Promise<Outcome>;
}
