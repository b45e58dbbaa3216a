import { once } from 'node:events';
import type { Server as HttpServer } from 'node:http';
import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createAccounts, type Accounts } from './accounts/accounts.ts';
import { loadSecret } from './accounts/secret.ts';
import type { Assistant } from './assistants/assistant.ts';
import { loadAssistant } from './assistants/registry.ts';
import type { Config } from './config.ts';
import { openDataFolder } from './data-folder.ts';
import { userTopic } from './delivery/bus.ts';
import { Delivery } from './delivery/delivery.ts';
import { Introductions } from './delivery/introductions.ts';
import { sessionRoom } from './delivery/rooms.ts';
import { drain } from './drain.ts';
import type { Context } from './events/context.ts';
import { whatIsMissing } from './http/health.ts';
import { createHttpServer } from './http/http-server.ts';
import { createHttp } from './http/http.ts';
import { linkNodes, type LinkParts, type NodeLink } from './link-nodes.ts';
import type { Logger } from './log.ts';
import { createMetrics, watchState, type GatherMetrics, type Metrics } from './metrics.ts';
import { openStore } from './open-store.ts';
import { createSocketLimits } from './socket/limits.ts';
import { publicUser } from './socket/handshake.ts';
import { createSocketServer, localEmitter, type SocketServer } from './socket/socket-server.ts';
import type { Siblings } from './socket/sibling-sessions.ts';
import { ConversationLog } from './store/conversation-log.ts';
import { endOf, type Store } from './store/store.ts';
import { TaskEnds } from './tasks/task-ends.ts';
import { TaskRunner } from './tasks/task-runner.ts';

/** Pieces of what a crash or a deletion left that are seen to in one go. */
const SWEEP_PIECES = 500;
const SWEEP_MS = 60_000;
/** On a database that others use too: what another node's death left is mended within seconds. */
const SHARED_SWEEP_MS = 5_000;

/** What a process or a test gives a server. */
export interface AppParts extends LinkParts {
  /** Called where the process must not go on: what was written may be lost (G1). */
  readonly onFatal: (error: Error) => void;
  /** In place of the one that ASSISTANT names. */
  readonly assistant?: Assistant;
  /** Other servers of this machine, behind the same address. */
  readonly siblings?: Siblings;
  /** In place of this server's metrics alone. */
  readonly gatherMetrics?: GatherMetrics;
}

/** A server that is ready to listen. */
export interface App {
  /** Listens and serves; answers the address. @throws where the port is taken. */
  listen(): Promise<{ url: string; port: number }>;
  /** Is not ready any more, hands its work and its clients over, closes. */
  close(): Promise<void>;
  readonly context: Context;
}

/** Puts a server together: here, and only here, the rooms learn of each other. */
export async function createApp(config: Config, parts: AppParts): Promise<App> {
  const foundations = await layFoundations(config, parts);
  const edges = openEdges(config, parts, foundations);
  const context = connectRooms(config, parts.log, foundations, edges);
  edges.rooms.context = context;
  return serve(config, foundations, edges, context);
}

/** What everything else stands on. */
interface Foundations extends NodeLink {
  readonly metrics: Metrics;
  readonly secret: string;
  readonly assistant: Assistant | null;
  readonly store: Store;
}

async function layFoundations(config: Config, parts: AppParts): Promise<Foundations> {
  const metrics = createMetrics(parts.gatherMetrics);
  const directory = await openDataFolder(config);
  const secret = await loadSecret(config, directory);
  const assistant = parts.assistant ?? (await assistantOf(config, parts.log));
  const store = await openStore(config, {
    directory,
    exclusive: !parts.sharesFolder,
    log: parts.log,
    onFatal: parts.onFatal,
    onBatch(operations, milliseconds) {
      metrics.commitBatch.observe(operations);
      metrics.commitSeconds.observe(milliseconds / 1_000);
    },
  });
  return { metrics, secret, assistant, store, ...(await linkNodes(config, store.epoch, metrics, parts)) };
}

/** Where requests come in: over HTTP and over sockets, from people with accounts. */
interface Edges {
  readonly accounts: Accounts;
  readonly httpServer: HttpServer;
  readonly socketServer: SocketServer;
  /** What the edges are told later, since the rooms behind them are made after them. */
  readonly rooms: { context?: Context; isReady: boolean };
}

function openEdges(config: Config, parts: AppParts, { store, secret, metrics, bus, limiters }: Foundations): Edges {
  const { log, siblings = null } = parts;
  const rooms: Edges['rooms'] = { isReady: false };
  const accounts = createAccounts({
    store: store.accounts,
    config,
    log,
    secret,
    limiters,
    onRenamed(account) {
      const user = publicUser(account);
      socketServer.renameUser(user);
      bus.publish([userTopic(user.id)], { kind: 'renamed', user });
    },
    onRevoked(session_ids) {
      socketServer.endSessions(session_ids);
      bus.publish(['all'], { kind: 'revoked', session_ids });
    },
  });
  const limits = createSocketLimits(config, limiters);
  const countSockets = (id: string) => socketServer.io.sockets.adapter.rooms.get(sessionRoom(id))?.size ?? 0;
  const context = () => contextOf(rooms);
  const httpServer = createHttpServer(
    createHttp({ config, log, accounts, limits, countSockets, metrics, state: rooms, context }),
  );
  const socketServer = createSocketServer(httpServer, config, limits, log, siblings);
  return { accounts, httpServer, socketServer, rooms };
}

