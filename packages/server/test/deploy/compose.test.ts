import { join } from 'node:path';
import { DCLinter } from 'dclint';
import { expect, test } from 'vitest';
import { readConfig, SETTINGS } from '../../src/config.ts';
import { ROOT } from '../examples/run-program.ts';
import { FILLED_IN, imageSettings, readDeployFile, readEnvFile, readYaml } from './deploy-files.ts';

interface Service {
  readonly environment?: Record<string, string>;
  readonly depends_on?: readonly string[] | Record<string, unknown>;
  readonly networks?: Record<string, unknown>;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly stop_grace_period?: string;
  readonly healthcheck?: object;
  readonly restart?: string;
  readonly deploy?: { readonly resources?: { readonly limits?: object } };
}

interface Compose {
  readonly services: Record<string, Service>;
  readonly networks?: Record<string, unknown>;
  readonly volumes?: Record<string, unknown>;
}

const FILES = ['compose.yaml', 'compose.cluster.yaml'];
const [cluster] = readYaml<Compose>('compose.cluster.yaml') as [Compose];
const nodes = Object.entries(cluster.services).filter(([name]) => name.startsWith('node-'));

/** `${NAME}`, `${NAME:-default}`, `${NAME:?what to do}`; `$$` is a dollar for the container. */
const VARIABLE = /(?<!\$)\$\{(\w+)(?::([-?])([^}]*))?\}/g;

/** What Compose makes of a value. */
function interpolate(text: string, variables: Record<string, string>): string {
  return text
    .replaceAll(VARIABLE, (_, name: string, kind?: string, rest?: string) => {
      const value = variables[name] ?? '';
      if (value === '' && kind === '?') throw new Error(`${name} is required: ${rest}`);
      return value === '' && kind === '-' ? (rest ?? '') : value;
    })
    .replaceAll('$$', '$');
}

function settingsOf(service: Service, variables: Record<string, string>): Record<string, string> {
  const given = Object.entries(service.environment ?? {});
  return Object.fromEntries(given.map(([name, value]) => [name, interpolate(value, variables)]));
}

/** What the linter knows better than it should: order is taste, and our own image is built here. */
const NO_RULES = [
  'no-build-and-image',
  'require-project-name-field',
  'service-image-require-explicit-tag',
  'service-keys-order',
  'services-alphabetical-order',
  'top-level-properties-order',
];

test.each(FILES)(
  '%s is a Compose file by the schema of the Compose Specification, and a linter agrees',
  async (file) => {
    const rules = Object.fromEntries(NO_RULES.map((rule) => [rule, 0 as const]));
    const linter = new DCLinter({ rules, quiet: false, debug: false, exclude: [] });
    const [found] = await linter.lintFiles([join(ROOT, 'deploy', file)], false);
    expect(found?.messages).toEqual([]);
  },
);

test.each(FILES)('what a service of %s refers to is in the file', (file) => {
  const [compose] = readYaml<Compose>(file) as [Compose];
  for (const [name, service] of Object.entries(compose.services)) {
    const others = Array.isArray(service.depends_on) ? service.depends_on : Object.keys(service.depends_on ?? {});
    expect(Object.keys(compose.services), name).toEqual(expect.arrayContaining(others));
    expect(Object.keys(compose.networks ?? {}), name).toEqual(
      expect.arrayContaining(Object.keys(service.networks ?? {})),
    );
    const volumes = (service.volumes ?? []).map((volume) => volume.split(':')[0] ?? '');
    const named = volumes.filter((volume) => !/^[./]/.test(volume));
    expect(Object.keys(compose.volumes ?? {}), name).toEqual(expect.arrayContaining(named));
  }
});

test('every variable that the cluster asks for is in the example, and the example has no other', () => {
  const asked = new Set([...readDeployFile('compose.cluster.yaml').matchAll(VARIABLE)].map(([, name = '']) => name));
  expect(asked.size).toBeGreaterThan(4);
  expect(new Set(Object.keys(readEnvFile('cluster.env.example')))).toEqual(asked);
});

