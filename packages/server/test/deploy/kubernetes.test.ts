import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readConfig, SETTINGS } from '../../src/config.ts';
import { ROOT, run } from '../examples/run-program.ts';
import { describeWith } from '../support/describe-with.ts';
import { findKubernetesValidate } from '../support/requirements.ts';
import { FILLED_IN, imageSettings, readEnvFile, readYaml } from './deploy-files.ts';

interface Kustomization {
  readonly resources: readonly string[];
  readonly configMapGenerator: readonly Generator[];
  readonly secretGenerator: readonly Generator[];
  readonly images: readonly { readonly name: string }[];
}

interface Generator {
  readonly name: string;
  readonly envs?: readonly string[];
}

interface Labels {
  readonly [name: string]: string;
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

interface Container {
  readonly image: string;
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly envFrom: readonly { readonly configMapRef?: { name: string }; readonly secretRef?: { name: string } }[];
  readonly env: readonly { readonly name: string }[];
  readonly startupProbe: Probe;
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly securityContext: object;
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
}

/** A Deployment or a StatefulSet. */
interface Workload {
  readonly metadata: { readonly name: string; readonly labels: Labels };
  readonly spec: {
    readonly serviceName?: string;
    readonly selector: { readonly matchLabels: Labels };
    readonly template: {
      readonly metadata: { readonly labels: Labels };
      readonly spec: {
        readonly containers: readonly [Container];
        readonly volumes: readonly { readonly name: string; readonly configMap?: { readonly name: string } }[];
        readonly securityContext: object;
        readonly terminationGracePeriodSeconds: number;
      };
    };
  };
}

interface Service {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly clusterIP?: string;
    readonly publishNotReadyAddresses?: boolean;
    readonly selector: Labels;
    readonly ports: readonly { readonly name: string; readonly port: number; readonly targetPort: string }[];
  };
}

interface Budget {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly selector: { readonly matchLabels: Labels }; readonly maxUnavailable: number };
}

interface IngressRule {
  readonly host: string;
  readonly http: { readonly paths: readonly { readonly backend: { readonly service: object } }[] };
}

const FOLDER = 'kubernetes';
const only = <T>(file: string) => readYaml<T>(`${FOLDER}/${file}`)[0] as T;

const kustomization = only<Kustomization>('kustomization.yaml');
const nodes = only<Workload>('nodes.yaml');
const router = only<Workload>('router.yaml');
const services = readYaml<Service>(`${FOLDER}/services.yaml`);
const [anyNode, eachNode, routers] = services;
const pod = nodes.spec.template;
const [container] = pod.spec.containers;
const [http] = container.ports;

describeWith('kubernetes-validate', 'The manifests for Kubernetes', () => {
  test.each(kustomization.resources)(
    "%s fits the schema of Kubernetes' newest API, without an unknown field",
    async (file) => {
      const path = join(ROOT, 'deploy', FOLDER, file);
      const { code, stdout, stderr } = await run(findKubernetesValidate() ?? '', ['--strict', path]);
      expect(`${stdout}${stderr}`).toContain('passed for resource');
      expect(code, `${stdout}${stderr}`).toBe(0);
    },
  );
});

test('the kustomization has every manifest in the folder', () => {
  const files = readdirSync(join(ROOT, 'deploy', FOLDER)).filter((name) => name.endsWith('.yaml'));
  expect(files.toSorted()).toEqual(['kustomization.yaml', ...kustomization.resources].toSorted());
});

test('settings and secrets come from the two files, and are ones that the server takes in production', () => {
  const [settings, routing] = kustomization.configMapGenerator;
  const [secrets] = kustomization.secretGenerator;
  expect(router.spec.template.spec.volumes[0]?.configMap?.name).toBe(routing?.name);
  const taken = container.envFrom.map(({ configMapRef, secretRef }) => (configMapRef ?? secretRef)?.name);
  expect(taken).toEqual([settings?.name, secrets?.name]);
  expect([settings?.envs, secrets?.envs]).toEqual([['settings.env'], ['secrets.env']]);

  const open = readEnvFile(`${FOLDER}/settings.env`);
  const secret = readEnvFile(`${FOLDER}/secrets.env.example`);
  expect(Object.keys({ ...open, ...secret }).filter((name) => !(name in SETTINGS))).toEqual([]);
  expect(Object.keys(open).filter((name) => 'secret' in SETTINGS[name as keyof typeof SETTINGS])).toEqual([]);
  expect(Object.entries(secret).filter(([, value]) => value !== '')).toEqual([]);

  const filled = Object.fromEntries(Object.keys(secret).map((name) => [name, FILLED_IN[name]]));
  const NODE_ID = `${nodes.metadata.name}-0`;
  const config = readConfig({ ...imageSettings(), ...open, ...filled, NODE_ID });
  expect(config).toMatchObject({ ENVIRONMENT: 'production', NODE_ID, PORT: http?.containerPort, HOST: '0.0.0.0' });
  expect(container.env.map(({ name }) => name)).toEqual(['NODE_ID']);
});

