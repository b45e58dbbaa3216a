import {
  baseServerEvents,
  clientEvents,
  conversationEventSchema,
  extendedServerEvents,
  type LogEventType,
} from '@tertulia/protocol';
import type { z } from 'zod';
import manifest from '../../../package.json' with { type: 'json' };
import { SchemaCollection, type JsonSchema } from './schemas.ts';
import { BASE_EVENTS, CLIENT_EVENTS, EXTENDED_EVENTS, LOG_EVENTS } from './summaries.ts';

/** A message of the document: one event's payload, or an acknowledgement. */
export interface AsyncMessage {
  readonly name: string;
  readonly title: string;
  readonly summary: string;
  readonly payload: JsonSchema;
}

interface Reference {
  readonly $ref: string;
}

/** One event in one direction, seen from the server. */
export interface AsyncOperation {
  readonly action: 'send' | 'receive';
  readonly summary: string;
  readonly channel: Reference;
  readonly messages: readonly Reference[];
  readonly reply?: { readonly channel: Reference; readonly messages: readonly Reference[] };
}

/** The parts of an AsyncAPI 3.0 document that this one has. */
export interface AsyncDocument {
  readonly asyncapi: '3.0.0';
  readonly info: JsonSchema;
  readonly servers: JsonSchema;
  readonly defaultContentType: string;
  readonly channels: Record<string, JsonSchema>;
  readonly operations: Record<string, AsyncOperation>;
  readonly components: {
    readonly schemas: Record<string, JsonSchema>;
    readonly messages: Record<string, AsyncMessage>;
    readonly securitySchemes: JsonSchema;
  };
}

type Messages = Record<string, AsyncMessage>;
type Operations = Record<string, AsyncOperation>;

const INTRODUCTION = `One Socket.IO connection (Engine.IO 4, namespace \`/\`, path \`/socket.io/\`, polling and
websocket) carries everything. The client's \`auth\` object holds \`token\`, an access token. With \`protocol: 1\` in it a
socket speaks the extended protocol (channel \`protocol_1\`); without, the base layer (channel \`base\`). Every event of a
client takes an acknowledgement callback, which gets \`{ok: true, …}\` or \`{ok: false, error}\`.`;

/** Makes the AsyncAPI document of all events from the schemas of the protocol. */
export function describeEvents(): AsyncDocument {
  const schemas = new SchemaCollection();
  const messages: Messages = {};
  const fromClients = describeClientEvents(schemas, messages);
  const base = describeServerEvents('base', baseServerEvents, BASE_EVENTS, schemas, messages);
  const { conversation_event: _, ...events } = extendedServerEvents;
  const extended = describeServerEvents('protocol_1', events, EXTENDED_EVENTS, schemas, messages);
  extended.push(...describeLogEvents(schemas, messages));
  const channels = { base: [...fromClients, ...base], protocol_1: [...fromClients, ...extended] };
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Tertulia',
      version: manifest.version,
      description: INTRODUCTION,
      license: { name: manifest.license },
    },
    servers: {
      this: {
        host: '{host}',
        pathname: '/socket.io/',
        protocol: 'wss',
        description: 'Socket.IO over WebSocket or HTTP long polling.',
        variables: { host: { default: 'localhost:8000' } },
        security: [{ $ref: '#/components/securitySchemes/token' }],
      },
    },
    defaultContentType: 'application/json',
    channels: Object.fromEntries(Object.entries(channels).map(([name, keys]) => [name, channelOf(name, keys)])),
    operations: { ...operationsOf('base', base), ...operationsOf('protocol_1', extended) },
    components: {
      schemas: schemas.write(),
      messages,
      securitySchemes: {
        token: { type: 'httpApiKey', in: 'header', name: 'auth.token', description: '`token` in the client’s `auth`.' },
      },
    },
  };

  function operationsOf(channel: string, sent: readonly string[]): Operations {
    return { ...receiveOperations(channel), ...sendOperations(channel, sent, messages) };
  }
}

