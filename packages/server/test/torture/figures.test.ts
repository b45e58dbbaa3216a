import { expect, test } from 'vitest';
import type { Entry } from '../crash/history.ts';
import type { Told } from '../crash/recorder.ts';
import { crossNodeDelays, gapsOf, sendTimes, takeoversOf } from './figures.ts';

const at = (milliseconds: number, client: string, told: Told): Entry => ({ at: milliseconds, client, ...told });

const connected = (node: string): Told => ({ kind: 'connected', connection: 1, node, user_id: 'ann' });
const disconnected: Told = { kind: 'disconnected', connection: 1 };
const place = { connection: 1, conversation_id: 'talk', message_id: 'm', task_id: 't' };
const ok = (seq: number): Told => ({ kind: 'ok', client_msg_id: `m-${seq}`, seq, ...place });
const seen = (seq: number, via: 'live' | 'page' = 'live'): Told => {
  return { kind: 'event', connection: 1, conversation_id: 'talk', seq, print: '', via };
};

test("a client's gap lasts from what broke its node until it is acknowledged again", () => {
  const history = [
    at(0, 'ann', connected('one')),
    at(0, 'bob', connected('two')),
    at(10, 'ann', ok(1)),
    at(40, 'ann', disconnected),
    at(50, 'bob', ok(2)),
    at(60, 'ann', connected('two')),
    at(90, 'ann', ok(3)),
    at(99, 'ann', ok(4)),
  ];
  const moments = [
    { at: 20, node: 'one' },
    { at: 30, node: 'two' },
  ];
  expect(gapsOf(history, moments)).toEqual([70]);
});

test('where messages were acknowledged after the moment, the gap begins with the last of them', () => {
  const history = [
    at(0, 'ann', connected('one')),
    at(30, 'ann', ok(1)),
    at(40, 'ann', disconnected),
    at(90, 'ann', ok(2)),
  ];
  expect(gapsOf(history, [{ at: 20, node: null }])).toEqual([60]);
});

test('a cross-node delay lasts from the first that is known of an event until another node tells it live', () => {
  const history = [
    at(0, 'ann', connected('one')),
    at(0, 'bob', connected('two')),
    at(0, 'cy', connected('one')),
    at(10, 'ann', ok(1)),
    at(11, 'cy', seen(1)),
    at(15, 'bob', seen(1)),
    at(20, 'ann', ok(2)),
    at(90, 'bob', seen(2, 'page')),
  ];
  expect(crossNodeDelays(history)).toEqual([5]);
  expect(crossNodeDelays(history, (time) => time > 10)).toEqual([]);
});

test('a takeover lasts from the last word of an attempt to the beginning of the next', () => {
  const stream = { connection: 1, task_id: 't', attempt: 1 };
  const history = [
    at(10, 'ann', { kind: 'stream_start', ...stream }),
    at(20, 'ann', { kind: 'piece', ...stream, index: 4, text: 'word' }),
    at(50, 'bob', { kind: 'piece', ...stream, index: 0, text: 'the word' }),
    at(80, 'ann', { kind: 'stream_start', ...stream, attempt: 2 }),
  ];
  expect(takeoversOf(history)).toEqual([60]);
});

test('a message is on its way from its first try to its first acknowledgement', () => {
  const sent = { client_msg_id: 'm-1', user_id: 'ann', conversation_id: 'talk', content: 'm-1' };
  const history = [at(10, 'ann', { kind: 'invoke', ...sent }), at(15, 'ann', ok(1)), at(25, 'ann', ok(1))];
  expect(sendTimes(history)).toEqual([5]);
});
