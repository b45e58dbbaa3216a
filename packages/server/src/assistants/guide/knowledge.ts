import { Worker } from 'node:worker_threads';
import type { Finding, Search } from './search.ts';
import type { SearchCall, SearchNews } from './search-worker.ts';

/** The part of a logger that the guide needs. */
export interface GuideLog {
  warn(details: object, message: string): void;
}

/**
 * A folder of Markdown, searched in a thread of its own: neither a large folder nor a long question holds up anyone's
 * messages. A thread that fails is started again by the next search.
 */
export class Knowledge {
  readonly #folder: string;
  readonly #log: GuideLog | undefined;
  readonly #waiting = new Map<number, PromiseWithResolvers<Finding>>();
  #thread: Worker | null = null;
  readonly #ready = Promise.withResolvers<void>();
  #settled = Promise.withResolvers<void>();
  #lastId = 0;
  #closed = false;

  constructor(folder: string, log: GuideLog | undefined) {
    this.#folder = folder;
    this.#log = log;
    this.#thread = this.#start();
  }

  /** Searches as soon as the folder has been read for the first time. */
  async search(search: Search): Promise<Finding> {
    if (this.#closed) throw new Error('The guide is closed.');
    const id = ++this.#lastId;
    const answer = Promise.withResolvers<Finding>();
    this.#waiting.set(id, answer);
    this.#thread ??= this.#start();
    this.#thread.postMessage({ id, ...search } satisfies SearchCall);
    return answer.promise;
  }

  /** Fulfilled when the folder has been read for the first time. */
  ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Fulfilled when the next changes in the folder can be found. */
  changed(): Promise<void> {
    return this.#settled.promise;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#thread?.terminate();
  }

  #start(): Worker {
    const thread = new Worker(new URL('./search-worker.ts', import.meta.url), {
      name: 'guide',
      workerData: { folder: this.#folder },
    });
    thread.unref();
    thread.on('message', (news: SearchNews) => this.#hear(news));
    thread.on('error', (error) => this.#log?.warn({ err: error }, 'The search thread of the guide failed.'));
    thread.once('exit', () => {
      this.#thread = null;
      this.#abandon(new Error('The search thread of the guide has ended.'));
    });
    return thread;
  }

  #hear(news: SearchNews): void {
    switch (news.type) {
      case 'found':
        this.#take(news.id)?.resolve(news.finding);
        break;
      case 'failed':
        this.#take(news.id)?.reject(new Error('The search in the documentation failed.', { cause: news.reason }));
        break;
      case 'ready':
        this.#ready.resolve();
        break;
      case 'settled':
        this.#settled.resolve();
        this.#settled = Promise.withResolvers();
        break;
      case 'warning':
        this.#log?.warn({ folder: this.#folder }, news.message);
    }
  }

  #take(id: number): PromiseWithResolvers<Finding> | undefined {
    const answer = this.#waiting.get(id);
    this.#waiting.delete(id);
    return answer;
  }

  #abandon(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
