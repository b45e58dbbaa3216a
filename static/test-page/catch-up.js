/**
 * Reads the log from where a transcript stands to its end, page by page, with the text so far of the answers that are
 * being written. Answers whether the end was reached: only then has a join joined.
 *
 * @param {import('./connection.js').Connection} connection
 * @param {import('./transcript.js').Transcript} transcript
 * @param {'join_conversation' | 'sync'} event
 * @returns {Promise<boolean>}
 */
export async function catchUp(connection, transcript, event) {
  transcript.isLog = true;
  for (;;) {
    const before = transcript.lastSeq;
    const page = await connection.send(event, { conversation_id: transcript.id, after_seq: before });
    if (page.reset) {
      // A restored backup knows less than this page: what was shown may never have happened.
      if (before === 0) return false;
      transcript.clear();
      continue;
    }
    for (const logEvent of page.events) transcript.take(logEvent);
    for (const { task_id, attempt, assistant, text } of page.running) {
      transcript.answer(task_id)?.start(attempt, assistant);
      transcript.answer(task_id)?.checkpoint(attempt, text);
    }
    if (page.complete || transcript.lastSeq === before) return page.complete;
  }
}
