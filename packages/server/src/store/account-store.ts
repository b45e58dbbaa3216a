/** Filled in by accounts. */
export type AccountStore = object;
