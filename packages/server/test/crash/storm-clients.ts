// Many small clients of protocol 1 in a process of their own, so that neither they nor the server starve the test.
import type { AckAnswer, ConversationEvent } from '@tertulia/protocol';
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import type { FromClients, StormClient, ToClients } from './storm-messages.ts';

const ASK_MS = 60_000;

interface Client {
  readonly socket: Socket;
  /** The last seq of each conversation. */
  readonly seqs: Map<string, number>;
  joined: number;
  backAt: number | null;
}

const clients: Client[] = [];
let targets: Readonly<Record<string, number>> | null = null;
let isTold = true;
const faults: string[] = [];

process.on('message', (message: ToClients) => {
  if (message.kind === 'connect') for (const settings of message.clients) clients.push(connect(message.url, settings));
  else if (message.kind === 'expect') expectAll(message.targets);
  else process.exit(0);
});

function connect(url: string, { token, address, conversations }: StormClient): Client {
  const options: Partial<ManagerOptions & SocketOptions> & { localAddress: string } = {
    auth: { token, protocol: 1 },
    transports: ['websocket'],
    forceNew: true,
    reconnectionDelay: 100,
    reconnectionDelayMax: 1_000,
    localAddress: address,
  };
  const socket = io(url, options);
  const client: Client = { socket, seqs: new Map(conversations.map((id) => [id, 0])), joined: 0, backAt: null };
  socket.on('connected', () => comeBack(client).catch(() => undefined)); // a broken connection is followed by another
  socket.on('conversation_event', (event: ConversationEvent) => take(client, event));
  socket.on('disconnect', () => {
    client.joined = 0;
  });
  return client;
}

async function comeBack(client: Client): Promise<void> {
  await Promise.all([...client.seqs.keys()].map((id) => join(client, id)));
  look(client);
}

async function join(client: Client, conversation_id: string): Promise<void> {
  for (;;) {
    const payload = { conversation_id, after_seq: client.seqs.get(conversation_id) ?? 0 };
    const page: AckAnswer<'join_conversation'> = await client.socket
      .timeout(ASK_MS)
      .emitWithAck('join_conversation', payload);
    if (!page.ok) throw new Error(page.error.code);
    for (const event of page.events) take(client, event);
    if (!page.joined) continue;
    client.joined += 1;
    return;
  }
}

function take(client: Client, { conversation_id, seq }: ConversationEvent): void {
  const before = client.seqs.get(conversation_id) ?? 0;
  if (seq !== before + 1) faults.push(`${conversation_id}: ${seq} came after ${before}`);
  client.seqs.set(conversation_id, seq);
}

function expectAll(wanted: Readonly<Record<string, number>>): void {
  targets = wanted;
  isTold = false;
  for (const client of clients) client.backAt = null;
  for (const client of clients) look(client);
}

/** Notes when a client has joined all its conversations and is at their ends; tells when all are. */
function look(client: Client): void {
  if (!targets || client.backAt !== null || client.joined < client.seqs.size || !client.socket.connected) return;
  for (const [id, seq] of client.seqs) if (seq !== targets[id]) return;
  client.backAt = performance.timeOrigin + performance.now();
  if (isTold || clients.some(({ backAt }) => backAt === null)) return;
  isTold = true;
  const told: FromClients = { back: clients.map(({ backAt }) => backAt ?? 0), faults };
  process.send?.(told);
}
