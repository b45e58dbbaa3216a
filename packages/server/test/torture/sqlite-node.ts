// One of several nodes on one SQLite file. The product itself lets nodes share a file only as workers of one server;
// here each is a program of its own, so that each can be killed, stopped or cut off by itself.
import { createApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { createLogger } from '../../src/log.ts';

const config = readConfig(process.env);
const log = createLogger({ level: config.LOG_LEVEL, node: config.NODE_ID });
const onFatal = (error: Error) => {
  log.fatal({ err: error }, 'the database cannot be trusted');
  process.exit(1);
};
const app = await createApp(config, { log, onFatal, sharesFolder: true });
const { url } = await app.listen();
process.once('SIGTERM', () => void app.close().then(() => process.exit(0)));
log.info({ url }, 'listening');
