import { OutboxClient } from '../../crash/outbox-client.ts';
import { writeInto } from '../../crash/storm.ts';
import { until } from '../../crash/until.ts';
import type { World } from '../../crash/world.ts';
import type { Cluster } from '../cluster.ts';
import type { Figure, Trial, TrialOptions } from '../trial.ts';
import { withCluster } from '../with-cluster.ts';

const BACKLOGS = [10, 1_000, 50_000];
const BACK_MS = 300_000;

export const backlog: Trial = {
  id: 'F9b',
  about: `a client comes back after ${BACKLOGS.join(', ')} events that it missed in one conversation`,
  mustHold: 'it gets all of them, in order',
  cycles: 1,
  run(options) {
    const plan = { people: ['ann'], chats: BACKLOGS.length, streams: 0, members: 1 };
    return withCluster(options, plan, {}, async (cluster, world) => {
      const figures: Figure[] = [];
      for (const [index, count] of BACKLOGS.entries()) {
        figures.push({
          name: `catching up on ${count} events, ms`,
          value: await catchUp(options, cluster, world, index),
        });
      }
      return { violations: [], figures };
    });
  },
};

async function catchUp(
  { database }: TrialOptions,
  cluster: Cluster,
  { people: [ann], chats }: World,
  index: number,
): Promise<number> {
  const chat = chats[index]!;
  const store = await database.open();
  await writeInto(store, [chat], BACKLOGS[index]!);
  await store.close();
  const { id: user_id, token, username: name } = ann!;
  const client = new OutboxClient({ name, token, user_id, url: cluster.url, conversations: [chat.id] }, []);
  const started = performance.now();
  await until(
    () => client.isCaughtUp,
    BACK_MS,
    () => `${client.state} caught up`,
  );
  const milliseconds = Math.round(performance.now() - started);
  const last = client.lastSeq(chat.id);
  client.close();
  if (last !== BACKLOGS[index]! + 1) throw new Error(`it has ${last} events of ${BACKLOGS[index]! + 1}`);
  return milliseconds;
}
