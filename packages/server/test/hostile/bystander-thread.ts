// Chats as fast as it is answered, with a pause between, and tells how long each round trip took.
import { setTimeout as delay } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { io } from 'socket.io-client';

/** Below the limit of 5 messages a second, so that the round trip is measured and not the limit. */
const PAUSE_MS = 210;
const LATEST_MS = 30_000;

const { url, token } = workerData as { url: string; token: string };
const socket = io(url, { auth: { token, protocol: 1 }, transports: ['websocket'] });
const trips: number[] = [];
const stopped = new AbortController();
let conversation_id: string | undefined;

async function chat(): Promise<void> {
  const started = performance.now();
  const answer = await socket.timeout(LATEST_MS).emitWithAck('chat', { message: 'hello', conversation_id });
  trips.push(answer.ok ? performance.now() - started : Infinity);
  ({ conversation_id } = answer);
}

parentPort?.once('message', () => stopped.abort());
socket.once('connected', () => void run());

async function run(): Promise<void> {
  await chat();
  trips.length = 0;
  parentPort?.postMessage('ready');
  while (!stopped.signal.aborted || trips.length < 3) {
    await chat().catch(() => trips.push(Infinity));
    await delay(PAUSE_MS);
  }
  parentPort?.postMessage(trips);
}