/** Who is told of what other nodes say. */
interface Listeners extends Pick<Edges, 'socketServer'>, Pick<Context, 'tasks' | 'delivery'> {}

function hearOthers(
  { NODE_ID }: Config,
  log: Logger,
  { bus, secret }: Foundations,
  { socketServer, tasks, delivery }: Listeners,
): void {
  const introductions = new Introductions({ bus, log, nodeId: NODE_ID, secret });
  bus.subscribe(
    (message) => {
      if (message.kind === 'revoked') socketServer.endSessions(message.session_ids);
      else if (message.kind === 'renamed') socketServer.renameUser(message.user);
      else if (message.kind === 'due') tasks.sweep();
      else if (message.kind === 'node') introductions.meet(message);
      else delivery.receive(message);
    },
    () => {
      introductions.introduce();
      void delivery.tail();
    },
  );
}

function connectRooms(config: Config, log: Logger, foundations: Foundations, edges: Edges): Context {
  const { store, bus, metrics, assistant } = foundations;
  const { accounts, socketServer } = edges;
  const delivery = new Delivery({
    store,
    emitter: localEmitter(socketServer.io),
    bus,
    log,
    isMember: (conversationId, userId, seq) => conversations.hasMember(conversationId, userId, seq),
    knownHead: (conversationId, userId) => conversations.knownHead(conversationId, userId),
    onRemote(event) {
      conversations.observe(event);
      tasks.committed(event);
      taskEnds.committed(event);
    },
    onOver(taskIds) {
      tasks.dropped(taskIds);
      taskEnds.dropped(taskIds);
    },
  });
  const conversations = new ConversationLog(store.log, bus.isShared, (event, concerned) => {
    delivery.committed(event, concerned);
    tasks.committed(event);
    taskEnds.committed(event);
    const end = endOf(event);
    if (end) metrics.tasksEnded.inc({ status: end.status });
  });
  const taskEnds = new TaskEnds();
  const tasks = new TaskRunner(
    {
      store,
      conversations,
      delivery,
      log,
      metrics,
      assistant,
      assistantName: assistant?.name ?? config.ASSISTANT,
      answerMax: config.ANSWER_MAX,
      deadlineMs: config.TASK_DEADLINE_SECONDS * 1_000,
      isShared: bus.isShared,
      onHandedBack: () => bus.publish(['all'], { kind: 'due' }),
      maxRunning: config.TASKS_RUNNING,
      maxQueued: config.TASKS_QUEUED,
    },
    config.NODE_ID,
  );
  hearOthers(config, log, foundations, { socketServer, tasks, delivery });
  const reportFailure = (error: unknown, message: string) => {
    const reference = randomUUID();
    log.error({ err: error, reference }, message);
    return reference;
  };
  return { config, store, conversations, tasks, taskEnds, delivery, accounts, log, metrics, reportFailure };
}

function serve(config: Config, { metrics, assistant, store, bus }: Foundations, edges: Edges, context: Context): App {
  const { httpServer, socketServer, rooms, accounts } = edges;
  const { tasks, taskEnds, delivery } = context;
  watchState(metrics, {
    tasks: () => tasks.counts,
    queues: () => ({ ...store.depths, password: accounts.passwordQueueDepth }),
    deliverers: () => delivery.size,
    transports: () => socketServer.io.engine.clientsCount,
    isReady: async () => (await whatIsMissing({ state: rooms, context: () => context })).length === 0,
  });
  const sweepMs = config.MONGODB_URL === undefined ? SWEEP_MS : SHARED_SWEEP_MS;
  const closing = new AbortController();
  const sweeping = sweepUntil(closing.signal, store, context.log, sweepMs);
  return {
    context,
    async listen() {
      httpServer.listen(config.PORT, config.HOST);
      await once(httpServer, 'listening'); // rejects on `error`, a taken port for one
      socketServer.begin(context);
      delivery.begin();
      await tasks.begin();
      rooms.isReady = true;
      const { port } = httpServer.address() as AddressInfo;
      return { port, url: `http://${config.HOST.includes(':') ? `[${config.HOST}]` : config.HOST}:${port}` };
    },
    async close() {
      rooms.isReady = false;
      closing.abort();
      await delay(config.SHUTDOWN_DELAY_SECONDS * 1_000); // all goes on until balancers have noticed
      await drain(context, socketServer);
      taskEnds.close();
      delivery.close();
      await socketServer.close();
      httpServer.closeAllConnections();
      await assistant?.close?.();
      await bus.close();
      await sweeping;
      await store.close();
    },
  };
}

function contextOf(rooms: Edges['rooms']): Context {
  if (!rooms.context) throw new Error('the server is not put together yet');
  return rooms.context;
}

function assistantOf(config: Config, log: Logger): Promise<Assistant | null> {
  return loadAssistant(config.ASSISTANT, {
    cwd: process.cwd(),
    environment: config.ENVIRONMENT,
    knowledgeDir: config.KNOWLEDGE_DIR,
    log,
  });
}

/** One sweep after another: a database that hangs is not asked by ever more of them. */
async function sweepUntil(closing: AbortSignal, store: Store, log: Logger, milliseconds: number): Promise<void> {
  for (;;) {
    await delay(milliseconds, undefined, { signal: closing }).catch(() => undefined); // closing is told below
    if (closing.aborted) return;
    try {
      while ((await store.sweep(SWEEP_PIECES)) === SWEEP_PIECES);
    } catch (error) {
      log.warn({ err: error }, 'sweeping the database failed; it is tried again');
    }
  }
}
