import { z } from 'zod';
import { SETTINGS } from '../src/config.ts';

/** Where the page lies. */
export const CONFIGURATION_PAGE = new URL('../../../docs/configuration.md', import.meta.url);

const INTRODUCTION = `# Configuration

<!-- Made from packages/server/src/config.ts by \`npm run docs:configuration\`. -->

The server is set by environment variables. A file named \`.env\` in the folder it is started in is read as well; what the
environment says counts more. An empty value is the same as none. Whatever is wrong is told at once at the start, and
\`npm run doctor\` tells it without one.

| variable | takes | default | what it does |
| --- | --- | --- | --- |
`;

const ENDING = `
A flag is \`1\` or \`true\`, \`0\` or \`false\`.

## Traces

Traces are sent by OpenTelemetry, and only where one of its own variables says where to: \`OTEL_EXPORTER_OTLP_ENDPOINT\` or
\`OTEL_EXPORTER_OTLP_TRACES_ENDPOINT\`. They go out as OTLP over HTTP, in JSON. \`OTEL_SERVICE_NAME\` names the server,
\`OTEL_TRACES_EXPORTER=none\` or \`OTEL_SDK_DISABLED=true\` turns them off. \`OTEL_TRACES_SAMPLER\` with \`OTEL_TRACES_SAMPLER_ARG\`,
\`OTEL_RESOURCE_ATTRIBUTES\` and \`OTEL_EXPORTER_OTLP_HEADERS\`, \`_TIMEOUT\` and \`_COMPRESSION\` hold as OpenTelemetry's own
documentation says. A trace leads from the socket's event to the commit and to the assistant's answer; it carries ids, lengths and
results, never a text or a token.
`;

/** A default that another machine would have otherwise. */
const LOCAL_DEFAULTS: Readonly<Record<string, string>> = { NODE_ID: "the host's name" };

/** No limit that anybody would meet. */
const HUGE = 1_000_000_000;

/** The whole page. */
export function describeConfiguration(): string {
  const rows = Object.entries(SETTINGS).map(([name, { schema, about, ...rest }]) => {
    const isSecret = 'secret' in rest && rest.secret;
    const cells = [`\`${name}\``, takesOf(schema), defaultOf(name, schema), `${about}${isSecret ? ' Secret.' : ''}`];
    return `| ${cells.join(' | ')} |`;
  });
  return `${INTRODUCTION}${rows.join('\n')}\n${ENDING}`;
}

function takesOf(schema: z.ZodType): string {
  const { type, minimum, maximum, ...form } = z.toJSONSchema(schema, { io: 'input' });
  if (form.enum?.includes('true')) return 'a flag';
  if (form.enum) return form.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (type !== 'integer') return 'text';
  return maximum === undefined || maximum >= HUGE ? `a number from ${minimum}` : `a number, ${minimum} to ${maximum}`;
}

function defaultOf(name: string, schema: z.ZodType): string {
  const local = LOCAL_DEFAULTS[name];
  if (local) return local;
  const value: unknown = schema.parse(undefined);
  if (value === undefined) return '';
  if (typeof value === 'boolean') return `\`${value ? 1 : 0}\``;
  return [value]
    .flat()
    .map((item) => `\`${item as string | number}\``)
    .join(', ');
}
