import { afterAll, beforeAll, expect, test } from 'vitest';
import { messageOf } from '../../src/store/store.ts';
import { LogBuilder } from '../store/log-builder.ts';
import { describeWith } from '../support/describe-with.ts';
import { openFaultyStore, type FaultyStore } from '../support/faulty-store.ts';
import { startMongodb, type MongodbServer } from '../support/mongodb-server.ts';
import { newSession, newUser } from './account-fault-runs.ts';
import { told } from './fault-run.ts';

describeWith('ferretdb', 'MongoDB while no insert is answered', () => {
  let server: MongodbServer;

  beforeAll(async () => {
    server = await startMongodb();
  });
  afterAll(() => server.stop());

  /** Prepares one of everything; answers how to try it, which may be done twice, and what the log has of it. */
  async function prepare({ nodes: [node], truth }: FaultyStore) {
    const { log, tasks, accounts } = node;
    const [user, builder] = [newUser('anna'), new LogBuilder()];
    await truth.accounts.createUser(user);
    await truth.accounts.createSession(newSession(user, 'session', 'token 1'));
    await truth.log.append(builder.created());
    builder.seq = 1;
    const { task, given } = builder.question('?');
    await truth.log.append(given);
    builder.seq = 2;
    const password = { user_id: user.id, generation: 2, password_hash: '2', kept_session_id: 'session' };
    const message = () => builder.event('message_created', { message: builder.message('!') }, { client_msg_id: 'm' });
    return {
      tryAll: () =>
        Promise.all([
          told(log.append(message()), ({ status }) => status),
          told(tasks.claim({ task_id: task.id, attempt: 1, owner: 'node' }), (won) => (won ? 'claimed' : 'refused')),
          told(accounts.createUser(newUser('bert')), ({ status }) => status),
          told(accounts.changePassword(password), (ended) => (ended ? 'changed' : 'refused')),
          told(accounts.rotate('token 1', 'token 2', 600_000), ({ status }) => status),
        ]),
      said: async () => (await truth.log.read(builder.id, 2, 10)).map((event) => messageOf(event)?.content),
    };
  }

  test.concurrent.for([
    { fault: 'reply_lost', later: ['repeated', 'refused', 'email_taken', 'refused', 'repeated'] },
    { fault: 'request_lost', later: ['appended', 'claimed', 'stored', 'changed', 'rotated'] },
  ] as const)('all is told as unavailable; later it is there once or not at all: $fault', async ({ fault, later }) => {
    const store = await openFaultyStore(server.newDatabase());
    const { tryAll, said } = await prepare(store);
    store.proxy.rule = ({ name }) => (name === 'insert' ? fault : null);
    expect(await tryAll()).toEqual(Array.from({ length: later.length }, () => 'unavailable'));
    store.proxy.rule = () => null;
    expect(await said()).toEqual(fault === 'reply_lost' ? ['!'] : []);
    expect(await tryAll()).toEqual(later);
    expect(await said()).toEqual(['!']);
    await store.close();
  });
});
