import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from './collections.ts';
import { note } from './meta.ts';
import { answered } from './retry.ts';

/** Servers note that they are there when they start and with each sweep, every 5 s; who has not for this long is gone. */
const NOTED_MS = 20_000;
const LOOK_MS = 500;

/** Notes that somebody uses the database. */
export async function noteUse(db: Database): Promise<void> {
  await answered(() => note(db, 'used', db.clock.now()));
}

/**
 * Whether servers use the database. Where they stopped a moment ago it takes up to 20 s to be sure; a server whose
 * sweeping hangs for longer is not seen.
 */
export async function isInUse(db: Database): Promise<boolean> {
  const before = await lastUse(db);
  for (let last = before; last === before; last = await lastUse(db)) {
    if (db.clock.now() - last > NOTED_MS) return false;
    await delay(LOOK_MS);
  }
  return true;
}

/** Unix milliseconds by the database's clock; 0 where nobody ever used it. */
async function lastUse({ meta }: Database): Promise<number> {
  const found = await answered(() => meta.findOne({ _id: 'used' }));
  return Number(found?.value ?? 0);
}
