import { announce, announcementOf, hasTestUser } from './announce.ts';
import { createApp } from './app.ts';
import type { Config } from './config.ts';
import { logToOutput } from './log.ts';
import { endOnUnforeseen, endUntrusted, stopOnSignal } from './process-end.ts';
import { startTracing } from './tracing.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/** Runs one server in this process. */
export async function serve(config: Config, variables: Variables): Promise<void> {
  const log = await logToOutput({ level: config.LOG_LEVEL, node: config.NODE_ID });
  endOnUnforeseen(log);
  const tracing = await startTracing(variables, config.NODE_ID, log);
  const app = await createApp(config, { log, onFatal: (error) => endUntrusted(log, error) });
  const { url } = await app.listen();
  stopOnSignal(log, async () => {
    await app.close();
    await tracing?.close();
  });
  announce(announcementOf(config, url, await hasTestUser(config, app.context.store.accounts)), log);
}
