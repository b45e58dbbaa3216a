import { ConversationLog } from '../../src/store/conversation-log.ts';
import { messageOf, type Claim } from '../../src/store/store.ts';
import { LogBuilder } from '../store/log-builder.ts';
import type { FaultyStore } from '../support/faulty-store.ts';
import { told, unlessIn, unlessOne, unlessRow, type Round } from './fault-run.ts';

const APPENDS_A_NODE = 3;

/** Each node appends some messages to one conversation, one of them being the same on both, as a client sends it again. */
export async function appends({ nodes, truth, proxy }: FaultyStore): Promise<Round> {
  const builder = new LogBuilder();
  await truth.log.append(builder.created());
  const logs = nodes.map((node) => new ConversationLog(node.log, true, () => undefined));
  return async (number) => {
    const sent = logs.flatMap((log, node) =>
      Array.from({ length: APPENDS_A_NODE }, (_, index) => {
        const client_msg_id = index === 0 ? `${number} of both` : `${number} ${node} ${index}`;
        const appended = log.append(builder.id, (_, seq) => {
          const message = builder.message(client_msg_id, { seq });
          return builder.event('message_created', { message }, { client_msg_id, seq });
        });
        return { client_msg_id, told: told(appended, ({ event, status }) => `${status} at ${event.seq}`) };
      }),
    );
    const answers = await Promise.all(
      sent.map(async ({ client_msg_id, told }) => ({ client_msg_id, answer: await told })),
    );
    await proxy.settled();
    const stored = await truth.log.read(builder.id, 0, 1_000_000);
    const problems = unlessRow(stored.map(({ seq }) => seq));
    for (const { client_msg_id, answer } of answers) {
      const found = stored.filter((event) => messageOf(event)?.content === client_msg_id).map(({ seq }) => seq);
      if (found.length > 1) problems.push(`doubled: ${client_msg_id} at ${found.join(' ')}`);
      if (answer === 'unavailable') continue;
      const [, at] = /^(?:appended|repeated) at (\d+)$/.exec(answer) ?? [];
      if (at === undefined) problems.push(`answered ${answer}`);
      else if (found[0] !== Number(at)) problems.push(`lost: ${client_msg_id}, ${answer}, found at ${found.join(' ')}`);
    }
    const both = answers.filter(({ client_msg_id }) => client_msg_id.endsWith('of both'));
    return [
      ...problems,
      ...unlessOne(
        'appended',
        both.map(({ answer }) => answer.split(' ')[0] ?? ''),
      ),
    ];
  };
}

/** Two nodes claim a task's first attempt at once, then, when that was given back, the second, then both end the task. */
export async function claims({ nodes, truth, proxy, db }: FaultyStore): Promise<Round> {
  return async (number) => {
    const builder = new LogBuilder();
    await truth.log.append(builder.created());
    builder.seq = 1;
    const { task, given } = builder.question(`question ${number}`);
    await truth.log.append(given);
    builder.seq = 2;
    const problems: string[] = [];
    for (const attempt of [1, 2]) {
      const wanted = nodes.map((_, node): Claim => ({ task_id: task.id, attempt, owner: `node ${node}` }));
      const answers = await Promise.all(
        nodes.map(({ tasks }, node) => told(tasks.claim(wanted[node]!), (won) => (won ? 'claimed' : 'refused'))),
      );
      await proxy.settled();
      const stored = await db.collection('claims').find({ task_id: task.id, attempt }).toArray();
      problems.push(...unlessIn(['claimed', 'refused', 'unavailable'], answers), ...unlessOne('claimed', answers));
      if (stored.length > 1) problems.push(`doubled: ${stored.length} claims of one attempt`);
      for (const [node, answer] of answers.entries()) {
        const isThere = stored.some(({ owner }) => owner === `node ${node}`);
        if (answer === 'claimed' && !isThere) problems.push('lost: a claim that was acknowledged');
        if (answer === 'refused' && isThere) problems.push('there, although refused: a claim');
      }
      if (stored.length === 0) break; // both are told as unavailable, and there is no second attempt without a first
      for (const claim of wanted) await truth.tasks.release(claim);
    }
    const ends = await Promise.all(
      nodes.map(({ log }, node) => told(log.append(builder.answer(task.id, `answer ${node}`)), ({ status }) => status)),
    );
    await proxy.settled();
    const events = await truth.log.read(builder.id, 2, 10);
    problems.push(
      ...unlessIn(['appended', 'task_ended', 'seq_taken', 'unavailable'], ends),
      ...unlessOne('appended', ends),
    );
    if (events.length > 1) problems.push(`doubled: ${events.length} ends of one task`);
    if (events.length === 0 && !ends.every((end) => end === 'unavailable'))
      problems.push('lost: an end that was acknowledged');
    const status = (await truth.conversations.task('user-1', task.id))?.status;
    if (events.length === 1 && status !== 'completed') problems.push(`a task that has ended is ${status}`);
    return problems;
  };
}
