import { Answer } from './answers.js';
import { noticeOf } from './notices.js';
import { sentence } from './sentences.js';

/**
 * @typedef {import('@tertulia/protocol').Message} Message
 * @typedef {import('@tertulia/protocol').ConversationEvent} ConversationEvent
 * @typedef {import('./sentences.js').Sentence} Sentence
 * @typedef {{key: string, seq: number, kind: 'message', message: Message}} MessageEntry
 * @typedef {{key: string, seq: number, kind: 'notice', text: Sentence, isBad: boolean, partialText: string}} NoticeEntry
 * @typedef {MessageEntry | NoticeEntry} Entry
 */

/**
 * One conversation as this page knows it, put together from the log's events in order. Events that are known are
 * ignored and events after a gap wait, so repeats, races and reconnects show nothing twice and nothing out of order.
 */
export class Transcript {
  /** The last seq up to which every event is known. */
  lastSeq = 0;
  /** @type {Map<number, Entry>} */
  entries = new Map();
  /** Answers that are awaited or being written, by task. @type {Map<string, Answer>} */
  answers = new Map();
  /** Whether it was read from the log, with all that happened, or from history, which has only messages. */
  isLog = false;

  /** Events beyond a gap. @type {Map<number, ConversationEvent>} */
  #waiting = new Map();
  /** Who sent a message under this id of the sender's making. @type {Map<string, string>} */
  #senders = new Map();
  /** Tasks known to have ended, whose late deltas mean nothing. @type {Set<string>} */
  #ended = new Set();

  /** @param {string} id the conversation's */
  constructor(id) {
    this.id = id;
  }

  /** Whether something is missing that a sync would bring. */
  get hasGap() {
    return this.#waiting.size > 0 || [...this.answers.values()].some((answer) => answer.hasGap);
  }

  /** The newest seq shown, or 0 where nothing is. */
  get newestSeq() {
    return Math.max(0, ...this.entries.keys());
  }

  /** What to show, oldest first. */
  get sorted() {
    return [...this.entries.values()].toSorted((a, b) => a.seq - b.seq);
  }

  /**
   * Whose message with this `client_msg_id` the log has, if any.
   *
   * @param {string} clientMsgId
   */
  senderOf(clientMsgId) {
    return this.#senders.get(clientMsgId);
  }

  /**
   * Takes an event of the log. Answers those that were new, in order: none where it was known or must wait.
   *
   * @param {ConversationEvent} event
   * @returns {ConversationEvent[]}
   */
  take(event) {
    if (event.seq <= this.lastSeq) return [];
    this.#waiting.set(event.seq, event);
    const applied = [];
    let next = this.#waiting.get(this.lastSeq + 1);
    while (next) {
      this.#waiting.delete(next.seq);
      this.lastSeq = next.seq;
      this.#apply(next);
      applied.push(next);
      next = this.#waiting.get(this.lastSeq + 1);
    }
    return applied;
  }

  /**
   * Messages that came other than as events: history, and the base layer's `conversation`.
   *
   * @param {Message[]} messages
   */
  addMessages(messages) {
    for (const message of messages) this.#addMessage(message);
  }

  /**
   * @param {string} taskId
   * @param {number} seq of the question
   */
  awaitAnswer(taskId, seq) {
    if (this.#ended.has(taskId) || this.answers.has(taskId)) return;
    this.answers.set(taskId, new Answer(taskId, seq));
  }

  /** @param {string} taskId */
  endAnswer(taskId) {
    this.#ended.add(taskId);
    this.answers.delete(taskId);
  }

  /**
   * The task's answer, or null where it has ended. Deltas can come before the event that starts their task.
   *
   * @param {string} taskId
   */
  answer(taskId) {
    this.awaitAnswer(taskId, this.lastSeq + 1);
    return this.answers.get(taskId) ?? null;
  }

  /**
   * An answer that did not come, shown where it would have stood.
   *
   * @param {string} taskId
   * @param {Sentence} text
   */
  failAnswer(taskId, text) {
    const seq = (this.answers.get(taskId)?.order ?? this.lastSeq) + 0.5;
    this.endAnswer(taskId);
    this.entries.set(seq, { key: `f${taskId}`, seq, kind: 'notice', text, isBad: true, partialText: '' });
  }

  /**
   * What REST says of a task that ended while this page was not connected.
   *
   * @param {import('@tertulia/protocol').Task} task
   */
  endTask(task) {
    this.addMessages(task.assistant_responses);
    if (task.error) this.failAnswer(task.id, sentence`${task.error.message}`);
    else this.endAnswer(task.id);
  }

  clear() {
    this.lastSeq = 0;
    this.entries.clear();
    this.answers.clear();
    this.#waiting.clear();
    this.#senders.clear();
    this.#ended.clear();
  }

  /** @param {ConversationEvent} event */
  #apply(event) {
    if (event.type === 'conversation_created' || event.type === 'message_created') {
      const { message, task, client_msg_id: clientMsgId } = event.data;
      if (clientMsgId) this.#senders.set(clientMsgId, event.actor.id);
      if (message) this.#addMessage(message);
      if (task) this.awaitAnswer(task.id, event.seq);
    }
    if (event.type === 'message_created' && event.data.ends_task) this.endAnswer(event.data.ends_task.id);
    if (event.type === 'task_ended') this.endAnswer(event.data.task.id);
    const notice = noticeOf(event);
    if (notice) this.entries.set(event.seq, notice);
  }

  /** @param {Message} message */
  #addMessage(message) {
    this.entries.set(message.seq, { key: `m${message.seq}`, seq: message.seq, kind: 'message', message });
  }
}
