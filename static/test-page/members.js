import { createSignal } from './signal.js';

/** @typedef {import('@tertulia/protocol').Member} Member */

/** Who belongs to the open conversation. */
export class Members {
  /** @type {Member[]} */
  list = [];
  #conversationId = '';
  #session;
  #changed = createSignal();

  /** @param {import('./session.js').Session} session */
  constructor(session) {
    this.#session = session;
  }

  /** Whether this login may add and remove members. */
  get isOwn() {
    return this.list.some((member) => member.role === 'owner' && member.user_id === this.#session.user?.id);
  }

  /** @param {() => void} listener */
  onChange(listener) {
    this.#changed.on(listener);
  }

  /** @param {string} conversationId */
  reset(conversationId) {
    this.#conversationId = conversationId;
    this.#set([]);
  }

  async read() {
    const conversationId = this.#conversationId;
    const { members } = await this.#session.ask(this.#path());
    if (this.#conversationId === conversationId) this.#set(members);
  }

  /** @param {string} username */
  async add(username) {
    await this.#session.ask(this.#path(), { method: 'POST', body: { username } });
    await this.read();
  }

  /** @param {Member} member */
  async remove(member) {
    await this.#session.ask(`${this.#path()}/${encodeURIComponent(member.username)}`, { method: 'DELETE' });
    await this.read();
  }

  /** @param {Member} member */
  joined(member) {
    this.#set([...this.list.filter((other) => other.user_id !== member.user_id), member]);
  }

  /** @param {string} userId */
  left(userId) {
    this.#set(this.list.filter((member) => member.user_id !== userId));
  }

  #path() {
    return `conversations/${encodeURIComponent(this.#conversationId)}/members`;
  }

  /** @param {Member[]} list */
  #set(list) {
    this.list = list;
    this.#changed.emit();
  }
}
