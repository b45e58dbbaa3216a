/** One row of the error table. */
export interface ErrorEntry {
  /** HTTP status of the same failure on REST. */
  readonly status: number;
  /** Whether the same request can succeed later without being changed. */
  readonly retryable: boolean;
  /** The sentence shown to people: what happened and what to do. */
  readonly message: string;
}

const table = {
  unauthorized: entry(401, false, 'Sign in first: the access token is missing or not valid.'),
  auth_expired: entry(401, false, 'Your login has ended. Sign in again.'),
  bad_credentials: entry(401, false, 'Incorrect username or password'),
  forbidden: entry(403, false, 'You are not allowed to do this here.'),
  origin_not_allowed: entry(403, false, 'This web page may not connect to this server.'),
  not_found: entry(404, false, 'There is nothing here, or you have no access to it.'),
  method_not_allowed: entry(405, false, 'This address does not take that method.'),
  invalid_payload: entry(422, false, 'The request does not have the expected form.'),
  unknown_event: entry(400, false, 'The server does not know this event.'),
  unsupported_protocol: entry(400, false, 'The server does not speak this protocol version.'),
  too_large: entry(413, false, 'This is longer than the server takes. Shorten it and send it again.'),
  weak_password: entry(422, false, 'This password is too easy to guess. Choose a longer or less common one.'),
  email_taken: entry(400, false, 'Email already registered'),
  username_taken: entry(400, false, 'Username already taken'),
  idempotency_conflict: entry(
    409,
    false,
    'This client_msg_id was already used for another message. Use a new id for a new message.',
  ),
  already_member: entry(409, false, 'This person is already a member of the conversation.'),
  cancelled: entry(409, false, 'The answer was cancelled.'),
  task_ended: entry(409, false, 'This task has already ended another way.'),
  rate_limited: entry(429, true, 'Too many requests. Wait a moment and try again.'),
  too_many_tasks: entry(
    429,
    true,
    'You have too many questions waiting for an answer. Wait until one of them is answered.',
  ),
  too_many_rooms: entry(429, false, 'This connection has joined too many conversations. Leave one first.'),
  replaced: entry(409, false, 'This connection was closed because you opened too many others.'),
  slow_consumer: entry(503, true, 'This connection could not keep up and was closed. Reconnect to catch up.'),
  assistant_failed: entry(502, false, 'The assistant could not answer. Send the message again to retry.'),
  assistant_timeout: entry(504, false, 'The assistant took too long. Send the message again to retry.'),
  unavailable: entry(503, true, 'The server cannot store anything right now. Try again in a moment.'),
  shutting_down: entry(503, true, 'The server is restarting. Try again in a moment.'),
  internal_error: entry(500, false, 'Something went wrong on the server. Quote the reference when you report it.'),
} as const satisfies Record<string, ErrorEntry>;

/** Every stable code that `error`, an ack's `error.code` or a REST error's `error` can carry. */
export type ErrorCode = keyof typeof table;

/** The one table of errors: code, HTTP status, whether to retry, and the sentence for people. */
export const ERRORS: Readonly<Record<ErrorCode, ErrorEntry>> = table;

/** All codes, for schemas and documents. */
export const ERROR_CODES = Object.keys(table) as [ErrorCode, ...ErrorCode[]];

/** What an error may carry besides code and sentence. Nothing in it is secret. */
export interface ErrorDetails {
  /** Replaces the table's sentence where a more exact one helps. */
  message?: string;
  /** The client's event that failed. */
  event?: string;
  client_msg_id?: string;
  task_id?: string;
  /** The name and size of the limit that was met, for example `16000 code points`. */
  limit?: string;
  /** Milliseconds after which a repeat can succeed. */
  retry_after_ms?: number;
  /** Finds an internal error in the server's log. */
  reference?: string;
  /** The protocol versions the server speaks, with `unsupported_protocol`. */
  spoken?: number[];
}

/** A failure that is meant for the person or program that asked: thrown anywhere, translated at the edges. */
export class ChatError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, details: ErrorDetails = {}, options?: ErrorOptions) {
    super(details.message ?? ERRORS[code].message, options);
    this.name = 'ChatError';
    this.code = code;
    this.details = details;
  }
}

function entry(status: number, retryable: boolean, message: string): ErrorEntry {
  return { status, retryable, message };
}
