import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../crash/server-process.ts';
import { until } from '../crash/until.ts';
import { describeWith } from '../support/describe-with.ts';
import { guardChild } from '../support/guard-child.ts';
import { findProgram } from '../support/requirements.ts';
import { readDeployFile } from './deploy-files.ts';
import { startDns, type DnsServer } from './dns-server.ts';

const DOMAIN = 'team.svc.cluster.local';
/** Addresses of this machine in place of the cluster's service and pods. */
const ADDRESSES = {
  [`tertulia.${DOMAIN}`]: '127.0.0.11',
  [`tertulia-0.tertulia-nodes.${DOMAIN}`]: '127.0.0.12',
  [`tertulia-17.tertulia-nodes.${DOMAIN}`]: '127.0.0.13',
};

describeWith('nginx', 'The router for Kubernetes', () => {
  let url = '';
  let dns: DnsServer;
  const stops: (() => unknown)[] = [];

  beforeAll(async () => {
    dns = await startDns(ADDRESSES);
    const [port, nodePort] = [await freePort(), await freePort()];
    for (const [name, address] of Object.entries(ADDRESSES)) stops.push(await startNode(name, address, nodePort));
    const nginx = await startNginx(port, nodePort, dns.port);
    stops.push(
      () => nginx.stop(),
      () => dns.close(),
    );
    url = `http://127.0.0.1:${port}`;
    const answers = () =>
      fetch(`${url}/router-is-there`).then(
        ({ status }) => status === 204,
        () => false,
      );
    await until(answers, 10_000, () => `nginx is ready: ${nginx.output()}`);
  });

  afterAll(async () => {
    for (const stop of stops.toReversed()) await stop();
  });

  const whoAnswers = async (path: string) => (await fetch(url + path)).text();

  test('the first request of a socket goes to any node that is ready', async () => {
    expect(await whoAnswers('/socket.io/?EIO=4&transport=polling')).toBe(`tertulia.${DOMAIN}`);
    expect(await whoAnswers('/api/v1/health')).toBe(`tertulia.${DOMAIN}`);
  });

  test('the others go to the node that their sid names', async () => {
    const ask = (sid: string) => whoAnswers(`/socket.io/?EIO=4&transport=polling&sid=${sid}`);
    expect(await ask('tertulia-0.AAAAAAAAAAAAAAAAAAAAAA')).toBe(`tertulia-0.tertulia-nodes.${DOMAIN}`);
    expect(await ask('tertulia-17.2.AAAAAAAAAAAAAAAAAAAAAA')).toBe(`tertulia-17.tertulia-nodes.${DOMAIN}`);
  });

  test('a sid cannot name anything but a node', async () => {
    const before = dns.asked.length;
    for (const sid of [
      'localhost.x',
      'mongo.database.svc.',
      'tertulia-0@127.0.0.1.x',
      'x.tertulia-0.x',
      'tertulia-router.x',
    ]) {
      expect(await whoAnswers(`/socket.io/?sid=${sid}`)).toBe(`tertulia.${DOMAIN}`);
    }
    const names = Object.keys(ADDRESSES);
    expect(dns.asked.slice(before).filter((name) => !names.includes(name))).toEqual([]);
  });

  test('a socket whose node is gone is refused, and its client begins anew', async () => {
    expect((await fetch(`${url}/socket.io/?sid=tertulia-9.AAAA`)).status).toBe(502);
  });
});

/** Answers each request with its own name. */
async function startNode(name: string, address: string, port: number): Promise<() => Promise<unknown>> {
  const server: Server = createServer((_, response) => response.end(name)).listen(port, address);
  await once(server, 'listening');
  return () => {
    server.closeAllConnections();
    return once(server.close(), 'close');
  };
}

/** nginx with the router's configuration as its image would fill it in. */
async function startNginx(port: number, nodePort: number, dnsPort: number) {
  const directory = await mkdtemp(join(tmpdir(), 'tertulia-router-'));
  const router = readDeployFile('kubernetes/router.conf')
    .replace('${NGINX_LOCAL_RESOLVERS}', `127.0.0.1:${dnsPort}`)
    .replaceAll('${POD_NAMESPACE}', 'team')
    .replace('listen 8080', `listen 127.0.0.1:${port}`)
    .replace(':8000;', `:${nodePort};`)
    .replaceAll('/dev/', `${directory}/`);
  const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  for (const kind of kinds) await mkdir(join(directory, kind));
  const temporary = kinds.map((kind) => `${kind}_temp_path ${join(directory, kind)};`);
  const main = ['daemon off;', 'master_process off;', 'pid nginx.pid;', 'error_log stderr;', 'events {}'];
  await writeFile(join(directory, 'nginx.conf'), [...main, 'http {', ...temporary, router, '}'].join('\n'));
  const words = ['-p', directory, '-e', 'stderr', '-c', 'nginx.conf'];
  const child = spawn(findProgram(['nginx']) ?? '', words, { stdio: ['ignore', 'pipe', 'pipe'] });
  guardChild(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => void (output += text));
  return {
    output: () => output,
    async stop() {
      if (child.exitCode === null) {
        child.kill('SIGTERM');
        await once(child, 'exit');
      }
      await rm(directory, { recursive: true, force: true });
    },
  };
}