const CHANNELS: Readonly<Record<string, string>> = {
  base: 'The base layer: plain Socket.IO clients without a protocol number.',
  protocol_1: 'The extended protocol: the log of each conversation in order, and answers as they are written.',
};

function channelOf(name: string, keys: readonly string[]): JsonSchema {
  const listed = keys.map((key) => [key, { $ref: `#/components/messages/${key}` }]);
  return { address: '/', title: name, description: CHANNELS[name], messages: Object.fromEntries(listed) };
}

/** Each event of a client, its acknowledgement, and the refusal that any of them may get instead. */
function describeClientEvents(schemas: SchemaCollection, messages: Messages): string[] {
  const keys = Object.entries(clientEvents).flatMap(([event, { payload, ack }]) => {
    const summary = CLIENT_EVENTS[event as keyof typeof clientEvents];
    add(messages, event, event, summary, schemas.sent(`${event}_payload`, payload));
    const answer = withOk(schemas.received(`${event}_ack`, ack));
    add(messages, `${event}_ack`, event, `Acknowledges \`${event}\`.`, answer);
    return [event, `${event}_ack`];
  });
  const refusal = { $ref: '#/components/schemas/Refusal' };
  add(messages, 'refusal', 'refusal', 'The acknowledgement of whatever was refused.', refusal);
  return [...keys, 'refusal'];
}

function withOk(ack: JsonSchema): JsonSchema {
  return { allOf: [{ type: 'object', properties: { ok: { const: true } }, required: ['ok'] }, ack] };
}

function describeServerEvents(
  channel: string,
  events: Readonly<Record<string, z.ZodType>>,
  summaries: Readonly<Record<string, string>>,
  schemas: SchemaCollection,
  messages: Messages,
): string[] {
  return Object.entries(events).map(([event, schema]) => {
    const key = `${channel}_${event}`;
    add(messages, key, event, summaries[event] ?? '', schemas.received(key, schema));
    return key;
  });
}

/** `conversation_event` is one event on the wire; each type of it is a message here. */
function describeLogEvents(schemas: SchemaCollection, messages: Messages): string[] {
  return conversationEventSchema.options.map((schema) => {
    const type: LogEventType = schema.shape.type.value;
    const key = `conversation_event_${type}`;
    const payload = schemas.received(schemaName(type), schema);
    messages[key] = { name: 'conversation_event', title: type, summary: LOG_EVENTS[type], payload };
    return key;
  });
}

/** `message_created` is a `MessageCreatedEvent`. */
function schemaName(type: LogEventType): string {
  return `${type.replaceAll(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase())}Event`;
}

function add(messages: Messages, key: string, name: string, summary: string, payload: JsonSchema): void {
  messages[key] = { name, title: name, summary, payload };
}

function receiveOperations(channel: string): Operations {
  const to = { $ref: `#/channels/${channel}` };
  const message = (key: string) => ({ $ref: `#/channels/${channel}/messages/${key}` });
  return Object.fromEntries(
    Object.entries(CLIENT_EVENTS).map(([event, summary]): [string, AsyncOperation] => [
      `${channel}_receive_${event}`,
      {
        action: 'receive',
        summary,
        channel: to,
        messages: [message(event)],
        reply: { channel: to, messages: [message(`${event}_ack`), message('refusal')] },
      },
    ]),
  );
}

function sendOperations(channel: string, keys: readonly string[], messages: Messages): Operations {
  const byEvent = Map.groupBy(keys, (key) => messages[key]?.name ?? key);
  return Object.fromEntries(
    [...byEvent].map(([event, some]): [string, AsyncOperation] => [
      `${channel}_send_${event}`,
      {
        action: 'send',
        summary: (channel === 'base' ? BASE_EVENTS : EXTENDED_EVENTS)[event as 'connected'],
        channel: { $ref: `#/channels/${channel}` },
        messages: some.map((key) => ({ $ref: `#/channels/${channel}/messages/${key}` })),
      },
    ]),
  );
}
