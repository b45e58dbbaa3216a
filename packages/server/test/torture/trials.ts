import type { Trial } from './trial.ts';
import { backlog } from './trials/backlog.ts';
import { clientNetwork } from './trials/client-network.ts';
import { loginRevoked } from './trials/login-revoked.ts';
import { nodeKilled } from './trials/node-killed.ts';
import { nodePaused } from './trials/node-paused.ts';
import { reconnectStorm } from './trials/reconnect-storm.ts';
import { redisAils } from './trials/redis-ails.ts';
import { redisCut } from './trials/redis-cut.ts';
import { redisKilled } from './trials/redis-killed.ts';
import { rollingRestarts } from './trials/rolling-restart.ts';
import { sendPath } from './trials/send-path.ts';
import { sharedFile } from './trials/shared-file.ts';
import { slowReaders } from './trials/slow-readers.ts';
import { streamCutOff } from './trials/stream-cut-off.ts';

const ALL = [
  nodeKilled,
  sendPath,
  streamCutOff,
  nodePaused,
  redisKilled,
  redisCut,
  redisAils,
  clientNetwork,
  backlog,
  reconnectStorm,
  ...rollingRestarts,
  sharedFile,
  slowReaders,
  loginRevoked,
];

/** All faults that can be injected, by their ids. */
export const TRIALS: ReadonlyMap<string, Trial> = new Map(ALL.map((trial) => [trial.id, trial]));
