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
  readonly envs: readonly string[];
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

interface Deployment {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly selector: { readonly matchLabels: Labels };
    readonly template: {
      readonly metadata: { readonly labels: Labels };
      readonly spec: {
        readonly containers: readonly [Container];
        readonly volumes: readonly { readonly name: string }[];
        readonly securityContext: object;
        readonly terminationGracePeriodSeconds: number;
      };
    };
  };
}

const FOLDER = 'kubernetes';
const only = <T>(file: string) => readYaml<T>(`${FOLDER}/${file}`)[0] as T;

const kustomization = only<Kustomization>('kustomization.yaml');
const deployment = only<Deployment>('deployment.yaml');
const pod = deployment.spec.template;
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
  const [settings, secrets] = [kustomization.configMapGenerator[0], kustomization.secretGenerator[0]];
  const taken = container.envFrom.map(({ configMapRef, secretRef }) => (configMapRef ?? secretRef)?.name);
  expect(taken).toEqual([settings?.name, secrets?.name]);
  expect([settings?.envs, secrets?.envs]).toEqual([['settings.env'], ['secrets.env']]);

  const open = readEnvFile(`${FOLDER}/settings.env`);
  const secret = readEnvFile(`${FOLDER}/secrets.env.example`);
  expect(Object.keys({ ...open, ...secret }).filter((name) => !(name in SETTINGS))).toEqual([]);
  expect(Object.keys(open).filter((name) => 'secret' in SETTINGS[name as keyof typeof SETTINGS])).toEqual([]);
  expect(Object.entries(secret).filter(([, value]) => value !== '')).toEqual([]);

  const filled = Object.fromEntries(Object.keys(secret).map((name) => [name, FILLED_IN[name]]));
  const NODE_ID = `${deployment.metadata.name}-7d9c8b6f5d-x2x9k`;
  const config = readConfig({ ...imageSettings(), ...open, ...filled, NODE_ID });
  expect(config).toMatchObject({ ENVIRONMENT: 'production', NODE_ID, PORT: http?.containerPort, HOST: '0.0.0.0' });
  expect(container.env.map(({ name }) => name)).toEqual(['NODE_ID']);
});

test('service, ingress, autoscaler and disruption budget speak of this deployment', () => {
  const { name } = deployment.metadata;
  const { labels } = pod.metadata;
  expect(deployment.spec.selector.matchLabels).toEqual(labels);
  const service = only<{
    metadata: { name: string };
    spec: { selector: Labels; ports: { name: string; targetPort: string }[] };
  }>('service.yaml');
  expect(service.spec.selector).toEqual(labels);
  expect(service.spec.ports.map(({ targetPort }) => targetPort)).toEqual([http?.name]);

  const ingress = only<{ spec: { tls: { hosts: string[] }[]; rules: IngressRule[] } }>('ingress.yaml');
  for (const { host, http: rule } of ingress.spec.rules) {
    expect(ingress.spec.tls.flatMap(({ hosts }) => hosts)).toContain(host);
    for (const { backend } of rule.paths) {
      expect(backend.service).toEqual({ name: service.metadata.name, port: { name: service.spec.ports[0]?.name } });
    }
  }

  const autoscaler = only<{ spec: { scaleTargetRef: object; minReplicas: number } }>('autoscaler.yaml');
  expect(autoscaler.spec.scaleTargetRef).toEqual({ apiVersion: 'apps/v1', kind: 'Deployment', name });
  const budget = only<{ spec: { selector: { matchLabels: Labels }; maxUnavailable: number } }>(
    'disruption-budget.yaml',
  );
  expect(budget.spec.selector.matchLabels).toEqual(labels);
  expect(budget.spec.maxUnavailable).toBeLessThan(autoscaler.spec.minReplicas);
  expect(kustomization.images.map(({ name }) => name)).toEqual([container.image]);
});

interface IngressRule {
  readonly host: string;
  readonly http: { readonly paths: readonly { readonly backend: { readonly service: object } }[] };
}

test('a pod is restarted for its process only, gets requests when it is ready, and has time to stop', () => {
  const { startupProbe, livenessProbe, readinessProbe } = container;
  for (const probe of [startupProbe, livenessProbe])
    expect(probe.httpGet).toEqual({ path: '/livez', port: http?.name });
  expect(readinessProbe.httpGet).toEqual({ path: '/readyz', port: http?.name });
  const { SHUTDOWN_DELAY_SECONDS, SHUTDOWN_DRAIN_SECONDS } = readConfig(readEnvFile(`${FOLDER}/settings.env`));
  expect(SHUTDOWN_DELAY_SECONDS).toBeGreaterThanOrEqual(5);
  expect(pod.spec.terminationGracePeriodSeconds).toBeGreaterThan(SHUTDOWN_DELAY_SECONDS + SHUTDOWN_DRAIN_SECONDS + 5);
});

test('a pod has no more rights than it needs, and writes where the image does', () => {
  expect(pod.spec.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
  expect(container.securityContext).toEqual({
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  });
  const mounts = container.volumeMounts.map(({ mountPath }) => mountPath);
  expect(new Set(mounts)).toEqual(new Set([imageSettings()['DATA_DIR'], '/tmp']));
  expect(container.volumeMounts.map(({ name }) => name)).toEqual(pod.spec.volumes.map(({ name }) => name));
});
