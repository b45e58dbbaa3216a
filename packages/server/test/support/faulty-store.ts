import { MongoClient, type Db } from 'mongodb';
import { pino } from 'pino';
import { MongoStore } from '../../src/store/mongodb/mongo-store.ts';
import { FaultProxy, type Fault, type Rule } from './mongodb-faults.ts';

/** One database, seen by two nodes by way of a proxy that injects faults, and as it is. */
export interface FaultyStore {
  readonly proxy: FaultProxy;
  readonly nodes: readonly [MongoStore, MongoStore];
  readonly truth: MongoStore;
  readonly db: Db;
  close(): Promise<void>;
}

/** Opens a database in these ways. No fault is injected until the proxy has a rule. */
export async function openFaultyStore(url: string): Promise<FaultyStore> {
  const log = pino({ enabled: false });
  const truth = await MongoStore.open({ url, log });
  const proxy = await FaultProxy.start(url);
  const open = () => MongoStore.open({ url: proxy.through(url), log });
  const nodes = [await open(), await open()] as const;
  const client = new MongoClient(url, { readConcernLevel: 'majority' });
  return {
    proxy,
    nodes,
    truth,
    db: client.db(),
    async close() {
      await Promise.all([...nodes, truth, client].map((opened) => opened.close()));
      await proxy.close();
    },
  };
}

const FAULTS: readonly Fault[] = ['request_lost', 'reply_lost', 'not_primary', 'stepped_down', 'stall', 'delay'];

/** Half of the inserts, and some of the rest, meet one of these faults: the same for the same numbers. */
export function anyOf(random: () => number, faults: readonly Fault[] = FAULTS): Rule {
  return ({ name }) => {
    if (random() > (name === 'insert' ? 0.5 : 0.05)) return null;
    return faults[Math.floor(random() * faults.length)] ?? null;
  };
}

/** Bugs, made on the way to the server, that every harness must find. */
export const BUGS = {
  'each try stores a new document': (proxy: FaultProxy) => {
    proxy.changesIds = true;
  },
  'what was lost is acknowledged': (proxy: FaultProxy) => {
    const { rule } = proxy;
    let inserts = 0;
    proxy.rule = (command) => (command.name === 'insert' && ++inserts % 5 === 0 ? 'false_ack' : rule(command));
  },
} as const;
