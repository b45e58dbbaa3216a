/**
 * A page of messages ends with the one that brings its text to this many code points: a hundred long answers would be
 * 20 MB at once.
 */
export const MESSAGE_PAGE_TEXT = 500_000;
