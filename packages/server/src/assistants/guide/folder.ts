import { type FSWatcher, watch } from 'node:fs';
import { markdownFiles, reason, vanished } from './markdown-files.ts';

/** What a folder tells about its files, named relative to it, with forward slashes. */
export interface FolderListener {
  changed(file: string, text: string): void;
  removed(file: string): void;
  /** After each look at the folder that found changes, and after the first. */
  settled(): void;
  warn(message: string): void;
}

/** Changes come in bursts: a checkout, an editor that writes twice. */
const SETTLE_MS = 100;
/** A watcher misses changes on network shares and dies with its folder: look anyway. */
const LOOK_AGAIN_MS = 60_000;

/**
 * Keeps a listener told of the Markdown files in a folder. The watcher only says that something changed; what it was is
 * found by comparing, so a missed or doubled event cannot leave anything out.
 */
export class Folder {
  readonly #path: string;
  readonly #listener: FolderListener;
  readonly #stamps = new Map<string, string>();
  readonly #warned = new Set<string>();
  readonly #lookAgain = setInterval(() => void this.#look(), LOOK_AGAIN_MS);
  #watcher: FSWatcher | null = null;
  #settling: NodeJS.Timeout | null = null;
  #looking = false;
  #missed = false;

  constructor(path: string, listener: FolderListener) {
    this.#path = path;
    this.#listener = listener;
  }

  /** Watches the folder and reads it for the first time. */
  async start(): Promise<void> {
    this.#watch();
    await this.#look(true);
  }

  close(): void {
    clearInterval(this.#lookAgain);
    if (this.#settling) clearTimeout(this.#settling);
    this.#watcher?.close();
  }

  #watch(): void {
    try {
      this.#watcher ??= watch(this.#path, { recursive: true }, () => this.#noticed());
      this.#watcher.on('error', (error) => this.#unwatch(error));
    } catch (error) {
      this.#unwatch(error);
    }
  }

  #unwatch(error: unknown): void {
    this.#watcher?.close();
    this.#watcher = null;
    this.#warn(`The folder ${this.#path} cannot be watched, so changes take a minute to show: ${reason(error)}`);
  }

  /** The time runs from the first event of a burst: a folder that changes all the time is read all the same. */
  #noticed(): void {
    this.#settling ??= setTimeout(() => {
      this.#settling = null;
      void this.#look();
    }, SETTLE_MS);
  }

  async #look(first = false): Promise<void> {
    this.#missed = true;
    if (this.#looking) return;
    this.#looking = true;
    let changes = 0;
    while (this.#missed) {
      this.#missed = false;
      this.#watch();
      try {
        changes += await this.#compare();
      } catch (error) {
        this.#warn(`The folder ${this.#path} cannot be read now: ${reason(error)}`);
      }
    }
    this.#looking = false;
    if (changes > 0 || first) this.#listener.settled();
  }

  async #compare(): Promise<number> {
    const gone = new Set(this.#stamps.keys());
    let changes = 0;
    for await (const { file, stamp, read } of markdownFiles(this.#path, (message) => this.#warn(message))) {
      gone.delete(file);
      if (this.#stamps.get(file) === stamp) continue;
      const text = await read().catch((error: unknown) => {
        if (!vanished(error)) this.#warn(`${file} cannot be read: ${reason(error)}`);
        return null;
      });
      if (text === null) gone.add(file);
      else {
        this.#stamps.set(file, stamp);
        this.#listener.changed(file, text);
        changes += 1;
      }
    }
    for (const file of gone) {
      if (!this.#stamps.delete(file)) continue;
      this.#listener.removed(file);
      changes += 1;
    }
    return changes;
  }

  /** The folder is looked at every minute: the same sentence is worth a line once. */
  #warn(message: string): void {
    if (this.#warned.has(message)) return;
    if (this.#warned.size > 1_000) this.#warned.clear();
    this.#warned.add(message);
    this.#listener.warn(message);
  }
}
