import { setTimeout as delay } from 'node:timers/promises';

/** Between two looks. */
const LOOK_MS = 20;

/** What somebody met who asked again and again for all that a cluster must always be able to do. */
export interface Availability {
  readonly asked: number;
  /** Through the balancer: new sessions that were not given, and what was answered instead. */
  readonly failedSessions: readonly string[];
  /** Through the balancer: POSTs over REST that no server answered. */
  readonly failedPosts: readonly string[];
  /** Looks at which no node said that it was ready. */
  readonly withoutReadyNode: number;
}

/** Watches a cluster from outside, until told to stop. */
export function watchAvailability(balancerUrl: string, nodeUrls: readonly string[]): () => Promise<Availability> {
  const failedSessions: string[] = [];
  const failedPosts: string[] = [];
  const over = new AbortController();
  let [asked, withoutReadyNode] = [0, 0];
  const look = async () => {
    asked += 1;
    const [sockets, rest, ...ready] = await Promise.all([
      openAndCloseSession(balancerUrl),
      // Whatever is wrong with it, a server has said so.
      statusOf(`${balancerUrl}/api/v1/auth/login`, { method: 'POST', body: '{}', headers: JSON_BODY }),
      ...nodeUrls.map((url) => statusOf(`${url}/readyz`)),
    ]);
    if (sockets !== 200) failedSessions.push(String(sockets));
    if (rest !== 422) failedPosts.push(String(rest));
    if (!ready.includes(200)) withoutReadyNode += 1;
  };
  const watching = (async () => {
    while (!over.signal.aborted) {
      await look();
      await delay(LOOK_MS);
    }
  })();
  return async () => {
    over.abort();
    await watching;
    return { asked, failedSessions, failedPosts, withoutReadyNode };
  };
}

const JSON_BODY = { 'content-type': 'application/json' };

async function openAndCloseSession(url: string): Promise<number | string> {
  const base = `${url}/socket.io/?EIO=4&transport=polling`;
  try {
    const response = await fetch(base);
    const text = await response.text();
    if (response.status === 200) {
      await fetch(`${base}&sid=${JSON.parse(text.slice(1)).sid}`, { method: 'POST', body: '1' }).catch(() => null);
    }
    return response.status;
  } catch (error) {
    return String((error as Error).cause ?? error);
  }
}

async function statusOf(url: string, init?: RequestInit): Promise<number | string> {
  try {
    const response = await fetch(url, init);
    await response.arrayBuffer();
    return response.status;
  } catch (error) {
    return String((error as Error).cause ?? error);
  }
}