test('services find the pods, each node by its name as well, and the ingress leads to the router', () => {
  for (const { spec } of [nodes, router]) expect(spec.selector.matchLabels).toEqual(spec.template.metadata.labels);
  expect(services.map(({ metadata }) => metadata.name)).toEqual(['tertulia', 'tertulia-nodes', 'tertulia-router']);
  for (const service of [anyNode, eachNode]) {
    expect(service?.spec.selector).toEqual(nodes.metadata.labels);
    expect(service?.spec.ports).toEqual([{ name: http?.name, port: http?.containerPort, targetPort: http?.name }]);
  }
  expect(eachNode?.spec).toMatchObject({ clusterIP: 'None', publishNotReadyAddresses: true });
  expect(nodes.spec.serviceName).toBe(eachNode?.metadata.name);
  expect(routers?.spec.selector).toEqual(router.metadata.labels);

  const ingress = only<{ spec: { tls: { hosts: string[] }[]; rules: IngressRule[] } }>('ingress.yaml');
  for (const { host, http: rule } of ingress.spec.rules) {
    expect(ingress.spec.tls.flatMap(({ hosts }) => hosts)).toContain(host);
    for (const { backend } of rule.paths) {
      expect(backend.service).toEqual({ name: routers?.metadata.name, port: { name: routers?.spec.ports[0]?.name } });
    }
  }
});

test('the autoscaler and the disruption budgets speak of what is there', () => {
  const autoscaler = only<{ spec: { scaleTargetRef: object; minReplicas: number } }>('autoscaler.yaml');
  const name = nodes.metadata.name;
  expect(autoscaler.spec.scaleTargetRef).toEqual({ apiVersion: 'apps/v1', kind: 'StatefulSet', name });
  const budgets = readYaml<Budget>(`${FOLDER}/disruption-budgets.yaml`);
  expect(budgets.map(({ spec }) => spec.selector.matchLabels)).toEqual([nodes.metadata.labels, router.metadata.labels]);
  for (const { spec } of budgets) expect(spec.maxUnavailable).toBe(1);
  expect(autoscaler.spec.minReplicas).toBeGreaterThan(1);
  expect(kustomization.images.map((image) => image.name)).toEqual([container.image]);
});

test('a pod is restarted for its process only, gets requests when it is ready, and has time to stop', () => {
  const { startupProbe, livenessProbe, readinessProbe } = container;
  for (const probe of [startupProbe, livenessProbe])
    expect(probe.httpGet).toEqual({ path: '/livez', port: http?.name });
  expect(readinessProbe.httpGet).toEqual({ path: '/readyz', port: http?.name });
  const { SHUTDOWN_DELAY_SECONDS, SHUTDOWN_DRAIN_SECONDS } = readConfig(readEnvFile(`${FOLDER}/settings.env`));
  expect(SHUTDOWN_DELAY_SECONDS).toBeGreaterThanOrEqual(5);
  expect(pod.spec.terminationGracePeriodSeconds).toBeGreaterThan(SHUTDOWN_DELAY_SECONDS + SHUTDOWN_DRAIN_SECONDS + 5);
});

test('a pod has no more rights than it needs, and writes where its image does', () => {
  for (const { spec } of [pod, router.spec.template]) {
    expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    expect(spec.containers[0].securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    const mounts = spec.containers[0].volumeMounts.map(({ name }) => name);
    expect(mounts).toEqual(spec.volumes.map(({ name }) => name));
  }
  const mounts = container.volumeMounts.map(({ mountPath }) => mountPath);
  expect(new Set(mounts)).toEqual(new Set([imageSettings()['DATA_DIR'], '/tmp']));
});
