/**
 * An answer that is being written, put together from checkpoints and deltas. Deltas name the attempt they belong to and
 * their place in its text, so what comes twice, late or from an attempt that was given up does no harm.
 */
export class Answer {
  /** Which try at the task this is; a higher one begins the text anew. */
  attempt = 0;
  text = '';
  /** Deltas that start beyond the text so far: kept until a checkpoint reaches them. @type {Map<number, string>} */
  #held = new Map();

  /**
   * @param {string} taskId
   * @param {number} order position among the answers of the conversation
   */
  constructor(taskId, order) {
    this.taskId = taskId;
    this.order = order;
    this.assistant = '';
    this.interrupted = false;
  }

  /** Whether a checkpoint is needed before the held deltas can be shown. */
  get hasGap() {
    return this.#held.size > 0;
  }

  /**
   * @param {number} attempt
   * @param {string} assistant
   */
  start(attempt, assistant) {
    if (!this.#isCurrent(attempt)) return;
    this.assistant = assistant;
  }

  /**
   * @param {number} attempt
   * @param {number} index offset in UTF-16 units
   * @param {string} text
   */
  delta(attempt, index, text) {
    if (!this.#isCurrent(attempt)) return;
    this.#held.set(index, text);
    this.#drain();
  }

  /**
   * The text so far as the server last stored it.
   *
   * @param {number} attempt
   * @param {string} text
   */
  checkpoint(attempt, text) {
    if (!this.#isCurrent(attempt)) return;
    if (text.length > this.text.length) this.text = text;
    this.#drain();
  }

  /**
   * The attempt was cut off; another one may follow.
   *
   * @param {number} attempt
   */
  interrupt(attempt) {
    if (attempt === this.attempt) this.interrupted = true;
  }

  /** @param {number} attempt */
  #isCurrent(attempt) {
    if (attempt < this.attempt) return false;
    if (attempt > this.attempt) {
      this.attempt = attempt;
      this.text = '';
      this.interrupted = false;
      this.#held.clear();
    }
    return true;
  }

  #drain() {
    for (const [index, text] of [...this.#held].toSorted(([a], [b]) => a - b)) {
      if (index > this.text.length) return;
      this.text += text.slice(this.text.length - index);
      this.#held.delete(index);
    }
  }
}
