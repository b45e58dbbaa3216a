import { catchUp } from './catch-up.js';
import { readHistory, readMissed } from './history.js';
import { Members } from './members.js';
import { receive } from './receive.js';
import { createSignal } from './signal.js';
import { Transcript } from './transcript.js';

/**
 * @typedef {import('@tertulia/protocol').Conversation} ConversationDetails
 * @typedef {import('./connection.js').Incoming} Incoming
 */

/** How many of a log's newest events are read at once; older messages come by pages of history. */
const RECENT_EVENTS = 200;
const EARLY_EVENTS = 500;
const GAP_WAIT_MS = 600;

/** The conversation that the page shows: its messages, its members, and whether this socket has joined it. */
export class OpenConversation {
  transcript = new Transcript('');
  /** @type {ConversationDetails | null} */
  details = null;
  isJoined = false;
  isLoading = false;
  /** A sentence, or empty. */
  problem = '';
  /** `before_seq` of the page before, or null where the beginning is shown. @type {number | null} */
  earlier = null;
  members;

  #session;
  #connection;
  #outbox;
  #changed = createSignal();
  /** @type {ReturnType<typeof createSignal<string>>} */
  #happened = createSignal();
  /** Events of a conversation that this page is just making and whose id it does not know yet. @type {Incoming[]} */
  #early = [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #gapTimer;
  #isCatchingUp = false;
  /** A load under way: a join waits for it, since it tells where to begin. */
  #loading = Promise.resolve();