test('without a secret the cluster does not start, and no file has one', () => {
  for (const file of ['compose.cluster.yaml', 'cluster.env.example', 'tertulia.env.example']) {
    for (const [line, value] of readDeployFile(file).matchAll(/^ *\w*(?:SECRET|PASSWORD|TOKEN)\w*[:=] *(.*)$/gm)) {
      expect(value, line).toMatch(/^(\$\{\w+:[?-].*\})?$/);
    }
  }
  for (const missing of ['JWT_SECRET', 'MONGODB_PASSWORD', 'REDIS_PASSWORD']) {
    const variables = { ...readEnvFile('cluster.env.example'), ...FILLED_IN, [missing]: '' };
    const start = () => Object.values(cluster.services).map((service) => settingsOf(service, variables));
    expect(start, missing).toThrow(`${missing} is required: set it in deploy/cluster.env`);
  }
});

test.each(nodes)('the settings of %s are ones that the server takes in production', (name, service) => {
  const settings = settingsOf(service, { ...readEnvFile('cluster.env.example'), ...FILLED_IN });
  expect(Object.keys(settings).filter((setting) => !(setting in SETTINGS))).toEqual([]);
  const config = readConfig({ ...imageSettings(), ...settings });
  expect(config).toMatchObject({ ENVIRONMENT: 'production', NODE_ID: name, PORT: 8000, HOST: '0.0.0.0' });
  const stop = /^(\d+)s$/.exec(service.stop_grace_period ?? '')?.[1];
  expect(Number(stop)).toBeGreaterThan(config.SHUTDOWN_DELAY_SECONDS + config.SHUTDOWN_DRAIN_SECONDS + 5);
});

test('nginx finds each node by its name, and Compose finds the files that nginx is given', () => {
  const { volumes = [], ports = [] } = cluster.services['nginx'] ?? {};
  const files = volumes.map((volume) => volume.split(':')[0]?.replace('./', '') ?? '');
  const [routing = ''] = files.map(readDeployFile);
  const [passedOn] = [...routing.matchAll(/^ *include (.+);$/gm)].map(([, name]) => `nginx/${name}`);
  expect(files).toContain(passedOn);
  const port = imageSettings()['PORT'];
  for (const [name, { networks }] of nodes) {
    expect(routing).toContain(`upstream tertulia-${name} {\n  server ${name}:${port};\n}`);
    expect(networks?.['front']).toMatchObject({ ipv4_address: expect.any(String) }); // nginx keeps what it has looked up
  }
  expect([...routing.matchAll(/^ *server (\S+:\d+)[ ;]/gm)].length).toBe(2 * nodes.length);
  expect(ports.map((address) => address.split(':').at(-1))).toEqual([/^ *listen (\d+);/m.exec(routing)?.[1]]);
});

test('three nodes start again by themselves, with bounds, and all alike but for their names', () => {
  expect(nodes.map(([name]) => name)).toEqual(['node-1', 'node-2', 'node-3']);
  const alike = nodes.map(([, { environment, networks: _addresses, ...rest }]) => ({
    ...rest,
    environment: { ...environment, NODE_ID: '' },
  }));
  for (const node of alike) expect(node).toEqual(alike[0]);
  for (const [name, { restart, deploy }] of Object.entries(cluster.services)) {
    expect(restart, name).toBe('unless-stopped');
    expect(deploy?.resources?.limits, name).toMatchObject({ cpus: expect.any(String), memory: expect.any(String) });
  }
});

test('only the proxy is reachable, and only from this machine', () => {
  const open = Object.entries(cluster.services).flatMap(([name, { ports }]) =>
    (ports ?? []).map((port) => [name, port]),
  );
  expect(open).toEqual([['nginx', expect.stringMatching(/^127\.0\.0\.1:/)]]);
});
