import { ChatError, jsonFault, type ErrorDetails } from '@tertulia/protocol';
import type { Context } from '../events/context.ts';
import { traced } from '../tracing.ts';
import { clientEventHandlers, type EventHandler } from './client-events.ts';
import type { SocketLimits } from './limits.ts';
import { eventNameAsSent } from './packet-parser.ts';
import type { ChatSocket } from './types.ts';

type Ack = (answer: object) => void;

/**
 * The only place that listens to sockets (G11). For each event: limits, login, schema, the handler, then its
 * acknowledgement or its error; nothing thrown anywhere in it leaves it.
 */
export function handle(socket: ChatSocket, context: Context, limits: SocketLimits): void {
  socket.onAny((...values: unknown[]) => {
    if (!socket.connected) return; // closed by us while more of its packets were already read
    const ack = typeof values.at(-1) === 'function' ? (values.pop() as Ack) : null;
    const [name = '', payload] = values;
    void dispatch(socket, eventNameAsSent(String(name)), payload, ack, context, limits);
  });
}

async function dispatch(
  socket: ChatSocket,
  name: string,
  payload: unknown,
  ack: Ack | null,
  context: Context,
  limits: SocketLimits,
): Promise<void> {
  const handler = Object.hasOwn(clientEventHandlers, name)
    ? clientEventHandlers[name as keyof typeof clientEventHandlers]
    : null;
  const label = handler ? name : 'unknown';
  socket.data.unanswered += 1;
  try {
    const answer = await perform(socket, name, handler, payload, context, limits);
    ack?.({ ok: true, ...answer });
    context.metrics.events.inc({ event: label, result: 'ok' });
  } catch (error) {
    const refusal = toRefusal(error, name, payload, context);
    context.metrics.events.inc({ event: label, result: refusal.code });
    answerRefusal(socket, ack, refusal);
  } finally {
    socket.data.unanswered -= 1;
  }
}

async function perform(
  socket: ChatSocket,
  name: string,
  handler: EventHandler | null,
  payload: unknown,
  context: Context,
  limits: SocketLimits,
): Promise<object> {
  const { data } = socket;
  if (data.is_revoked || data.expires_at * 1000 <= Date.now()) throw new ChatError('auth_expired');
  data.active_at = performance.now();
  if (name === 'chat') await limits.takeChat(data.user.id);
  else await limits.takeEvent(socket.id);
  if (!handler) throw new ChatError('unknown_event');
  if (payload === undefined) throw new ChatError('invalid_payload', { message: 'The request has no payload.' });
  const fault = jsonFault(payload, -1); // as REST has it: `metadata` in it may use all its levels
  if (fault) throw new ChatError('invalid_payload', { message: `The request holds ${fault}.` });
  const parsed = handler.schema.safeParse(payload);
  if (!parsed.success) throw new ChatError('invalid_payload', { message: problem(parsed.error.issues) });
  return traced(`socket ${name}`, { user_id: data.user.id, protocol: data.protocol }, () =>
    handler.run(socket, parsed.data as never, context),
  );
}

/** The first thing that is wrong, in words; never what was sent. */
function problem(issues: readonly { path: readonly PropertyKey[]; message: string }[]): string {
  const [first] = issues;
  const place = first?.path.map(String).join('.').slice(0, 100);
  return `The request does not have the expected form: ${place ? `${place}: ` : ''}${first?.message ?? 'not valid'}.`;
}

function toRefusal(error: unknown, event: string, payload: unknown, context: Context): ChatError {
  if (error instanceof ChatError) {
    if (error.cause)
      context.log.warn({ err: error.cause, event: event.slice(0, 50), code: error.code }, 'event refused');
    return new ChatError(error.code, { ...error.details, ...origin(event, payload) });
  }
  const reference = context.reportFailure(error, `event ${event.slice(0, 50)} failed`);
  return new ChatError('internal_error', { reference, ...origin(event, payload) });
}

/** Lets the client find what failed: the event's name and the id that it gave. */
function origin(event: string, payload: unknown): Pick<ErrorDetails, 'event' | 'client_msg_id'> {
  const id = (payload as { client_msg_id?: unknown } | null | undefined)?.client_msg_id;
  return {
    event: event.slice(0, 50).toWellFormed(),
    ...(typeof id === 'string' ? { client_msg_id: id.slice(0, 128).toWellFormed() } : {}),
  };
}

/** A failure goes to the acknowledgement alone where there is one, else to `error`. */
function answerRefusal(socket: ChatSocket, ack: Ack | null, { code, message, details }: ChatError): void {
  if (ack) ack({ ok: false, error: { ...details, code, message } });
  else socket.emit('error', { ...details, message, error: code });
}
