import { setTimeout as delay } from 'node:timers/promises';
import type { Context } from './events/context.ts';
import type { SocketServer } from './socket/socket-server.ts';

/** The end of a task that another node was asked is found by looking; this node's own are told at once. */
const LOOK_MS = 500;
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
  const openTasks = async (userId: string) => (await store.tasks.open(userId)).map(({ task_id }) => task_id);
  const answered = async (userId: string) => {
    try {
      let awaited = await openTasks(userId);
      if (awaited.length === 0) return;
      while (awaited.length > 0 && !late.aborted) {
        await Promise.all(awaited.map((id) => taskEnds.wait(id, LOOK_MS, late)));
        const open = new Set(await openTasks(userId));
        awaited = awaited.filter((id) => open.has(id));
      }
      if (late.aborted) await drained; // those of this node are told that they were interrupted
      await delay(EMIT_MS);
    } catch (error) {
      log.warn({ err: error }, 'open tasks could not be read; their askers leave without the answers');
    }
  };
  await Promise.all([drained, sockets.sendAway({ milliseconds, answered })]);
}
