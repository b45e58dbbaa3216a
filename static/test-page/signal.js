/**
 * A list of listeners.
 *
 * @template [T=void]
 * @typedef {object} Signal
 * @property {(listener: (value: T) => void) => void} on
 * @property {(listener: (value: T) => void) => void} once
 * @property {(value: T) => void} emit
 */

/**
 * @template [T=void]
 * @returns {Signal<T>}
 */
export function createSignal() {
  /** @type {Set<(value: T) => void>} */
  const listeners = new Set();
  /** @type {Set<(value: T) => void>} */
  const single = new Set();
  return {
    on: (listener) => void listeners.add(listener),
    once: (listener) => void single.add(listener),
    emit: (value) => {
      const now = [...listeners, ...single];
      single.clear();
      for (const listener of now) listener(value);
    },
  };
}
