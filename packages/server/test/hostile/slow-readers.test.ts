import { afterAll, beforeAll, expect, test } from 'vitest';
import { PollingSession } from './polling-session.ts';
import { RawSocket } from './raw-socket.ts';
import { Victim } from './victim.ts';

let victim: Victim;
let count = 0;
beforeAll(async () => {
  victim = await Victim.start({
    ASSISTANT: 'scripted',
    CHAT_RATE: '10000',
    CHAT_BURST: '10000',
    EVENT_RATE: '10000',
    EVENT_BURST: '10000',
    TASKS_QUEUED: '1000',
    SOCKETS_PER_USER: '100',
  });
});
afterAll(() => victim.stop());

/** 48 KB on the wire. */
const LONG = '語'.repeat(16_000);
const script = (...steps: object[]) => `script: ${JSON.stringify({ steps })}`;

/** A room, who speaks in it, and how others of the same login come in. */
async function openRoom() {
  const token = await victim.signUp(`speaker-${(count += 1)}`);
  const speaker = await RawSocket.connect(victim.url, token);
  const { conversation_id } = await speaker.ask('chat', { message: script({ text: 'ready' }) });
  const join = JSON.stringify(['join_conversation', { conversation_id }]);
  return {
    speaker,
    conversation_id,
    token,
    /** Reads nothing any more once it has joined. */
    async enter(): Promise<RawSocket> {
      const raw = await RawSocket.connect(victim.url, token);
      await raw.askRaw(join);
      raw.webSocket.pause();
      return raw;
    },
    async enterByPolling(): Promise<PollingSession> {
      const session = await PollingSession.connect(victim.url, token);
      await session.post(`421${join}`);
      while (!(await session.poll()).some((packet) => packet.startsWith('431')));
      return session;
    },
  };
}

const slowConsumers = () => victim.measure('tertulia_slow_consumers_total');

/** Every event of a conversation, by pages, and that none is missing. */
async function readAll(
  raw: RawSocket,
  conversation_id: string,
): Promise<{ data: { message?: { content: string } } }[]> {
  const events = [];
  for (let complete = false; !complete;) {
    const page = await raw.ask('sync', { conversation_id, after_seq: events.length });
    events.push(...page.events);
    ({ complete } = page);
  }
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
  return events;
}

test('whoever stops reading in a busy room is closed, whoever reads a kilobyte a second and whoever polls no more too; later they have all', async () => {
  const room = await openRoom();
  const before = await slowConsumers();
  await victim.under(200, async () => {
    const silent = await Promise.all(Array.from({ length: 20 }, () => room.enter()));
    const trickling = await room.enter();
    const poller = await room.enterByPolling();
    const trickle = setInterval(() => {
      trickling.webSocket.resume();
      trickling.webSocket.once('message', () => trickling.webSocket.pause());
    }, 1_000);
    let said = 0;
    while ((await slowConsumers()) - before < 22) {
      for (let turn = 0; turn < 10; turn += 1) {
        said += 1;
        await room.speaker.ask('chat', { conversation_id: room.conversation_id, message: LONG });
      }
      if (said > 600) throw new Error(`only ${(await slowConsumers()) - before} were closed`);
    }
    clearInterval(trickle);
    for (const raw of [...silent, trickling]) raw.webSocket.resume();
    await Promise.all([...silent, trickling].map(({ closed }) => closed));
    expect(await poller.poll()).toEqual([]);
  });
  const next = await RawSocket.connect(victim.url, room.token);
  await readAll(next, room.conversation_id);
  expect(room.speaker.webSocket.readyState).toBe(room.speaker.webSocket.OPEN); // who reads was not touched
  next.close();
  room.speaker.close();
});

test('12 MB of tokens: who reads gets each answer exactly, who does not costs nothing and has the answers later', async () => {
  const room = await openRoom();
  await victim.under(200, async () => {
    const silent = await Promise.all(Array.from({ length: 10 }, () => room.enter()));
    for (let turn = 0; turn < 60; turn += 1) {
      await room.speaker.ask('chat', { conversation_id: room.conversation_id, message: script({ flood: 200_000 }) });
    }
    const isAnswer = (text: string) => text.startsWith('42["conversation_event"') && text.includes('"ends_task"');
    for (let turn = 0; turn < 61; turn += 1) await room.speaker.next(isAnswer);
    const texts = new Map<string, string>();
    for (const frame of room.speaker.received.filter((text) => text.startsWith('42["response_delta"'))) {
      const { task_id, index, text } = JSON.parse(frame.slice(2))[1];
      const soFar = texts.get(task_id) ?? '';
      expect(index).toBe(soFar.length);
      texts.set(task_id, soFar + text);
    }
    const flooded = [...texts.values()].filter((text) => text.length === 200_000);
    expect(flooded.length).toBe(60);
    for (const raw of silent) raw.close();
  });
  const events = await readAll(room.speaker, room.conversation_id);
  expect(events.filter(({ data }) => data.message?.content.length === 200_000).length).toBe(60);
  room.speaker.close();
});
