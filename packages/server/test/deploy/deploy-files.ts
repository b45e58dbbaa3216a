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

/** The variables of an env file; comments and empty lines are left out. */
export function readEnvFile(path: string): Record<string, string> {
  const lines = readDeployFile(path).split('\n');
  return Object.fromEntries(lines.flatMap((line) => [...line.matchAll(/^([A-Z][A-Z0-9_]*)=(.*)$/g)].map(pairOf)));
}

function pairOf([, name = '', value = '']: RegExpExecArray): [string, string] {
  return [name, value];
}

/** Good values for what the example files leave empty. */
export const FILLED_IN: Record<string, string> = {
  JWT_SECRET: 'bm90IGEgc2VjcmV0IG9mIGFueWJvZHksIGJ1dCBsb25nIGVub3VnaCE=',
  MONGODB_PASSWORD: '0f1e2d3c4b5a69788796a5b4c3d2e1f0',
  REDIS_PASSWORD: 'f0e1d2c3b4a5968778695a4b3c2d1e0f',
  METRICS_TOKEN: 'a token for prometheus',
  MONGODB_URL: 'mongodb+srv://tertulia:password@mongodb.example.com/tertulia',
  REDIS_URL: 'rediss://:password@redis.example.com:6379',
};

/** What the image sets by itself. */
export function imageSettings(): Record<string, string> {
  const text = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');
  const words = /^ENV (.+)$/m.exec(text)?.[1]?.split(' ') ?? [];
  return Object.fromEntries(words.map((word) => word.split('=') as [string, string]));
}
