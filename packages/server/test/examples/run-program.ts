import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The repository's folder, where readers run what the documentation shows. */
export const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));

/** What a program printed, and how it ended. */
export interface Run {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
}

/** How a program is run. */
export interface RunOptions {
  readonly env?: Record<string, string>;
  /** What it reads from its standard input. */
  readonly input?: string;
}

/** Runs a program in the repository's folder to its end, beside the test's own server. */
export async function run(program: string, words: string[], { env = {}, input = '' }: RunOptions = {}): Promise<Run> {
  const child = spawn(program, words, { cwd: ROOT, env: { ...process.env, ...env }, timeout: 60_000 });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => void (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => void (stderr += text));
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  return { stdout, stderr, code };
}
