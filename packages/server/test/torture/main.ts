// `npm run torture`: breaks things under load and checks what clients were promised. `--help` tells what can be broken.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { report, table } from './report.ts';
import { readOptions, USAGE } from './options.ts';
import { runPlain } from './plain/plain-run.ts';

const options = readOptions(process.argv.slice(2));
if (!options) process.stdout.write(USAGE);
else process.exitCode = await torture(options);

/** Answers the exit code: 1 where anything that was promised did not hold. */
async function torture({
  trial,
  isPlain,
  isReported,
  openDatabase,
  ...given
}: NonNullable<typeof options>): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'tertulia-torture-'));
  const say = (line: string) => void process.stderr.write(`${line}\n`);
  const database = await openDatabase(directory);
  const { cycles, seed, nodes } = given;
  const all = { ...given, rate: given.rate ?? database.rate, directory, say };
  const on = isPlain ? 'plain Socket.IO' : database.about;
  try {
    say(`${trial.id}: ${trial.about}. ${cycles} cycles, seed ${seed}, ${nodes} nodes, ${on}`);
    const outcome = isPlain ? await runPlain(trial, all) : await trial.run({ ...all, database });
    process.stdout.write(table(outcome));
    if (isReported) report({ trial, on, cycles, seed, nodes, rate: all.rate }, outcome);
    const isMet = outcome.figures.every(({ target }) => target?.isMet ?? true);
    return isMet && outcome.violations.length === 0 ? 0 : 1;
  } finally {
    await database.close();
    await rm(directory, { recursive: true, force: true });
  }
}
