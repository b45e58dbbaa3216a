import { html } from 'hono/html';
import type { AsyncDocument, AsyncMessage, AsyncOperation } from '../asyncapi/asyncapi.ts';
import { exampleOf, fieldsOf, nameOf, prose, schemaSections, type Fragment, type Names } from './schema.ts';

interface Channel {
  readonly id: string;
  readonly title: string;
  readonly about: string;
}

/** The order of the page: who begins needs the base layer's few events first. */
export const CHANNELS: readonly Channel[] = [
  { id: 'base', title: 'Events of the base layer', about: 'For a client that names no protocol in `auth`.' },
  {
    id: 'protocol_1',
    title: 'Events of protocol 1',
    about: 'For a client with `auth: {token, protocol: 1}`: what it sends is the same; what it gets is more.',
  },
];

/** The part of the page about sockets. */
export function eventsSection(document: AsyncDocument): Fragment {
  const names: Names = { schemas: document.components.schemas, prefix: 'event-schema' };
  const shown = Object.keys(names.schemas).filter((name) => /^[A-Z]/.test(name));
  return html`<section id="events">
    <h2>Sockets</h2>
    <p>
      Socket.IO clients of every language connect to this server's address with an access token. The whole document for
      tools: <a href="/asyncapi.json">/asyncapi.json</a> (AsyncAPI 3.0).
    </p>
    <pre tabindex="0"><code>${CONNECT}</code></pre>
    <h3 id="events-client">Events that clients send</h3>
    <p>
      Each takes a callback, which gets <code>{ok: true, …}</code> or
      <code>{ok: false, error: {code, message, …}}</code>.
    </p>
    ${operations(document, 'base', 'receive').map((operation) => sentItem(document, operation, names))}
    ${CHANNELS.map(
      ({ id, title, about }) =>
        html`<h3 id="events-${id}">${title}</h3>
          <p>${prose(about)}</p>
          ${operations(document, id, 'send').map((operation) => receivedItem(document, operation, names))}`,
    )}
    ${schemaSections('Schemas', shown, names)}
  </section>`;
}

const CONNECT = `import { io } from 'socket.io-client';

const socket = io('http://localhost:8000', { auth: { token, protocol: 1 } });
socket.on('conversation_event', (event) => console.log(event.seq, event.type, event.data));
console.log(await socket.emitWithAck('chat', { message: 'Hello!' }));`;

function operations({ operations: all }: AsyncDocument, channel: string, action: AsyncOperation['action']) {
  return Object.values(all).filter((one) => one.action === action && nameOf(one.channel.$ref) === channel);
}

function messageOf({ components }: AsyncDocument, reference: { $ref: string }): AsyncMessage | undefined {
  return components.messages[nameOf(reference.$ref)];
}

function sentItem(document: AsyncDocument, { summary, messages, reply }: AsyncOperation, names: Names): Fragment {
  const [reference] = messages;
  const message = reference && messageOf(document, reference);
  const answer = reply?.messages[0] && messageOf(document, reply.messages[0]);
  if (!message || !answer) return html``;
  const example = JSON.stringify(exampleOf(message.payload, names));
  return html`<details class="item" id="event-${message.name}">
    <summary>
      <span class="method post">SEND</span> <code class="path">${message.name}</code>
      <span class="summary">${prose(summary)}</span>
    </summary>
    <h4>Payload</h4>
    ${fieldsOf(message.payload, names)}
    <h4>Acknowledgement</h4>
    ${fieldsOf(answer.payload, names)}
    <p>Or a <a href="#event-schema-Refusal">Refusal</a>.</p>
    <h4>Try it</h4>
    <pre tabindex="0"><code>await socket.emitWithAck('${message.name}', ${example});</code></pre>
  </details>`;
}

function receivedItem(document: AsyncDocument, { summary, messages }: AsyncOperation, names: Names): Fragment {
  const found = messages.flatMap((reference) => messageOf(document, reference) ?? []);
  const [first] = found;
  if (!first) return html``;
  return html`<details class="item">
    <summary>
      <span class="method get">GET</span> <code class="path">${first.name}</code>
      <span class="summary">${prose(summary)}</span>
    </summary>
    ${found.length === 1 ? fieldsOf(first.payload, names) : found.map((message) => typeItem(message, names))}
  </details>`;
}

/** One of the types of `conversation_event`. */
function typeItem(message: AsyncMessage, names: Names): Fragment {
  return html`<details class="response">
    <summary>
      <code>${message.title}</code>
      <span class="about">${prose(message.summary)}</span>
    </summary>
    ${fieldsOf(message.payload, names)}
  </details>`;
}
