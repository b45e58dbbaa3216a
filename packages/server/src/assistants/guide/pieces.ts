const PIECE_WORDS = 6;

/** Cuts a text into pieces as somebody might say them: some words, the end of a sentence, a line. Joined they are the text. */
export function* piecesOf(text: string): Generator<string> {
  let piece = '';
  let words = 0;
  for (const [word] of text.matchAll(/\S+\s*|\s+/gu)) {
    piece += word;
    words += 1;
    if (words < PIECE_WORDS && !/[.!?:]\s+$|\n$/u.test(word)) continue;
    yield piece;
    piece = '';
    words = 0;
  }
  if (piece !== '') yield piece;
}
