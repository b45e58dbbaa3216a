import { duration } from './times.js';

const PREFIX = '/api/v1/';

/** A request that the server refused, or that never reached it. `message` is a sentence for people. */
export class ApiError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   * @param {number} status 0 where there was no answer
   * @param {Map<string, string>} [fields] what is wrong with which field of the body
   * @param {ErrorOptions} [options]
   */
  constructor(code, message, status, fields = new Map(), options = {}) {
    super(message, options);
    this.name = 'ApiError';
    this.code = code;
    this.status = status;
    this.fields = fields;
  }
}

/**
 * @typedef {{method?: string, body?: unknown, token?: string | null}} RequestOptions
 */

/**
 * Asks the REST interface and answers the JSON it gives.
 *
 * @param {string} path below /api/v1/
 * @param {RequestOptions} [options]
 * @returns {Promise<any>}
 * @throws {ApiError}
 */
export async function request(path, options = {}) {
  const response = await reach(path, options);
  const text = await response.text();
  const answer = parse(text);
  if (response.ok) return answer;
  throw refusal(response.status, answer);
}

/**
 * @param {string} path
 * @param {RequestOptions} options
 */
async function reach(path, { method = 'GET', body, token }) {
  /** @type {Record<string, string>} */
  const headers = { accept: 'application/json' };
  if (token) headers.authorization = `Bearer ${token}`;
  if (body !== undefined) headers['content-type'] = 'application/json';
  try {
    const content = body === undefined ? null : JSON.stringify(body);
    return await fetch(PREFIX + path, { method, headers, body: content, cache: 'no-store', credentials: 'omit' });
  } catch (cause) {
    if (isHeaderFault(token)) throw new ApiError('unauthorized', 'This is not an access token.', 0);
    throw new ApiError('unreachable', 'The server cannot be reached. Is it running?', 0, undefined, { cause });
  }
}

/**
 * A pasted token with characters that no header can carry makes `fetch` throw as if the network were down.
 *
 * @param {string | null | undefined} token
 */
function isHeaderFault(token) {
  return typeof token === 'string' && !/^[\x21-\x7e]*$/.test(token);
}

/** @param {string} text */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    // A proxy's page or an empty body: the status alone has to tell what happened.
    return null;
  }
}

/**
 * @param {number} status
 * @param {any} answer
 */
function refusal(status, answer) {
  const code = typeof answer?.error === 'string' ? answer.error : `http_${status}`;
  const fields = fieldErrors(answer?.detail);
  return new ApiError(code, withWait(sentence(status, answer, fields), answer?.retry_after_ms), status, fields);
}

/**
 * @param {number} status
 * @param {any} answer
 * @param {Map<string, string>} fields
 */
function sentence(status, answer, fields) {
  if (typeof answer?.detail === 'string') return answer.detail;
  if (fields.size > 0) return 'Some fields need your attention.';
  return `The server answered with status ${status}.`;
}

/**
 * A 422's list of problems, by the last part of their place: `['body', 'email']` is the field `email`.
 *
 * @param {unknown} detail
 * @returns {Map<string, string>}
 */
function fieldErrors(detail) {
  /** @type {Map<string, string>} */
  const fields = new Map();
  if (!Array.isArray(detail)) return fields;
  for (const problem of detail) {
    /** @type {unknown[]} */
    const place = Array.isArray(problem?.loc) ? problem.loc : [];
    const name = place.findLast((part) => typeof part === 'string') ?? 'body';
    if (!fields.has(name)) fields.set(name, String(problem?.msg ?? 'is not valid'));
  }
  return fields;
}

/**
 * Adds the wait to a sentence where the server named one.
 *
 * @param {string} text
 * @param {unknown} retryAfterMs
 */
export function withWait(text, retryAfterMs) {
  return typeof retryAfterMs === 'number' && retryAfterMs > 0 ? `${text} (in ${duration(retryAfterMs)})` : text;
}
