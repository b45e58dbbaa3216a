import { MongoClient, ObjectId, type Collection, type Db, type Document } from 'mongodb';
import { FaultProxy, type Fault, type Rule } from './mongodb-faults.ts';

/** A database seen in two ways: by way of a proxy that injects faults, and as it is. */
export interface FaultyDatabase {
  readonly proxy: FaultProxy;
  /** The URL by way of the proxy. */
  readonly url: string;
  readonly faulty: Db;
  readonly direct: Db;
  close(): Promise<void>;
}

/** Opens both ways to a database. No fault is injected until the proxy has a rule. */
export async function openFaultyDatabase(databaseUrl: string): Promise<FaultyDatabase> {
  const proxy = await FaultProxy.start(databaseUrl);
  const url = proxy.through(databaseUrl);
  const direct = new MongoClient(databaseUrl, { readConcernLevel: 'majority' });
  const faulty = new MongoClient(url, { writeConcern: { w: 'majority', journal: true }, readConcernLevel: 'majority' });
  await faulty.connect();
  return {
    proxy,
    url,
    faulty: faulty.db(),
    direct: direct.db(),
    async close() {
      await Promise.all([faulty.close(), direct.close()]);
      await proxy.close();
    },
  };
}

const FAULTS: readonly Fault[] = ['request_lost', 'reply_lost', 'not_primary', 'stepped_down', 'stall', 'delay'];

/** Half of the inserts, and some of the rest, meet one fault or another: a rule that is the same for the same numbers. */
export function anyFault(random: () => number): Rule {
  return ({ name }) => {
    if (random() > (name === 'insert' ? 0.5 : 0.05)) return null;
    return FAULTS[Math.floor(random() * FAULTS.length)] ?? null;
  };
}

/** A planted bug: the same database, whose inserts are changed by `plant`. */
export function planted(db: Db, plant: (collection: Collection, document: Document) => Promise<unknown>): Db {
  const collection = (name: string) => {
    const real = db.collection(name);
    return overriding(real, { insertOne: (document: Document) => plant(real, document) });
  };
  return overriding(db, { collection });
}

/** Bugs that a harness must find. */
export const BUGS = {
  'each try makes a new document': (collection: Collection, document: Document) =>
    collection.insertOne(typeof document['_id'] === 'string' ? document : { ...document, _id: new ObjectId() }),
  'a lost answer counts as done': (collection: Collection, document: Document) =>
    collection.insertOne(document).catch((error: Error) => {
      if (error.name !== 'MongoNetworkError') throw error;
    }),
} as const;

function overriding<T extends object>(object: T, methods: object): T {
  return new Proxy(object, {
    get(target, name) {
      if (name in methods) return methods[name as keyof typeof methods];
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
