import { resolve } from 'node:path';
import type { Config } from '../../config.ts';
import { Refusal } from '../../failure.ts';
import { shownUrl } from '../../store/mongodb-url.ts';

/** The folder of the embedded database. @throws {Refusal} where the settings name another database in its place */
export function embeddedFolder({ DATA_DIR, MONGODB_URL: url }: Config): string {
  if (url === undefined) return resolve(DATA_DIR);
  throw new Refusal(
    `MONGODB_URL names ${shownUrl(url)}, and this command is for the embedded database: use mongodump and mongorestore, or npm run export.`,
  );
}