  /**
   * @param {import('./session.js').Session} session
   * @param {import('./connection.js').Connection} connection
   * @param {import('./outbox.js').Outbox} outbox
   */
  constructor(session, connection, outbox) {
    this.#session = session;
    this.#connection = connection;
    this.#outbox = outbox;
    this.members = new Members(session);
    connection.onEvent((event) => this.#received(event));
    outbox.onAccepted(({ entry, ack }) => void this.#accepted(entry, ack));
    outbox.onChange(() => this.#changed.emit());
  }

  /** The conversation's id, or empty for one that the next message makes. */
  get id() {
    return this.transcript.id;
  }

  /** Whose page this is. */
  get userId() {
    return this.#session.user?.id ?? null;
  }

  /** What is on its way. A message whose event came, before its acknowledgement or without one, is there already. */
  get pending() {
    const { transcript, userId } = this;
    return this.#outbox.entriesOf(this.id).filter(({ clientMsgId }) => transcript.senderOf(clientMsgId) !== userId);
  }

  /**
   * @param {string} text
   * @param {Record<string, unknown>} metadata
   */
  say(text, metadata) {
    this.#outbox.add(this.id, text, metadata);
  }

  /** @param {() => void} listener */
  onChange(listener) {
    this.#changed.on(listener);
  }

  /** @param {(text: string) => void} listener for what comes while one looks on, as it is read out */
  onHappened(listener) {
    this.#happened.on(listener);
  }

  /** Shows an empty one, which the next message makes. */
  startNew() {
    this.#replace('');
  }

  /** @param {string} id */
  async open(id) {
    this.#replace(id);
    this.#loading = this.#load();
    await this.#loading;
  }

  /** Joins the open conversation, after a reconnect or because one asked. */
  async join() {
    await this.#loading;
    const { transcript } = this;
    if (transcript.id === '' || this.isJoined) return;
    if (this.#connection.isExtended && !transcript.isLog) await this.startOver();
    else await this.#attempt(transcript, () => this.#join(transcript));
  }

  async leave() {
    const { transcript } = this;
    await this.#attempt(transcript, async () => {
      await this.#connection.send('leave_conversation', { conversation_id: transcript.id });
      if (this.transcript === transcript) this.isJoined = false;
    });
  }

  /** A lost connection has left every conversation. */
  disconnected() {
    this.#stopLooking();
    this.isJoined = false;
    this.#changed.emit();
  }

  /** What this page knows of the conversation may not hold, as after a restored database, or not be all. */
  async startOver() {
    if (this.id !== '') await this.open(this.id);
  }

  async readEarlier() {
    const { transcript, earlier } = this;
    if (earlier === null) return;
    await this.#attempt(transcript, async () => {
      const before = await readHistory(this.#session, transcript, earlier);
      if (this.transcript === transcript) this.earlier = before;
    });
  }

  /** Asks for the events and deltas that are missing. */
  async sync() {
    if (this.#isCatchingUp || !this.isJoined) return;
    const { transcript } = this;
    this.#isCatchingUp = true;
    await this.#attempt(transcript, () => catchUp(this.#connection, transcript, 'sync'));
    this.#isCatchingUp = false;
    this.#lookForGap();
  }

  /** The owner has taken this login off the conversation. */
  expelled() {
    this.isJoined = false;
    this.problem = 'You are no longer a member of this conversation.';
  }

  dismissProblem() {
    this.problem = '';
    this.#changed.emit();
  }

  /** @param {string} id */
  #replace(id) {
    if (this.isJoined && this.id !== id) void this.leave();
    this.#stopLooking();
    this.transcript = new Transcript(id);
    Object.assign(this, { details: null, isJoined: false, isLoading: false, problem: '', earlier: null });
    this.members.reset(id);
    this.#early = [];
    this.#changed.emit();
  }

  /** Reads the conversation and joins it where there is a connection. After every await another one may be open. */
  async #load() {
    const { transcript } = this;
    this.isLoading = true;
    this.#changed.emit();
    await this.#attempt(transcript, async () => {
      const details = await this.#session.ask(`conversations/${encodeURIComponent(transcript.id)}`);
      if (this.transcript !== transcript) return;
      this.details = details;
      await this.#connection.settled();
      await this.#readRecent(transcript, details.last_seq);
      if (this.transcript !== transcript) return;
      await this.members.read();
    });
    if (this.transcript === transcript) this.isLoading = false;
    this.#changed.emit();
  }

  /**
   * Near the end of the log: joined, where there is a connection, else from history.
   *
   * @param {Transcript} transcript
   * @param {number} lastSeq
   */
  async #readRecent(transcript, lastSeq) {
    const isNewHere = transcript.lastSeq === 0;
    if (isNewHere && this.#connection.isConnected && this.#connection.isExtended) {
      transcript.lastSeq = Math.max(0, lastSeq - RECENT_EVENTS);
      this.earlier = transcript.lastSeq > 0 ? transcript.lastSeq + 1 : null;
    } else if (!this.#connection.isConnected) {
      await this.#readNewest(transcript);
    }
    if (this.#connection.isConnected && this.transcript === transcript) await this.#join(transcript);
  }

  /** @param {Transcript} transcript */
  async #readNewest(transcript) {
    const before = await readHistory(this.#session, transcript, null);
    if (this.transcript === transcript) this.earlier = before;
  }

  /** @param {Transcript} transcript */
  async #join(transcript) {
    let joined = true;
    if (this.#connection.isExtended) {
      joined = await catchUp(this.#connection, transcript, 'join_conversation');
    } else {
      await this.#connection.send('join_conversation', { conversation_id: transcript.id });
      await (transcript.newestSeq === 0 ? this.#readNewest(transcript) : readMissed(this.#session, transcript));
    }
    if (this.transcript !== transcript) return;
    this.isJoined = joined;
    this.#lookForGap();
    this.#changed.emit();
  }

  /** @param {Incoming} event */
  #received(event) {
    const conversationId = event.payload?.conversation_id;
    if (this.id === '' && this.pending.length > 0 && conversationId) {
      this.#early = [...this.#early.slice(-EARLY_EVENTS), event];
      return;
    }
    for (const text of receive(this, event)) this.#happened.emit(text);
    this.#lookForGap();
    this.#changed.emit();
  }

  /**
   * @param {import('./outbox.js').OutboxEntry} entry
   * @param {any} ack
   */
  async #accepted(entry, ack) {
    if (entry.conversationId !== this.id) return;
    const { transcript } = this;
    const isNew = transcript.id === '';
    transcript.id = ack.conversation_id;
    transcript.addMessages([ack.user_message]);
    transcript.awaitAnswer(ack.task_id, ack.seq);
    if (!isNew) return this.#joinedBySending();
    this.#outbox.adopt(transcript.id);
    this.members.reset(transcript.id);
    for (const event of this.#early.splice(0)) this.#received(event);
    this.#loading = this.#load();
    await this.#loading;
  }

  /** On protocol 1 whoever writes into a conversation has joined it. */
  #joinedBySending() {
    if (this.isJoined || !this.#connection.isExtended) return;
    // Without the log there is nothing to go on from.
    if (!this.transcript.isLog) return this.startOver();
    this.isJoined = true;
    this.#lookForGap();
  }

  /** Where something is missing, asks for it, and again until nothing is: checkpoints of answers come twice a second. */
  #lookForGap() {
    if (this.#gapTimer || !this.transcript.hasGap || !this.isJoined || !this.#connection.isExtended) return;
    this.#gapTimer = setTimeout(() => {
      this.#gapTimer = undefined;
      void this.sync();
    }, GAP_WAIT_MS);
  }

  #stopLooking() {
    clearTimeout(this.#gapTimer);
    this.#gapTimer = undefined;
  }

  /**
   * Does something for a conversation and shows what went wrong, unless another one is open by then.
   *
   * @param {Transcript} transcript
   * @param {() => Promise<unknown>} action
   */
  async #attempt(transcript, action) {
    try {
      await action();
    } catch (error) {
      if (this.transcript === transcript) this.problem = error instanceof Error ? error.message : String(error);
    }
    this.#changed.emit();
  }
}
