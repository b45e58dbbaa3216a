/**
 * A list of listeners.
 *
 * @template T
 * @returns {{on: (listener: (value: T) => void) => void, emit: (value: T) => void}}
 */
export function createSignal() {
  /** @type {((value: T) => void)[]} */
  const listeners = [];
  return {
    on: (listener) => void listeners.push(listener),
    emit: (value) => {
      for (const listener of listeners) listener(value);
    },
  };
}
