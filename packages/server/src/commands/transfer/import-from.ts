import { Refusal } from '../../failure.ts';
import { Unfitting, type ImportProgress, type TransferTarget } from '../../store/transfer.ts';
import type { ExportHeader } from './format.ts';
import type { OpenedExport, Part } from './read-export.ts';

/** How an export is imported. */
export interface ImportOptions {
  /** With the logins and the epoch. */
  readonly isMove: boolean;
  /** The database's name, for people. */
  readonly name: string;
  readonly onProgress: (done: number, expected: number) => void;
}

/**
 * Fills a database, part by part, from where an import of the same export was interrupted. Answers what became of it.
 * @throws {Refusal} where the database holds something else, or the export is damaged
 */
export async function importFrom(
  { header, parts }: OpenedExport,
  target: TransferTarget,
  { isMove, name, onProgress }: ImportOptions,
): Promise<string> {
  if (isMove && header.purpose !== 'move') {
    throw new Refusal('The export is a copy: its server may have gone on. Export with --move, or import without.');
  }
  const before = await target.progress();
  if (before?.is_finished && before.export_id === header.id) {
    return `${name} holds this export already; nothing was changed.`;
  }
  let progress: ImportProgress = before ?? {
    export_id: header.id,
    is_move: isMove,
    parts: 0,
    is_finished: false,
  };
  if (before) refuseOther(before, header, isMove, name);
  else await begin(target, progress, name);
  const expected = Object.values(header.counts).reduce((total, count) => total + count);
  let done = 0;
  for await (const part of parts) {
    if (part.number > progress.parts) progress = await add(target, part, progress);
    done += part.records.length;
    onProgress(done, expected);
  }
  await target.finish({ ...progress, is_finished: true }, isMove ? header.epoch : null);
  return report(name, done, before !== null, isMove);
}

function refuseOther(before: ImportProgress, header: ExportHeader, isMove: boolean, name: string): void {
  if (before.is_finished) throw notEmpty(name);
  if (before.export_id !== header.id) {
    throw new Refusal(
      `${name} holds the beginning of another export, ${before.export_id}: import that one to its end, or start with an empty database.`,
    );
  }
  if (before.is_move !== isMove) {
    throw new Refusal(`This import was begun ${before.is_move ? 'with' : 'without'} --move: go on in the same way.`);
  }
}

/** Notes that an import was begun before anything of it is stored: a server must not take a part for the whole. */
async function begin(target: TransferTarget, progress: ImportProgress, name: string): Promise<void> {
  if (!(await target.isEmpty())) throw notEmpty(name);
  await target.add([], progress);
}

function notEmpty(name: string): Refusal {
  return new Refusal(
    `${name} has accounts or conversations already, and an import fills an empty database only. Name another one in the settings.`,
  );
}

async function add(target: TransferTarget, part: Part, progress: ImportProgress): Promise<ImportProgress> {
  const next = { ...progress, parts: part.number };
  const records = progress.is_move ? part.records : part.records.filter(({ kind }) => kind !== 'login');
  try {
    await target.add(records, next);
    return next;
  } catch (error) {
    if (!(error instanceof Unfitting)) throw error;
    throw new Refusal(`Part ${part.number} (${part.lines}) cannot be stored: ${error.message}.`, { cause: error });
  }
}

function report(name: string, records: number, wentOn: boolean, isMove: boolean): string {
  const count = `${records} ${records === 1 ? 'record' : 'records'}`;
  const what = `${name} holds everything now (${count}${wentOn ? ', some of them imported before' : ''}).`;
  const next = isMove
    ? 'Start the server with the same JWT_SECRET: clients and logins go on.'
    : 'It has an epoch of its own, so clients read anew, and no logins: everybody signs in again.';
  return `${what} ${next}`;
}
