import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { announce, announcementOf } from '../announce.ts';
import { loadSecret } from '../accounts/secret.ts';
import type { Config } from '../config.ts';
import { openDataFolder } from '../data-folder.ts';
import { logToOutput, type Logger } from '../log.ts';
import { endOnUnforeseen, fail, stopOnSignal } from '../process-end.ts';
import { SharedFolder } from '../store/sqlite/shared-folder.ts';
import { Crew } from './crew.ts';
import { Switchboard } from './switchboard.ts';
import { DONE } from './worker-process.ts';
import { workerName } from './worker-name.ts';

/**
 * Runs several servers on one machine, one process each, and stands between them: it holds the data folder, replaces
 * whoever dies, passes on what they publish, and counts their rate limits together. It serves nobody itself.
 */
export async function startWorkers(config: Config): Promise<void> {
  const log = await logToOutput({ level: config.LOG_LEVEL, node: config.NODE_ID }, true);
  endOnUnforeseen(log);
  const directory = await openDataFolder(config);
  await loadSecret(config, directory); // made once, before the workers look for it
  const data = config.MONGODB_URL === undefined ? new SharedFolder(directory) : null;
  const crew = employ(config, log, data, await definitePort(config));
  const { url, has_test_user } = await crew.start(config.WORKERS);
  stopOnSignal(
    log,
    async () => {
      await crew.stop();
      data?.close();
    },
    () => crew.kill(),
  );
  announce(announcementOf(config, url, has_test_user), log);
}

function employ(config: Config, log: Logger, data: SharedFolder | null, port: number): Crew {
  const folder = privateFolder();
  const switchboard = new Switchboard(log);
  const crew = new Crew({
    onStarted(number, write) {
      switchboard.connect(number, write);
      switchboard.send(number, { kind: 'begin', number, count: config.WORKERS, folder, port });
    },
    onReady(number, pid) {
      log.debug({ worker: workerName(config.NODE_ID, number), pid }, 'a worker serves');
    },
    onMessage: (number, message) => switchboard.receive(number, message),
    onEnded(number, how, state) {
      switchboard.disconnect(number);
      const worker = workerName(config.NODE_ID, number);
      if (state === 'stopping' && how !== DONE) log.error({ worker, how }, 'a worker did not stop in peace');
      if (state !== 'serving') return;
      log.error({ worker, how }, 'a worker ended; another takes its place');
      releaseLeases(data, worker, log);
      switchboard.tell('all', { kind: 'due' });
    },
    onGivenUp(why) {
      log.fatal({ reason: why.message }, 'a worker ends again and again as soon as it is started; ending');
      void crew.stop().then(() => fail('start', why));
    },
  });
  return crew;
}

/** In MongoDB leases pass by themselves, and so they do here where they cannot be released. */
function releaseLeases(data: SharedFolder | null, worker: string, log: Logger): void {
  try {
    data?.releaseLeasesOf(worker);
  } catch (error) {
    log.warn({ err: error, worker }, 'the leases of a worker that ended could not be released');
  }
}

/** The port for all workers, and for those that replace them: where any free one will do, one that is free now. */
async function definitePort({ PORT, HOST }: Config): Promise<number> {
  if (PORT !== 0) return PORT;
  const server = createServer().listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Where the workers' local sockets lie: nobody else on the machine may look into it. */
function privateFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tertulia-workers-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
