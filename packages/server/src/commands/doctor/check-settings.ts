import { readFile } from 'node:fs/promises';
import { ConfigError, readConfig, SETTINGS, type Config, type SettingName } from '../../config.ts';
import { ok, problem, warning, type Finding } from './finding.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/** Stands in where JWT_SECRET is wrong, so that everything else can still be looked at; it signs nothing. */
const STAND_IN = 'stands in for a secret while the doctor looks around';

/** The settings as far as they are in order, and what is wrong with the others. */
export interface CheckedSettings {
  readonly findings: readonly Finding[];
  readonly config: Config;
  /** Those that are wrong: their defaults stand in for them, so what these lead to says nothing. */
  readonly wrong: ReadonlySet<SettingName>;
}

/** Looks at the settings; what is wrong is left out of those that it answers. */
export function checkSettings(variables: Variables): CheckedSettings {
  try {
    const config = readConfig(variables);
    const given = Object.keys(SETTINGS).filter((name) => variables[name]);
    return {
      findings: [ok('settings', given.length ? `in order; set: ${given.join(', ')}` : 'all at defaults')],
      config,
      wrong: new Set(),
    };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const findings = error.problems.map((message) => problem('settings', message, 'see docs/configuration.md'));
    const wrong = error.problems.map((message) => /^\w+/.exec(message)?.[0] as SettingName);
    const rest = { ...variables, ...Object.fromEntries(wrong.map((name) => [name, undefined])) };
    const { JWT_SECRET, ENVIRONMENT } = rest;
    const config = readConfig({
      ...rest,
      ...(ENVIRONMENT === 'production' && !JWT_SECRET && { JWT_SECRET: STAND_IN }),
    });
    return { findings, config, wrong: new Set(wrong) };
  }
}

/** Which web pages may connect. */
export function checkOrigins({ ALLOWED_ORIGINS, ENVIRONMENT }: Config): Finding {
  const check = 'allowed origins';
  if (ALLOWED_ORIGINS.includes('*')) {
    return warning(check, 'every web page may connect', 'name the origins of your pages in ALLOWED_ORIGINS');
  }
  const local = ALLOWED_ORIGINS.filter((origin) => /^http:\/\/(localhost|127\.0\.0\.1)(:|$)/.test(origin));
  if (ENVIRONMENT === 'production' && local.length > 0) {
    return warning(check, `in production with ${local.join(', ')}`, 'set ALLOWED_ORIGINS to the origins of your pages');
  }
  return ok(check, `${ALLOWED_ORIGINS.join(', ') || 'none'}, and the server's own`);
}

/** The Node that runs this, beside the one that the project pins. */
export async function checkNode(): Promise<Finding> {
  const manifest = JSON.parse(await readFile(new URL('../../../../../package.json', import.meta.url), 'utf8')) as {
    dependencies: { node: string };
  };
  const pinned = manifest.dependencies.node;
  const running = process.versions.node;
  if (running === pinned) return ok('node', `${running}, the pinned version`);
  const advice = 'start by npm, which takes the pinned one; where it is not installed run npm ci';
  const [major] = running.split('.');
  return major === pinned.split('.', 1)[0]
    ? warning('node', `${running}; tested with ${pinned}`, advice)
    : problem('node', `${running}; it has to be ${pinned}`, advice);
}
