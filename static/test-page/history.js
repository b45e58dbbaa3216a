const PAGE = 50;

/**
 * A page of the messages before a seq, or the newest ones. Answers `before_seq` of the page before it, null at the start.
 *
 * @param {import('./session.js').Session} session
 * @param {import('./transcript.js').Transcript} transcript
 * @param {number | null} beforeSeq
 * @returns {Promise<number | null>}
 */
export async function readHistory(session, transcript, beforeSeq) {
  const before = beforeSeq === null ? '' : `&before_seq=${beforeSeq}`;
  const page = await session.ask(`conversations/${encodeURIComponent(transcript.id)}/messages?limit=${PAGE}${before}`);
  transcript.addMessages(page.messages);
  return page.next_before_seq;
}

/**
 * What was said since the newest message shown, however many pages that takes. The base layer has no catch-up; there
 * history tells it, and each awaited task how it ended.
 *
 * @param {import('./session.js').Session} session
 * @param {import('./transcript.js').Transcript} transcript
 */
export async function readMissed(session, transcript) {
  const known = transcript.newestSeq;
  /** @type {number | null} */
  let before = null;
  do before = await readHistory(session, transcript, before);
  while (before !== null && before > known + 1);
  for (const taskId of transcript.answers.keys()) {
    const task = await session.ask(`tasks/${encodeURIComponent(taskId)}`);
    if (task.ended_at) transcript.endTask(task);
  }
}
