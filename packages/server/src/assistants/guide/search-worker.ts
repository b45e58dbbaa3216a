import { parentPort, workerData } from 'node:worker_threads';
import { Folder } from './folder.ts';
import { findAnswer, type Finding, type Search } from './search.ts';
import { SectionIndex } from './section-index.ts';
import { sectionsOf } from './sections.ts';

/** What the thread is told. */
export interface SearchCall extends Search {
  readonly id: number;
}

/** What the thread tells. */
export type SearchNews =
  | { readonly type: 'found'; readonly id: number; readonly finding: Finding }
  | { readonly type: 'failed'; readonly id: number; readonly reason: string }
  | { readonly type: 'ready' | 'settled' }
  | { readonly type: 'warning'; readonly message: string };

const { folder: path } = workerData as { folder: string };
const index = new SectionIndex();
const tell = (news: SearchNews) => parentPort?.postMessage(news);

const folder = new Folder(path, {
  changed: (file, text) => index.put(file, sectionsOf(file, text)),
  removed: (file) => index.remove(file),
  settled: () => tell({ type: 'settled' }),
  warn: (message) => tell({ type: 'warning', message }),
});
const ready = folder.look();
void ready.then(() => tell({ type: 'ready' }));

parentPort?.on('message', (call: SearchCall) => void answer(call));

async function answer({ id, ...search }: SearchCall): Promise<void> {
  try {
    await ready;
    tell({ type: 'found', id, finding: findAnswer(index, path, search) });
  } catch (error) {
    tell({ type: 'failed', id, reason: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
}
