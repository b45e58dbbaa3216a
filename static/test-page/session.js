import { ApiError, request } from './api.js';
import { createSignal } from './signal.js';
import { readTokens, storeTokens, tokensOfAnswer, tokensOfPaste } from './tokens.js';

/**
 * @typedef {import('./tokens.js').Tokens} Tokens
 * @typedef {{id: string, username: string, email: string, full_name: string | null}} User
 */

/** Browsers fire a timer at once that is set beyond 2^31 - 1 ms. */
const LONGEST_TIMER_MS = 2_000_000_000;
const RETRY_MS = 5_000;

/**
 * The login of this tab: its tokens, whose they are, and their renewal before they end. Kept in the tab's session
 * storage, so a reload stays logged in and a closed tab does not.
 */
export class Session {
  /** @type {Tokens | null} */
  tokens = readTokens();
  /** @type {User | null} */
  user = null;
  /** What is wrong with this login, as a sentence. @type {string | null} */
  problem = null;

  #changed = createSignal();
  #renewed = createSignal();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {Promise<boolean> | null} */
  #renewing = null;

  constructor() {
    this.#schedule();
  }

  /** @param {() => void} listener called after each change of the login */
  onChange(listener) {
    this.#changed.on(listener);
  }

  /** @param {() => void} listener called when the access token was replaced by a new one of the same login */
  onRenewed(listener) {
    this.#renewed.on(listener);
  }

  /**
   * @param {string} username
   * @param {string} password
   */
  async logIn(username, password) {
    const answer = await request('auth/login', { method: 'POST', body: { username, password } });
    this.#update(tokensOfAnswer(answer));
    await this.identify();
  }

  /** @param {{email: string, username: string, password: string, full_name?: string}} account */
  async register(account) {
    await request('auth/register', { method: 'POST', body: account });
    await this.logIn(account.username, account.password);
  }

  /** @param {string} accessToken pasted by hand: it cannot be renewed */
  async useToken(accessToken) {
    this.#update(tokensOfPaste(accessToken));
    await this.identify();
  }

  async logOut() {
    const { tokens } = this;
    this.#update(null);
    if (!tokens) return;
    try {
      await request('auth/logout', { method: 'POST', token: tokens.accessToken });
    } catch {
      // This tab has forgotten the tokens either way; on the server they end by themselves.
    }
  }

  /** Learns whose token this is. A token that the server refuses stays, so that one can watch a connection being refused. */
  async identify() {
    const { tokens } = this;
    if (!tokens) return;
    try {
      this.user = await this.ask('auth/me');
      this.problem = null;
    } catch (error) {
      if (this.tokens !== tokens) return;
      this.problem = error instanceof Error ? error.message : String(error);
    }
    this.#changed.emit();
  }

  /**
   * Asks REST as this login, and once more with a renewed one where the token was no longer good.
   *
   * @param {string} path
   * @param {{method?: string, body?: unknown}} [options]
   */
  async ask(path, options = {}) {
    try {
      return await request(path, { ...options, token: this.tokens?.accessToken ?? null });
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401 || !(await this.renew())) throw error;
      return request(path, { ...options, token: this.tokens?.accessToken ?? null });
    }
  }

  /** Trades the refresh token for new tokens; several callers share one try. Answers whether a new login is there. */
  renew() {
    this.#renewing ??= this.#renewOnce().finally(() => {
      this.#renewing = null;
    });
    return this.#renewing;
  }

  async #renewOnce() {
    const before = this.tokens;
    if (!before?.refreshToken) return false;
    try {
      const answer = await request('auth/refresh', { method: 'POST', body: { refresh_token: before.refreshToken } });
      // Logged out, or in as somebody else, while the answer was on its way.
      if (this.tokens !== before) return this.tokens !== null;
      this.#update(tokensOfAnswer(answer), this.user);
      this.#renewed.emit();
      return true;
    } catch (error) {
      if (this.tokens === before) this.#renewalFailed(error);
      return false;
    }
  }

  /** @param {unknown} error */
  #renewalFailed(error) {
    if (error instanceof ApiError && [400, 401, 403, 422].includes(error.status)) {
      this.#update(null, null, 'Your login has ended. Log in again.');
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.renew(), RETRY_MS);
  }

  /**
   * @param {Tokens | null} tokens
   * @param {User | null} [user]
   * @param {string | null} [problem]
   */
  #update(tokens, user = null, problem = null) {
    this.tokens = tokens;
    this.user = user;
    this.problem = problem;
    storeTokens(tokens);
    this.#schedule();
    this.#changed.emit();
  }

  #schedule() {
    clearTimeout(this.#timer);
    const { tokens } = this;
    if (!tokens?.refreshToken || !tokens.expiresAt || !tokens.lifetime) return;
    const margin = Math.min(60_000, tokens.lifetime / 4);
    const wait = Math.max(250, tokens.expiresAt - margin - Date.now());
    const action = wait > LONGEST_TIMER_MS ? () => this.#schedule() : () => void this.renew();
    this.#timer = setTimeout(action, Math.min(wait, LONGEST_TIMER_MS));
  }
}
