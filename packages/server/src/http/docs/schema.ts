import { html } from 'hono/html';

/** A JSON Schema as far as the documents use it. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly additionalProperties?: boolean | Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly description?: string;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
}

/** The schemas that stand once in a document, by name. */
export type Schemas = Readonly<Record<string, Schema>>;

/** A part of a page, escaped. */
export type Fragment = ReturnType<typeof html>;

/** A document's named schemas, and what their anchors on the page begin with. */
export interface Names {
  readonly schemas: Schemas;
  readonly prefix: string;
}

/** Numbers that JSON Schema writes where nobody set a limit. */
const UNLIMITED = Number.MAX_SAFE_INTEGER;

/** The fields of an object, each with its type and what it is for; an object within opens on demand. */
export function fieldsOf(schema: Schema, names: Names): Fragment {
  const whole = flatten(schema, names.schemas);
  const required = new Set(whole.required);
  const rows = Object.entries(whole.properties ?? {});
  if (rows.length === 0) return html`<p class="type">${typeOf(schema, names)}</p>`;
  return html`<ul class="fields">
    ${rows.map(([name, field]) => fieldRow(name, field, required.has(name), names))}
  </ul>`;
}

function fieldRow(name: string, field: Schema, isRequired: boolean, names: Names): Fragment {
  const inner = innerObject(field);
  return html`<li>
    <code class="name">${name}</code>
    <span class="type">${typeOf(field, names)}${boundsOf(field)}</span>
    ${isRequired ? '' : html`<span class="optional">optional</span>`}
    ${field.description ? html`<span class="about">${prose(field.description)}</span>` : ''}
    ${
      inner
        ? html`<details>
            <summary>Fields of <code>${name}</code></summary>
            ${fieldsOf(inner, names)}
          </details>`
        : ''
    }
  </li>`;
}

/** A schema whose parts (`allOf`, a reference) are put together, for listing its fields. */
function flatten(schema: Schema, schemas: Schemas): Schema {
  const target = schema.$ref === undefined ? schema : (schemas[nameOf(schema.$ref)] ?? {});
  const parts = (target.allOf ?? []).map((part) => flatten(part, schemas));
  return {
    ...target,
    properties: Object.assign({}, ...parts.map((part) => part.properties), target.properties),
    required: [...parts.flatMap((part) => part.required ?? []), ...(target.required ?? [])],
  };
}

/** The object with fields that stands unnamed in a field: itself, in a list, or beside `null`. */
function innerObject(schema: Schema): Schema | null {
  if (schema.properties && Object.keys(schema.properties).length > 0) return schema;
  if (schema.items) return innerObject(schema.items);
  for (const option of schema.anyOf ?? schema.oneOf ?? []) {
    const found = innerObject(option);
    if (found) return found;
  }
  return null;
}

function typeOf(schema: Schema, names: Names): Fragment | string {
  if (schema.$ref !== undefined) return link(nameOf(schema.$ref), names);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  const options = schema.anyOf ?? schema.oneOf;
  if (options)
    return joined(
      options.map((option) => typeOf(option, names)),
      ' | ',
    );
  const [only] = schema.allOf ?? [];
  if (only) return typeOf(only, names);
  if (schema.items) return html`list of ${typeOf(schema.items, names)}`;
  if (typeof schema.additionalProperties === 'object')
    return html`map to ${typeOf(schema.additionalProperties, names)}`;
  return typeof schema.type === 'string' ? schema.type : (schema.type?.join(' | ') ?? 'anything');
}

function boundsOf(schema: Schema): string {
  const of = schema.anyOf?.find((option) => option.type !== 'null') ?? schema;
  const from = of.minimum ?? of.minLength;
  const to = of.maximum ?? of.maxLength ?? of.maxItems;
  const unit = of.maxLength !== undefined || of.minLength !== undefined ? ' characters' : '';
  const isBounded = to !== undefined && to < UNLIMITED;
  const range = isBounded ? `, ${from === undefined ? 'at most ' : `${from} to `}${to}${unit}` : '';
  const least = !isBounded && from !== undefined && from > -UNLIMITED ? `, at least ${from}${unit}` : '';
  const byDefault = schema.default === undefined ? '' : `, default ${JSON.stringify(schema.default)}`;
  return range + least + byDefault;
}

/** The name at the end of a reference. */
export function nameOf(reference: string): string {
  return reference.slice(reference.lastIndexOf('/') + 1);
}

function link(name: string, { prefix }: Names): Fragment {
  return html`<a href="#${prefix}-${name}">${name}</a>`;
}

function joined(parts: readonly (Fragment | string)[], separator: string): Fragment {
  return html`${parts.map((part, index) => html`${index > 0 ? separator : ''}${part}`)}`;
}

/** A sentence with its `code` marked. */
export function prose(text: string): Fragment {
  const pieces = text.split('`').map((piece, index) => (index % 2 === 1 ? html`<code>${piece}</code>` : piece));
  return html`${pieces}`;
}

/** The named schemas that others refer to. */
export function schemaSections(title: string, shown: readonly string[], names: Names): Fragment {
  return html`<h3>${title}</h3>
    ${shown.map(
      (name) =>
        html`<details class="item" id="${names.prefix}-${name}">
          <summary><code class="path">${name}</code></summary>
          ${fieldsOf(names.schemas[name] ?? {}, names)}
        </details>`,
    )}`;
}

/** An example of a value, short enough to read: what must be there, and nothing else. */
export function exampleOf(schema: Schema, names: Names): unknown {
  const whole = flatten(schema, names.schemas);
  if (whole.const !== undefined) return whole.const;
  if (whole.enum) return whole.enum[0];
  const option = whole.anyOf?.[0] ?? whole.oneOf?.[0];
  if (option) return exampleOf(option, names);
  if (whole.items) return [exampleOf(whole.items, names)];
  switch (Array.isArray(whole.type) ? whole.type[0] : whole.type) {
    case 'integer':
    case 'number':
      return Math.max(whole.minimum ?? 0, 0);
    case 'boolean':
      return true;
    case 'object': {
      const required = whole.required ?? [];
      return Object.fromEntries(required.map((name) => [name, exampleField(name, whole.properties?.[name], names)]));
    }
    default:
      return '…';
  }
}

/** Some names say more than their type. */
const EXAMPLES: Readonly<Record<string, unknown>> = {
  message: 'Hello!',
  user_message: 'Hello!',
  content: 'Hello to you.',
  title: 'Plans for May',
  username: 'testuser',
  password: 'testpass123',
  email: 'testuser@example.com',
};

function exampleField(name: string, schema: Schema | undefined, names: Names): unknown {
  return EXAMPLES[name] ?? exampleOf(schema ?? {}, names);
}
