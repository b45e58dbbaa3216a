/** A page of a log is at most this many events or bytes, with at least one event (DESIGN section 3). */
export const PAGE_EVENTS = 100;
export const PAGE_BYTES = 131_072;
