import type { Assistant } from '../../src/assistants/assistant.ts';
import { PASSWORD, type Person, type TestServer } from './start-server.ts';

/** Answers, fails, or never comes to an answer, as the question says. */
export const moody: Assistant = {
  name: 'moody',
  async *reply({ messages, signal }) {
    const question = messages.at(-1)?.content ?? '';
    if (question.startsWith('fail')) throw new Error('as asked');
    if (question.startsWith('wait')) {
      await new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
      return;
    }
    yield `You said: ${question}`;
  },
};

/** Texts and metadata on which databases and formats have stumbled. */
const WEIRD_TEXTS = [
  'NUL \u0000, escape \u001b, \r\n line and \u2028 and \u2029 and \u0085',
  'emoji 👩‍👩‍👧‍👦🏳️‍🌈, é and é, ‮right to left, \ufeff, \ufffd and \uffff',
  '"quotes" \\ {"kind":"end"} $where %00 \u{10ffff}',
];
const WEIRD_METADATA = {
  'a.b': { $gt: '' },
  '': null,
  __proto: [1e-7, -1.5e-300, 9007199254740991, -0.1, [], {}, [[null]]],
  b: false,
  a: 'after b',
};

/** People with all that a database can hold of them, and every id that they may ask for. */
export interface Everything {
  readonly people: readonly Person[];
  readonly conversations: readonly string[];
  readonly tasks: readonly string[];
}

/** Fills a server whose assistant is `moody` with one of everything. */
export async function makeEverything(server: TestServer): Promise<Everything> {
  const names = ['alice', 'bob', 'carol', 'dave'] as const;
  const [alice, bob, carol, dave] = await Promise.all(names.map((name) => server.signUp(name)));
  if (!alice || !bob || !carol || !dave) throw new Error('four people were to be there');
  const as = (person: Person) => async (method: string, path: string, json?: unknown) => {
    const { status, body } = await server.call(method, path, { token: person.token, json });
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(body)}`);
    return body;
  };
  const [askAlice, askBob] = [as(alice), as(bob)];
  const weird = await askAlice('POST', '/chat?wait=30', { message: WEIRD_TEXTS[0], metadata: WEIRD_METADATA });
  const shared: string = weird.conversation_id;
  for (const message of WEIRD_TEXTS.slice(1)) {
    await askAlice('POST', `/chat/${shared}/continue?wait=30`, { message, client_msg_id: `id-${message.length}` });
  }
  await askAlice('PUT', `/conversations/${shared}`, { title: 'Renamed ', description: WEIRD_TEXTS[1] });
  await askAlice('POST', `/conversations/${shared}/members`, { username: 'bob' });
  await askAlice('POST', `/conversations/${shared}/members`, { username: 'carol' });
  await askBob('POST', `/chat/${shared}/continue?wait=30`, { message: 'Hello from Bob' });
  await askAlice('DELETE', `/conversations/${shared}/members/carol`);

  const fields = { title: 'To do', tags: ['a', 'b'], priority: 'urgent', metadata: WEIRD_METADATA };
  const failed = await askAlice('POST', '/chat?wait=30', { message: 'fail, please' }).catch(() => null);
  const failing = failed?.task_id ?? (await askAlice('GET', '/tasks?status=failed')).tasks[0].id;
  const running = await askAlice('POST', '/tasks', { user_message: 'wait for ever', ...fields });
  await askAlice('PUT', `/tasks/${running.id}`, { completion_percentage: 40, category: 'slow' });
  const queued = await askAlice('POST', '/tasks', {
    user_message: 'wait behind it',
    conversation_id: running.conversation_id,
  });
  const cancelled = await askBob('POST', '/tasks', { user_message: 'wait and be cancelled' });
  await askBob('PUT', `/tasks/${cancelled.id}`, { status: 'cancelled' });
  const forgotten = await askBob('POST', '/chat?wait=30', { message: 'forget this' });
  await askBob('DELETE', `/tasks/${forgotten.task_id}`);
  const interrupted = await askBob('POST', '/tasks', { user_message: 'wait and be forgotten' });
  await askBob('DELETE', `/tasks/${interrupted.id}`);
  const deleted: string[] = [];
  // The sweeper is done with the first, in the middle of the second, and has not come to the third.
  for (const rows of [1_000, 1, 0]) {
    const doomed = await askBob('POST', '/chat?wait=30', { message: 'delete this', client_msg_id: `deleted-${rows}` });
    await askBob('DELETE', `/conversations/${doomed.conversation_id}`);
    await server.context.store.sweep(rows);
    deleted.push(doomed.conversation_id);
  }
  const empty = await askBob('POST', '/conversations', { title: 'Empty', metadata: WEIRD_METADATA, is_active: false });

  await askBob('PUT', '/auth/me', { full_name: 'Bob 👨‍🚀', username: 'robert' });
  await askAlice('POST', '/auth/password', { current_password: PASSWORD, new_password: PASSWORD });
  for (const active of [false, true]) await server.context.accounts.setActive('dave', active);
  await server.signUp('erin');
  await server.context.accounts.setActive('erin', false);
  for (let times = 0, refresh_token = carol.refresh_token; times < 2; times += 1) {
    ({ refresh_token } = await as(carol)('POST', '/auth/refresh', { refresh_token }));
  }
  return {
    people: [alice, bob, carol, dave],
    conversations: [
      shared,
      running.conversation_id,
      cancelled.conversation_id,
      forgotten.conversation_id,
      interrupted.conversation_id,
      ...deleted,
      empty.id,
      'no-such-conversation',
    ],
    tasks: [weird.task_id, failing, running.id, queued.id, cancelled.id, forgotten.task_id, interrupted.id],
  };
}

/** Everything that REST answers to these people, by who asked what. Pages are short, so that there are many. */
export async function askEverything(server: TestServer, { people, conversations, tasks }: Everything) {
  const answers = new Map<string, unknown>();
  for (const person of people) {
    const ask = async (path: string) => {
      const answer = await server.call('GET', path, { token: person.token });
      answers.set(`${person.username} ${path}`, answer);
      return answer.body;
    };
    for (const path of ['/auth/me', '/auth/sessions', '/tasks', '/tasks?limit=2&skip=1', '/conversations']) {
      await ask(path);
    }
    for (const status of ['pending', 'in_progress', 'completed', 'failed', 'cancelled']) {
      await ask(`/tasks?status=${status}`);
    }
    for (const by of ['created_at', 'updated_at', 'title']) {
      await ask(`/conversations?limit=3&sort_by=${by}&sort_order=1`);
      await ask(`/conversations?limit=3&skip=1&sort_by=${by}&sort_order=-1`);
    }
    for (const id of tasks) {
      await ask(`/tasks/${id}`);
      await ask(`/tasks/${id}/messages`);
    }
    for (const id of conversations) {
      await ask(`/conversations/${id}`);
      await ask(`/conversations/${id}/messages?limit=3`);
      await ask(`/conversations/${id}/members`);
      for (let after = 0, complete = false; !complete;) {
        const page = await ask(`/conversations/${id}/events?limit=3&after_seq=${after}`);
        after = page?.events?.at(-1)?.seq ?? after;
        complete = page?.complete ?? true;
      }
    }
  }
  return answers;
}
