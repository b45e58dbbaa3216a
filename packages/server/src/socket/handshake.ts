import {
  ChatError,
  SPOKEN_PROTOCOLS,
  handshakeAuthSchema,
  type Account,
  type HandshakeAuth,
  type User,
} from '@tertulia/protocol';
import type { Accounts } from '../accounts/accounts.ts';
import type { FrontDoor } from './front-door.ts';
import type { SocketLimits } from './limits.ts';
import type { ChatServer, ChatSocket } from './types.ts';

/** After a refused handshake the transport is closed this much later, so that the refusal still gets out. */
const CLOSE_REFUSED_MS = 300;
/** A poller that does not come to fetch the refusal is not waited for. */
const DROP_REFUSED_MS = 900;

/** The refusal that Socket.IO sends as `connect_error`: its message is the code. */
class HandshakeRefusal extends Error {
  readonly data: object;

  constructor(error: ChatError) {
    super(error.code);
    this.data = { ...error.details, message: error.message, error: error.code };
  }
}

/** Lets only sockets with a valid token in; the others are told why and closed within a second. */
export function authenticateSockets(
  io: ChatServer,
  accounts: Accounts,
  door: FrontDoor,
  onFailure: (error: unknown) => string,
): void {
  io.use((socket, next) => {
    const address = door.proxies.addressOf(socket.request);
    admit(socket, accounts, door.limits).then(
      () => {
        door.limits.returnHandshake(address);
        next();
      },
      (error: unknown) => {
        const refusal =
          error instanceof ChatError ? error : new ChatError('internal_error', { reference: onFailure(error) });
        door.refusals.add(address, refusal.code);
        refuse(socket, refusal, next);
      },
    );
  });
}

function refuse(socket: ChatSocket, error: ChatError, next: (error: Error) => void): void {
  next(new HandshakeRefusal(error));
  setTimeout(() => socket.conn.close(), CLOSE_REFUSED_MS).unref();
  setTimeout(() => socket.conn.close(true), DROP_REFUSED_MS).unref();
}

async function admit(socket: ChatSocket, accounts: Accounts, limits: SocketLimits): Promise<void> {
  const { protocol, token } = readAuth(socket.handshake.auth);
  if (protocol !== undefined && !SPOKEN_PROTOCOLS.includes(protocol)) {
    throw new ChatError('unsupported_protocol', { spoken: [...SPOKEN_PROTOCOLS] });
  }
  const login = await accounts.authenticate(token);
  await limits.takeLogin(login.user.id);
  Object.assign(socket.data, {
    user: publicUser(login.user),
    session_id: login.session_id,
    protocol: protocol ?? 0,
    expires_at: login.expires_at,
    is_revoked: false,
    joined: new Set<string>(),
    is_behind: false,
    unanswered: 0,
    active_at: performance.now(),
  } satisfies ChatSocket['data']);
  socket.handshake.auth = {}; // the token has done its work
}

/** @throws {ChatError} `unauthorized` without a token of the right form, else `invalid_payload` naming the field */
function readAuth(given: unknown): HandshakeAuth {
  const { success, data, error } = handshakeAuthSchema.safeParse(given);
  if (success) {
    if (/^bearer\s/i.test(data.token)) {
      throw new ChatError('unauthorized', { message: "Send the token alone, without 'Bearer '." });
    }
    return data;
  }
  const fields = error.issues.map(({ path }) => path[0]);
  const [first] = error.issues;
  if (!first || fields.includes(undefined) || fields.includes('token')) throw new ChatError('unauthorized');
  throw new ChatError('invalid_payload', { message: `The handshake's auth.${String(fields[0])} ${first.message}.` });
}

/** An account without what only REST shows. */
export function publicUser({ id, username, email, full_name }: Account): User {
  return { id, username, email, full_name };
}
