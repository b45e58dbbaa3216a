import { createSignal } from './signal.js';

/** @typedef {import('@tertulia/protocol').Conversation} Conversation */

const PAGE = 50;
/** Several hints of one moment make one request. */
const REFRESH_WAIT_MS = 300;

/** One's conversations, the one spoken in last first. */
export class ConversationList {
  /** @type {Conversation[]} */
  items = [];
  total = 0;
  problem = '';
  isLoaded = false;
  /** Conversations with something new since they were last open. @type {Set<string>} */
  unread = new Set();

  #session;
  #changed = createSignal();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #limit = PAGE;

  /** @param {import('./session.js').Session} session */
  constructor(session) {
    this.#session = session;
  }

  /** @param {() => void} listener */
  onChange(listener) {
    this.#changed.on(listener);
  }

  get hasMore() {
    return this.total > this.items.length;
  }

  async refresh() {
    clearTimeout(this.#timer);
    try {
      const { conversations, total } = await this.#readUpTo(this.#limit);
      Object.assign(this, { items: conversations, total, problem: '', isLoaded: true });
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
    }
    this.#changed.emit();
  }

  /** After a hint that something changed. */
  refreshSoon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.refresh(), REFRESH_WAIT_MS);
  }

  async showMore() {
    this.#limit += PAGE;
    await this.refresh();
  }

  /**
   * @param {string} id
   * @param {boolean} isUnread
   */
  mark(id, isUnread) {
    if (isUnread) this.unread.add(id);
    else this.unread.delete(id);
    this.#changed.emit();
  }

  clear() {
    clearTimeout(this.#timer);
    Object.assign(this, { items: [], total: 0, problem: '', isLoaded: false });
    this.unread.clear();
    this.#limit = PAGE;
    this.#changed.emit();
  }

  /** @param {number} limit */
  async #readUpTo(limit) {
    /** @type {Conversation[]} */
    const conversations = [];
    let total = 0;
    do {
      const query = `skip=${conversations.length}&limit=${PAGE}&sort_by=updated_at&sort_order=-1`;
      const page = await this.#session.ask(`conversations?${query}`);
      conversations.push(...page.conversations);
      total = page.conversations.length === 0 ? conversations.length : page.total;
    } while (conversations.length < Math.min(limit, total));
    return { conversations, total };
  }
}
