import type { MetricsJson } from '../metrics.ts';

/** What of a rate limiter makes it the same in every process. */
export interface LimiterSettings {
  readonly name: string;
  readonly points: number;
  readonly seconds: number;
}

/** How much of a limit is left after a try. */
export interface Taken {
  readonly is_refused: boolean;
  readonly remaining_points: number;
  readonly ms_before_next: number;
}

/** What a worker asks its primary, and what it is answered. */
export interface Questions {
  /** Is answered once what others publish from now on will come. */
  follow: { readonly ask: { readonly topic: string }; readonly answer: null };
  take: { readonly ask: { readonly limiter: LimiterSettings; readonly key: string }; readonly answer: Taken };
  /** The metrics of every worker that answers in time. */
  metrics: { readonly ask: object; readonly answer: readonly MetricsJson[] };
}

export type QuestionName = keyof Questions;

/** A question under way; its `id` is the worker's own. */
export type Question = {
  [K in QuestionName]: { readonly kind: K; readonly id: number } & Questions[K]['ask'];
}[QuestionName];

/** What a worker tells its primary. */
export type ToPrimary =
  | Question
  /** It listens. */
  | { readonly kind: 'ready'; readonly url: string; readonly has_test_user: boolean }
  /** It cannot start, and ends. */
  | { readonly kind: 'failed'; readonly sentence: string }
  /** It stops, and has neither clients nor tasks any more. */
  | { readonly kind: 'drained' }
  | { readonly kind: 'unfollow'; readonly topic: string }
  /** For the workers that follow any of the topics: `text` is the message as JSON, which the primary does not look into. */
  | { readonly kind: 'publish'; readonly topics: readonly string[]; readonly text: string }
  /** What was taken last was taken in honesty, and does not count. */
  | { readonly kind: 'give_back'; readonly limiter: LimiterSettings; readonly key: string; readonly points: number }
  | { readonly kind: 'own_metrics'; readonly id: number; readonly metrics: MetricsJson };

/** What a worker says once it listens. */
export type Ready = Extract<ToPrimary, { kind: 'ready' }>;

/** What a worker says of anything but its own process. */
export type FromWorker = Exclude<ToPrimary, { kind: 'ready' | 'failed' }>;

/** What a worker needs to begin. */
export interface Beginning {
  /** Its own number, from 1 to `count`. */
  readonly number: number;
  readonly count: number;
  /** Where the workers' local sockets lie. */
  readonly folder: string;
  readonly port: number;
}

/** What the primary tells a worker. */
export type ToWorker =
  | ({ readonly kind: 'begin' } & Beginning)
  | { readonly kind: 'answer'; readonly id: number; readonly answer: Questions[QuestionName]['answer'] }
  /** Something that another worker published. */
  | { readonly kind: 'told'; readonly text: string }
  /** What others published lately is lost. */
  | { readonly kind: 'missed' }
  | { readonly kind: 'own_metrics'; readonly id: number }
  /** Lets its clients and tasks go. */
  | { readonly kind: 'stop' }
  /** No worker that stops has any more: nothing is to be passed on to them. */
  | { readonly kind: 'close' };

/** Writes a batch to a worker; `written` is called when it has left this process, or never will. */
export type WriteBatch = (batch: readonly ToWorker[], written: () => void) => void;
