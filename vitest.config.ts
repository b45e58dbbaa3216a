import { defineConfig } from 'vitest/config';

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
          include: ['packages/server/test/**/*.test.ts', 'examples/**/*.test.ts'],
          exclude: ['packages/server/test/{hostile,crash,torture}/**'],
        },
      },
      {
        // What people see is the same whichever node they meet: the same tests, their sockets and requests spread over three.
        extends: true,
        test: {
          name: 'three-nodes',
          include: [
            'packages/server/test/{spec,events,tasks,socket}/**/*.test.ts',
            'packages/server/test/http/{chat,conversations,members,tasks}*.test.ts',
          ],
          env: { TEST_NODES: '3' },
          globalSetup: './packages/server/test/support/three-nodes.ts',
        },
      },
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
