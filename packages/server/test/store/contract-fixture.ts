import { afterEach, beforeEach } from 'vitest';
import type { AppendResult, NewEvent, Store } from '../../src/store/store.ts';
import { LogBuilder } from './log-builder.ts';

/** Begins a new database; `open` opens the same one again after `close`. */
export type BeginDatabase = () => Promise<{ open(): Promise<Store>; remove(): Promise<void> }>;

/** A store for each test, with one conversation in it. */
export interface StoreFixture {
  readonly store: Store;
  /** The conversation's log; its first event is stored. */
  readonly log: LogBuilder;
  append(given: NewEvent): Promise<AppendResult>;
}

/** Opens a new store before each test of the surrounding `describe`, and closes it after. */
export function eachOnNewStore(begin: BeginDatabase): StoreFixture {
  let database: Awaited<ReturnType<BeginDatabase>>;
  const fixture = {
    store: null as unknown as Store,
    log: null as unknown as LogBuilder,
    async append(given: NewEvent) {
      const result = await fixture.store.log.append(given);
      if (result.status === 'appended') fixture.log.seq = given.event.seq;
      return result;
    },
  };
  beforeEach(async () => {
    database = await begin();
    fixture.store = await database.open();
    fixture.log = new LogBuilder();
    await fixture.append(fixture.log.created());
  });
  afterEach(async () => {
    await fixture.store.close();
    await database.remove();
  });
  return fixture;
}
