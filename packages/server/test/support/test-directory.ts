import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A folder that is there for one test. */
export function testDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'tertulia-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
