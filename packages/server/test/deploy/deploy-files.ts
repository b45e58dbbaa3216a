import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { ROOT } from '../examples/run-program.ts';

/** A deploy file's text, by its path from the folder `deploy`. */
export function readDeployFile(path: string): string {
  return readFileSync(join(ROOT, 'deploy', path), 'utf8');
}

/** The documents of a YAML file in `deploy`, with anchors and merge keys resolved. @throws on a duplicate key or bad YAML */
export function readYaml<T>(path: string): T[] {
  return parseAllDocuments(readDeployFile(path), { merge: true }).map((document) => {
    const [problem] = [...document.errors, ...document.warnings];
    if (problem) throw problem;
    return document.toJS() as T;
  });
}
