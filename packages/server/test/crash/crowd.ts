import { BaseClient } from './base-client.ts';
import type { Entry } from './history.ts';
import type { LoadedClient } from './load.ts';
import { OutboxClient } from './outbox-client.ts';
import { until } from './until.ts';
import type { Inhabitant, Shared, World } from './world.ts';

/** Something that a person is connected with. */
export interface Device {
  readonly person: Inhabitant;
  readonly layer: 'base' | 'extended';
  /** Starts with polling, as unmodified clients do. */
  readonly polls: boolean;
  readonly url: string;
}

/** Where many tests share a machine, a restart may take a while. */
const BACK_MS = 90_000;
const QUIET_MS = 90_000;
/** Asking whether all is quiet costs the server something, too. */
const QUIET_LOOK_MS = 250;
/** What a bus loses is found in the log within 10 s; the rest is for a busy machine. */
const SETTLE_MS = 15_000;

/** Everybody who is connected in a run. */
export class Crowd {
  readonly extended: readonly OutboxClient[];
  readonly base: readonly BaseClient[];
  /** All of them, in the order of their devices. */
  readonly clients: readonly (OutboxClient | BaseClient)[];
  /** What each client sends. */
  readonly loads: readonly LoadedClient[];

  /** `nodes`: the names that servers go by. */
  constructor(world: World, devices: readonly Device[], nodes: readonly string[], history: Entry[]) {
    const extended: OutboxClient[] = [];
    const base: BaseClient[] = [];
    const clients: (OutboxClient | BaseClient)[] = [];
    this.loads = devices.map(({ person, layer, polls, url }, index): LoadedClient => {
      const chats = idsOf(person, world.chats);
      const streams = idsOf(person, world.streams);
      const name = `${person.username}-${layer}-${index}`;
      const { token, id: user_id } = person;
      const settings = { name, url, polls, token, user_id, nodes, conversations: [...chats, ...streams] };
      if (layer === 'base') {
        const client = new BaseClient(settings, history);
        base.push(client);
        clients.push(client);
        return { client, chats, streams, opens: false };
      }
      const client = new OutboxClient(settings, history);
      extended.push(client);
      clients.push(client);
      return { client, chats, streams, opens: true };
    });
    this.extended = extended;
    this.base = base;
    this.clients = clients;
  }

  /** Resolves once everybody has caught up, or `isOver`. @throws naming who is missing, with what `aboutServers` says. */
  allBack(aboutServers: () => string, isOver = () => false): Promise<void> {
    const missing = () => this.clients.filter((client) => !client.isCaughtUp).map(({ state }) => state);
    const what = () => `everybody back (missing: ${missing().join(', ')})\n${aboutServers()}`;
    return until(() => missing().length === 0 || isOver(), BACK_MS, what);
  }

  /** Waits until every outbox is empty, every task has ended, and what that made has arrived. */
  async calmDown(aboutServers: () => string): Promise<void> {
    const what = () =>
      `all answered (${this.clients.map(({ name, waiting }) => `${name} ${waiting}`).join(', ')})\n${aboutServers()}`;
    await until(() => this.clients.every(({ waiting }) => waiting === 0), QUIET_MS, what);
    const unended = () => `all tasks ended\n${aboutServers()}`;
    for (const client of this.extended) await until(() => client.isQuiet(), QUIET_MS, unended, QUIET_LOOK_MS);
    await Promise.all(this.clients.map((client) => client.settle(SETTLE_MS)));
  }

  close(): void {
    for (const client of this.clients) client.close();
  }
}

function idsOf(person: Inhabitant, shared: readonly Shared[]): string[] {
  return shared.filter(({ members }) => members.includes(person)).map(({ id }) => id);
}
