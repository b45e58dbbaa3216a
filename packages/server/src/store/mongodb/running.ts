import type { RunningAnswer } from '@tertulia/protocol';
import type { CheckpointDocument, ClaimDocument, Database } from './collections.ts';
import type { Snapshot } from './snapshots.ts';

/** Of how many answers a page of the log tells how far they are. */
const LISTED_ANSWERS = 100;

/** The claims of tasks of one conversation, lowest attempt first. */
export function claimsOf(db: Database, conversationId: string, taskIds: readonly string[]): Promise<ClaimDocument[]> {
  const wanted = { conversation_id: conversationId, task_id: { $in: [...taskIds] } };
  return db.claims.find(wanted).sort({ attempt: 1 }).toArray();
}

/** The first answers of a conversation that are due or being written. */
export async function running(db: Database, { id, open_tasks, starts }: Snapshot): Promise<RunningAnswer[]> {
  const tasks = [...open_tasks.values()].slice(0, LISTED_ANSWERS);
  if (tasks.length === 0) return [];
  const ids = tasks.map((task) => task.id);
  const [claims, pieces] = await Promise.all([claimsOf(db, id, ids), piecesOf(db, id, ids)]);
  return tasks.map((task) => {
    const isClaimed = starts.get(task.id)?.claim != null;
    return answerSoFar(task, isClaimed, claims, pieces);
  });
}

/** Pieces of the text so far of open tasks, in order. */
function piecesOf(db: Database, conversationId: string, taskIds: readonly string[]): Promise<CheckpointDocument[]> {
  const wanted = { conversation_id: conversationId, task_id: { $in: [...taskIds] } };
  return db.checkpoints.find(wanted).sort({ start: 1 }).toArray();
}

function answerSoFar(
  { id, assistant }: { id: string; assistant: string },
  isClaimed: boolean,
  claims: readonly ClaimDocument[],
  pieces: readonly CheckpointDocument[],
): RunningAnswer {
  const attempt = lastAttempt(id, isClaimed, claims);
  let text = '';
  for (const piece of pieces) {
    if (piece.task_id !== id || piece.attempt !== attempt) continue;
    if (piece.start !== text.length) break; // the one before it was not stored: what follows would read wrong
    text += JSON.parse(piece.text) as string;
  }
  return { task_id: id, assistant, attempt, text };
}

/** The last attempt at a task, 0 where there is none. `isClaimed`: its first was claimed in the event that starts it. */
export function lastAttempt(taskId: string, isClaimed: boolean, claims: readonly ClaimDocument[]): number {
  const attempts = claims.filter((claim) => claim.task_id === taskId).map((claim) => claim.attempt);
  return Math.max(isClaimed ? 1 : 0, ...attempts);
}

/** Attempt and text of a task's last attempt, or null where there is no such task. */
export async function progress(db: Database, taskId: string): Promise<RunningAnswer | null> {
  const task = await db.tasks.findOne({ _id: taskId, status: { $ne: 'deleted' } });
  if (!task) return null;
  const { assistant, conversation_id, first_claim } = task;
  if (task.open_user_id === null) return { task_id: taskId, assistant, attempt: 0, text: '' };
  const [claims, pieces] = await Promise.all([
    claimsOf(db, conversation_id, [taskId]),
    piecesOf(db, conversation_id, [taskId]),
  ]);
  return answerSoFar({ id: taskId, assistant }, first_claim !== null, claims, pieces);
}
