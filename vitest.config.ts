import { defineConfig } from 'vitest/config';
import { has } from './packages/server/test/support/requirements.ts';

/** What people see is the same whichever node they meet and whichever database is behind it. */
const seenByPeople = [
  'packages/server/test/{spec,events,tasks,socket}/**/*.test.ts',
  'packages/server/test/http/{chat,conversations,members,tasks}*.test.ts',
];

/** The same tests on a server of MongoDB's protocol. */
const onMongodb = {
  extends: true,
  test: {
    name: 'mongodb',
    include: seenByPeople,
    env: { TEST_STORE: 'mongodb' },
    globalSetup: './packages/server/test/support/on-mongodb.ts',
  },
} as const;

// No `resolve.conditions` here: a plain list of them makes Vitest load the browser build of `ws`.
export default defineConfig({
  test: {
    maxWorkers: 2,
    // No figure: only how long a test may hang, also on a machine that does ten other things.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      { extends: true, test: { name: 'protocol', include: ['packages/protocol/test/**/*.test.ts'] } },
      {
        extends: true,
        test: {
          name: 'server',
          include: ['packages/server/test/**/*.test.ts', '{examples,bench}/**/*.test.ts'],
          exclude: ['packages/server/test/{hostile,crash,torture}/**'],
        },
      },
      {
        // The same tests, their sockets and requests spread over three nodes.
        extends: true,
        test: {
          name: 'three-nodes',
          include: seenByPeople,
          env: { TEST_NODES: '3' },
          globalSetup: './packages/server/test/support/three-nodes.ts',
        },
      },
      ...(has('ferretdb') ? [onMongodb] : []),
      {
        extends: true,
        test: { name: 'crash', include: ['packages/server/test/crash/**/*.test.ts'], testTimeout: 180_000 },
      },
      {
        extends: true,
        test: { name: 'torture', include: ['packages/server/test/torture/**/*.test.ts'], testTimeout: 180_000 },
      },
      {
        extends: true,
        test: { name: 'hostile', include: ['packages/server/test/hostile/**/*.test.ts'] },
      },
    ],
  },
});
