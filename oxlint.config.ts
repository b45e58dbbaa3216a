import { defineConfig, type OxlintOverride } from 'oxlint';

const source = 'packages/server/src';

type Pattern = { message: string; importNames?: string[] } & ({ regex: string } | { group: string[] });

/** Rooms of the server that import only what stands to their right: `http, socket -> events -> tasks -> assistants`. */
const rooms = ['http', 'socket', 'events', 'tasks', 'assistants'];

/** What every room may use; these know nothing of the rooms. */
const foundations = ['delivery', 'accounts', 'store'];

/** Only app.ts and the commands choose one of these; everything else knows the interface. */
const concrete = [
  forbid('/store/(sqlite|mongodb)/', 'Only open-store.ts and commands/ name a concrete store: use store/store.ts.'),
  {
    regex: '/delivery/bus',
    importNames: ['InProcessHub'],
    message: 'Only app.ts names a concrete bus: use the interface.',
  },
];
const entry = forbid('^(\\.\\./)+(app|main)\\.ts$|/commands/', 'Nothing imports app.ts, main.ts or a command.');
const concreteAssistant = {
  group: ['**/assistants/**', '!**/assistants/assistant.ts', '!**/assistants/registry.ts'],
  message: 'Only assistants/registry.ts names a concrete assistant.',
};

const listening = {
  object: 'socket',
  property: 'on',
  message: 'Only socket/handle.ts listens: a listener that throws ends the process.',
};

export default defineConfig({
  plugins: ['eslint', 'typescript', 'unicorn', 'oxc', 'import', 'node', 'promise', 'vitest'],
  categories: { correctness: 'error', suspicious: 'error' },
  options: { typeAware: true, reportUnusedDisableDirectives: 'error', denyWarnings: true },
  ignorePatterns: ['**/node_modules/**', '**/dist/**', 'data/**'],
  rules: {
    'consistent-return': 'off',
    'import/no-cycle': ['error', { ignoreTypes: true }],
    'import/no-default-export': 'error',
    'import/no-named-as-default-member': 'off',
    'import/no-unassigned-import': 'off',
    'max-lines': ['error', { max: 300 }],
    'max-lines-per-function': ['error', { max: 60 }],
    'no-shadow': 'off',
    'no-underscore-dangle': 'off',
    'node/no-process-env': 'error',
    'promise/always-return': 'off',
    'promise/no-callback-in-promise': 'off',
    'typescript/consistent-return': 'off',
    'typescript/no-explicit-any': 'error',
    'typescript/no-floating-promises': 'error',
    'typescript/no-misused-promises': 'error',
    'typescript/no-unsafe-type-assertion': 'off',
    'typescript/no-misused-spread': 'off',
    'typescript/no-unnecessary-type-parameters': 'off',
    'typescript/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    'unicorn/consistent-function-scoping': 'off',
    'unicorn/no-useless-spread': 'off',
    'unicorn/require-post-message-target-origin': 'off',
    'vitest/expect-expect': 'off',
    'vitest/no-disabled-tests': 'error',
    'vitest/no-focused-tests': 'error',
    'vitest/valid-expect': ['error', { maxArgs: 2 }],
  },
  overrides: [
    ...rooms.map((room, position) =>
      imports(
        [`${source}/${room}/**`],
        [...above(position), entry, ...concrete, ...(room === 'assistants' ? [] : [concreteAssistant])],
      ),
    ),
    imports([`${source}/{${foundations.join(',')}}/**`], [...rooms.map(forbidRoom), entry, ...concrete.slice(0, 1)]),
    imports([`${source}/store/**`], [...rooms.map(forbidRoom), entry]),
    imports([`${source}/{config,log,metrics}.ts`], [...rooms.map(forbidRoom), entry, ...concrete]),
    imports([`${source}/{app,main,open-store,serve}.ts`, `${source}/{commands,workers}/**`], [concreteAssistant]),
    {
      files: [`${source}/**`],
      rules: {
        'no-restricted-properties': ['error', listening],
      },
    },
    { files: [`${source}/socket/handle.ts`], rules: { 'no-restricted-properties': 'off' } },
    {
      files: [
        `${source}/{main,process-end,workers/worker}.ts`,
        `${source}/commands/**`,
        'scripts/**',
        'bench/**',
        'packages/*/scripts/**',
      ],
      rules: { 'node/no-process-env': 'off' },
    },
    {
      files: ['**/test/**', 'examples/**'],
      rules: { 'max-lines-per-function': 'off', 'node/no-process-env': 'off', 'vitest/no-conditional-tests': 'off' },
    },
    {
      files: ['static/**'],
      rules: {
        'import/no-absolute-path': 'off',
        'typescript/no-unnecessary-type-assertion': 'off',
      },
    },
    {
      files: ['static/**', 'examples/**'],
      rules: { 'typescript/no-misused-promises': ['error', { checksVoidReturn: { arguments: false } }] },
    },
    {
      files: ['*.config.ts', 'examples/**', 'bench/steady-assistant.ts', '**/test/support/**'],
      rules: { 'import/no-default-export': 'off' },
    },
  ],
});

function above(position: number) {
  return rooms.filter((room, other) => room !== rooms[position] && other <= Math.max(position, 1)).map(forbidRoom);
}

function forbidRoom(room: string) {
  return forbid(
    `^(\\./|(\\.\\./)+)${room}/`,
    'Imports go main -> app -> http, socket -> events -> tasks -> assistants.',
  );
}

function forbid(regex: string, message: string) {
  return { regex, message };
}

function imports(files: string[], patterns: Pattern[]): OxlintOverride {
  return { files, rules: { 'no-restricted-imports': ['error', { patterns }] } };
}
