/** One client of a storm. */
export interface StormClient {
  readonly token: string;
  /** The local address to connect from. */
  readonly address: string;
  readonly conversations: readonly string[];
}

/** What the test tells a process of clients. */
export type ToClients =
  | { readonly kind: 'connect'; readonly url: string; readonly clients: readonly StormClient[] }
  /** The conversations' last seqs: answer when all clients have joined and are there. */
  | { readonly kind: 'expect'; readonly targets: Readonly<Record<string, number>> }
  | { readonly kind: 'end' };

/** All clients are back: when each of them was, in Unix ms, and what was wrong with what they got. */
export interface FromClients {
  readonly back: readonly number[];
  readonly faults: readonly string[];
}
