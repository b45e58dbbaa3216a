interface Due {
  readonly time: number;
  /** Among equal times the earlier asked goes first, so that a run can be repeated. */
  readonly order: number;
  readonly action: () => void;
}

/** Simulated time, in microseconds: what is due is done in order, and nothing else takes time. */
export class Clock {
  now = 0;
  readonly #due: Due[] = [];
  #orders = 0;

  after(microseconds: number, action: () => void): void {
    const entry = { time: this.now + microseconds, order: (this.#orders += 1), action };
    let at = this.#due.length;
    this.#due.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(entry, this.#due[parent]!)) break;
      this.#due[at] = this.#due[parent]!;
      at = parent;
    }
    this.#due[at] = entry;
  }

  /** Does everything that is due up to `end`. */
  run(end: number): void {
    for (let next = this.#due[0]; next && next.time <= end; next = this.#due[0]) {
      this.#removeFirst();
      this.now = next.time;
      next.action();
    }
    this.now = end;
  }

  #removeFirst(): void {
    const last = this.#due.pop()!;
    if (this.#due.length === 0) return;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      if (left >= this.#due.length) break;
      const right = left + 1;
      const child = right < this.#due.length && isBefore(this.#due[right]!, this.#due[left]!) ? right : left;
      if (!isBefore(this.#due[child]!, last)) break;
      this.#due[at] = this.#due[child]!;
      at = child;
    }
    this.#due[at] = last;
  }
}

function isBefore(one: Due, other: Due): boolean {
  return one.time < other.time || (one.time === other.time && one.order < other.order);
}
