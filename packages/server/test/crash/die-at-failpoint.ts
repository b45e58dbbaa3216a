// Loaded before a server (`--import`), on each of its threads: kills the process, as `kill -9` does, when it comes by
// the moment that FAIL_AT names. The product has no hooks for it: what is wrapped here is what it calls.
import { DatabaseSync } from 'node:sqlite';
import { isMainThread } from 'node:worker_threads';
import { FAIL_AT, type Failpoint } from './failpoint.ts';

const [point, nth] = (process.env[FAIL_AT] ?? '/0').split('/');
let left = Number(nth);

function passing(name: Failpoint): void {
  if (name !== point) return;
  left -= 1;
  if (left === 0) process.kill(process.pid, 'SIGKILL');
}

type Method = (this: object, ...values: never[]) => unknown;

/** Does something before and after each call of a method. */
function around(
  prototype: object,
  name: string,
  before: (values: unknown[]) => void,
  after: (values: unknown[]) => void,
) {
  const methods = prototype as Record<string, Method>;
  const original = methods[name];
  if (!original) throw new Error(`there is no ${name} to die at`);
  methods[name] = function (...values) {
    before(values);
    const result = original.apply(this, values);
    after(values);
    return result;
  };
}

const nothing = () => undefined;
/** Socket.IO's packet type of an acknowledgement. */
const ACK = 3;

if (isMainThread) await wrapMainThread();
else {
  around(
    DatabaseSync.prototype,
    'exec',
    ([sql]) => (sql === 'COMMIT' ? passing('before the commit') : undefined),
    ([sql]) => (sql === 'COMMIT' ? passing('after the commit') : undefined),
  );
}

async function wrapMainThread(): Promise<void> {
  const { Server, Socket } = await import('socket.io');
  const { DatabaseThread } = await import('../../src/store/sqlite/database-thread.ts');
  const asked = ([name]: unknown[]) => {
    if (name === 'append') passing('before the append is asked for');
    if (name === 'checkpoint') passing('before a checkpoint is asked for');
  };
  around(DatabaseThread.prototype, 'ask', asked, nothing);
  const emitted = ([packet]: unknown[]) => (packet as { data: unknown[] }).data[0];
  around(
    Object.getPrototypeOf(new Server().sockets.adapter) as object,
    'broadcast',
    (values) => (emitted(values) === 'conversation_event' ? passing('before the event is emitted') : undefined),
    (values) => {
      if (emitted(values) === 'conversation_event') passing('after the event is emitted');
      if (emitted(values) === 'response_delta') passing('after a delta');
    },
  );
  const isAck = ([packet]: unknown[]) => (packet as { type: number }).type === ACK;
  around(
    Socket.prototype,
    'packet',
    (values) => (isAck(values) ? passing('before the acknowledgement') : undefined),
    (values) => {
      if (!isAck(values)) return;
      passing('after the acknowledgement');
      setImmediate(() => passing('once the acknowledgement is written'));
    },
  );
}
