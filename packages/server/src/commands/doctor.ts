import { join, resolve } from 'node:path';
import type { SettingName } from '../config.ts';
import { DATABASE_FILE } from '../store/sqlite/sqlite-store.ts';
import { EXIT, runAsProcess, type Command } from './console/command.ts';
import { checkAssistant } from './doctor/check-assistant.ts';
import { checkDatabase } from './doctor/check-database.ts';
import { checkDataFolder, checkSecret, checkSpace } from './doctor/check-data-folder.ts';
import { checkLock } from './doctor/check-lock.ts';
import { checkMongodb } from './doctor/check-mongodb.ts';
import { checkPort } from './doctor/check-port.ts';
import { checkRedis } from './doctor/check-redis.ts';
import { checkNode, checkOrigins, checkSettings } from './doctor/check-settings.ts';
import type { Finding, State } from './doctor/finding.ts';

/** Looks at everything that the server needs, and changes nothing. */
export const doctor: Command = {
  name: 'doctor',
  about: 'Looks at settings, versions, data, port and assistant, and says what is wrong and what to do.',
  options: { json: { about: 'Answers as JSON: {findings: [{check, state, message, advice?}]}.' } },
  async run(options, console) {
    const findings = await examine(console.variables);
    if (options['json'] === true) console.print(JSON.stringify({ findings }, null, 2));
    else for (const line of [...findings.map(lineOf), '', summaryOf(findings)]) console.print(line);
    return count(findings, 'problem') > 0 ? EXIT.failed : EXIT.done;
  },
};

type Found = Finding | Finding[];

async function examine(variables: Readonly<Record<string, string | undefined>>): Promise<Finding[]> {
  const { findings, config, wrong } = checkSettings(variables);
  const directory = resolve(config.DATA_DIR);
  const url = config.MONGODB_URL;
  /** A check that rests on these settings: where one of them is wrong, there is nothing to look at. */
  const resting = (on: readonly SettingName[], check: () => Found | Promise<Found>) =>
    on.some((name) => wrong.has(name)) ? [] : check();
  const others = await Promise.all([
    resting(['ALLOWED_ORIGINS'], () => checkOrigins(config)),
    checkNode(),
    checkDataFolder(directory),
    checkSpace(directory),
    resting(['MONGODB_URL'], () => (url ? checkMongodb(url) : checkDatabase(join(directory, DATABASE_FILE)))),
    resting(['JWT_SECRET'], () => checkSecret(directory, config.JWT_SECRET)),
    resting(['MONGODB_URL', 'PORT'], () => (url ? [] : checkLock(config, directory))),
    resting(['PORT'], () => checkPort(config)),
    resting(['REDIS_URL'], () => checkRedis(config)),
    resting(['ASSISTANT', 'KNOWLEDGE_DIR'], () => checkAssistant(config)),
  ]);
  return [...findings, ...others.flat()];
}

function lineOf({ check, state, message, advice }: Finding): string {
  const line = `${state.padEnd(8)} ${check.padEnd(15)} ${message}`;
  return advice ? `${line}\n${' '.repeat(25)}→ ${advice}` : line;
}

function summaryOf(findings: readonly Finding[]): string {
  const parts = (['problem', 'warning'] as const)
    .map((state) => [count(findings, state), state] as const)
    .filter(([number]) => number > 0)
    .map(([number, state]) => `${number} ${state}${number === 1 ? '' : 's'}`);
  return parts.length === 0 ? 'All is well.' : `${parts.join(', ')}.`;
}

function count(findings: readonly Finding[], state: State): number {
  return findings.filter((finding) => finding.state === state).length;
}

if (import.meta.main) await runAsProcess(doctor);
