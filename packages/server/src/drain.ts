import { setTimeout as delay } from 'node:timers/promises';
import type { Context } from './events/context.ts';
import type { SocketServer } from './socket/socket-server.ts';

/** From the end of a task until its answer has gone out to the sockets. */
const EMIT_MS = 100;

/**
 * Hands a running server's work over: no more tasks are claimed, answers may finish for a while and are then handed
 * back, and sockets leave for other nodes, each after its user's answers. What still comes in is served meanwhile.
 */
export async function drain({ config, store, tasks, taskEnds, log }: Context, sockets: SocketServer): Promise<void> {
  const milliseconds = config.SHUTDOWN_DRAIN_SECONDS * 1_000;
  const late = AbortSignal.timeout(milliseconds);
  const drained = tasks.drain(milliseconds);
  const answered = async (userId: string) => {
    try {
      const open = await store.tasks.open(userId);
      if (open.length === 0) return;
      await Promise.all(open.map(({ task_id }) => taskEnds.wait(task_id, milliseconds, late)));
      if (late.aborted) await drained; // those of this node are told that they were interrupted
      await delay(EMIT_MS);
    } catch (error) {
      log.warn({ err: error }, 'open tasks could not be read; their askers leave without the answers');
    }
  };
  await Promise.all([drained, sockets.sendAway({ milliseconds, answered })]);
}
