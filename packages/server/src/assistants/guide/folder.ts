import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { markdownFiles, reason, vanished } from './markdown-files.ts';

/** What a folder tells about its files, named relative to it, with forward slashes. */
export interface FolderListener {
  changed(file: string, text: string): void;
  removed(file: string): void;
  /** After each look at the folder that found changes. */
  settled(): void;
  warn(message: string): void;
}

/** Changes come in bursts: a checkout, an editor that writes twice. */
const SETTLE_MS = 100;
/** A watcher misses changes on network shares and dies with its folder: look anyway. */
const LOOK_AGAIN_MS = 60_000;
/** While the folder is away, as when somebody puts a new one in its place. */
const AWAY_MS = 1_000;

/**
 * Keeps a listener told of the Markdown files in a folder. The watcher only says that something changed; what it was is
 * found by comparing, so a missed or doubled event cannot leave anything out.
 */
export class Folder {
  readonly #path: string;
  readonly #listener: FolderListener;
  readonly #stamps = new Map<string, string>();
  readonly #warned = new Set<string>();
  readonly #lookAgain = setInterval(() => void this.look(), LOOK_AGAIN_MS);
  #watcher: FSWatcher | null = null;
  #watched: string | null = null;
  #settling: NodeJS.Timeout | null = null;
  #looking = false;
  #missed = false;

  constructor(path: string, listener: FolderListener) {
    this.#path = path;
    this.#listener = listener;
  }

  close(): void {
    clearInterval(this.#lookAgain);
    if (this.#settling) clearTimeout(this.#settling);
    this.#unwatch();
  }

  /** Watches whatever folder has the path now: a watcher of one that was replaced stays silent. */
  async #watch(): Promise<void> {
    // An inode's number is given again at once on some file systems.
    const { dev, ino, birthtimeMs } = await stat(this.#path);
    const folder = [dev, ino, birthtimeMs].join(':');
    if (this.#watched === folder) return;
    this.#unwatch();
    try {
      this.#watcher = watch(this.#path, { recursive: true }, () => this.#lookIn(SETTLE_MS));
      this.#watcher.on('error', (error) => this.#lost(error));
      this.#watched = folder;
    } catch (error) {
      this.#lost(error);
    }
  }

  #unwatch(): void {
    this.#watcher?.close();
    this.#watcher = null;
    this.#watched = null;
  }

  #lost(error: unknown): void {
    this.#unwatch();
    if (vanished(error)) this.#lookIn(AWAY_MS);
    else this.#warn(`The folder ${this.#path} cannot be watched, so changes take a minute to show: ${reason(error)}`);
  }

  /** The time runs from the first event of a burst: a folder that changes all the time is read all the same. */
  #lookIn(milliseconds: number): void {
    this.#settling ??= setTimeout(() => {
      this.#settling = null;
      void this.look();
    }, milliseconds);
  }

  /** Compares the folder with what was told of it, now and again if it changed meanwhile. */
  async look(): Promise<void> {
    this.#missed = true;
    if (this.#looking) return;
    this.#looking = true;
    while (this.#missed) {
      this.#missed = false;
      await this.#lookOnce();
    }
    this.#looking = false;
  }

  async #lookOnce(): Promise<void> {
    try {
      await this.#watch();
      if ((await this.#compare()) > 0) this.#listener.settled();
    } catch (error) {
      this.#warn(`The folder ${this.#path} cannot be read now: ${reason(error)}`);
      this.#unwatch();
      this.#lookIn(AWAY_MS);
    }
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
