import { once } from 'node:events';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PollingSession } from '../hostile/polling-session.ts';
import { RawSocket, RefusedUpgrade } from '../hostile/raw-socket.ts';
import { describeWith } from '../support/describe-with.ts';
import { PASSWORD } from '../support/start-server.ts';
import { BALANCERS } from './balancer.ts';
import { Cluster, nodeOf, NODES, sidOf } from './cluster.ts';

/** A request from another address of this machine, as a client that may lie about it. */
async function logInFrom(address: string, cluster: Cluster): Promise<string> {
  const headers = { 'content-type': 'application/json', 'x-forwarded-for': '203.0.113.9' };
  const options = { method: 'POST', localAddress: address, headers };
  const asked = request(`${cluster.balancer.url}/api/v1/auth/login`, options);
  asked.end(JSON.stringify({ username: cluster.person.username, password: PASSWORD }));
  const [response] = await once(asked, 'response');
  return JSON.parse(await text(response)).access_token;
}

describe.each(BALANCERS)('behind %s by sid', (name) => {
  describeWith(name, 'three nodes', () => {
    let cluster: Cluster;
    beforeAll(async () => void (cluster = await Cluster.start(name, 'by-sid')));
    afterAll(() => cluster?.close());

    test("the nodes know a client's address, whatever it says itself", async () => {
      const token = await logInFrom('127.0.0.2', cluster);
      const { body } = await cluster.nodes[0]!.call('GET', '/auth/sessions', { token });
      expect(body.sessions.find(({ current }: { current: boolean }) => current).address).toBe('127.0.0.2');
    });

    test("a page of the balancer's own origin may connect, and no other", async () => {
      const ask = (origin: string) =>
        fetch(`${cluster.balancer.url}/socket.io/?EIO=4&transport=polling`, { headers: { origin } });
      expect((await ask(cluster.balancer.url)).status).toBe(200);
      expect((await ask('https://evil.example')).status).toBe(403);
    });

    test('what is large goes through, and what is too large is refused by the server in its own words', async () => {
      const post = (bytes: number) =>
        fetch(`${cluster.balancer.url}/api/v1/chat`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${cluster.person.token}` },
          body: JSON.stringify({ message: 'hello', more: 'x'.repeat(bytes) }),
        });
      expect((await post(250_000)).status).toBe(201);
      // Often, and one after the other: where the answer came before the whole body, a balancer lost one in five.
      for (let time = 0; time < 20; time += 1) {
        const refused = await post(300_000);
        expect([refused.status, await refused.json()]).toMatchObject([413, { error: 'too_large' }]);
      }
      const session = await PollingSession.connect(cluster.balancer.url, cluster.person.token);
      expect((await session.post(`42["nothing",${JSON.stringify('x'.repeat(250_000))}]`)).status).toBe(200);
      expect((await session.post('x'.repeat(300_000))).status).toBe(413);
    });

    test('a session whose node has gone is refused at once, and its client makes a new one elsewhere', async () => {
      const pollers = await Promise.all(Array.from({ length: 6 }, () => cluster.connect(['polling'], true)));
      const client = pollers.find((one) => nodeOf(one) === 'node-3')!;
      const sid = sidOf(client);
      await cluster.nodes[NODES.indexOf('node-3')]!.stop();
      const query = `EIO=4&transport=polling&sid=${sid}`;
      for (const method of ['GET', 'POST']) {
        const { status } = await fetch(`${cluster.balancer.url}/socket.io/?${query}`, { method });
        expect([502, 503]).toContain(status);
      }
      const upgrade = RawSocket.open(cluster.balancer.url, { query: query.replace('polling', 'websocket') });
      await expect(upgrade).rejects.toBeInstanceOf(RefusedUpgrade);
      await client.next('connected');
      expect(['node-1', 'node-2']).toContain(nodeOf(client));
      expect(await client.ask('chat', { message: 'back' })).toMatchObject({ ok: true });
    });

    test('a session of a node that never was is refused by one that is', async () => {
      const query = 'EIO=4&transport=polling&sid=node-9.AAAAAAAAAAAAAAAAAAAAAA';
      const answer = await fetch(`${cluster.balancer.url}/socket.io/?${query}`);
      expect([answer.status, await answer.json()]).toEqual([400, { code: 1, message: 'Session ID unknown' }]);
    });

    test('no session id stands in its log, not even where something failed', () => {
      const log = cluster.balancer.log();
      expect(log).toMatch(/\/socket\.io\/"? 200/);
      expect(log).not.toMatch(/node-[123]\.[\w-]{22}/);
    });
  });
});
